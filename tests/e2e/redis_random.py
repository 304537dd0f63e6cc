#!/usr/bin/env python3
"""Random commands to redis-server 7.0 and to FlashKV: every reply is the same, whatever went before.

    redis_random.py [COMMANDS [SEED...]]     FLASHKV names the binary

Two connections take turns, in RESP2 and RESP3, each with a batch of commands in a pipeline; transactions and watches
stay open from one batch to the next. A third looks on: it walks keys and collections with SCAN and its like, from cursor to
cursor, and compares at last all there is, values, expiries and encodings. A difference is shown with its seed and as few of
the commands before it as still make it. Nothing expires meanwhile: times are absolute and far away, or past, or wrong.
A million commands (seeds 7001 to 7051, 20000 of each) have gone through the build with AddressSanitizer and
UndefinedBehaviorSanitizer without a report, a leak or a difference but EXPLAINED.
(Not asked: DBSIZE and RANDOMKEY, for Redis counts keys that have expired until it comes to sweep them.)
"""
import ast
import random
import sys

from fk import Error, Resp, run
from random_commands import KINDS, SHAPES, UNORDERED, draw, parse, show
from redis_compare import Redis, raw_reply

COMMANDS, SEEDS = 10000, (1, 2, 3)
FRESH_EVERY = 500  # commands on one keyspace, about
BATCHES = (1, 2, 10, 60, 120)
DEFAULTS = ["config", "set", "hash-max-listpack-entries", "512", "hash-max-listpack-value", "64",
            "zset-max-listpack-entries", "128", "zset-max-listpack-value", "64", "set-max-intset-entries", "512"]

EXPLAINED = (  # encodings that need not be the same: (Redis's, FlashKV's)
    (b"$8\r\nskiplist", b"$8\r\nlistpack"),  # Redis's SORT converts a sorted set that it only reads
    (b"$6\r\nembstr", b"$3\r\nint"),  # Redis's INCRBYFLOAT keeps an integer's digits as a string
)


LOOKS_ON = 2  # the number of the third connection
READS = {"string": ["get", 1], "list": ["lrange", 1, 0, -1], "hash": ["hgetall", 1], "set": ["smembers", 1],
         "zset": ["zrange", 1, 0, -1, "withscores"]}  # 1: the key


