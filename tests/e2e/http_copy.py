#!/usr/bin/env python3
"""GET /export and POST /import: copies that are the same, made with curl alone; what breaks off, conflicts, bad lines."""
import json
import os
import subprocess
import threading

from fk import Server, run, same

BINARY = bytes(range(256))


def fill(s):
    with s.client() as r:
        r("SET", "text", 'é "quoted"\n')
        r("SET", BINARY, BINARY, "PX", 10_000_000)
        r("SET", "", "")
        r("SET", "large", "x" * 100_000 + '\\"\n')
        r("SET", "large binary", BINARY * 1000)
        r("RPUSH", "list", *range(1000))
        r("PEXPIRE", "list", 20_000_000)
        r("RPUSH", "mixed", "a", BINARY)
        r("HSET", "hash", "f", "v", BINARY, BINARY)
        r("HSET", "large hash", *[f"{k}{i}" for i in range(2000) for k in "fv"])
        r("HSET", "fields expire", "a", 1, "b", 2, BINARY, BINARY)
        r("HPEXPIREAT", "fields expire", 33177117420000, "FIELDS", 2, "a", BINARY)
        r("HSET", "many fields expire", *[f"{k}{i}" for i in range(1000) for k in "fv"])
        r("HPEXPIREAT", "many fields expire", 33177117420001, "FIELDS", 500, *[f"f{i}" for i in range(0, 1000, 2)])
        r("SADD", "ints", *range(300))
        r("SADD", "set", "a", "", BINARY)
        r("SADD", "large set", *[f"member {i}" for i in range(2000)])
        r("ZADD", "sorted", 1.5, "a", "-inf", "", 0.1, BINARY)
        r("ZADD", "large sorted", *[w for i in range(2000) for w in (i % 70, f"member {i}")])
    s.request("PUT", "/keys/page", b"<p>", {"Content-Type": "text/html"})
    s.request("PUT", "/keys/latin", b"<p>", {"Content-Type": "text/html; title=\xe9"})


def everything(s):
    """All that can be known of every key, in an order of its own."""
    found = {}
    with s.client() as r:
        for key in r("KEYS", "*"):
            kind = r("TYPE", key)
            value = {"string": lambda: r("GET", key), "list": lambda: r("LRANGE", key, 0, -1),
                     "hash": lambda: sorted(zip(*[iter(r("HGETALL", key))] * 2)),
                     "set": lambda: sorted(r("SMEMBERS", key)),
                     "zset": lambda: r("ZRANGE", key, 0, -1, "WITHSCORES")}[kind]()
            path = "/keys/" + "".join(f"%{b:02x}" for b in key)
            media = s.request("HEAD", path)[1]["content-type"] if kind == "string" else None
            fields = [f for f, _ in value] if kind == "hash" else []
            times = r("HPEXPIRETIME", key, "FIELDS", len(fields), *fields) if fields else None
            found[key] = kind, value, r("PEXPIRETIME", key), media, times
    return found


def export(s, query=""):
    status, headers, body = s.request("GET", "/export" + query)
    same((status, headers["content-type"]), (200, "application/x-ndjson"))
    return [json.loads(line) for line in body.splitlines()]


def load(s, lines, query="", want=200):
    body = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    status, _, text = s.request("POST", "/import" + query, body)
    same(status, want, text)
    return json.loads(text)


def copies(s):
    """a copy made with curl alone is the same: every type, binary keys, expiries, media types"""
    fill(s)
    with Server() as other:
        pipe = (f"curl -sSf http://127.0.0.1:{s.http}/export | "
                f"curl -sSf --data-binary @- http://127.0.0.1:{other.http}/import")
        said = json.loads(subprocess.run(["bash", "-o", "pipefail", "-c", pipe], check=True, capture_output=True).stdout)
        same((said["skipped"], said["failed"]), (0, 0))
        want, got = everything(s), everything(other)
        same(got, want)
        same(load(other, export(s))["failed"], 0)  # all of it again
        same(everything(other), want)
        same(other.stop(), 0)


def names(lines):
    """The keys of an export, sorted: only its pages have an order, that of a page's keys changes when their table grows."""
    return sorted(line["key"] for line in lines if "key" in line)


