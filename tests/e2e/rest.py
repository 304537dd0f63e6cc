#!/usr/bin/env python3
"""REST: keys, conditions, lists, statistics, as the OpenAPI document says."""
import json
import re
import time
from email.utils import parsedate_to_datetime

from fk import run, same, until


def put(s, path, body, want, **headers):
    status, got, text = s.request("PUT", path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    same(status, want, f"PUT {path}: {text!r}")
    return got


def get(s, path, want=200, **headers):
    status, got, body = s.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    same(status, want, f"GET {path}: {body!r}")
    return got, body


def problem(s, method, path, want, body=None, headers=None):
    status, got, text = s.request(method, path, body, headers)
    same(status, want, f"{method} {path}: {text!r}")
    same(got["content-type"], "application/problem+json")
    doc = json.loads(text)
    same(doc["status"], want)
    assert doc["type"] and doc["title"] and doc["detail"], doc
    return got, doc


def put_get_delete(s):
    """PUT, GET, HEAD and DELETE give bytes and Content-Type back"""
    value = bytes(range(256)) * 5
    same("etag" in put(s, "/keys/k", value, 201, Content_Type="image/png"), True)
    headers, body = get(s, "/keys/k")
    same((body, headers["content-type"]), (value, "image/png"))
    same(headers["x-content-type-options"], "nosniff")
    same(headers["content-security-policy"], "sandbox")
    status, head, body = s.request("HEAD", "/keys/k")
    same((status, body, head["content-length"], head["etag"]), (200, b"", str(len(value)), headers["etag"]))
    put(s, "/keys/k", b"", 204)
    same(get(s, "/keys/k")[1], b"")
    same(get(s, "/keys/k")[0]["content-type"], "application/octet-stream")
    same(s.request("DELETE", "/keys/k")[0], 204)
    problem(s, "DELETE", "/keys/k", 404)
    problem(s, "GET", "/keys/k", 404)


def chunked_and_large(s):
    """a chunked body is stored whole, and so is a large one"""
    value = b"0123456789abcdef" * 65536 * 3
    status, _, _ = s.request("PUT", "/keys/big", iter([value[:100], value[100:50000], value[50000:]]))
    same(status, 201)
    assert get(s, "/keys/big")[1] == value
    put(s, "/keys/big2", value, 201)
    with s.client() as r:
        assert r("GET", "big2") == value
    same(get(s, "/keys/big")[0]["etag"], get(s, "/keys/big2")[0]["etag"])
    with s.client() as r:  # a large value that HTTP has not seen
        r("SET", "big3", value)
    tag = get(s, "/keys/big")[0]["etag"]
    put(s, "/keys/big3", b"x", 412, If_None_Match="*")
    same(problem(s, "PUT", "/keys/big3?nx", 412, b"x")[0]["etag"], tag)
    put(s, "/keys/big3", b"x", 204, If_Match=tag)


def binary_keys(s):
    """keys are percent-decoded exactly: %2F, %00, %FF, + and UTF-8 name what they spell"""
    names = {"a%2Fb": b"a/b", "x%00y": b"x\0y", "%FF": b"\xff", "a+b": b"a+b", "%C3%A9": "é".encode(),
             "100%25": b"100%", "..": b"..", "%20": b" ", "": b"", "k" * 300: b"k" * 300}
    for i, path in enumerate(names):
        put(s, "/keys/" + path, str(i).encode(), 201)
    with s.client() as r:
        for i, name in enumerate(names.values()):
            same(r("GET", name), str(i).encode(), name)
        same(r("GET", "x"), None)
        same(r("DBSIZE"), len(names))
    problem(s, "PUT", "/keys/a/b", 404, b"x")
    problem(s, "GET", "/keys/%zz", 400)


def ttl(s):
    """ttl, ttl_ms, keepttl set the expiry; FlashKV-TTL-Ms tells it"""
    assert 99000 < int(put(s, "/keys/k?ttl=100", b"1", 201)["flashkv-ttl-ms"]) <= 100000
    assert 0 < int(get(s, "/keys/k")[0]["flashkv-ttl-ms"]) <= 100000
    assert int(put(s, "/keys/k?keepttl", b"2", 204)["flashkv-ttl-ms"]) > 90000
    assert "flashkv-ttl-ms" not in put(s, "/keys/k", b"3", 204)
    assert int(put(s, "/keys/k?ttl_ms=50000", b"4", 204)["flashkv-ttl-ms"]) <= 50000
    same(s.request("POST", "/keys/k/persist")[0], 204)
    problem(s, "POST", "/keys/k/persist", 404)
    same(s.request("POST", "/keys/k/expire?ttl=70")[0], 204)
    with s.client() as r:
        assert 60 < r("TTL", "k") <= 70
    for query in ("ttl=0", "ttl=-1", "ttl=x", "ttl=9223372036854775807", "ttl=1&ttl_ms=1", "ttl=1&keepttl",
                  "ttl=1&ttl=2", "color=red"):
        problem(s, "PUT", "/keys/k?" + query, 400, b"x")
    same(get(s, "/keys/k")[1], b"4")
    problem(s, "POST", "/keys/none/expire?ttl=1", 404)
    problem(s, "POST", "/keys/k/expire", 400)


def conditions(s):
    """nx, xx, If-Match and If-None-Match compare and act at once; 412 carries the current ETag"""
    problem(s, "PUT", "/keys/k?xx", 412, b"1")
    tag = put(s, "/keys/k?nx", b"1", 201)["etag"]
    same(problem(s, "PUT", "/keys/k?nx", 412, b"2")[0]["etag"], tag)
    same(problem(s, "PUT", "/keys/k", 412, b"2", {"If-None-Match": "*"})[0]["etag"], tag)
    same(problem(s, "PUT", "/keys/k", 412, b"2", {"If-Match": '"0000000000000000"'})[0]["etag"], tag)
    put(s, "/keys/k", b"2", 204, If_Match='"0000000000000000", ' + tag)
    same(get(s, "/keys/k", 304, If_None_Match=get(s, "/keys/k")[0]["etag"])[1], b"")
    same(get(s, "/keys/k", 304, If_None_Match="W/" + get(s, "/keys/k")[0]["etag"])[1], b"")
    same(get(s, "/keys/k", 200, If_None_Match=tag)[1], b"2")
    for flag, want in (("nx=false", 204), ("nx=0&xx=true", 204), ("nx=true", 412), ("nx=1", 412), ("nx=no", 400), ("keepttl=x", 400)):
        same(s.request("PUT", "/keys/k?" + flag, b"2")[0], want, flag)
    problem(s, "DELETE", "/keys/k", 412, headers={"If-Match": tag})
    same(s.request("DELETE", "/keys/k", headers={"If-Match": get(s, "/keys/k")[0]["etag"]})[0], 204)
    problem(s, "PUT", "/keys/k", 412, b"x", {"If-Match": "*"})
    put(s, "/keys/k", b"x", 201, If_None_Match="*")
    problem(s, "PUT", "/keys/k?nx&xx", 400, b"x")
    tag = get(s, "/keys/k")[0]["etag"]
    for name in ("If-Match", "If-None-Match"):
        for text in ("x", tag + " " + tag, '"unclosed', "W/", ", ".join(['"0123456789abcdef"'] * 17)):
            for method in ("PUT", "DELETE", "GET"):
                problem(s, method, "/keys/k", 400, b"x" if method == "PUT" else None, {name: text})
    for text in ("W/" + tag, '"*"', '""'):  # If-Match compares strongly; a star in quotes is a tag like others
        problem(s, "PUT", "/keys/k", 412, b"x", {"If-Match": text})
        problem(s, "GET", "/keys/k", 412, headers={"If-Match": text})
    problem(s, "PUT", "/keys/k", 412, b"x", {"If-None-Match": "W/" + tag})
    put(s, "/keys/k", b"y", 204, If_None_Match='"*", "0000000000000000"')
    put(s, "/keys/k", b"z", 204, If_Match='*')


def as_json(s):
    """Accept: application/json gives {key, type, value, encoding, ttl_ms, etag}"""
    put(s, "/keys/t?ttl=50", "é".encode(), 201)
    doc = json.loads(get(s, "/keys/t", Accept="application/json")[1])
    same((doc["key"], doc["type"], doc["value"], doc["encoding"]), ("t", "string", "é", "utf8"))
    same(f'"{doc["etag"]}"', get(s, "/keys/t")[0]["etag"])
    assert 40000 < doc["ttl_ms"] <= 50000
    put(s, "/keys/b", b"\xff\x00", 201)
    doc = json.loads(get(s, "/keys/b", Accept="text/html;q=0.5, application/json")[1])
    same((doc["value"], doc["encoding"], doc["ttl_ms"]), ("/wA=", "base64", None))
    same(get(s, "/keys/b", Accept="*/*")[1], b"\xff\x00")
    same(get(s, "/keys/b", Accept="application/json;q=0")[1], b"\xff\x00")


def ranges(s):
    """one range of a value; If-Range; what is not understood gives all"""
    small, large = b"0123456789", bytes(range(256)) * 4000
    put(s, "/keys/small?ttl=100", small, 201, Content_Type="text/plain")
    put(s, "/keys/large", large, 201)
    tag = get(s, "/keys/small")[0]["etag"]
    for value, path in ((small, "/keys/small"), (large, "/keys/large")):
        n = len(value)
        for text, a, b in (("0-0", 0, 1), ("2-4", 2, 5), ("5-", 5, n), ("-3", n - 3, n), (f"-{n + 5}", 0, n), ("3-99999999999999999999", 3, n)):
            headers, body = get(s, path, 206, Range="bytes=" + text)
            same((body, headers["content-range"]), (value[a:b], f"bytes {a}-{b - 1}/{n}"), text)
        for text in (f"{n}-", "-0", f"{n + 1}-{n + 2}"):
            same(problem(s, "GET", path, 416, headers={"Range": "bytes=" + text})[0]["content-range"], f"bytes */{n}")
        for text in ("bytes=", "bytes=-", "bytes=x-1", "bytes=3-2", "bytes=0-1,3-4", "lines=0-1", "0-1", "bytes=1 -2"):
            same(get(s, path, Range=text)[1], value, text)
    same(get(s, "/keys/small", 206, Range="bytes=1-2", If_Range=tag)[0]["content-type"], "text/plain")
    for text in ('"0000000000000000"', "W/" + tag, "Wed, 21 Oct 2015 07:28:00 GMT"):
        same(get(s, "/keys/small", Range="bytes=1-2", If_Range=text)[1], small)
    same(get(s, "/keys/small", 304, Range="bytes=1-2", If_None_Match=tag)[1], b"")
    status, headers, _ = s.request("HEAD", "/keys/small", headers={"Range": "bytes=1-2"})
    same((status, headers["content-length"]), (200, "10"), "Range is of GET alone")
    assert json.loads(get(s, "/keys/small", Range="bytes=1-2", Accept="application/json")[1])["value"] == small.decode()


def caching(s):
    """max-age is the time to live; the form depends on Accept; Prefer gives the value back"""
    put(s, "/keys/k?ttl=100", b"v", 201)
    for accept in ("*/*", "application/json"):
        headers = get(s, "/keys/k", Accept=accept)[0]
        assert headers["cache-control"] in ("max-age=100", "max-age=99"), headers
        same(headers["vary"], "Accept")
    put(s, "/keys/large", b"v" * 200000, 201)
    s.request("POST", "/lists/l", '["a"]')
    put(s, "/keys/forever", b"v", 201)
    for path, accept in (("/keys/k", "*/*"), ("/keys/large", "*/*"), ("/keys/forever", "application/json"), ("/lists/l", "*/*")):
        headers, body = get(s, path, 304, If_None_Match="*", Accept=accept)
        same((body, headers["vary"], headers["content-length"]),
             (b"", "Accept", str(len(get(s, path, Accept=accept)[1]))), "the length of what is not sent")
    asked = [b"/keys/large", b"/keys/large\r\nAccept: application/json", b"/lists/l", b"/keys/l", b"/lists/l\r\nConnection: close"]
    got, _ = s.raw_http(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\nIf-None-Match: *%s\r\n\r\n" % (path, more and b"\r\n" + more)
                                 for path, _, more in (each.partition(b"\r\n") for each in asked)))
    same([part[:12] for part in got.split(b"\r\n\r\n")], [b"HTTP/1.1 304"] * len(asked) + [b""], "nothing comes behind one")
    put(s, "/keys/k", b"v", 204)
    assert "cache-control" not in get(s, "/keys/k")[0]
    prefer = {"Prefer": "respond-async, return=representation", "Content-Type": "text/plain"}
    for path, body, want in (("/keys/k", b"w", 200), ("/keys/new", b"x" * 100000, 201)):
        status, headers, text = s.request("PUT", path, body, prefer)
        same((status, text, headers["content-type"], headers["preference-applied"]),
             (want, body, "text/plain", "return=representation"))
    same(s.request("PUT", "/keys/k", b"w", {"Prefer": "return=minimal"})[0], 204)
    status, headers, text = s.request("PUT", "/keys/k", b"", {"Prefer": "return=representation"})
    same((status, text, headers["content-type"]), (200, b"", "application/octet-stream"))


