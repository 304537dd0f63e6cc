#!/usr/bin/env python3
"""POST /batch: operations in order, as an array and as lines; results, conditions, errors; a million lines."""
import json
import os
import threading

from fk import run, same, side_by_side

MILLION = int(os.environ.get("FLASHKV_BATCH_LINES", "1000000"))
LINES = {"Content-Type": "application/x-ndjson"}
ARRAY = {"Content-Type": "application/json"}


def lines(s, ops, query="", want=200):
    body = "".join((op if isinstance(op, str) else json.dumps(op)) + "\n" for op in ops)
    status, headers, text = s.request("POST", "/batch" + query, body, LINES)
    same(status, want, text)
    if want != 200:
        return json.loads(text)["detail"]
    same(headers["content-type"], "application/x-ndjson")
    return [json.loads(line) for line in text.splitlines()]


def array(s, ops, want=200):
    body = ops if isinstance(ops, str) else json.dumps(ops)
    status, _, text = s.request("POST", "/batch", body, ARRAY)
    same(status, want, text)
    return json.loads(text) if want == 200 else json.loads(text)["detail"]


def every_operation(s):
    """each operation does and says what its own request would"""
    ops = [({"op": "put", "key": "k", "value": "1", "content_type": "text/plain"}, {"status": 201}),
           ({"op": "get", "key": "k"}, {"status": 200, "type": "string", "value": "1", "content_type": "text/plain"}),
           ({"op": "incr", "key": "k"}, {"status": 200, "value": 2}),
           ({"op": "incr", "key": "k", "by": -12}, {"status": 200, "value": -10}),
           ({"op": "append", "key": "k", "value": "5"}, {"status": 200, "length": 4}),
           ({"op": "append", "key": "b", "value": "/w==", "encoding": "base64"}, {"status": 200, "length": 1}),
           ({"op": "get", "key": "b"}, {"status": 200, "type": "string", "value": "/w==", "encoding": "base64"}),
           ({"op": "put", "key": "/w==", "key_encoding": "base64", "value": "binary key"}, {"status": 201}),
           ({"op": "put", "key": "k", "value": "again", "ttl": 100}, {"status": 204, "ttl_ms": 100_000}),
           ({"op": "put", "key": "k", "value": "kept", "keepttl": True}, {"status": 204}),
           ({"op": "persist", "key": "k"}, {"status": 204}),
           ({"op": "persist", "key": "k"}, {"status": 404}),
           ({"op": "expire", "key": "k", "ttl_ms": 50_000}, {"status": 204}),
           ({"op": "get", "key": "none"}, {"status": 404}),
           ({"op": "delete", "key": "k"}, {"status": 204}),
           ({"op": "delete", "key": "k"}, {"status": 404}),
           ({"op": "command", "args": ["HSET", "h", "f", 0.1, "g", "é"]}, {"status": 200, "result": 2}),
           ({"op": "command", "args": ["hgetall", "h"]}, {"status": 200, "result": ["f", "0.1", "g", "é"]}),
           ({"op": "command", "args": ["get", "b"]}, {"status": 200, "result": {"base64": "/w=="}}),
           ({"op": "command", "args": ["get", "none"]}, {"status": 200, "result": None}),
           ({"op": "get", "key": "h"}, {"status": 200, "type": "hash", "value": ["f", "0.1", "g", "é"]}),
           ({"op": "incr", "key": "h"}, {"status": 409}),
           ({"op": "incr", "key": "b"}, {"status": 409}),
           ({"op": "command", "args": ["get", "h"]}, {"status": 409}),
           ({"op": "command", "args": ["nonsense"]}, {"status": 400}),
           ({"op": "command", "args": ["Multi"]}, {"status": 400}),
           ({"op": "command", "args": ["subscribe", "c"]}, {"status": 400})]
    for send in (array, lines):
        got = send(s, [op for op, _ in ops])
        same(len(got), len(ops))
        for (op, want), result in zip(ops, got):
            for name, value in want.items():
                if name == "ttl_ms":
                    assert 0 < result[name] <= value, (op, result)
                else:
                    same(result[name], value, (op, result))
            same("detail" in result, result["status"] >= 400, (op, result))
        with s.client() as r:
            same(r("GET", b"\xff"), b"binary key")
            r("FLUSHALL")


