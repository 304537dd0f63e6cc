#!/usr/bin/env python3
"""The Nth allocation fails, for every N of a command: it answers an error and has changed nothing, or it was done; the server lives."""
import contextlib
import mmap
import os
import random
import shutil
import struct
import subprocess
import tempfile

from faulty import FAULTS, Faults
from fk import FLASHKV, Error, Resp, Server, name_of, report, same, until
from persist import COMMANDS, FAR, Directory, change_large, dump, large_dump, make_large

MEMORY = os.path.join(os.path.dirname(FAULTS), "faults_memory.so")
BIG = "b" * 40000
READS = """
    set k v; get k/set k {big}; get k/rpush l a b c {big}; lrange l 0 -1/hset h a 1 b {big}; hgetall h/sadd s a b c; smembers s
    sadd s a b c; sadd t b; sinter s t/zadd z 1 a 2 b; zrange z 0 -1 withscores/rpush l c a b; sort l alpha/set k v; scan 0
    set k v; info/set k v; keys */client list/config get */command docs get/object encoding k/zadd z 1 a; zunion 2 z z
    memory stats/slowlog get/latency histogram/subscribe c; unsubscribe/publish c {big}/set a {big}; lcs a a len/ping {big}
"""


class Memory(Faults):
    """The numbers of tests/e2e/faults_memory.c."""

    def __init__(self):
        super().__init__(MEMORY)
        self.memory_file = tempfile.NamedTemporaryFile()
        self.memory_file.write(bytes(16))
        self.memory_file.flush()
        self.numbers = mmap.mmap(self.memory_file.fileno(), 16)
        self.env["FK_MEMORY"] = self.memory_file.name

    def arm(self, n, count):
        """Lets `count` allocations fail, from the nth on from now."""
        struct.pack_into("3i", self.numbers, 4, 0, count, 0)
        calls = struct.unpack_from("i", self.numbers, 0)[0]
        struct.pack_into("i", self.numbers, 4, calls + n)

    def disarm(self):
        """How many failed."""
        struct.pack_into("i", self.numbers, 4, 0)
        return struct.unpack_from("i", self.numbers, 12)[0]


def lines_of(text):
    return [[w.format(at=FAR, big=BIG).split() for w in line.split(";")]
            for row in text.strip().splitlines() for line in row.strip().split("/")]


class Client:
    """A client that comes back when it was cut off."""

    def __init__(self, server):
        self.server, self.connection = server, None

    def __call__(self, *words):
        """The reply, errors as values; None: the connection was lost."""
        try:
            if self.connection is None:
                self.connection = self.server.client()
            self.connection.send(Resp.encode(words))
            return self.connection.read_any()
        except (OSError, ConnectionError):
            self.close()
            return None

    def close(self):
        if self.connection is not None:
            self.connection.__exit__()
        self.connection = None


def settled(s):
    """Waits until changes are taken again: what could not be logged has to be in a snapshot first."""
    c = Client(s)
    try:
        until("that changes are taken again", lambda: c("del", "no-such-key") == 0)
    except AssertionError:
        raise AssertionError(f"{c('del', 'no-such-key')!r}, {c('info', 'persistence')!r}, {s.read_log()[-2000:]}") from None
    c.close()


def when(ms):
    """Times that are counted from now differ from run to run."""
    return ms if ms <= 0 or ms >= FAR * 1000 else "soon"


def state(s):
    """All keys, as dump has them."""
    return {key: (kind, [(f, v, [when(t) for t in at]) for f, v, at in value] if kind == "hash" else value, when(expiry))
            for key, (kind, value, expiry) in dump(s).items()}


def run(c, line):
    """The replies to a line of commands; the last one's shows how it went."""
    return [c(*words) for words in line]


def run_until_lost(c, line):
    """The same up to where the connection was lost: on another, what follows would be no part of the transaction."""
    replies = []
    for words in line:
        replies.append(c(*words))
        if replies[-1] is None:
            break
    return replies