def kept_responses(s):
    """what is read again is answered with the right type and tag, and one Date that goes with the clock"""
    kinds = {"a": (b"v", "text/plain"), "b": (b"v", "image/png"), "c": (b"w", "text/plain")}
    for key, (body, kind) in kinds.items():
        put(s, f"/keys/{key}", body, 201, Content_Type=kind)
    tags, dates = {}, set()
    while len(dates) < 3:  # until two seconds have begun
        for key, (body, kind) in kinds.items():
            before = int(time.time()) - 1  # the library's clock may be some milliseconds behind
            headers, got = get(s, f"/keys/{key}")
            same((got, headers["content-type"]), (body, kind))
            same(headers["etag"], tags.setdefault(body, headers["etag"]))
            date = parsedate_to_datetime(headers["date"]).timestamp()
            assert before <= date <= time.time(), headers["date"]
            dates.add(date)
    same(len(set(tags.values())), 2)
    again = b"GET /keys/c HTTP/1.1\r\nHost: h\r\n\r\n" * 4
    answers = s.raw_http(again + b"GET /keys/c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")[0]
    same((answers.count(b"200 OK"), answers.count(b"\r\nDate: ")), (5, 5), answers)
    put(s, "/keys/a", b"w", 204, Content_Type="text/plain")
    same(get(s, "/keys/a")[1], b"w")