def conditions(s):
    """absent, exists, equals and etag are checked and acted on at once"""
    large = "x" * 100_000
    put = {"op": "put", "key": "k", "value": "1"}
    same([x["status"] for x in array(s, [
        {**put, "if": {"exists": True}}, {**put, "if": {"absent": True}}, {**put, "if": {"absent": True}},
        {**put, "if": {"equals": "2"}}, {**put, "value": large, "if": {"equals": "1"}},
        {**put, "if": {"etag": "0000000000000000"}}])], [412, 201, 412, 412, 204, 412])
    tag = s.request("HEAD", "/keys/k")[1]["etag"].strip('"')
    same([x["status"] for x in array(s, [
        {**put, "value": "3", "if": {"etag": tag}}, {"op": "delete", "key": "k", "if": {"equals": large}},
        {"op": "delete", "key": "k", "if": {"equals": "3"}}, {"op": "delete", "key": "k", "if": {"exists": True}}])],
        [204, 412, 204, 412])
    same(array(s, [{"op": "incr", "key": "n", "if": {"absent": True}}])[0]["status"], 400)


def what_is_wrong(s):
    """an array that is wrong somewhere does nothing; a line that is wrong is one result"""
    good = {"op": "put", "key": "k", "value": "v"}
    bad = [{"op": "get"}, {"op": "take", "key": "k"}, {"key": "k"}, {**good, "colour": 1}, {**good, "ttl": 0},
           {**good, "ttl": "1"}, {**good, "ttl": 1, "ttl_ms": 1}, {**good, "ttl": 10 ** 18}, {**good, "value": 1},
           {**good, "encoding": "hex"}, {**good, "encoding": "base64"}, {**good, "if": {}}, {**good, "if": {"absent": 1}},
           {**good, "if": {"absent": True, "exists": True}}, {**good, "if": "absent"}, {**good, "keepttl": False},
           {**good, "content_type": "x" * 300}, {**good, "content_type": "text/html\r\nX: y"}, {**good, "content_type": "a\0b"},
           {"op": "get", "key": "k", "value": "v"}, {"op": "expire", "key": "k"},
           {"op": "incr", "key": "k", "by": 1.5}, {"op": "incr", "key": "k", "by": 2 ** 63}, {"op": "command", "args": []},
           {"op": "command", "args": [None]}, {"op": "command", "args": "get"}, {"op": "command"},
           '{"op":"get","op":"get","key":"k"}', '{"op":"get","key":"\\ud800"}', "{", "[]", "1", "[" * 1000, "\xff"]
    for op in bad:
        text = op if isinstance(op, str) else json.dumps(op)
        array(s, f"[{json.dumps(good)},{text}]", 400)
        same(s.request("GET", "/keys/k")[0], 404, text)
    got = lines(s, [x for op in bad for x in (op, good)])
    same([x["status"] for x in got], [x for i in range(len(bad)) for x in (400, 201 if i == 0 else 204)])
    for text in ("", "{}", "[", "[]x", "null"):
        array(s, text, 400)
    same(array(s, "[]"), [])
    same(lines(s, []), [])
    same(s.request("POST", "/batch", "x", {"Content-Type": "text/plain"})[0], 415)
    same(s.request("POST", "/batch?results=some", "[]", ARRAY)[0], 400)


def atomic(s, ops, want=200):
    status, _, text = s.request("POST", "/batch?atomic=true", json.dumps(ops), ARRAY)
    same(status, want, text)
    return json.loads(text) if want == 200 else json.loads(text)["detail"]


