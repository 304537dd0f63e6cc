"""maxmemory: what each policy evicts, that it is told, logged and counted, and that as many reads hit as with redis-server.

An eviction makes room for a command that comes; so a test that lowers the limit sends some until nothing more goes.
"""
import bisect
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from fk import FLASHKV, PATIENCE, Error, Resp, Server, run, same
from redis_compare import Redis

MB = 1 << 20
OOM = "OOM command not allowed when used memory > 'maxmemory'."
SLACK = 256 * 1024  # what is set between two measurements, and 64 shards that have not told of their last KiB


def info(r, field):
    return dict(line.split(":", 1) for line in r("INFO").decode().splitlines() if ":" in line)[field]


def used(r):
    """What counts against maxmemory; redis-server compares used_memory."""
    try:
        return int(info(r, "maxmemory_used"))
    except KeyError:
        return int(info(r, "used_memory"))


def limit(r, policy, room):
    """So many bytes more than are in use."""
    r("CONFIG", "SET", "maxmemory-policy", policy)
    r("CONFIG", "SET", "maxmemory", used(r) + room)


def lower(r, room):
    """Leaves so many bytes less than are in use, and evicts all that is to go; then there is no limit any more."""
    r("CONFIG", "SET", "maxmemory", used(r) - room)
    settle(r)
    r("CONFIG", "SET", "maxmemory", 0)


def settle(r):
    before = -1
    while before != (before := int(info(r, "evicted_keys"))):
        pipeline(r, [("PING",)] * 50)


def pipeline(r, commands):
    """Replies, errors as values, without stopping at them."""
    r.send(b"".join(Resp.encode(c) for c in commands))
    replies = []
    for _ in commands:
        try:
            replies.append(r.read())
        except Error as e:
            replies.append(e)
    return replies


def fill(r, prefix, count, size=100, *options):
    """How many of them were refused."""
    refused = 0
    for at in range(0, count, 500):
        commands = [("SET", f"{prefix}:{i}", "x" * size, *options) for i in range(at, min(at + 500, count))]
        refused += sum(isinstance(reply, Error) for reply in pipeline(r, commands))
    return refused


def present(r, prefix):
    return {int(k.split(b":")[1]) for k in r("KEYS", prefix + ":*")}


# ---- policies --------------------------------------------------------------------------------------------------------


def allkeys(s):
    """allkeys-lru, lfu and random stay at the limit, refuse nothing and count what they evict"""
    with s.client() as r:
        for policy in "allkeys-lru", "allkeys-lfu", "allkeys-random":
            r("FLUSHALL")
            r("CONFIG", "RESETSTAT")
            limit(r, policy, 2 * MB)
            same(fill(r, "k", 40000), 0)
            assert used(r) < int(info(r, "maxmemory")) + SLACK, (policy, used(r), info(r, "maxmemory"))
            same(info(r, "maxmemory_policy"), policy)
            r("CONFIG", "SET", "maxmemory", 0)
            evicted, keys = int(info(r, "evicted_keys")), r("DBSIZE")
            assert evicted > 10000 and keys > 5000, (policy, evicted, keys)
            same(len(r("KEYS", "*")) + evicted, 40000)


def volatile(s):
    """volatile-* evict keys that expire, no other, and refuse when there are no more of them"""
    with s.client() as r:
        for policy in "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl":
            r("FLUSHALL")
            limit(r, policy, 2 * MB)
            same(fill(r, "stays", 4000), 0)
            same(fill(r, "goes", 20000, 100, "EX", 10000), 0)
            assert len(present(r, "goes")) < 15000, policy
            same(len(present(r, "stays")), 4000)
            refused = fill(r, "stays", 40000)
            assert refused > 10000, (policy, refused)
            same(present(r, "goes"), set())
            same(len(present(r, "stays")) + refused, 40000)
            r("CONFIG", "SET", "maxmemory", 1)
            same(r.error("SET", "x", "y"), OOM)
            same(s.request("PUT", "/keys/x", b"y")[0], 507)
            same(r("GET", "stays:0"), b"x" * 100)
            r("CONFIG", "SET", "maxmemory", 0)


def noeviction(s):
    """noeviction refuses what takes memory, and evicts nothing"""
    with s.client() as r:
        limit(r, "noeviction", MB)
        refused = fill(r, "k", 20000)
        assert 5000 < refused < 20000, refused
        same(r("DBSIZE"), 20000 - refused)
        same(info(r, "evicted_keys"), "0")
        same(r("DEL", "k:0"), 1)
        same(r("GET", "k:1"), b"x" * 100)