def numbers(s):
    """incr and append; what is no integer is 409 and stays"""
    same(json.loads(s.request("POST", "/keys/n/incr")[2]), {"value": 1})
    same(json.loads(s.request("POST", "/keys/n/incr?by=-5")[2]), {"value": -4})
    put(s, "/keys/n?ttl=9&xx", b"7", 204)
    _, headers, text = s.request("POST", "/keys/n/incr")
    same((text, headers["etag"]), (b'{"value":8}', get(s, "/keys/n")[0]["etag"]))
    assert 0 < int(headers["flashkv-ttl-ms"]) <= 9000
    problem(s, "POST", "/keys/n/incr?by=1.5", 400)
    same(json.loads(s.request("POST", "/keys/s/append", b"abc")[2]), {"length": 3})
    same(json.loads(s.request("POST", "/keys/s/append", b"def")[2]), {"length": 6})
    problem(s, "POST", "/keys/s/incr", 409)
    same(get(s, "/keys/s")[1], b"abcdef")
    put(s, "/keys/n", b"9223372036854775807", 204)
    problem(s, "POST", "/keys/n/incr", 409)


def listing(s):
    """GET /keys lists in pages; prefix and match select"""
    for i in range(300):
        put(s, f"/keys/user:{i}", b"x", 201)
    put(s, "/keys/other%2A", b"x", 201)
    put(s, "/keys/%FF", b"x", 201)
    seen, cursor, pages = [], 0, 0
    while True:
        doc = json.loads(get(s, f"/keys?cursor={cursor}&limit=50")[1])
        seen += doc["keys"] + doc["keys_base64"]
        cursor, pages = doc["cursor"], pages + 1
        if cursor == 0:
            break
    same(sorted(seen), sorted([f"user:{i}" for i in range(300)] + ["other*", "/w=="]))
    assert pages >= 6
    same(len(json.loads(get(s, "/keys?prefix=user:1&limit=10000")[1])["keys"]), 111)
    same(json.loads(get(s, "/keys?prefix=other%2A&limit=10000")[1])["keys"], ["other*"])
    same(len(json.loads(get(s, "/keys?match=user:?&limit=10000")[1])["keys"]), 10)
    for query in ("cursor=-1", "cursor=x", "limit=0", "limit=99999", "prefix=a&match=b", "page=2"):
        problem(s, "GET", "/keys?" + query, 400)