def all_or_nothing(s):
    """an atomic batch does all or nothing, and names the operation that refused"""
    put = {"op": "put", "key": "a", "value": "1"}
    got = atomic(s, [{**put, "if": {"absent": True}}, {"op": "incr", "key": "a", "by": 4}, {"op": "get", "key": "a"},
                     {"op": "append", "key": "b", "value": "x" * 5000}, {"op": "check", "key": "c", "if": {"absent": True}},
                     {"op": "put", "key": "t", "value": "v", "ttl": 100}, {"op": "expire", "key": "a", "ttl": 50},
                     {"op": "delete", "key": "none"}, {"op": "get", "key": "none"}, {"op": "persist", "key": "t"}])
    same([x["status"] for x in got], [201, 200, 200, 200, 204, 201, 204, 404, 404, 204])
    same((got[1]["value"], got[2]["value"], got[3]["length"]), (5, "5", 5000))
    with s.client() as r:
        r("RPUSH", "l", "x")
        r("SET", "max", 2 ** 63 - 1)
        before = [r("GET", k) for k in ("a", "b", "t", "max")]
        tag = s.request("HEAD", "/keys/a")[1]["etag"].strip('"')
        for i, bad in enumerate([
                {"op": "check", "key": "a", "if": {"absent": True}}, {"op": "check", "key": "c", "if": {"exists": True}},
                {"op": "check", "key": "a", "if": {"equals": "6"}}, {"op": "get", "key": "a", "if": {"etag": "0" * 16}},
                {"op": "incr", "key": "l"}, {"op": "incr", "key": "b"}, {"op": "incr", "key": "max"},
                {"op": "append", "key": "l", "value": "x"}, {"op": "check", "key": "l", "if": {"equals": "x"}}]):
            detail = atomic(s, [{"op": "put", "key": "a", "value": "new"}, {"op": "delete", "key": "t"}, bad,
                                {"op": "put", "key": "t", "value": "new"}], 409)
            assert detail.startswith("operation 2:"), (bad, detail)
            same([r("GET", k) for k in ("a", "b", "t", "max")], before, bad)
        # what those before it will have made of a key counts, conditions are of what was there
        atomic(s, [{"op": "put", "key": "l", "value": "7"}, {"op": "incr", "key": "l", "if": {"exists": True}},
                   {"op": "put", "key": "a", "value": "6", "if": {"etag": tag}}, {"op": "delete", "key": "a", "if": {"equals": "5"}}])
        same((r("GET", "l"), r("GET", "a")), (b"8", None))
        atomic(s, [{"op": "put", "key": "x", "value": "v"}, {"op": "incr", "key": "x"}], 409)
        same(r("EXISTS", "x"), 0)
    atomic(s, [{"op": "put", "key": "large", "value": "é" * 100_000}, {"op": "put", "key": "large2", "value": "y" * 5000}])
    same(s.request("GET", "/keys/large")[2], "é".encode() * 100_000)
    atomic(s, [{"op": "command", "args": ["ping"]}], 400)
    atomic(s, [put] * 1001, 413)
    same(len(atomic(s, [put] * 1000)), 1000)
    same(atomic(s, []), [])
    same(s.request("POST", "/batch?atomic=true", "", LINES)[0], 400)


def atomic_under_load(s):
    """transfers between keys on all shards keep the sum, and each is seen whole"""
    import random
    keys = [f"account{i}" for i in range(8)]
    array(s, [{"op": "put", "key": k, "value": "100"} for k in keys])

    def transfer(seed):
        chance = random.Random(seed)
        for _ in range(60):
            a, b = chance.sample(keys, 2)
            atomic(s, [{"op": "incr", "key": a, "by": -1}, {"op": "incr", "key": b, "by": 1}])
            got = atomic(s, [{"op": "get", "key": k} for k in keys])
            same(sum(int(x["value"]) for x in got), 800)

    side_by_side(transfer, [(i,) for i in range(4)])


def ceilings(s):
    """results over max-output-bytes are 507 and say how far it went; lines over max-request-bytes 413"""
    s.request("PUT", "/keys/large", b"x" * 50_000)
    detail = lines(s, [{"op": "get", "key": "large"}] * 10, want=507)
    assert "3 operations were done" in detail, detail
    array(s, [{"op": "get", "key": "large"}] * 10, 507)
    array(s, " " * 70_000 + "[]", 413)
    status, _, text = s.request("POST", "/batch", iter([b'{"op":"get","key":"k"}\n', b"x" * 70_000]), LINES)
    same(status, 413)
    assert "line 2" in json.loads(text)["detail"], text
    same(lines(s, [{"op": "put", "key": f"k{i}", "value": "v"} for i in range(5000)] + [{"op": "get", "key": "no"}],
               "?results=errors"),
         [{"status": 404, "detail": "there is no such key", "line": 5001}, {"done": 5001, "failed": 1}])


