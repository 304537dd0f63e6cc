#!/usr/bin/env python3
"""/hashes, /sets, /zsets, and what they share with /lists: pages, any bytes, tags, conditions under races."""
import base64
import json
import threading

from fk import run, same

BINARY = bytes(range(256))
PATH = "".join(f"%{b:02x}" for b in BINARY)


def ask(s, method, path, want, body=None, **headers):
    status, got, text = s.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    same(status, want, f"{method} {path}: {text!r}")
    if want >= 400:
        same(json.loads(text)["status"], want)
    return got, text


def get(s, path, **headers):
    return json.loads(ask(s, "GET", path, 200, **headers)[1])


def hashes(s):
    """fields are set, read, removed, singly and together, whatever bytes they are"""
    same(json.loads(ask(s, "POST", "/hashes/h", 200, '{"name":"Ada","born":1815,"pi":3.10}')[1]), {"added": 3})
    same(get(s, "/hashes/h"), {"cursor": 0, "encoding": "utf8", "length": 3,
                               "fields": {"name": "Ada", "born": "1815", "pi": "3.10"}})
    ask(s, "PUT", f"/hashes/h/{PATH}", 201, BINARY)
    ask(s, "PUT", f"/hashes/h/{PATH}", 204, BINARY)
    same(ask(s, "GET", f"/hashes/h/{PATH}", 200)[1], BINARY)
    page = get(s, "/hashes/h")
    same(page["encoding"], "base64")
    fields = {base64.b64decode(k): base64.b64decode(v) for k, v in page["fields"].items()}
    same(fields[BINARY], BINARY)
    same(json.loads(ask(s, "POST", "/hashes/copy?encoding=base64", 200, json.dumps(page["fields"]))[1]), {"added": 4})
    with s.client() as r:
        same(r("HGET", "copy", BINARY), BINARY)
        r("SET", "s", "x")
    ask(s, "DELETE", f"/hashes/h/{PATH}", 204)
    ask(s, "DELETE", f"/hashes/h/{PATH}", 404)
    ask(s, "GET", "/hashes/h/none", 404)
    for body in ("", "[]", "{}", '{"a":null}', '{"a":"1","a":"2"}', '{"a":"\\ud800"}', '{"a"', '{"a":1}x'):
        ask(s, "POST", "/hashes/h", 400, body)
    ask(s, "POST", "/hashes/h?encoding=base64", 400, '{"?":"?"}')
    for method, path in (("GET", "/hashes/s"), ("DELETE", "/hashes/s"), ("GET", "/hashes/s/f"), ("DELETE", "/hashes/s/f")):
        ask(s, method, path, 409)
    ask(s, "DELETE", "/hashes/h", 204)
    ask(s, "GET", "/hashes/h", 404)


def sets(s):
    """members are added, asked for, removed"""
    same(json.loads(ask(s, "POST", "/sets/s", 200, '["a","b","a"]')[1]), {"added": 2})
    ask(s, "PUT", f"/sets/s/{PATH}", 201)
    ask(s, "PUT", f"/sets/s/{PATH}", 204)
    ask(s, "GET", f"/sets/s/{PATH}", 204)
    ask(s, "GET", "/sets/s/c", 404)
    page = get(s, "/sets/s")
    same(sorted(base64.b64decode(m) for m in page["members"]), sorted([b"a", b"b", BINARY]))
    ask(s, "DELETE", f"/sets/s/{PATH}", 204)
    same(sorted(get(s, "/sets/s")["members"]), ["a", "b"])


def zsets(s):
    """members have scores, and come in their order"""
    same(json.loads(ask(s, "POST", "/zsets/z", 200, '{"b":2,"a":1.5,"c":-1e3}')[1]), {"added": 3})
    same(list(get(s, "/zsets/z")["members"].items()), [("c", -1000), ("a", 1.5), ("b", 2)])
    same(list(get(s, "/zsets/z?reverse&stop=1")["members"]), ["b", "a"])
    same(list(get(s, "/zsets/z?start=-1")["members"]), ["b"])
    ask(s, "PUT", "/zsets/z/top", 201, b"inf")
    same(get(s, "/zsets/z/top"), {"score": "inf"})
    ask(s, "PUT", "/zsets/z/top", 204, b"7.25")
    same(get(s, "/zsets/z/top"), {"score": 7.25})
    for body in (b"", b"x", b"nan", b"1 "):
        ask(s, "PUT", "/zsets/z/top", 400, body)
    ask(s, "DELETE", "/zsets/z/top", 204)
    ask(s, "GET", "/zsets/z/top", 404)


