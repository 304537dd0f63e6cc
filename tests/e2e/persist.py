#!/usr/bin/env python3
"""What is kept in a data directory: after a restart every key is what it was, whatever command made it so."""
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from fk import FLASHKV, Error, Resp, Server, free_port, name_of, report, same, until
from random_commands import SHAPES, draw, parse

HERE = os.path.dirname(os.path.abspath(__file__))
OLD_VERSIONS = [1, 2]  # the directories log-version-N are of commits c5dffd0 and 2e131c5; the same keys are in both
STORM = 6000  # random commands in a life of the server
COMMANDS_OF_FIELDS = ["hincrby f 5", "hsetnx f new", "hset f new", "hincrbyfloat f 1.5", "hdel f g", "hset x y", "hpersist fields 1 f"]
LARGE = 20000  # elements of a large collection
AT_ONCE = 1500  # random commands of each client

# Every command that writes, after those that prepare for it. {at} is a time far away in seconds.
COMMANDS = """
    set k v/set k v ex 1000/set k v px 1000000/set k v exat {at}/set k v pxat {at}000
    set k v ex 1000; set k w keepttl/set k v; set k w xx get/set k v nx/set k v pxat 1/set k {big}/setex k 1000 v
    psetex k 1000000 v/setnx k v/getset k v/set k v; getdel k/set k v; getex k ex 1000/set k v ex 1000; getex k persist
    append k v; append k {big}; append k w/setrange k 5 v/incr k/decr k/incrby k 5/decrby k 5/incrbyfloat k 1.5
    set k v ex 1000; setrange k 0 {big}/incrbyfloat k 1e20; incrbyfloat k -0.1/mset a 1 b 2 c 3 d {big}/msetnx a 1 b 2
    set k v; expire k 1000/set k v; pexpire k 1000000/set k v; expireat k {at}/set k v; pexpireat k {at}000
    set k v ex 1000; persist k/set k v; expire k -1/set k v; rename k q/set k v ex 1000; renamenx k q
    mset a 1 b 2 c 3; del a c nothing/mset a 1 b 2; unlink a b/set k v; flushall; set q v/set k v; flushdb async
    lpush l a b c {big}/rpush l a b c/rpush l a; lpushx l b; rpushx l c/rpush l a b c; lpop l; rpop l
    rpush l a b c d; lpop l 3/rpush l a b c; lset l 1 x/rpush l a b a c a; lrem l -2 a/rpush l a c; linsert l before c b
    rpush l a b c d e; ltrim l 1 3/rpush l a; rename l m/rpush l a b; expire l 1000
    hset h a 1 b 2 c {big}/hmset h a 1 b 2/hsetnx h a 1/hset h a 1 b 2; hdel h a/hincrby h a 5; hincrby h a -7
    hincrbyfloat h a 0.1; hincrbyfloat h a 0.2/hset h a 1; hdel h a
    hset h a 1 b 2 c 3; hexpire h 1000 fields 2 a b; hpersist h fields 2 b c; hincrby h a 1/hset h a 1; hexpireat h {at} fields 1 a; hset h a 2
    hset h a 1 b 2; hpexpireat h {at}000 fields 1 a; copy h i; rename h j; hincrbyfloat j a 1.5; hsetnx j c 3; hdel j b
    hset h a 1 b 2; hpexpire h 1000000 nx fields 1 a; hexpire h 0 fields 1 b/hset h a 1; hpexpireat h 1 fields 1 a; set h v nx
    sadd s a b c/sadd s 1 2 3/sadd s 1 2 x; srem s 2/sadd s a b; smove s t a/sadd s a b c d e f; spop s; spop s 2
    sadd s a b c; sadd t b c d; sinterstore u s t/sadd s a; sadd t b; sunionstore u s t/sadd s a b; sadd t b; sdiffstore u s t
    sadd s a; sunionstore s s nothing/set u v; sinterstore u s t
    rpush l a b c; lmove l m left right; lmove l l left right/rpush l a b; rpoplpush l m/rpush l a b c; lmpop 2 n l right count 2
    rpush l c a b; sort l alpha store m/set k v ex 1000; copy k q/rpush l a b; copy l m replace/set k v; delex k ifeq v
    set k v; set k w ifeq v ex 1000
    multi; set a 1 ex 1000; incr n; rpush l a b; exec/set a b; multi; flushall; set c d; exec; set e f
    zadd z 1 a 2.5 b -inf c 1e300 d; zincrby z 0.1 b; zrem z a/zadd z 1 a 2 b 3 c; zpopmin z; zpopmax z/zadd z 1 a; expire z 1000
    zadd z 1 a 2 b; zadd y 3 b; zunionstore x 2 z y; zinterstore w 2 z y; zdiffstore v 2 z y; zrangestore u z 0 0
    zadd z 1 a 2 b 3 c 4 d 5 e; zremrangebyrank z 0 0; zremrangebyscore z 2 2; zmpop 1 z max count 1/zadd z nx ch 1 a 2 b; zadd z gt ch 3 a
    multi; spop s; sadd s a b c; spop s; incrbyfloat f 0.1; expire f 1000; exec
"""
FAR = 4102444800