def prepare(s, c, line):
    c.close()
    run(c, [["flushall"], *line[:-1]])
    return state(s)


def out_of_memory(reply):
    return isinstance(reply, Error) and ("memory" in str(reply) or str(reply).startswith("MISCONF "))


def try_line(s, c, memory, line, count):
    """Lets each allocation of the line's last command fail in its turn. Returns how many there were."""
    prepare(s, c, line)
    whole = run(c, line[-1:])
    after = state(s)
    random = line[-1][0] in ("spop", "srandmember", "randomkey")
    for n in range(1, 10000):
        before = prepare(s, c, line)
        memory.arm(n, count)
        reply = c(*line[-1])
        failed = memory.disarm()
        settled(s)
        now = state(s)
        where = f"{reply!r:.80}, allocation {n} of {' '.join(line[-1])[:80]}, behind {len(line) - 1} commands"
        if out_of_memory(reply):
            same(now, before, where)
        elif reply is None:  # it is not known
            assert now in (before, after) or random, where
        elif not random:
            same(now, after, where)
        if failed == 0:
            assert type(reply) is type(whole[0]), where
            return n - 1
    raise AssertionError("without end")


def commands(text, least):
    def test():
        memory = Memory()
        with Server(env=memory.env) as s:
            c = Client(s)
            allocations = sum(try_line(s, c, memory, line, 1) for line in lines_of(text) if ["multi"] not in line)
            c.close()
            same(s.stop(), 0, "exit status")
        assert allocations > least, allocations

    test.__doc__ = f"the Nth allocation fails, for every N of each command that {'writes' if text is COMMANDS else 'reads'}"
    return test


def logged():
    """some allocations from the Nth on fail, amid logging and snapshots too: what is there is there after a restart as well"""
    memory = Memory()
    lines = lines_of("""set k v ex 1000/append k {big}; append k w/rpush l a; rpush l b {big}/hset h a 1; hset h b 2 c {big}
        zadd z 1 a; zunionstore x 2 z z/set k v; rename k q/spop s""")
    with Directory("--fsync=no", "--snapshot-log-bytes=1") as d:
        for line in lines:
            with d.server(env=memory.env) as s:
                c = Client(s)
                try_line(s, c, memory, line, 3)
                c.close()
                want = dump(s)
                same(s.stop(), 0, "exit status")
            with d.server() as s:
                same(dump(s), want, line[-1][0])


def large_snapshots():
    """allocations from the Nth on fail amid a snapshot of large collections that change: it fails or not, the next one is whole"""
    memory, rng = Memory(), random.Random(3)
    with Directory("--fsync=no") as d:
        with d.server(env=memory.env) as s:
            c, failed = Client(s), 0
            make_large(c)
            for n in range(1, 60):
                memory.arm(n, 3)
                c("bgsave")
                for _ in range(10):
                    run(c, [change_large(rng)])
                memory.disarm()
                until("its end", lambda: b"rdb_bgsave_in_progress:0\r\n" in (c("info", "persistence") or b""))
                failed += b"rdb_last_bgsave_status:err" in c("info", "persistence")
                settled(s)
            assert failed > 0
            same(c("save"), "OK")
            want = large_dump(c)
            c.close()
            same(s.stop(), 0, "exit status")
        with d.server() as s, s.client() as c:
            same(large_dump(c), want)


def first_write():
    """the first change of all cannot be logged: the segment, in which nothing is yet, is begun anew, and changes are taken again"""
    for n in range(1, 12):
        memory = Memory()
        with Directory("--fsync=always") as d, d.server(env=memory.env) as s:
            c = Client(s)
            same(c("ping"), "PONG")
            memory.arm(n, 1)
            reply = c("set", "k", "v" * 100)
            memory.disarm()
            settled(s)
            same(c("set", "l", "v"), "OK")
            c.close()
            want = dump(s)
            assert reply != "OK" or b"k" in want, (n, reply)
            s.process.kill()
            s.process.wait()
            with d.server() as t:
                same(dump(t), want, n)