def resumed(s):
    """each cursor of an export goes on where it stands, though the tables have grown since"""
    with s.client() as r:
        for i in range(500):
            r("SET", f"k{i}", i)
        lines = export(s)
        same([line for line in lines if "cursor" in line][-1], lines[-1])
        same(lines[-1], {"cursor": 0})
        same(names(lines), sorted(f"k{i}" for i in range(500)))
        at = [i for i, line in enumerate(lines) if "cursor" in line]
        assert len(at) > 4
        for i in at[:-1:2]:
            r("MSET", *[w for n in range(200) for w in (f"more{i} {n}", n)])
            same(names(export(s, f"?prefix=k&cursor={lines[i]['cursor']}")), names(lines[i:]))


def chosen(s):
    """prefix and match choose keys"""
    fill(s)
    same(sorted({line["key"] for line in export(s, "?prefix=large") if "key" in line}),
         ["large", "large binary", "large hash", "large set", "large sorted"])
    same({line["key"] for line in export(s, "?match=*[xs]t") if "key" in line}, {"text", "list"})


def conflicts(s):
    """on-conflict replaces, skips or fails, and a collection's further lines go with its first"""
    first = {"key": "k", "type": "list", "value": ["a"]}
    more = {"key": "k", "type": "list", "append": True, "value": ["b"]}
    with s.client() as r:
        for query, counts, value in (("", (2, 0, 0), [b"a", b"b"]), ("?on-conflict=replace", (2, 0, 0), [b"a", b"b"]),
                                     ("?on-conflict=skip", (0, 2, 0), [b"old"]),
                                     ("?on-conflict=fail", (0, 1, 1), [b"old"])):
            r("DEL", "k")
            r("RPUSH", "k", "old")
            said = load(s, [first, more], query)
            same((said["imported"], said["skipped"], said["failed"]), counts, query)
            same(r("LRANGE", "k", 0, -1), value)


def bad_lines(s):
    """a line that cannot be used is counted and named, and the rest goes on"""
    good = {"key": "k", "type": "string", "value": "v"}
    bad = ["{\n", "[]\n", "1\n", '{"key":"\\ud800"}\n', "[" * 100 + "\n", {"key": "x"}, {**good, "type": "stream"},
           {**good, "value": 1}, {**good, "value": ["v"]}, {**good, "type": "list"}, {**good, "type": "set", "value": []},
           {**good, "type": "set", "value": [1]}, {**good, "type": "hash", "value": ["f"]}, {**good, "colour": 1},
           {**good, "encoding": "hex"}, {**good, "encoding": "base64", "value": "?"}, {**good, "expire_at": 0},
           {**good, "expire_at": 1.5}, {**good, "append": False}, {**good, "content_type": "x" * 300}, {**good, "content_type": "a\nb"},
           {**good, "field_expire_at": [1]}, {**good, "type": "hash", "value": ["f", "v"], "field_expire_at": [1, 2]},
           {**good, "type": "hash", "value": ["f", "v"], "field_expire_at": [-1]},
           {**good, "type": "hash", "value": ["f", "v"], "field_expire_at": ["1"]},
           {**good, "type": "hash", "value": ["f", "v"], "field_expire_at": 1}, {**good, "key": "k" * 70000}, '{"key":"a","key":"b","type":"string","value":""}\n']
    said = load(s, [line for each in bad for line in (each, good)] + ["\n", json.dumps(good)])
    same((said["imported"], said["failed"], len(said["errors"])), (len(bad) + 1, len(bad), len(bad)), said)
    same([e["line"] for e in said["errors"]], list(range(1, 2 * len(bad), 2)))
    assert all(e["detail"] for e in said["errors"])
    same(len(load(s, ["x\n"] * 1000)["errors"]), 100)
    said = load(s, [{"key": "gone", "type": "set", "value": ["a"], "expire_at": 1}])
    same((said["imported"], len(export(s, "?prefix=gone"))), (1, 1))
    entry = json.loads(s.request("GET", "/keys/k", headers={"Accept": "application/json"})[2])
    same(load(s, [{**entry, "key": "again", "ttl_ms": 60_000}])["imported"], 1)
    with s.client() as r:
        assert 0 < r("PTTL", "again") <= 60_000