def value_of(c, key):
    """Type, value, time of expiry."""
    kind = c("type", key)
    read = {"string": ("get", key), "list": ("lrange", key, 0, -1), "hash": ("hgetall", key), "set": ("smembers", key),
            "zset": ("zrange", key, 0, -1, "withscores")}
    value = c(*read[kind])
    if kind == "hash":
        value = sorted((f, v, c("hpexpiretime", key, "fields", 1, f)) for f, v in zip(value[::2], value[1::2]))
    return kind, sorted(value) if kind == "set" else value, c("pexpiretime", key)


def dump(server):
    with server.client() as c:
        return {key: value_of(c, key) for key in sorted(c("keys", "*"))}


class Directory:
    def __init__(self, *options):
        self.path = tempfile.mkdtemp(prefix="flashkv-")
        self.options = options

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def server(self, *options, env=None):
        return Server(f"--data-dir={self.path}", *self.options, *options, env=env)

    def files(self, start):
        return sorted(f for f in os.listdir(self.path) if f.startswith(start))

    def file(self, start):
        return os.path.join(self.path, self.files(start)[-1])


def run_line(c, line):
    big = "b" * 40000
    for command in line.split(";"):
        try:
            c(*(w.format(at=FAR, big=big) for w in command.split()))
        except Error:
            raise AssertionError(f"{command} failed") from None


def stop(server, sig):
    with server:
        return server.stop(sig)


def every_command():
    """every command that writes is there again after a restart, alone and behind all others"""
    lines = [line.strip() for row in COMMANDS.strip().splitlines() for line in row.strip().split("/")]
    with Directory("--fsync=no") as d:
        for line in lines:
            with d.server() as s:
                with s.client() as c:
                    run_line(c, "flushall")
                    run_line(c, line)
                want = dump(s)
                same(s.stop(), 0, "exit status")
            with d.server() as s:
                same(dump(s), want, f"after {line!r} and a restart")


def random_storm(seed):
    def test():
        rng = random.Random(seed)
        shapes = parse(SHAPES)
        shapes += ["spop s", "spop s m", "incrbyfloat k n", "setrange k n v"]
        with Directory("--fsync=no") as d:
            want = {}
            for life in range(3):
                with d.server() as s, s.client() as c, s.client() as other:
                    same(dump(s), want, f"at the beginning of life {life}")
                    for i in range(STORM):
                        c.send(Resp.encode([w.encode("latin-1") for w in draw(rng, shapes)]))
                        c.read_any()
                        if i == STORM // 2 and life == 1:
                            other("flushall")
                        if i == STORM // 2 and life == 2:
                            other("save")  # the first may be in a transaction
                    want = dump(s)
                    same(s.stop(), 0, "exit status")
            with d.server() as s:
                same(dump(s), want, "at the end")

    test.__doc__ = f"after a storm of random commands every key is the same, seed {seed}"
    return test