def pages(s):
    """large collections come in pages, all of them"""
    with s.client() as r:
        r("HSET", "h", *[f"{k}{i}" for i in range(3000) for k in "fv"])
        r("SADD", "s", *[f"m{i}" for i in range(3000)])
        r("ZADD", "z", *[x for i in range(3000) for x in (i, f"m{i}")])
    for path, name, one in (("/hashes/h", "fields", "f"), ("/sets/s", "members", "m")):
        seen, cursor, n = set(), 0, 0
        while True:
            page = get(s, f"{path}?cursor={cursor}&limit=500")
            same(page["length"], 3000)
            seen |= set(page[name])
            cursor, n = page["cursor"], n + 1
            if cursor == 0:
                break
        assert n > 2, n
        same(seen, {f"{one}{i}" for i in range(3000)})
    same(len(get(s, "/zsets/z")["members"]), 100)
    same(list(get(s, "/zsets/z?start=2998&stop=9999")["members"]), ["m2998", "m2999"])


def tags(s):
    """a tag is of the elements, however they came there; conditions are told by it"""
    ask(s, "POST", "/hashes/a", 200, '{"x":"1","y":"2"}')
    ask(s, "POST", "/hashes/b", 200, '{"y":"2"}')
    before = ask(s, "GET", "/hashes/b", 200)[0]["etag"]
    ask(s, "PUT", "/hashes/b/x", 201, b"1", If_Match=before)
    tag = ask(s, "GET", "/hashes/a", 200)[0]["etag"]
    same(ask(s, "GET", "/hashes/b", 200)[0]["etag"], tag)
    same(ask(s, "GET", "/hashes/b", 304, If_None_Match=tag)[1], b"")
    same(ask(s, "PUT", "/hashes/b/x", 412, b"2", If_Match=before)[0]["etag"], tag)
    same(ask(s, "DELETE", "/hashes/b", 412, If_Match=before)[0]["etag"], tag)
    ask(s, "POST", "/hashes/b", 412, '{"z":"3"}', If_None_Match="*")
    ask(s, "POST", "/hashes/new", 412, '{"z":"3"}', If_Match="*")
    ask(s, "POST", "/hashes/new", 200, '{"z":"3"}', If_None_Match="*")
    ask(s, "DELETE", "/hashes/b", 204, If_Match=tag)
    ask(s, "POST", "/lists/l", 200, "a")
    tag = ask(s, "GET", "/lists/l", 200)[0]["etag"]
    ask(s, "POST", "/lists/l", 200, "b", If_Match=tag)
    ask(s, "POST", "/lists/l/pop", 412, If_Match=tag)
    with s.client() as r:
        r("SADD", "large", *[f"{i:0100}" for i in range(2000)])
        assert "etag" not in ask(s, "GET", "/sets/large", 200)[0]
    ask(s, "PUT", "/sets/large/x", 412, If_Match=tag)
    ask(s, "PUT", "/sets/large/x", 201, If_Match="*")


def races(s):
    """of those that change a collection at the same time on one tag, one wins"""
    ask(s, "POST", "/hashes/h", 200, '{"n":"0"}')
    wins, errors = [], []

    def count():
        try:
            for _ in range(40):
                headers, text = ask(s, "GET", "/hashes/h", 200)
                n = int(json.loads(text)["fields"]["n"])
                status = s.request("PUT", "/hashes/h/n", str(n + 1), {"If-Match": headers["etag"]})[0]
                assert status in (204, 412), status
                if status == 204:
                    wins.append(n + 1)
        except Exception as e:
            errors.append(e)
    threads = [threading.Thread(target=count) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(errors, [])
    same(sorted(wins), list(range(1, len(wins) + 1)))
    same(get(s, "/hashes/h")["fields"]["n"], str(len(wins)))


run([hashes, sets, zsets, pages, tags, races])