# ---- transactions ----------------------------------------------------------------------------------------------------


def transactions():
    """MULTI to EXEC: all of it or nothing, whichever allocation fails"""
    line = [["multi"], ["set", "a", BIG], ["rpush", "l", "x", BIG], ["hset", "h", "f", "v"], ["del", "gone"], ["exec"]]
    memory = Memory()
    with Server(env=memory.env) as s:
        c = Client(s)
        for n in range(1, 10000):
            before = prepare(s, c, [["set", "gone", "v"], []])
            memory.arm(n, 1)
            replies = run_until_lost(c, line)
            failed = memory.disarm()
            settled(s)
            c.close()
            now = state(s)
            done = isinstance(replies[-1], list) and not any(isinstance(r, Error) for r in replies[-1])
            assert done or not isinstance(replies[-1], list), (n, replies)
            if done:
                same(sorted(now), [b"a", b"h", b"l"], n)
            elif len(replies) == len(line) and replies[-1] is None:  # it is not known
                assert now == before or sorted(now) == [b"a", b"h", b"l"], (n, now)
            elif replies[0] == "OK":
                same(now, before, (n, replies))
            if failed == 0:
                assert done and n > 10, replies
                break
        same(s.stop(), 0, "exit status")


def replayed(d):
    """What a start would make of the directory as it is now."""
    with tempfile.TemporaryDirectory() as top:
        copy = shutil.copytree(d.path, os.path.join(top, "copy"))
        return subprocess.run([FLASHKV, "--dump-resp", copy], check=True, capture_output=True).stdout


def logged_bytes(d):
    return sum(os.path.getsize(os.path.join(d.path, name)) for name in d.files("log-"))


def refused_transactions():
    """of an EXEC that was refused for want of memory nothing is in the log, and what is replayed is what was before it"""
    line = [["multi"], ["set", "a", BIG], ["mset", "b", "1", "c", "2"], ["rpush", "l", "x", BIG], ["hset", "h", "f", "v"], ["spop", "s"],
            ["rename", "q", "r"], ["del", "gone"]]
    memory, refused = Memory(), 0
    with Directory("--fsync=always") as d, d.server(env=memory.env) as s:
        c = Client(s)
        for n in range(1, 10000):
            prepare(s, c, [["set", "gone", "v"], ["sadd", "s", "m"], ["rpush", "q", "e"], []])
            same(run(c, line), ["OK"] + ["QUEUED"] * (len(line) - 1))
            before, length = replayed(d), logged_bytes(d)
            memory.arm(n, 1)
            reply = c("exec")
            failed = memory.disarm()
            if out_of_memory(reply):
                same(logged_bytes(d), length, (n, reply))
                same(replayed(d), before, (n, reply))
                refused += 1
            settled(s)
            if failed == 0:
                assert isinstance(reply, list) and replayed(d) != before, reply
                break
        assert refused > 1, refused
        c.close()
        same(s.stop(), 0, "exit status")