def every_type(c):
    """Some keys of every type."""
    c("set", "s", "v")
    c("set", "big", "b" * 100000, "px", 1000000)
    for i in range(250):
        c("rpush", "l", i)
        c("hset", "h", f"f{i}", f"v{i}")
        c("sadd", "t", f"m{i}")
        c("zadd", "z", i / 7, f"m{i}")
    c("expire", "z", 1000)


def dumped_as_commands():
    """--dump-resp writes commands that make the same keys"""
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            every_type(c)
            want = dump(s)
            same(s.stop(), 0)
        commands = subprocess.run([FLASHKV, "--dump-resp", d.path], check=True, capture_output=True).stdout
        with Server() as s, s.client() as c:
            c.send(commands)
            same(c("echo", "end") is not None, True)
            while c.read() != b"end":
                pass
            same(dump(s), want)


def snapshots_and_flags():
    """SAVE, BGSAVE, LASTSAVE, POST /admin/snapshot and INFO; --verify tells, a second process is refused"""
    with Directory("--fsync=always") as d:
        with d.server() as s, s.client() as c:
            every_type(c)
            want = dump(s)
            same(c("save"), "OK")
            same(len(d.files("snapshot-")), 1)
            same(c("lastsave") > 0, True)
            assert c("bgsave") == "Background saving started"
            same(s.request("POST", "/admin/snapshot")[0] in (202, 409), True)
            info = c("info", "persistence").decode()
            for field in ("loading:0", "aof_enabled:1", "rdb_last_bgsave_status:ok", "aof_last_write_status:ok"):
                assert field + "\r\n" in info, info
            second = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", f"--data-dir={d.path}"],
                                    capture_output=True, text=True)
            same(second.returncode, 1)
            assert "another process uses this data directory" in second.stderr, second.stderr
            same(s.stop(), 0)
        same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 0)
        with d.server() as s:
            same(dump(s), want)
    with Server() as s, s.client() as c:
        assert "--data-dir" in c.error("save")
        same(s.request("POST", "/admin/snapshot")[0], 409)