def expired(s):
    """what has expired comes back neither by the parts of a collection behind its first, nor as a part with nothing in it"""
    first = {"key": "k", "type": "list", "value": ["a"], "expire_at": 1}
    more = {"key": "k", "type": "list", "append": True, "value": ["b"]}
    with s.client() as r:
        for lines, counts in (([first, more, {"cursor": 1}, more], (1, 2, 0)), ([more], (0, 0, 1)),
                              ([{**more, "type": "string", "value": "b"}], (0, 0, 1)),
                              ([{**first, "expire_at": None, "ttl_ms": 2**63 - 1}], (0, 0, 1))):
            said = load(s, lines)
            same((said["imported"], said["skipped"], said["failed"]), counts, said)
            same(r("EXISTS", "k"), 0)
        r("RPUSH", b"\xff", "old")
        bad = {"key": "/w==", "key_encoding": "base64", "type": "list", "value": [1]}
        load(s, [bad, {**bad, "append": True, "value": ["b"]}])
        same(r("LRANGE", b"\xff", 0, -1), [b"old"])
        r("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        r("HSET", "fields", *[f"{k}{i}" for i in range(3000) for k in "fv"])
        for i in range(0, 3000, 500):
            r("HPEXPIREAT", "fields", 1 if i else 33177117420000, "FIELDS", 499, *[f"f{i + n}" for n in range(499)])
        r("HPEXPIRE", "fields", 1, "FIELDS", 498, *[f"f{n}" for n in range(1, 499)])
        while any(r("HMGET", "fields", *[f"f{n}" for n in range(1, 499)])):
            pass
        lines = export(s, "?prefix=fields")[:-1]
        same(sum(len(line["value"]) for line in lines), 14)
        assert all(line["value"] for line in lines), lines
        r("DEL", "fields")
        same((load(s, lines)["failed"], r("HLEN", "fields")), (0, 7))


def long_lines(s):
    """a line over max-request-bytes is 413, what came before it stays; larger bodies are no matter"""
    good = '{"key":"k%d","type":"string","value":"' + "x" * 1000 + '"}\n'
    same(load(s, [good % i for i in range(500)])["imported"], 500)
    status, _, text = s.request("POST", "/import", iter([(good % 1000).encode(), b"x" * 70000]))
    same(status, 413, text)
    assert "line 2" in json.loads(text)["detail"], text
    with s.client() as r:
        same(r("DBSIZE"), 501)


def while_it_changes(s):
    """an export beside writers gives each key that stays exactly as it is"""
    with s.client() as r:
        for i in range(2000):
            r("SET", f"stay{i}", i)
        stop = threading.Event()

        def churn():
            with s.client() as c:
                i = 0
                while not stop.is_set():
                    c("SET", f"come{i % 3000}", i)
                    c("DEL", f"come{(i * 7) % 3000}")
                    i += 1
        writer = threading.Thread(target=churn)
        writer.start()
        try:
            for _ in range(3):
                found = {line["key"]: line["value"] for line in export(s) if line.get("key", "").startswith("stay")}
                same(found, {f"stay{i}": str(i) for i in range(2000)})
        finally:
            stop.set()
            writer.join()


def bounded(s):
    """a client that reads nothing makes the server hold little; one that leaves is forgotten"""
    import socket
    with s.client() as r:
        for i in range(40):
            r("SET", f"large{i}", "x" * 1_000_000)
    before = s.stats()["memory"]["allocated"]
    readers = [socket.create_connection(("127.0.0.1", s.http)) for _ in range(20)]
    for c in readers:
        c.sendall(b"GET /export HTTP/1.1\r\nHost: x\r\n\r\n")
    for c in readers:
        assert c.recv(1000).startswith(b"HTTP/1.1 200")
    held = s.stats()["memory"]["allocated"] - before
    assert held < 20 * 1_000_000, held
    for c in readers:
        c.close()
    same(export(s)[-1], {"cursor": 0})


os.environ.pop("http_proxy", None)
run([copies, resumed, chosen, conflicts, bad_lines, expired, (long_lines, "--max-request-bytes=64kb"), while_it_changes, bounded])