def lists(s):
    """lists: push, range, pop, set, trim, delete"""
    js = {"Content-Type": "application/json"}
    same(json.loads(s.request("POST", "/lists/l", '["a","b","c"]', js)[2]), {"length": 3})
    same(json.loads(s.request("POST", "/lists/l?end=left", b"\x00raw")[2]), {"length": 4})
    doc = json.loads(get(s, "/lists/l")[1])
    same((doc["length"], doc["encoding"], doc["values"][1:]), (4, "utf8", ["a", "b", "c"]))
    same(json.loads(get(s, "/lists/l?start=-2&stop=-1")[1])["values"], ["b", "c"])
    same(json.loads(get(s, "/keys/l")[1])["type"], "list")
    same(s.request("PUT", "/lists/l/0", b"first")[0], 204)
    problem(s, "PUT", "/lists/l/99", 404, b"x")
    problem(s, "PUT", "/lists/l/one", 400, b"x")
    same(json.loads(s.request("POST", "/lists/l/pop?end=right&count=2")[2])["values"], ["c", "b"])
    same(s.request("POST", "/lists/l/trim?start=0&stop=0")[0], 204)
    same(json.loads(get(s, "/lists/l")[1])["values"], ["first"])
    same(s.request("DELETE", "/lists/l")[0], 204)
    problem(s, "GET", "/lists/l", 404)
    problem(s, "POST", "/lists/l/pop", 404)
    put(s, "/keys/s", b"x", 201)
    problem(s, "POST", "/lists/s", 409, b"x")
    problem(s, "DELETE", "/lists/s", 409)
    for body in ("[]", "{}", '["a", 1]', '["a"', '["\\ud800"]', "[" * 100000):
        _, doc = problem(s, "POST", "/lists/j", 400, body, js)
    same(json.loads(s.request("POST", "/lists/j", '["a\\u0000b"]', js)[2]), {"length": 1})
    with s.client() as r:
        same(r("LRANGE", "j", 0, -1), [b"a\0b"])