def many_keys():
    """many keys, and collections of many, come back from a snapshot"""
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            for i in range(0, 100000, 1000):
                c("mset", *(w for n in range(i, i + 1000) for w in (f"key:{n}", n)))
                c("hset", "h", *(w for n in range(i // 10, i // 10 + 100) for w in (f"f{n}", n)))
                c("sadd", "s", *(f"m{n}" for n in range(i // 10, i // 10 + 100)))
                c("zadd", "z", *(w for n in range(i // 10, i // 10 + 100) for w in (n, f"m{n}")))
            same(c("save"), "OK")
            same(s.stop(), 0)
        with d.server() as s, s.client() as c:
            same(c("dbsize"), 100003)
            same(c("mget", "key:0", "key:99999"), [b"0", b"99999"])
            same([c("hlen", "h"), c("scard", "s"), c("zcard", "z")], [10000] * 3)
            same(c("hget", "h", "f9999"), b"9999")


def large_dump(c):
    """What the large collections are; of the hash, when its fields expire too."""
    fields = sorted(c("hkeys", "h"))
    return [dict(zip(fields, zip(c("hmget", "h", *fields), c("hpexpiretime", "h", "fields", len(fields), *fields)))),
            c("lrange", "l", 0, -1), sorted(c("smembers", "s")), c("zrange", "z", 0, -1, "withscores")]


def make_large(c, keys="hlsz"):
    for i in range(0, LARGE, 500):
        names = [f"m{n}" for n in range(i, i + 500)]
        for key in keys:
            c({"h": "hset", "l": "rpush", "s": "sadd", "z": "zadd"}[key], key, *(
                names if key in "ls" else (w for n in names for w in ((n, 1) if key == "h" else (1, n)))))


def change_large(rng):
    """A command that changes a large collection, and makes something else of it when it is done twice, or not at all."""
    m, i = f"m{rng.randrange(2 * LARGE)}", rng.randrange(LARGE // 2)
    return rng.choice([
        ("hincrby", "h", m, 1), ("hdel", "h", m), ("hset", "h", m, rng.randrange(10 ** rng.randrange(9))),
        ("hset", "h", m, "b" * 5000), ("hexpire", "h", 100000 + i, "fields", 1, m), ("hpersist", "h", "fields", 1, m),
        ("lpush", "l", m), ("rpush", "l", m), ("lpop", "l"), ("rpop", "l"), ("lmove", "l", "l", "left", "right"),
        ("lset", "l", i, m), ("linsert", "l", "before", m, i), ("lrem", "l", 1, m), ("ltrim", "l", 3, -3), ("rpush", "l", *range(8)),
        ("sadd", "s", m), ("srem", "s", m), ("spop", "s"), ("smove", "s", "s2", m),
        ("zincrby", "z", rng.randrange(-5, 5), m), ("zrem", "z", m), ("zadd", "z", i, m), ("zpopmin", "z"), ("zremrangebyrank", "z", i, i + 2)])


def changed_while_snapshots_run():
    """large collections that change, move and go while snapshots run are what they were, from each of the snapshots"""
    rng = random.Random(5)
    with Directory("--fsync=no") as d:
        for life in range(3):
            with d.server() as s, s.client() as c, s.client() as saver:
                if life == 0:
                    make_large(c)
                else:
                    same(large_dump(c), want, f"at the beginning of life {life}")
                for save in range(12):
                    saver.send(Resp.encode(["save"]))
                    for burst in range(12):
                        commands = [change_large(rng) for _ in range(60)]
                        if rng.randrange(12) == 0:  # a key moves, or is made anew
                            commands += rng.choice([[("rename", "z", "y"), ("rename", "y", "z")], [("copy", "h", "h2", "replace"), ("rename", "h2", "h")],
                                                    [("sunionstore", "s", "s", "s2")], [("expire", "l", 100000)]])
                        c.send(b"".join(Resp.encode(command) for command in commands))
                        for _ in commands:
                            c.read_any()
                    if save % 6 == 5:
                        key = rng.choice("hlsz")
                        c("del", key)
                        make_large(c, key)
                    same(saver.read(), "OK")
                want = large_dump(c)
                same(s.stop(), 0, "exit status")
        with d.server() as s, s.client() as c:
            same(large_dump(c), want, "at the end")


def expired_fields():
    """a command on a field whose time is up, and which is still there, is not done again on what the field was"""
    with Directory("--fsync=no", "--enable-debug-command=yes") as d:
        with d.server() as s, s.client() as c:
            c("debug", "set-active-expire", 0)
            for command in COMMANDS_OF_FIELDS:
                key = command.split()[0]
                c("hset", key, "f", "old", "g", "kept")
                c("hpexpire", key, 1, "fields", 1, "f")
                until("the field's end", lambda key=key: c("hget", key, "f") is None)
                run_line(c, command.replace(key, f"{key} {key}", 1))
            want = dump(s)
            same(s.stop(), 0)
        with d.server() as s:
            same(dump(s), want)


SOON = ["set G v px 3", "pexpire G 5", "hset h v v m m", "hpexpire h 4 fields 2 v m", "hpexpire h 6 xx fields 1 v", "pexpire G 2 nx", "psetex k 1 v",
        "set k v px 2 get", "delex k ifeq v", "set k v ifne v px 4", "mset G v G v k v", "spop s", "spop s 2", "incrbyfloat k 1.5", "lmove l m left right"]
PAIRS = b'[{"op":"put","key":"a","value":"1"},{"op":"incr","key":"n","by":2},{"op":"delete","key":"b"},{"op":"put","key":"c","value":"3"}]'
LINES = b'{"key":"a","type":"list","value":["1","2"]}\n{"key":"h","type":"hash","value":{"f":"v"}}\n{"key":"b","value":"x"}\n'
OVER_HTTP = [("PUT", "/keys/{k}", b"1", {}), ("PUT", "/keys/{k}", b"new", {"If-None-Match": "*"}), ("PUT", "/keys/{k}?ttl=1", b"v", {}),
             ("PUT", "/keys/{k}", b"2", {"If-Match": "*"}), ("DELETE", "/keys/{k}", None, {}), ("POST", "/keys/{k}/incr?by=3", None, {}),
             ("POST", "/keys/{k}/append", b"more", {}), ("POST", "/lists/{k}", b'["x", "y"]', {"Content-Type": "application/json"}),
             ("POST", "/batch?atomic=true", PAIRS, {"Content-Type": "application/json"}), ("POST", "/batch", PAIRS, {"Content-Type": "application/json"}),
             ("POST", "/import", LINES, {"Content-Type": "application/x-ndjson"}),
             ("POST", "/upstash/multi-exec", b'[["set","a","1"],["rpush","l","x"],["hset","h","f","v"],["spop","s"]]', {"Content-Type": "application/json"})]


def random_client(server, rng, shapes, failures):
    """Random commands, one after the other; what the server does not survive is a failure."""
    try:
        with server.client() as c:
            for _ in range(AT_ONCE):
                c.send(Resp.encode([w.encode("latin-1") for w in draw(rng, shapes)]))
                c.read_any()
    except Exception as e:  # pylint: disable=broad-except
        failures.append(e)


def random_requests(server, rng, failures):
    try:
        for _ in range(AT_ONCE // 8):
            method, path, body, headers = rng.choice(OVER_HTTP)
            status = server.request(method, path.format(k=rng.choice("abckl")), body, headers)[0]
            assert status < 500, (method, path, status)
    except Exception as e:  # pylint: disable=broad-except
        failures.append(e)


def same_lasting(got, want, what=""):
    """The same but for what may expire between two looks."""
    until = 1000 * (time.time() + 60)
    same(lasting(got, until), lasting(want, until), what)


def lasting(state, until):
    """Without what expires by then, in milliseconds."""
    def lasts(at):
        return at < 0 or at > until

    kept = {key: (kind, [item for item in value if lasts(item[2][0])] if kind == "hash" else value, at)
            for key, (kind, value, at) in state.items() if lasts(at)}
    return {key: entry for key, entry in kept.items() if entry[1] or entry[0] == "string"}


def everything_at_once(seed):
    def test():
        shapes = [s for s in parse(SHAPES) if not s.startswith(("wait", "b", "config", "client", "scan", "keys"))] + SOON * 4
        want = {}
        with Directory("--fsync=always", "--snapshot-log-bytes=1") as d:
            for life in range(3):
                with d.server() as s:
                    same_lasting(dump(s), want, f"at the beginning of life {life}")
                    rngs, failures = [random.Random(f"{seed} {life} {n}") for n in range(4)], []
                    clients = [threading.Thread(target=random_client, args=(s, rng, shapes, failures)) for rng in rngs[1:]]
                    clients.append(threading.Thread(target=random_requests, args=(s, rngs[0], failures)))
                    for client in clients:
                        client.start()
                    for client in clients:
                        client.join()
                    same(failures, [])
                    time.sleep(0.05)  # what expires soon has
                    want = dump(s)
                    s.process.kill()
                    s.process.wait()
            with d.server() as s:
                same_lasting(dump(s), want, "at the end")

    test.__doc__ = f"random commands and requests of several clients, expiries, transactions, snapshots without a pause, kill -9: seed {seed}"
    return test


def told_while_loading(path):
    """Stops the process amid its loading, and asks. False: it had loaded already. Whoever asked is served once it is ready."""
    ports = [free_port(), free_port()]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([FLASHKV, f"--http-port={ports[0]}", f"--resp-port={ports[1]}", f"--data-dir={path}"], stderr=log)

        def said(word):
            assert process.poll() is None, os.pread(log.fileno(), 1 << 20, 0)
            return word in os.pread(log.fileno(), 1 << 20, 0)

        try:
            until("it loads", lambda: said(b"loading: "))
            process.send_signal(signal.SIGSTOP)  # time passes, and clients come
            with Resp(ports[1]) as c, socket.create_connection(("127.0.0.1", ports[0])) as rest:
                c.send(Resp.encode(["get", "key:1"]))
                rest.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(1.1)
                process.send_signal(signal.SIGCONT)
                told = str(c.read_any()).startswith("LOADING "), rest.recv(100)[:12] == b"HTTP/1.1 503"
                until("it is ready", lambda: said(b"ready: "))
                same(c("get", "key:1"), b"1")
                return told == (True, True) and said(b" %")
        finally:
            process.kill()
            process.wait()


def loading():
    """while the data are loaded the log says how far it is, /readyz is 503 and Redis clients are told LOADING"""
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            c.send(b"".join(Resp.encode(["mset", *(w for k in range(n, n + 1000) for w in (f"key:{k}", k))])
                            for n in range(0, 400000, 1000)))
            same([c.read() for _ in range(400)], ["OK"] * 400)
            same(s.stop(), 0)
        until("that somebody is told", lambda: told_while_loading(d.path))  # it may be ready before it is looked at


def damage():
    """damage in the midst of the log is refused with its place, and --repair cuts it off there"""
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            for i in range(100):
                c("set", i, i)
            same(s.stop(), 0)
        log = d.file("log-")
        with open(log, "r+b") as f:
            f.seek(os.path.getsize(log) // 2)
            byte = f.read(1)[0]
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte ^ 1]))
        refused = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", f"--data-dir={d.path}"],
                                 capture_output=True, text=True)
        same(refused.returncode, 1)
        assert "damaged at offset" in refused.stderr and "--repair" in refused.stderr, refused.stderr
        same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 1)
        same(subprocess.run([FLASHKV, "--repair", d.path], capture_output=True).returncode, 0)
        with d.server() as s:
            keys = dump(s)
            same(set(keys), {b"%d" % i for i in range(len(keys))}, "the first ones")
            assert 0 < len(keys) < 100


def snapshot_missing():
    """a log whose snapshot is gone is refused, and --repair leaves it whole for the day the snapshot is back"""
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            same([c("set", "before", 1), c("save"), c("set", "behind", 2)], ["OK"] * 3)
            same(s.stop(), 0)
        snapshot = d.file("snapshot-")
        os.rename(snapshot, snapshot + ".away")
        for tool in "--verify", "--repair", "--dump-resp":
            got = subprocess.run([FLASHKV, tool, d.path], capture_output=True, text=True)
            same(got.returncode, 1, tool)
            assert "restore it from a backup" in got.stdout + got.stderr, got
        os.rename(snapshot + ".away", snapshot)
        with d.server() as s:
            same(set(dump(s)), {b"before", b"behind"})


def plain(x):
    """Without bytes and tuples, as JSON has it."""
    if isinstance(x, dict):
        return {plain(k): plain(v) for k, v in x.items()}
    return x.decode("latin-1") if isinstance(x, bytes) else [plain(i) for i in x] if isinstance(x, (list, tuple)) else x


def log_of_version(version):
    def test():
        with Directory("--fsync=no") as d:
            shutil.copytree(os.path.join(HERE, f"log-version-{version}"), d.path, dirs_exist_ok=True)
            with open(os.path.join(HERE, "log-version-1/expected.json"), encoding="ascii") as f:
                want = json.load(f)
            same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 0)
            old, = d.files("log-")
            with d.server() as s, s.client() as c:
                same(plain(dump(s)), want)
                same(s.request("GET", "/keys/typed")[1]["content-type"], "text/plain")
                same(c("incr", "n"), 2)
                same(s.stop(), 0)
            want["n"][1] = "2"
            same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 0)
            with d.server() as s:
                same(plain(dump(s)), want, "with a segment of each version")
                same(s.stop(), 0)
            for name in d.files("log-"):
                if name != old:
                    os.unlink(os.path.join(d.path, name))
            os.unlink(os.path.join(d.path, "newest"))
            os.truncate(os.path.join(d.path, old), os.path.getsize(os.path.join(d.path, old)) - 1)
            same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 1)
            with d.server() as s, s.client() as c:
                same([c("exists", "typed"), c("get", "n")], [0, b"1"], "without its last frame")
    test.__doc__ = f"a directory whose log has version {version} is read, and goes on in today's; its torn end is cut off"
    return test


def crc32c(crc, data):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def frame_at(position, payload):
    """The frame of a log of version 2, whose checksum anybody could make."""
    rest = bytes([len(payload)]) + payload
    return struct.pack("<I", crc32c((position ^ position >> 32) & 0xffffffff, rest)) + rest


def frames_in_a_value():
    """a value made of whole frames, torn by a crash, is a torn value: who wrote it costs nobody the start"""
    same(crc32c(0, b"123456789"), 0xe3069283)
    with Directory("--fsync=no") as d:
        with d.server() as s, s.client() as c:
            same(c("set", "before", "x"), "OK")
            head = int(re.search(rb"aof_current_size:(\d+)", c("info", "persistence"))[1]) + 4 + 2 + 1 + 2 + 2  # SET with a key of one byte: to its value
            frame = frame_at(head, b"\x04\x02\x04INCR\x01n")
            same(c("set", "k", frame.ljust(4000, b".")), "OK")
            same(s.stop(), 0)
        log = d.file("log-")
        with open(log, "rb") as f:
            same(f.read()[44 + head:].startswith(frame), True, "it is where it was made for")
        os.truncate(log, 44 + head + 1000)
        with d.server() as s:
            same(set(dump(s)), {b"before"})
            assert "cut off" in s.read_log()


def newest_missing():
    """the newest segment deleted by hand, behind a snapshot or not, is missed: a start is refused, --repair goes on without it"""
    def changes(value, *more):
        with d.server() as s, s.client() as c:
            for command in (*more, ("set", value, value)):
                same(c(*command), "OK")
            same(s.stop(), 0)

    for more, left in ((), {b"first"}), ((("save",),), {b"first"}):
        with Directory("--fsync=no") as d:
            changes("first")
            changes("second", *more)
            newest = d.file("log-")
            os.unlink(newest)
            refused = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", f"--data-dir={d.path}"], capture_output=True,
                                     text=True)
            same(refused.returncode, 1)
            assert os.path.basename(newest) + " is missing" in refused.stderr, refused.stderr
            same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 1)
            same(subprocess.run([FLASHKV, "--repair", d.path], capture_output=True).returncode, 0)
            same(subprocess.run([FLASHKV, "--verify", d.path], capture_output=True).returncode, 0)
            with d.server() as s:
                same(set(dump(s)), left)


def tools_without_data():
    """a directory that is not there, or is somebody else's, is an error to the tools, and stays as it is"""
    with Directory() as d:
        missing = os.path.join(d.path, "missing")
        for tool in "--verify", "--repair", "--dump-resp":
            for path in missing, d.path:
                got = subprocess.run([FLASHKV, tool, path], capture_output=True, text=True)
                same(got.returncode, 1, tool)
                assert "No such file or directory" in got.stdout + got.stderr, got
        same(os.listdir(d.path), [])


if __name__ == "__main__":
    report([(name_of(t), t) for t in [every_command, random_storm(1), random_storm(2), dumped_as_commands,
                                      snapshots_and_flags, many_keys, changed_while_snapshots_run, expired_fields, everything_at_once(1),
                                      loading, damage, snapshot_missing, *map(log_of_version, OLD_VERSIONS), frames_in_a_value,
                                      newest_missing, tools_without_data]])
