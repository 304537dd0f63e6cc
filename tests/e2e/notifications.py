#!/usr/bin/env python3
"""Keyspace notifications: every command line of redis_compare.py, and those below, to redis-server 7.0 and to FlashKV;
each makes the same events, of the same keys, in the same order."""
import time

from fk import Error, Resp, run, same
from redis_compare import GROUPS, Redis, raw_reply, words

# More lines, for what replies alone do not show. A new command's lines belong into redis_compare.py: they are run here too.
MORE = {
    "strings, seen by their events": """
        set k v / set k v ex 100 / set k v keepttl / set k v nx / set k v xx / set n v nx px 500000 / set k v get / set k v exat 1
        exists k / setex k 100 v / psetex k 100000 v / setnx k v / setnx o v / getset k w / getset p w / getex k / getex k ex 5
        getex k persist / getex k persist / getex k pxat 1 / exists k / getdel o / getdel o / mset a 1 b 2 a 3 / msetnx a 1 q 2
        msetnx q 1 r 2 / append a x / append s x / setrange s 3 y / setrange s 0 "" / setrange t 0 "" / incr i / incrby i 2
        decr i / decrby i 2 / incrbyfloat i 1.5 / incrbyfloat g 1 / incr s""",
    "keys, seen by their events": """
        set a 1 / expire a 100 / expire a 100 nx / expire a 200 xx / pexpire a 1000 gt / expireat a 33177117420 / persist a
        persist a / expire a -1 / expire a 10 / set a 1 / pexpireat a 1 / set a 1 / rename a b / rename b b / set c 1
        rename b c / renamenx c d / set e 1 / renamenx d e / renamenx d d / rename none x / del d none e / unlink d / set u 1
        unlink u / touch u / type none / ttl none / pttl none / exists none none / object encoding none / get none / keys *
        randomkey / set l v / rpush m a / rename m l / expire l 100 / rename l z / del z""",
    "lists, seen by their events": """
        lpush l a b / rpush l c / lpushx l x / rpushx l y / lpushx none x / linsert l before a q / linsert l before nope q
        lset l 0 z / lset none 0 z / lrem l 0 nope / lrem l 0 z / ltrim l 0 1 / ltrim l 0 1 / ltrim l 5 9 / rpush l a b c
        lpop l / rpop l / lpop l 5 / lpop l / rpush l a b / rpop l 0 / lmove l m left right / lmove l m left left
        lmove m m left right / lmove none m left right / rpoplpush m n / rpoplpush n n / rpoplpush m l / lmpop 2 l m left
        lmpop 2 n m right count 5 / lrange l 0 -1 / llen l / lpos l a / lrem m 0 a / rpush r 1 / ltrim r 1 0 / lindex l 0""",
    "hashes, seen by their events": """
        hset h a 1 / hset h a 1 / hmset h b 2 c 3 / hsetnx h a 1 / hsetnx h d 4 / hincrby h a 1 / hincrby h n 1
        hincrbyfloat h a 1.5 / hdel h nope / hdel h a b / hdel h c d n / exists h / hget h a / hdel h a / hset h x abc
        hincrby h x 1 / hincrby i x abc / hincrbyfloat i x abc / exists i / hgetall i / hrandfield i / hset s v""",
    "sets, seen by their events": """
        sadd s 1 2 3 / sadd s 1 / srem s nope / srem s 1 / sadd t 2 3 4 / smove s t 2 / smove s t nope / smove s u 3 / exists s
        smove u t 3 / smove u t 9 / sadd s 1 2 / sadd t 1 / sinterstore d s t / sinterstore d s none / sinterstore d s none
        sunionstore d s t / sdiffstore d s s / sdiffstore d s s / sunionstore d none / spop t 1 / spop t 100 / spop t / spop t 1
        sadd one m / spop one / smove s s 1 / smove none s 1 / smembers none / sinter s none / sintercard 2 s none
        set str v / sunionstore str s / smismember none a / srandmember none / sscan none 0""",
}
SKIPPED = {"clients", "connection", "odd subcommands"}  # they change the settings, or kill the clients, that this test lives by