def service(s):
    """/, /healthz, /readyz, /stats, /stats/reset, /openapi.json"""
    same(get(s, "/", Accept="text/html,*/*")[0]["content-type"], "text/html; charset=utf-8")
    same(json.loads(get(s, "/")[1])["service"], "FlashKV")
    same((get(s, "/healthz")[1], get(s, "/readyz")[1]), (b'{"status":"ok"}', b'{"status":"ready"}'))
    same(json.loads(get(s, "/openapi.json")[1])["openapi"][:3], "3.1")
    put(s, "/keys/a", b"1", 201)
    get(s, "/keys/a")
    problem(s, "GET", "/keys/b", 404)
    with s.client() as r:
        r("RPUSH", "l", "x")
        # The connections before are closed, but the server may not have come to see it.
        until("nobody else", lambda: s.stats()["http"]["connections"] == 1)
        stats = s.stats()
        same(stats["resp"]["connections"], 1)
    total = stats["total"]
    same((total["keys"], total["gets"], total["hits"], total["misses"], total["sets"]), (2, 2, 1, 1, 1))
    same(total["list_ops"], 1)
    same(len(stats["shards"]), 64)
    for name in total:
        if name not in ("writer_active", "read_locks", "readers"):
            same(sum(x[name] for x in stats["shards"]), total[name], name)
    assert stats["memory"]["resident"] > 0 and stats["uptime_seconds"] > 0 and stats["version"]
    same(s.request("POST", "/stats/reset")[0], 204)
    same((s.stats()["total"]["sets"], s.stats()["total"]["keys"]), (0, 2))


def methods(s):
    """405 carries Allow, OPTIONS answers, unknown paths are 404"""
    headers, _ = problem(s, "PATCH", "/keys/k", 405)
    same(headers["allow"], "GET, HEAD, PUT, DELETE, OPTIONS")
    status, headers, _ = s.request("OPTIONS", "/keys/k/incr")
    same((status, headers["allow"]), (204, "POST, OPTIONS"))
    problem(s, "GET", "/nothing", 404)
    problem(s, "GET", "/keys/a/b/c/d", 404)
    for path in ("/keys", "/stats", "/lists/x"):
        problem(s, "PUT", path, 405, b"x")