def kept(r, count, hot):
    """Lowers the limit so that about half of the keys go; most of those that stay are to be hot ones."""
    lower(r, count * 60)  # of some 140 bytes each
    stayed = present(r, "k")
    assert count * 0.3 < len(stayed) < count * 0.8, len(stayed)  # other allocators, other sizes
    assert len(stayed & hot) > 0.8 * min(len(hot), len(stayed)), (len(stayed), len(stayed & hot))


def hot_keys_stay(s, keys=20000):
    """LFU keeps what is used often, LRU what was used last"""
    hot = set(range(keys // 2))
    with s.client() as r:
        r("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "lfu-log-factor", 0, "lfu-decay-time", 0)
        fill(r, "k", keys)
        for i in hot:
            pipeline(r, [("GET", f"k:{i}")] * 3)
        kept(r, keys, hot)
        r("FLUSHALL")
        r("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        fill(r, "k", keys)
        while r("OBJECT", "IDLETIME", f"k:{keys - 1}") < 2:
            time.sleep(0.1)
        pipeline(r, [("GET", f"k:{i}") for i in hot])
        assert r("OBJECT", "IDLETIME", "k:0") < r("OBJECT", "IDLETIME", f"k:{keys - 1}")
        kept(r, keys, hot)


def soonest_go(s, keys=20000):
    """volatile-ttl evicts what expires first"""
    with s.client() as r:
        r("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
        pipeline(r, [("SET", f"k:{i}", "x" * 100, "EX", 10000 + i) for i in range(keys)])
        kept(r, keys, set(range(keys // 2, keys)))


def large_values(s):
    """Large strings and collections count with all they hold"""
    with s.client() as r:
        limit(r, "allkeys-random", 40 * MB)
        for i in range(30):
            r("SET", f"string:{i}", "x" * 4 * MB)
            assert used(r) < int(info(r, "maxmemory")) + 5 * MB
        for i in range(12):
            for at in range(0, 40000, 1000):
                pipeline(r, [("RPUSH", f"list:{i}", *["x" * 100] * 100) for _ in range(at, at + 1000, 100)])
            assert used(r) < int(info(r, "maxmemory")) + 5 * MB, (i, used(r), info(r, "maxmemory"))
        assert int(info(r, "evicted_keys")) > 25
        assert 3 < r("DBSIZE") < 20, r("DBSIZE")


# ---- who is told -----------------------------------------------------------------------------------------------------


def told(s):
    """Each eviction is an event; it touches WATCH; reads of others are of whole MSETs"""
    with s.client() as r, s.client() as listener:
        r("CONFIG", "SET", "notify-keyspace-events", "Ee", "maxmemory-policy", "allkeys-random")
        listener("SUBSCRIBE", "__keyevent@0__:evicted")
        fill(r, "k", 1000)
        r("WATCH", "k:7")
        r("CONFIG", "SET", "maxmemory", 1)  # kept, though no command comes any more
        names = {listener.read()[2] for _ in range(1000)}
        same(names, {b"k:%d" % i for i in range(1000)})
        same(r("DBSIZE"), 0)
        r("CONFIG", "SET", "maxmemory", 0)
        r("MULTI")
        r("SET", "x", 1)
        same(r("EXEC"), None)
        same(s.stats()["total"]["evicted"], 1000)
        assert b"flashkv_evicted_keys_total 1000" in s.request("GET", "/metrics")[2]


def limit_alone(s):
    """a lower limit evicts when it is set, not when the next command comes"""
    with s.client() as r, s.client() as listener:
        r("CONFIG", "SET", "notify-keyspace-events", "Ee", "maxmemory-policy", "allkeys-lru")
        same(r("SET", "foo", "bar"), "OK")
        listener("SUBSCRIBE", "__keyevent@0__:evicted")
        same(r("CONFIG", "SET", "maxmemory", 1), "OK")
        same(listener.read(), [b"message", b"__keyevent@0__:evicted", b"foo"])
        r("CONFIG", "SET", "maxmemory", 0)
        r("SET", "foo", "bar")
        r("MULTI")  # EXEC holds shards: what is over the limit goes with the next command
        r("GET", "foo")
        r("CONFIG", "SET", "maxmemory", 1)
        same(r("EXEC"), [b"bar", "OK"])
        r("PING")
        same(listener.read()[2], b"foo")


def latency_is_noted(s):
    """What evictions take is a latency event; a greater tenacity makes room in one command"""
    with s.client() as r:
        fill(r, "k", 30000)
        r("CONFIG", "SET", "latency-monitor-threshold", 1, "maxmemory-policy", "allkeys-random",
          "maxmemory-eviction-tenacity", 100)
        r("CONFIG", "SET", "maxmemory", 1)
        same(r("DBSIZE"), 0)
        same([e[0] for e in r("LATENCY", "LATEST") if e[0] == b"eviction-cycle"], [b"eviction-cycle"])


def hot_keys_of_redis_cli(s):
    """redis-cli --hotkeys finds them under LFU"""
    with s.client() as r:
        r("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        fill(r, "k", 100)
        pipeline(r, [("GET", "k:42")] * 3000)
        out = subprocess.run(["redis-cli", "-p", str(s.resp), "--hotkeys"], capture_output=True, timeout=60).stdout
        hottest = [line for line in out.decode().splitlines() if line.startswith("hot key found with counter")]
        assert hottest and "k:42" in hottest[0], out


# ---- threads, and the log --------------------------------------------------------------------------------------------


def storm(s):
    """Many connections over the limit at once: MSET and EXEC stay whole, nothing is lost count of"""
    wrong = []

    def client(n):
        rng = random.Random(n)
        with s.client() as r:
            for i in range(400):
                k = rng.randrange(300)
                value = f"{n}:{i}:" + "x" * rng.choice([10, 100, 1000, 6000])
                pipeline(r, [("MSET", f"a:{k}", value, f"b:{k}", value),
                             ("MULTI",), ("SET", f"c:{k}", value), ("SET", f"d:{k}", value), ("EXEC",),
                             ("RPUSH", f"l:{k}", value), ("EXPIRE", f"a:{k}", 100)])
                k = rng.randrange(300)
                a, b, c, d = pipeline(r, [("MGET", f"a:{k}", f"b:{k}", f"c:{k}", f"d:{k}")])[0]
                if (a and b and a != b) or (c and d and c != d):
                    wrong.append((k, a[:20], b[:20], c, d))

    with s.client() as r:
        limit(r, "allkeys-lru", MB)
        threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for policy in ["volatile-ttl", "allkeys-lfu", "allkeys-random", "allkeys-lru"] * 5:
            r("CONFIG", "SET", "maxmemory-policy", policy)
            r("SCAN", 0, "COUNT", 100)
        for t in threads:
            t.join()
        r("CONFIG", "SET", "maxmemory", 0)
        same(wrong, [])
        assert int(info(r, "evicted_keys")) > 100
        assert r("DBSIZE") > 50, "what threads keep for their next allocations was made room for"
        same(len(r("KEYS", "*")), r("DBSIZE"))


def evicted_keys_stay_away(_):
    """An evicted key does not come back after kill -9: evictions are logged"""
    folder = tempfile.mkdtemp(prefix="flashkv-eviction-")
    options = [f"--data-dir={folder}", "--fsync=always"]
    try:
        with Server(*options, "--maxmemory-policy=allkeys-lru") as s, s.client() as r:
            fill(r, "before", 1000)
            r("SAVE")
            limit(r, "allkeys-lru", 3 * MB)
            same(fill(r, "k", 50000), 0)
            r("HSET", "h", "f", "v")
            r("CONFIG", "SET", "maxmemory", 0)
            r("SET", "last", "one")  # what was evicted before it is on the disk with it
            keys = set(r("KEYS", "*"))
            assert 5000 < len(keys) < 40000 and int(info(r, "evicted_keys")) > 10000
            s.stop(signal.SIGKILL)
        with Server(*options) as s, s.client() as r:
            same(set(r("KEYS", "*")), keys)
    finally:
        shutil.rmtree(folder)


# ---- options and accounting ------------------------------------------------------------------------------------------


def options(_):
    """--maxmemory takes bytes or a percentage, by flag and environment"""
    with Server("--maxmemory=100mb", "--maxmemory-policy=volatile-ttl", "--maxmemory-samples=7") as s, s.client() as r:
        same(r("CONFIG", "GET", "maxmemory*"),
             [b"maxmemory", b"104857600", b"maxmemory-clients", b"0", b"maxmemory-eviction-tenacity", b"10",
              b"maxmemory-policy", b"volatile-ttl", b"maxmemory-samples", b"7"])
        same(info(r, "maxmemory_human"), "100.00M")
    with Server(env={"FLASHKV_MAXMEMORY": "50%", "FLASHKV_MAXMEMORY_POLICY": "allkeys-lfu"}) as s, s.client() as r:
        memory = s.stats()["memory"]
        there = min(memory["machine"], memory["limit"] or memory["machine"])
        same(int(r("CONFIG", "GET", "maxmemory")[1]), there // 100 * 50)
        same((memory["maxmemory"], memory["maxmemory_policy"]), (there // 100 * 50, "allkeys-lfu"))
        r("SET", "k", "v")
        same(r("OBJECT", "FREQ", "k"), 5)
    for wrong in "0%", "101%", "1.5gb", "-1", "%":
        p = subprocess.run([FLASHKV, f"--maxmemory={wrong}"], capture_output=True, timeout=PATIENCE)
        same(p.returncode, 2)
        assert b"bytes, or 1% to 100%" in p.stderr, p.stderr


def own(s):
    """Bytes in RAM that are the process's own: without the pages of its program and libraries, which are files'."""
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", open(f"/proc/{s.process.pid}/status").read())[1])


def accounting(s):
    """What is counted is within 5 % of what the process has of its own but for freed memory, with short values and with others"""
    freed = 4 * MB  # what threads keep for their next allocations, and tables that were replaced a moment ago
    with s.client() as r:
        for prefix, *sizes in ("short",), ("long", 1000):
            fill(r, prefix, 200000, *sizes)
            counted, there = used(r), own(s)
            if info(r, "mem_allocator").startswith("jemalloc"):
                assert 0.95 * (there - freed) < counted < 1.05 * there, (prefix, counted, there)
        same(s.stats()["total"]["keys"], 400000)


# ---- beside redis-server ---------------------------------------------------------------------------------------------


def zipf(keys, n, rng):
    """n draws of 0 to keys - 1, the i-th in proportion to 1 / (i + 1)."""
    sums, total = [], 0.0
    for i in range(keys):
        total += 1 / (i + 1)
        sums.append(total)
    names = list(range(keys))
    rng.shuffle(names)
    return [names[bisect.bisect(sums, rng.random() * total)] for _ in range(n)]


def hit_ratio(r, trace, policy, room, seconds):
    """Of a cache that is read first, and written where that misses. The first half warms it up. LRU's clocks tick about once
    a second: what is over faster than that, they cannot tell; so it takes at least so many seconds."""
    limit(r, policy, room)
    hits, batch, start = 0, 50, time.monotonic()
    for at in range(0, len(trace), batch):
        time.sleep(max(0, start + seconds * at / len(trace) - time.monotonic()))
        keys = trace[at:at + batch]
        got = pipeline(r, [("GET", f"key:{k}") for k in keys])
        if at >= len(trace) // 2:
            hits += sum(value is not None for value in got)
        pipeline(r, [("SET", f"key:{k}", "x" * 200) for k, value in zip(keys, got) if value is None])
    return hits / (len(trace) // 2)


def hits(policy, s, seconds, keys=int(os.environ.get("KEYS", 20000)), draws=int(os.environ.get("DRAWS", 80000))):
    """At the same memory for keys, a Zipf trace hits as often as with redis-server, or up to 2 points less"""
    trace = zipf(keys, draws, random.Random(42))
    room = keys // 4 * 300  # redis-server takes some 300 bytes for such a key: a quarter of them fits
    with Redis() as redis, Resp(redis.port) as r:
        theirs = hit_ratio(r, trace, policy, room, seconds)
    with s.client() as r:
        ours = hit_ratio(r, trace, policy, room, seconds)
    print(f"# {policy}: {100 * ours:.1f} % hit, redis-server {100 * theirs:.1f} %", flush=True)
    assert ours > theirs - 0.02, (ours, theirs)


def hits_lru(s):
    hits("allkeys-lru", s, 6)


def hits_lfu(s):
    hits("allkeys-lfu", s, 0)


hits_lru.__doc__ = hits_lfu.__doc__ = hits.__doc__

run([allkeys, volatile, noeviction, hot_keys_stay, soonest_go, large_values, told, limit_alone, latency_is_noted,
     hot_keys_of_redis_cli, storm, evicted_keys_stay_away, options, accounting, hits_lru, hits_lfu])
