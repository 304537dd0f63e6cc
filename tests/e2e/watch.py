#!/usr/bin/env python3
"""GET /watch: every change of a key is one event, in order; resuming, gaps, heartbeats, slow clients, rights."""
import base64
import json
import os
import random
import resource
import selectors
import socket
import tempfile
import threading

from fk import PATIENCE, Error, Events, Resp, Server, run, same
from random_commands import SHAPES, draw, parse

HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
# The server shares its descriptors out to both ports, and keeps some for its files.
STREAMS, ROUNDS = 1000 if HARD == resource.RLIM_INFINITY else min(1000, HARD // 2 - 100), 20
RANDOM_COMMANDS = 4000


def end(events, c):
    """All events up to a change of the key "end", which it makes."""
    c("SET", "end", "")
    got = []
    while (event := events.next())[1].get("key") != "end":
        got.append(event)
    return got


def test_every_change(server):
    """each kind of change is one event"""
    for line, want in (
            ("SET k v", [("set", {"key": "k", "type": "string", "etag": "0b7f1d8f8f5a6f46"})]),
            ("GET k", []), ("SET k v NX", []), ("APPEND k w", "set"), ("INCR n", "set"), ("EXPIRE k 100", "ttl"),
            ("PERSIST k", "ttl"), ("PERSIST k", []), ("GETEX k EX 100", "ttl"), ("SET k v EX 100", "set"),
            ("RPUSH l a b", [("set", {"key": "l", "type": "list"})]), ("LPOP l", "set"),
            ("LPOP l", [("delete", {"key": "l"})]), ("LPOP l", []),
            ("HSET h f 1", [("set", {"key": "h", "type": "hash"})]), ("HINCRBY h f 1", "set"), ("HDEL h f", "delete"),
            ("SADD s a b", [("set", {"key": "s", "type": "set"})]), ("SPOP s 5", "delete"),
            ("ZADD z 1 a", [("set", {"key": "z", "type": "zset"})]), ("ZPOPMIN z", "delete"),
            ("MSET a 1 b 2", ["set", "set"]), ("RENAME a c", [("delete", {"key": "a"}), "set"]),
            ("COPY b d", "set"), ("DEL b c d none", ["delete"] * 3), ("SET k v EXAT 1", "expire"),
            ("SET k v", "set"), ("GETDEL k", "delete"), ("EXPIRE n -1", "delete"), ("FLUSHALL", "gap")):
        with Events(server, "/watch") as events, server.client() as c:
            c(*line.split())
            got = end(events, c)
            want = [want] if isinstance(want, str) else want
            same(len(got), len(want), f"{line}: {got}")
            for (name, data), each in zip(got, want):
                if isinstance(each, tuple) and "etag" in each[1]:
                    each[1]["etag"] = c("DIGEST", "k").decode()
                same(name if isinstance(each, str) else (name, data), each, line)


def test_expiry(server):
    """what expires is told, with its time before"""
    with Events(server, "/watch?prefix=e") as events, server.client() as c:
        c("SET", "e1", "v", "PXAT", "33177117420000")
        same(events.next()[1]["expire_at"], 33177117420000)
        c("SET", "e2", "v", "PX", "1")
        same(events.next()[0], "set")
        same(events.next(), ("expire", {"key": "e2"}))
        c("PEXPIRE", "e1", "1")
        same(events.next()[0], "ttl")
        same(events.next(), ("expire", {"key": "e1"}))


def test_chosen(server):
    """a prefix or a pattern chooses; ids go on all the same"""
    with Events(server, "/watch?prefix=a*") as prefix, Events(server, "/watch?match=a?c") as match, server.client() as c:
        for key in ("abc", "a*", "a*c", "b", "abcd", "abc"):
            c("SET", key, "1")
        same([d["key"] for _, d in prefix.take(2)], ["a*", "a*c"])
        same([d["key"] for _, d in match.take(3)], ["abc", "a*c", "abc"])
        assert match.last_id.endswith("-6"), match.last_id


def test_values(server):
    """values by option; keys and values of any bytes; large ones are left out"""
    binary, large = bytes(range(256)), "x" * 70000
    with Events(server, "/watch?value=true") as events, Events(server, "/watch?value=false") as bare, server.client() as c:
        c("SET", b"\xff\n", binary)
        c("SET", "text", "a\nb\r\u00e9")
        c("SET", "middle", large[:60000])
        c("SET", "large", large)
        server.request("PUT", "/keys/put", large)
        c("RPUSH", "list", "x")
        got = dict((d.get("key"), d) for _, d in events.take(6))
        odd = got[base64.b64encode(b"\xff\n").decode()]
        same((odd["key_encoding"], odd["encoding"], base64.b64decode(odd["value"])), ("base64", "base64", binary))
        same((got["text"]["value"], "encoding" in got["text"]), ("a\nb\r\u00e9", False))
        same(got["middle"]["value"], large[:60000])
        same(got["middle"]["etag"], c("DIGEST", "middle").decode())
        assert "value" not in got["large"] and "etag" not in got["large"], got["large"]
        same(got["put"]["etag"], c("DIGEST", "put").decode())
        assert "value" not in got["list"]
        assert not any("value" in d for _, d in bare.take(6))


def test_resume(server):
    """Last-Event-ID and ?since= resume: nothing is lost, nothing comes twice"""
    with server.client() as c:
        with Events(server, "/watch?prefix=r") as events:
            events.block()
            first = events.last_id  # it can resume before anything has happened
            for i in range(5):
                c("SET", f"r{i}", i)
            same([d["key"] for _, d in events.take(3)], ["r0", "r1", "r2"])
            seen = events.last_id
        c("SET", "r5", 5)
        want = ["r3", "r4", "r5"]
        for path, header in (("/watch?prefix=r", seen), (f"/watch?prefix=r&since={seen}", None),
                             (f"/watch?prefix=r&since={first}", seen)):
            with Events(server, path, {"Last-Event-ID": header} if header else {}) as events:
                same([d["key"] for _, d in events.take(3)], want, path)
        with Events(server, f"/watch?prefix=r&since={first}") as events:
            same(len(events.take(6)), 6)


def test_gap_restart(server):
    """an id of another life of the server, or none at all, is a gap"""
    for foreign in ("0123abcd-1", "nonsense", "-", "1"):
        with Events(server, "/watch", {"Last-Event-ID": foreign}) as events, server.client() as c:
            name, data = events.next()
            same(name, "gap", foreign)
            epoch, number = events.last_id.split("-")
            same(data, {"first": f"{epoch}-{int(number) + 1}"})
            c("SET", "k", "v")
            same(events.next()[0], "set")
            same(events.last_id, data["first"])


def test_gap_history(server):
    """what has left the history is a gap, and the stream goes on behind it"""
    with server.client() as c:
        with Events(server, "/watch") as events:
            events.block()
            seen = events.last_id
        for i in range(2000):
            c("SET", f"k{i}", "v" * 2000)
        with Events(server, "/watch", {"Last-Event-ID": seen}) as events:
            same(events.next()[0], "gap")
            c("SET", "after", "")
            same(events.next()[1]["key"], "after")


def test_slow_client(server):
    """a client that does not read costs nothing, and is told of the gap"""
    with server.client() as c, Events(server, "/watch?value=true") as slow, Events(server, "/watch?prefix=end") as quick:
        before = server.stats()["memory"]["resident"]
        for i in range(20000):  # 40 MB
            c.send(c.encode(["SET", f"k{i % 100}", "v" * 2000]))
            if i % 100 == 99:
                for _ in range(100):
                    c.read()
        c("SET", "end", "")
        name, data = quick.next()
        while name == "gap":  # so fast a writer can leave any stream behind, on a busy machine
            name, data = quick.next()
        same(data["key"], "end", "another stream is not held up")
        names = []
        c("SET", "end", "")
        numbers = []
        while True:
            name, data = slow.next()
            names.append(name)
            numbers.append(int(slow.last_id.split("-")[1]))
            if name == "gap":
                c("SET", "end", "last")
            if data.get("value") == "last":
                break
        assert "gap" in names, len(names)
        same(numbers, sorted(numbers))
        memory = server.stats()["memory"]
        if "jemalloc" in memory["allocator"]:  # sanitizers keep what was freed
            assert memory["resident"] - before < 30 * 1024 * 1024, memory


def test_heartbeats(server):
    """heartbeats, which tell where to resume"""
    with Events(server, "/watch?prefix=mine") as events, server.client() as c:
        events.block()
        first = events.last_id
        c("SET", "other", "v")
        while events.last_id == first:
            events.block()
        assert events.comments >= 1
        c("SET", "mine", "v")
        same(events.next()[1]["key"], "mine")


def test_concurrent(server):
    """writers race: the events of a key have the order of its changes"""
    rounds, writers, keys = 300, 4, ("a", "b", "c")

    def write():
        with server.client() as c:
            for _ in range(rounds):
                for key in keys:
                    c("INCR", key)

    with Events(server, "/watch?value=true") as events:
        threads = [threading.Thread(target=write) for _ in range(writers)]
        for t in threads:
            t.start()
        seen = {key: [] for key in keys}
        for name, data in events.take(rounds * writers * len(keys)):
            same(name, "set")
            seen[data["key"]].append(int(data["value"]))
        for t in threads:
            t.join()
        for key in keys:
            same(seen[key], list(range(1, rounds * writers + 1)), key)


def test_random(server):
    """random commands: who follows the events knows the keys, their types, tags and times"""
    rng, shapes = random.Random(5), parse(SHAPES)
    model = {}
    with Events(server, "/watch") as events, server.client() as c:
        for _ in range(RANDOM_COMMANDS):
            words = draw(rng, shapes)
            if words[0] in ("multi", "exec", "discard", "watch", "config"):
                continue
            try:
                c(*[w.encode("latin-1") for w in words])
            except Error:
                pass
        c("DEL", "end")
        for name, data in end(events, c):
            key = data.get("key", "")
            if name in ("set", "ttl"):
                model[key] = {**model.get(key, {}), **{n: data.get(n) for n in ("type", "expire_at")}}
                if name == "set":
                    model[key]["etag"] = data.get("etag")
            elif name != "gap":
                model.pop(key, None)
        truth = {}
        for key in c("KEYS", "*"):
            if key == b"end":
                continue
            kind, at = c("TYPE", key), c("PEXPIRETIME", key)
            truth[key.decode()] = {"type": kind, "expire_at": at if at >= 0 else None,
                                   "etag": c("DIGEST", key).decode() if kind == "string" else None}
        same(model, truth)
        assert len(truth) > 5, truth


def test_rights(_):
    """a token sees its own keys; nothing without one"""
    tokens = [{"name": "own", "secret": "own-secret", "scopes": ["read"], "prefixes": ["user:"]},
              {"name": "writes", "secret": "write-secret", "scopes": ["write"]}]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(tokens, f)
        f.flush()
        with Server(f"--tokens-file={f.name}", "--requirepass=all") as server, server.client() as c:
            c("AUTH", "all")
            own = {"Authorization": "Bearer own-secret"}
            same(server.request("GET", "/watch")[0], 401)
            same(server.request("GET", "/watch?prefix=user:", headers={"Authorization": "Bearer write-secret"})[0], 403)
            for query in ("", "?prefix=", "?prefix=use", "?prefix=other:", "?match=*", "?match=user*", "?match=u%5Bs%5Der:1"):
                same(server.request("GET", "/watch" + query, headers=own)[0], 403, query)
            with Events(server, "/watch?prefix=user:&value=true", own) as events:
                c("MSET", "other:1", "secret", "user:1", "mine")
                same(events.next()[1]["value"], "mine")
            same(server.stop(), 0)


def test_bad_requests(server):
    """what cannot be asked"""
    for query in ("value=1", "value=", "prefix=a&match=b", "unknown=1", "prefix=a&prefix=b"):
        status, headers, body = server.request("GET", "/watch?" + query)
        same((status, headers["content-type"]), (400, "application/problem+json"), query)
    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s:  # no chunks for HTTP/1.0
        s.sendall(b"GET /watch HTTP/1.0\r\n\r\n")
        got = b""
        while b"\n\n" not in got:
            got += s.recv(4096)
        assert b"\r\n\r\nretry: 1000\nid: " in got, got


def test_head(server):
    """HEAD of any stream says no length, sends nothing behind the headers, and leaves nothing behind"""
    for path, media in (("/watch", "text/event-stream"), ("/subscribe/c", "text/event-stream"), ("/psubscribe/c", "text/event-stream"),
                        ("/upstash/subscribe/c", "text/event-stream"), ("/export", "application/x-ndjson")):
        for version, more in (("1.1", ""), ("1.0", ""), ("1.0", "Connection: keep-alive\r\n")):
            got, closed = server.raw_http(f"HEAD {path} HTTP/{version}\r\nHost: x\r\n{more}\r\n".encode())
            head, _, body = got.decode().partition("\r\n\r\n")
            lines = head.lower().split("\r\n")
            same((lines[0], body, closed), ("http/1.1 200 ok", "", True), path)
            assert f"content-type: {media}" in lines and "connection: close" in lines, head
            assert not any(line.startswith(("content-length", "transfer-encoding")) for line in lines), head
    with server.client() as c:
        same(c("PUBSUB", "NUMSUB", "c"), [b"c", 0])
        same(c("PUBSUB", "NUMPAT"), 0)


def test_stop(_):
    """streams end when the server does"""
    with Server() as server:
        streams = [Events(server, "/watch") for _ in range(20)]
        same(server.stop(), 0)
        for s in streams:
            while s.response.readline():
                pass
            s.close()


def open_stream(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=60)
    s.sendall(b"GET /watch?prefix=s HTTP/1.1\r\nHost: x\r\n\r\n")
    return s


def test_many_streams(server):
    """a thousand streams, or as many as the machine has descriptors for, hear of every write while others write"""
    selector, heard = selectors.DefaultSelector(), {}
    streams = [open_stream(server.http) for _ in range(STREAMS)]
    for s in streams:
        while b"\n\n" not in heard.get(s, b""):
            heard[s] = heard.get(s, b"") + s.recv(4096)
        s.setblocking(False)
        selector.register(s, selectors.EVENT_READ)
        heard[s] = b""

    def write():
        with Resp(server.resp) as c:
            for i in range(ROUNDS):
                c("SET", "s", i)
                c("SET", f"other{i}", i)
                server.request("PUT", f"/keys/s{i}", "v")
            c("SET", "s-end", "")

    writer = threading.Thread(target=write)
    writer.start()
    left = set(streams)
    while left:
        ready = selector.select(30)
        assert ready, f"{len(left)} streams are not told"
        for key, _ in ready:
            heard[key.fileobj] += key.fileobj.recv(65536)
            if b'"s-end"' in heard[key.fileobj]:
                left.discard(key.fileobj)
    writer.join()
    for s in streams:
        same(heard[s].count(b"event: set"), 2 * ROUNDS + 1)
        s.close()
    assert len(os.listdir(f"/proc/{server.process.pid}/task")) < 40, "no thread for a stream"


if __name__ == "__main__":
    run([test_every_change, test_expiry, test_chosen, test_values, test_resume, test_gap_restart,
         (test_gap_history, "--watch-history=1mb"), (test_slow_client, "--watch-history=1mb"),
         (test_heartbeats, "--http-heartbeat=1"), test_concurrent, test_random, test_rights, test_bad_requests,
         test_head, test_stop,
         (test_many_streams, "--watch-history=4mb")])