def both_doors(s):
    """what one port writes the other reads, digests and types included"""
    with s.client() as r:
        r("SET", "k", "from resp", "PX", 60000)
        headers, body = get(s, "/keys/k")
        same(body, b"from resp")
        assert 0 < int(headers["flashkv-ttl-ms"]) <= 60000
        put(s, "/keys/k", b"from http", 204)
        same(r("GET", "k"), b"from http")
        same(r("TTL", "k"), -1)
        r("RPUSH", "l", "a", "b")
        same(json.loads(get(s, "/lists/l")[1])["values"], ["a", "b"])
        put(s, "/keys/l", b"now a string", 204)
        same(r("TYPE", "l"), "string")


def short_ways(s):
    """a GET that takes all short ways (target in place, a response that was kept) is answered as one that takes none"""
    put(s, "/keys/plain", b"v" * 64, 201)
    put(s, "/keys/typed", b"<b>", 201, Content_Type="text/html; charset=utf-8")
    put(s, "/keys/empty", b"", 201)
    put(s, "/keys/long", b"x" * 600, 201)
    put(s, "/keys/dying", b"v", 201)
    s.request("POST", "/keys/dying/expire?ttl=1000")
    s.request("POST", "/lists/list", json.dumps(["a", "b"]), {"Content-Type": "application/json"})
    etag = get(s, "/keys/plain")[0]["etag"]
    more = [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept-Encoding": "gzip"}, {"ACCEPT": "text/html"},
            {"If-None-Match": etag}, {"If-None-Match": '"0000000000000000"'}, {"If-Match": etag}, {"If-Match": '"x"'},
            {"If-Match": "nonsense"}, {"Range": "bytes=1-2"}, {"Range": "bytes=1-2", "If-Range": etag}, {"Range": "bytes=900-"},
            {"Origin": "http://elsewhere"}, {"Sec-Fetch-Site": "cross-site"}, {"X-Request-Id": "abc"}, {"Prefer": "x"},
            {"Content-Length": "0"}, {"Host": "evil.example"}, {"Authorization": "Bearer x"}, {"Connection": "keep-alive"}]

    def answer(method, path, headers):
        status, got, body = s.request(method, path, headers=headers)
        kept = sorted((k, v) for k, v in got.items() if k not in ("date", "flashkv-ttl-ms", "cache-control"))
        return status, kept, re.sub(rb'"ttl_ms":[0-9]+', b"", body)

    for name in ("plain", "typed", "empty", "long", "dying", "list", "missing"):
        escaped = "/%6beys/" + "".join(f"%{ord(c):02x}" for c in name)
        for method in ("GET", "HEAD"):
            for headers in more:
                want = answer(method, escaped, {"X-Request-Id": "fresh", **headers})  # such a response is never kept
                want = (want[0], [h for h in want[1] if h != ("x-request-id", "fresh")], want[2])
                for _ in range(3):
                    same(answer(method, f"/keys/{name}", headers), want, (method, name, headers))


def test_upstash_errors(s):
    """Upstash's clients get errors in their form, and a sync token that never comes again"""
    for method, path, want in (("DELETE", "/upstash", 405), ("GET", "/upstash/%zz", 400), ("PATCH", "/upstash/get/k", 405),
                               ("GET", "/upstash/nonsense", 400)):
        status, headers, body = s.request(method, path)
        same((status, headers["content-type"], list(json.loads(body))), (want, "application/json", ["error"]), path)
    tokens = []
    for i in range(6):
        status, headers, _ = s.request("POST", "/upstash", json.dumps(["SET", "k", i]))
        tokens.append(headers["upstash-sync-token"])
        s.request("POST", "/stats/reset")
    same(len(set(tokens)), 6, tokens)


run([put_get_delete, chunked_and_large, binary_keys, ttl, conditions, as_json, ranges, caching, kept_responses, short_ways, numbers, listing, lists, service,
     methods, both_doors, test_upstash_errors])