def pieces():
    """A command of which a part has come, and finds no memory, is its client's trouble alone: the next one is understood"""
    command = Resp.encode(["set", "a", BIG])
    memory = Memory()
    with Server("--resp-threads=1", env=memory.env) as s:
        for n in range(1, 10000):
            with s.client() as c:
                same(c("PING"), "PONG")
                memory.arm(n, 1)
                with contextlib.suppress(OSError):  # it may be cut off
                    c.send(Resp.encode(["PING"]) + command[:len(command) // 2])
                    c.read_any()
                failed = memory.disarm()
            with s.client() as other:
                same([other("PING"), other("ECHO", "x" * n)], ["PONG", b"x" * n], n)
            if failed == 0:
                assert n > 2, n
                break
        same(s.stop(), 0, "exit status")


# ---- HTTP ------------------------------------------------------------------------------------------------------------

JSON, LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/x-ndjson"}
ATOMIC = (b'[{"op":"put","key":"x","value":"' + b"v" * 9000 + b'","ttl":1000},{"op":"incr","key":"n"},{"op":"delete","key":"l"},'
          b'{"op":"append","key":"k","value":"' + b"w" * 9000 + b'"},{"op":"get","key":"k"},{"op":"expire","key":"n","ttl":1000},'
          b'{"op":"append","key":"k","value":"w"},{"op":"persist","key":"x"},{"op":"check","key":"q","if":{"absent":true}}]')
REQUESTS = [
    ("PUT", "/keys/new", b"v", {}, {201}), ("PUT", "/keys/k", b"v" * 40000, {}, {204}), ("GET", "/keys/k", None, {}, {200}),
    ("POST", "/keys/n/incr?by=5", None, {}, {200}), ("POST", "/keys/k/append", b"more", {}, {200}),
    ("DELETE", "/keys/k", None, {}, {204}), ("GET", "/keys?limit=10", None, {}, {200}),
    ("POST", "/lists/l", b'["a", "b"]', JSON, {200, 201}), ("GET", "/lists/l", None, {}, {200}),
    ("POST", "/batch", b'[{"op":"put","key":"x","value":"1"},{"op":"get","key":"k"}]', JSON, {200}),
    ("POST", "/batch", b'{"op":"put","key":"x","value":"1"}\n{"op":"get","key":"k"}\n', LINES, {200}),
    ("POST", "/batch?atomic=true", b'[{"op":"put","key":"x","value":"1"},{"op":"put","key":"y","value":"1"}]', JSON, {200}),
    ("POST", "/batch?atomic=true", ATOMIC, JSON, {200}),
    ("PUT", "/keys/fresh", b"v", {"If-None-Match": "*"}, {201}), ("POST", "/lists/l", b'["a"]', {**JSON, "If-Match": "*"}, {200}),
    ("GET", "/export", None, {}, {200}), ("POST", "/import", b'{"key":"x","type":"string","value":"1"}\n', LINES, {200}),
    ("POST", "/upstash", b'["set", "x", "1"]', JSON, {200}), ("POST", "/upstash/multi-exec", b'[["set", "x", "1"]]', JSON, {200}),
    ("GET", "/stats", None, {}, {200}), ("GET", "/metrics", None, {}, {200}), ("GET", "/healthz", None, {}, {200}),
]


def ask(s, method, path, body, headers):
    """The status, and what came with it; None: cut off."""
    try:
        return s.request(method, path, body, headers)[::2]
    except Exception:
        return None, None


def requests():
    """HTTP: 503 and nothing changed, 507 for the response, or an end of the connection, whichever allocation fails"""
    memory = Memory()
    with Server(env=memory.env) as s, s.client() as c:
        for method, path, body, headers, good in REQUESTS:
            for n in range(1, 10000):
                c("flushall")
                c("mset", "k", "v", "n", "1")
                c("rpush", "l", "z")
                before = state(s)
                memory.arm(n, 1)
                status, text = ask(s, method, path, body, headers)
                failed = memory.disarm()
                settled(s)
                said = status in (413, 507) or (status in (400, 503) and (b"memory" in text or b"EXECABORT" in text))
                assert said or status in good | {None}, (method, path, n, status, text)
                # 507 tells of the response alone, and those two do each operation for itself.
                if said and status != 507 and path not in ("/batch", "/import"):
                    same(state(s), before, (method, path, n, status, text))
                if failed == 0:
                    assert status in good, (method, path, status)
                    break
        same(s.stop(), 0, "exit status")


def is_sanitized():
    """A sanitizer has an allocator of its own, and no other may come first."""
    with open(FLASHKV, "rb") as f:
        symbols = f.read()
    return b"__asan_init" in symbols or b"__tsan_init" in symbols


if __name__ == "__main__":
    if is_sanitized():
        print("1..0 # SKIP a sanitizer has an allocator of its own")
        raise SystemExit
    report([(name_of(t), t) for t in [
        commands(COMMANDS, 100), commands(READS, 20), logged, large_snapshots, first_write, transactions, refused_transactions, pieces, requests]])