class Pair:
    """The connections to one server, on an empty keyspace."""

    def __init__(self, port):
        self.connections = [Resp(port), Resp(port), Resp(port)]
        self.connections[0]("flushall")
        self.connections[0](*DEFAULTS)
        self.connections[1]("hello", 3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for c in self.connections:
            c.__exit__()

    def send(self, which, commands):
        if which != LOOKS_ON:
            self.connections[which].send(b"".join(Resp.encode([w.encode("latin-1") for w in c]) for c in commands))

    def replies(self, which, commands):
        if which == LOOKS_ON:
            return [self.everything() if name == "everything" else self.walk(name, *words) for name, *words in commands]
        return [raw_reply(self.connections[which].file) for _ in commands]

    def walk(self, name, *words):
        """What a scan gives from cursor to cursor: `words` may begin with a key, and end with options."""
        at, cursor, found = name != "scan", b"0", []
        try:
            while True:
                cursor, page = self.connections[LOOKS_ON](name, *words[:at], cursor, *words[at:])
                found += zip(page[::2], page[1::2]) if name in ("hscan", "zscan") else page
                if cursor == b"0":
                    return repr(sorted(set(found))).encode()
        except Error as e:
            return str(e).encode()

    def everything(self):
        c, all_ = self.connections[LOOKS_ON], []
        for key in sorted(c("keys", "*")):
            type_ = c("type", key)
            value = c(*[key if word == 1 else word for word in READS[type_]])
            if type_ == "hash":
                value = sorted(zip(value[::2], value[1::2]))
            all_.append([key, type_, c("pexpiretime", key), sorted(value) if type_ == "set" else value])
        return repr(all_).encode()


def same_keys(wanted, got):
    """What everything() gives, but for the times of keys, which the two servers were given one after the other."""
    wanted, got = ast.literal_eval(wanted.decode()), ast.literal_eval(got.decode())
    return [[*key[:2], *key[3:]] for key in wanted] == [[*key[:2], *key[3:]] for key in got] and \
        all(abs(theirs[2] - ours[2]) < 5000 for theirs, ours in zip(wanted, got))


def almost(wanted, got):
    """The same lines, but for how much time has passed: times left are some seconds apart at most. They are put in order
    by themselves, for 999999999999 comes behind 1000000000000 as text."""
    def times_and_others(reply):
        lines = reply.split(b"\r\n")
        times = [n for line in lines if line[:1] == b":" and (n := int(line[1:])) > 10**8]
        return sorted(times), sorted(line for line in lines if line[:1] != b":" or int(line[1:]) <= 10**8)

    (theirs, wanted), (ours, got) = map(times_and_others, (wanted, got))
    return wanted == got and len(theirs) == len(ours) and all(abs(a - b) < 5000 for a, b in zip(theirs, ours))


def alike(command, wanted, got):
    """Whether two replies say the same; what comes in no order is compared line by line."""
    if command[0] in ("object", "exec"):
        for encoding, other in EXPLAINED:
            wanted, got = wanted.replace(encoding, other), got.replace(encoding, other)
    if wanted == got:
        return True
    if command[0] == "everything":
        return same_keys(wanted, got)
    if command[0] in ("ttl", "pttl", "expiretime", "pexpiretime", "exec") and almost(wanted, got):
        return True
    no_order = command[0] in UNORDERED or command[0] == "exec" or "by" in command
    return no_order and wanted[:1] in b"*%~" and sorted(wanted.split(b"\r\n")) == sorted(got.split(b"\r\n"))


def first_difference(theirs, ours, which, commands):
    """(index, Redis's reply, FlashKV's reply), or None."""
    theirs.send(which, commands)
    ours.send(which, commands)
    for i, (wanted, got) in enumerate(zip(theirs.replies(which, commands), ours.replies(which, commands))):
        if not alike(commands[i], wanted, got):
            return i, wanted, got
    return None


def differs(ports, events):
    """The first difference in (connection, command) pairs that start with nothing, as above."""
    with Pair(ports[0]) as theirs, Pair(ports[1]) as ours:
        for i, (which, command) in enumerate(events):
            found = first_difference(theirs, ours, which, [command])
            if found:
                return i, *found[1:]
    return None


def shrink(ports, events):
    """Fewer events that still end in a difference; all of them should they not by themselves."""
    size = len(events)
    while size:
        start = 0
        while start < len(events):
            fewer = events[:start] + events[start + size:]
            found = differs(ports, fewer)
            if found:
                events = fewer[:found[0] + 1]
            else:
                start += size
        size //= 2
    return events


def report(ports, seed, events, difference):
    fewer = shrink(ports, events)
    found = differs(ports, fewer) or (0, *difference[1:])
    lines = "\n".join(f"  {('2', '3', 'look')[which]}> {show(command)}" for which, command in fewer[-40:])
    return f"seed {seed}: redis {found[1][:300]!r}, flashkv {found[2][:300]!r}, at the end of\n{lines}"


def look(rng):
    """What the third connection does: a walk in pages of some size."""
    name = rng.choice(("scan", "hscan", "sscan", "zscan"))
    key = [] if name == "scan" else [rng.choice(KINDS["K"])]
    match = ["match", rng.choice(KINDS["p"])] if rng.random() < 0.3 else []
    return [name, *key, *match, "count", rng.choice(("2", "10", "1000"))]


def round_of(rng, shapes, ports, seed):
    """Commands on one keyspace; returns how many."""
    events = []
    with Pair(ports[0]) as theirs, Pair(ports[1]) as ours:
        while not events or events[-1][1] != ["everything"]:
            which = LOOKS_ON if rng.random() < 0.08 else rng.randrange(2)
            commands = [look(rng)] if which == LOOKS_ON else [draw(rng, shapes) for _ in range(rng.choice(BATCHES))]
            if len(events) + len(commands) >= FRESH_EVERY:
                which, commands = LOOKS_ON, [["everything"]]
            found = first_difference(theirs, ours, which, commands)
            events += [(which, c) for c in commands]
            if found:
                events = events[:len(events) - len(commands) + found[0] + 1]
                raise AssertionError(report(ports, seed, events, found))
    return len(events)


def make(commands, seed):
    def test(server):
        rng, shapes, done = random.Random(seed), parse(SHAPES), 0
        with Redis() as redis:
            while done < commands:
                done += round_of(rng, shapes, (redis.port, server.resp), seed)

    test.__doc__ = f"{commands} random commands, seed {seed}"
    return test


if __name__ == "__main__":
    commands, *seeds = [int(word) for word in sys.argv[1:]] or [COMMANDS]
    run([make(commands, seed) for seed in seeds or SEEDS])