def atomic_ceiling(s):
    """results of an atomic batch that might not fit refuse all of it"""
    s.request("PUT", "/keys/large", "x" * 30_000)
    with s.client() as r:
        r("RPUSH", "list", *["x" * 10_000] * 3)
        for key in ("large", "list"):
            detail = atomic(s, [{"op": "put", "key": "a", "value": "1"}, {"op": "get", "key": key}], 507)
            assert detail.startswith("operation 1: "), detail
            same(r("EXISTS", "a"), 0)
    same(len(atomic(s, [{"op": "put", "key": "a", "value": "x" * 20_000}, {"op": "get", "key": "a"}])[1]["value"]), 20_000)


def a_million_lines(s):
    """a million lines in one request, in order, while others are served"""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", s.http, timeout=120)
    c.putrequest("POST", "/batch")
    c.putheader("Content-Type", LINES["Content-Type"])
    c.putheader("Transfer-Encoding", "chunked")
    c.endheaders()

    def send():
        for at in range(0, MILLION, 10_000):
            part = b"".join(b'{"op":"incr","key":"n%d"}\n' % (i % 7) for i in range(at, at + 10_000))
            c.send(b"%x\r\n%s\r\n" % (len(part), part))
        c.send(b"0\r\n\r\n")
    sender = threading.Thread(target=send)
    sender.start()
    served = 0
    while sender.is_alive():
        same(s.request("GET", "/healthz")[0], 200)
        served += 1
    sender.join()
    assert served > 0
    response = c.getresponse()
    same(response.status, 200)
    for i in range(MILLION):
        assert json.loads(response.readline())["value"] == i // 7 + 1, i
    same(response.read(), b"")
    if s.stats()["memory"]["allocator"].startswith("jemalloc"):  # a sanitizer keeps what was freed
        assert s.stats()["memory"]["resident_peak"] < 300_000_000


def seen_meanwhile(s, target, body, first, results_of):
    """What others saw of the counter while the operations of `body` counted it up, from `first` on."""
    found, seen = counter_beside(s, lambda: s.request("POST", target, body=body, headers=ARRAY))
    status, _, results = found
    same(status, 200)
    results = [results_of(r) for r in json.loads(results)]
    same(results, list(range(first, first + len(results))))
    return seen - {first - 1, results[-1]}


def counter_beside(s, send):
    """What `send` returns, and what others saw of the counter meanwhile."""
    found, seen = [], set()
    sender = threading.Thread(target=lambda: found.append(send()))
    sender.start()
    while sender.is_alive():
        status, _, value = s.request("GET", "/keys/n")
        if status == 200:
            seen.add(int(value))
    sender.join()
    return found[0], seen


def takes_turns(s, target, operation, results_of):
    count = 100000
    body = json.dumps([operation] * count).encode()
    for n in range(10):  # of which one is enough: this process may be held up
        if seen_meanwhile(s, target, body, n * count + 1, results_of):
            return
    raise AssertionError("only the end of it was seen")


def long_arrays_take_turns(s):
    """a long array does not keep the thread: others see it in its midst"""
    takes_turns(s, "/batch", {"op": "incr", "key": "n"}, lambda r: r["value"])


def long_pipelines_take_turns(s):
    """nor does a long pipeline of Upstash's clients"""
    takes_turns(s, "/upstash/pipeline", ["INCR", "n"], lambda r: r["result"])


def lines_take_turns(s):
    """lines that came together, and take long, do not keep the thread: others see their midst; nothing is lost or done twice"""
    pairs = 64
    s.request("PUT", "/keys/large", "x" * (1 << 20))
    body = b'{"op":"get","key":"large"}\n{"op":"incr","key":"n"}\n' * pairs  # with the headers less than is read at once
    for n in range(10):
        (status, _, results), seen = counter_beside(s, lambda: s.request("POST", "/batch?results=errors", body, LINES))
        same((status, json.loads(results)), (200, {"done": 2 * pairs, "failed": 0}))
        if seen - {n * pairs, (n + 1) * pairs}:
            same(int(s.request("GET", "/keys/n")[2]), (n + 1) * pairs)
            return
    raise AssertionError("only the end of it was seen")


run([every_operation, conditions, what_is_wrong, all_or_nothing, atomic_under_load,
     (ceilings, "--max-request-bytes=64kb", "--max-output-bytes=128kb"), (atomic_ceiling, "--max-output-bytes=128kb"),
     a_million_lines, (long_arrays_take_turns, "--http-threads=1"),
     (lines_take_turns, "--http-threads=1"),
     (long_pipelines_take_turns, "--http-threads=1")])