# Events that differ, and why that is right.
ALLOWED = {
    "set k v exat 1": "a key whose time is past goes at once, and 'expired' is told then, not when somebody looks",
    "exists k": "as above",
    "smove s x2 2": "'new' comes first: the member is added before it is taken away, so that a failure loses nothing",
    "smove s u 3": "as above",
    "smove s t b": "as above",
    "sort l by x*": "the first score that is no number is the error; Redis looks the others up all the same",
    "sort l by w* by x*": "as above",
}


def lines_of(text):
    return [line.strip() for line in " / ".join(text.strip().splitlines()).split(" / ")]


class Side:
    """One server: a client that runs lines, one that hears their events, one that says when they are over."""

    def __init__(self, port, letters):
        self.runs, self.hears, self.marks = Resp(port), Resp(port), Resp(port)
        self.runs("CONFIG", "SET", "notify-keyspace-events", letters)
        self.hears("PSUBSCRIBE", "*")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in (self.runs, self.hears, self.marks):
            client.__exit__()

    def events(self, line):
        """The messages that a line makes, "channel payload" each."""
        self.runs.send(Resp.encode(words(line)))
        raw_reply(self.runs.file)
        self.marks("PUBLISH", "end", "")
        got = []
        while True:
            _, _, channel, payload = self.hears.read()
            if channel == b"end":
                return got
            got.append((channel + b" " + payload).decode("latin-1"))


def compare(server, text, letters):
    differences = []
    with Redis() as redis, Side(redis.port, letters) as theirs, Side(server.resp, letters) as ours:
        for line in lines_of(text):
            want, got = theirs.events(line), ours.events(line)
            if want != got and line not in ALLOWED:
                differences.append(f"{line}: redis {want}, flashkv {got}")
    assert not differences, "\n" + "\n".join(differences)


def make(name, text):
    def test(server):
        compare(server, text, "KEAnm" if name in MORE else "EAnm")

    test.__doc__ = f"events of {name}"
    return test


def letters(s):
    """each letter lets its class pass, and no letter nothing"""
    lines = {"g": "del key", "$": "set key v", "l": "rpush key v", "s": "sadd key v", "h": "hset key f v",
             "n": "set key v", "m": "get key"}
    names = {"g": "del", "$": "set", "l": "rpush", "s": "sadd", "h": "hset", "n": "new", "m": "keymiss"}
    for letter, line in lines.items():
        for kinds in ("", "K", "E", "KE"):
            with Side(s.resp, kinds + letter) as side:
                side.events("del key")
                if letter == "g":
                    side.events("set key v")
                want = []
                if "K" in kinds:
                    want.append(f"__keyspace@0__:key {names[letter]}")
                if "E" in kinds:
                    want.append(f"__keyevent@0__:{names[letter]} key")
                same(side.events(line), want, kinds + letter)


def expired(s):
    """expired: by the sweeper, and by a write that meets the key first"""
    with Side(s.resp, "Ex") as side:
        side.runs("SET", "swept", "v", "PX", 1)
        same(side.hears.read()[2:], [b"__keyevent@0__:expired", b"swept"])
        side.runs("SET", "k", "v", "PX", 1)
        time.sleep(0.002)
        side.runs("DEL", "k")
        same(side.hears.read()[2:], [b"__keyevent@0__:expired", b"k"])


def over_http(s):
    """what HTTP changes is told too"""
    with Side(s.resp, "EA") as side:
        side.events("ping")
        s.request("PUT", "/keys/k", body=b"v")
        same(side.hears.read()[2:], [b"__keyevent@0__:set", b"k"])
        s.request("DELETE", "/keys/k")
        same(side.hears.read()[2:], [b"__keyevent@0__:del", b"k"])


def off_again(s):
    """switched off: nothing more comes; a wrong letter is refused"""
    with Side(s.resp, "KEA") as side:
        same(side.events("set k v"), ["__keyspace@0__:k set", "__keyevent@0__:set k"])
        side.runs("CONFIG", "SET", "notify-keyspace-events", "")
        same(side.events("set k v"), [])
        try:
            side.runs("CONFIG", "SET", "notify-keyspace-events", "KEA?")
            raise AssertionError("accepted")
        except Error:
            pass
        same(side.events("set k v"), [])


if __name__ == "__main__":
    groups = {**{name: text for name, text in GROUPS.items() if name not in SKIPPED}, **MORE}
    run([make(name, text) for name, text in groups.items()] + [letters, expired, over_http, off_again])
