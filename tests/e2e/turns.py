#!/usr/bin/env python3
"""KEYS over many keys is done in turns: other connections of the same thread are served between, and its reply is whole."""
import select

from fk import Resp, run, same, until

KEYS = 60_000


def fill(s, count=KEYS):
    with s.client() as r:
        for start in range(0, count, 1000):
            r.send(Resp.encode(["MSET", *(w for i in range(start, start + 1000) for w in (f"key:{i}", "v"))]))
        for _ in range(0, count, 1000):
            same(r.read(), "OK")
    return {f"key:{i}".encode() for i in range(count)}


def has_more(r):
    return bool(select.select([r.socket], [], [], 0)[0])


def others_have_turns(s):
    """A connection of the same thread has its replies while KEYS is under way"""
    fill(s)
    with s.client() as a, s.client() as b:
        def served():
            served = 0
            a.send(Resp.encode(["KEYS", "*1*"]))
            while not has_more(a):
                same(b("PING"), "PONG")
                served += 1
            a.read()
            return served

        until("one KEYS during which others are served", lambda: served() >= 4)  # this process may be held up meanwhile


def whole_replies(s):
    """All keys, in their place among pipelined replies, in RESP2 and RESP3, for a pattern, muted, and in EXEC"""
    keys = fill(s)
    some = {k for k in keys if k.endswith(b"77")}
    with s.client() as r:
        for protocol in (2, 3):
            r("HELLO", protocol)
            r.send(b"".join(map(Resp.encode, (["GET", "key:1"], ["KEYS", "*"], ["ECHO", "x"], ["KEYS", "*77"],
                                              ["KEYS", "none*"], ["ECHO", "y"]))))
            same(r.read(), b"v")
            found = r.read()
            same(len(found), len(keys))
            same(set(found), keys)
            same(r.read(), b"x")
            same(set(r.read()), some)
            same(r.read(), [])
            same(r.read(), b"y")
        r("MULTI")
        r("KEYS", "*77")
        r("DBSIZE")
        found, size = r("EXEC")
        same((set(found), size), (some, KEYS))
        r.send(Resp.encode(["CLIENT", "REPLY", "SKIP"]))
        r.send(Resp.encode(["KEYS", "*"]) + Resp.encode(["PING"]))
        same(r.read(), "PONG")


def keys_that_stay(s):
    """What is there throughout is found, whatever others make and delete meanwhile"""
    keys = fill(s)
    with s.client() as a, s.client() as b:
        for n in range(10):
            a.send(Resp.encode(["KEYS", "*"]))
            rounds = 0
            while not has_more(a):
                b.send(Resp.encode(["DEL", *(f"new:{i}" for i in range(200))]) +
                       Resp.encode(["MSET", *(w for i in range(200) for w in (f"new:{i}", n))]))
                b.read(), b.read()
                rounds += 1
            found = a.read()
            same({k for k in found if k.startswith(b"key:")}, keys)
            same(len(found), len(set(found)))


def ends(s):
    """Clients that go, are killed, or are to be unblocked while they wait for KEYS"""
    fill(s)
    with s.client() as other:
        for i in range(10):
            with s.client() as a:
                number = a("CLIENT", "ID")
                a.send(Resp.encode(["KEYS", "*"]))
                if i % 2:
                    other("PING")
                else:
                    same(other("CLIENT", "UNBLOCK", number), 0)
                    same(other("CLIENT", "KILL", "ID", number), 1)
        with s.client() as a:
            other("CLIENT", "PAUSE", 20, "ALL")
            a.send(Resp.encode(["KEYS", "*"]) + Resp.encode(["PING"]))
            same(len(a.read()), KEYS)
            same(a.read(), "PONG")
        same(other("PING"), "PONG")


def is_measured(s):
    """The slow log has KEYS once, with all its turns"""
    fill(s)
    with s.client() as r:
        r("CONFIG", "SET", "slowlog-log-slower-than", 0)
        r("SLOWLOG", "RESET")
        r("KEYS", "key:*")
        entries = [e for e in r("SLOWLOG", "GET", 10) if e[3] == [b"KEYS", b"key:*"]]
        same(len(entries), 1)
        assert entries[0][2] >= KEYS // 300, f"{entries}: no machine looks at that many keys in the time of one turn"


def too_large(s):
    """A reply over --max-output-bytes is an error that says so"""
    fill(s)
    with s.client() as r:
        same(r.error("KEYS", "*"), "ERR the reply would be larger than max-output-bytes, use SCAN")
        same(len(r("KEYS", "*777")), KEYS // 1000)


ONE = "--resp-threads=1"
run([(test, ONE) for test in (others_have_turns, whole_replies, keys_that_stay, ends, is_measured)] +
    [(too_large, ONE, "--max-output-bytes=512kb")])
