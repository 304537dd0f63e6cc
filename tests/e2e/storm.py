#!/usr/bin/env python3
"""Random commands from everybody at once: the server stays, counts its keys right, and has them all after a restart.

    storm.py [COMMANDS [SEED...]]     FLASHKV names the binary; the build with ThreadSanitizer says most

Eight connections send batches of commands, two HTTP clients requests; keys expire, connections block and are killed,
settings change, snapshots are written, and others listen to channels, to keyspace events and to MONITOR meanwhile.
What each answers is not looked at (redis_random.py does that), only that it answers.
"""
import http.client
import random
import re
import sys
import threading
import time

from fk import PATIENCE, Error, Resp, report, same
from persist import Directory, dump, same_lasting
from random_commands import LIMITS, SHAPES, draw, parse
from redis_compare import raw_reply

COMMANDS, SEEDS = 1500, (1,)  # of each connection
CONNECTIONS, HTTP_CLIENTS, BATCH = 8, 2, 40
EXTRA = """
    set k v px 5/set k v px 20/pexpire K 5/pexpire K 20/getex k px 10/flushall/randomkey/dbsize/spop s/spop s 2/srandmember s 5
    hrandfield h 3/zrandmember z 3/blpop K 0.01/brpop K K 0.01/blmove l m E E 0.01/bzpopmin z z 0.01/publish c v/publish c v
    hpexpire h 5 fields 1 v/hpexpire h 20 fields 2 v v/hexpire h 100 nx fields 1 v/hpersist h fields 1 v/httl h fields 1 v
    info/client list/client id/client getname/pubsub channels/memory usage K/object freq K/object idletime K/debug object K
    command count/slowlog get/latency latest/config get */time/lolwut/incrbyfloat k n/setrange k N v
"""
REQUESTS = [  # method, path, body
    ("PUT", "/keys/a", "v" * 100), ("PUT", "/keys/b?ttl_ms=5", "1"), ("GET", "/keys/a", None), ("GET", "/keys/h", None),
    ("DELETE", "/keys/a", None), ("POST", "/keys/c/incr", None), ("POST", "/keys/b/append", "x" * 3000),
    ("GET", "/keys?match=*", None), ("POST", "/lists/l", '["a", "b"]'), ("POST", "/lists/l/pop", None),
    ("GET", "/hashes/h", None), ("POST", "/hashes/h", '{"f": "v"}'), ("POST", "/sets/s", '["a", "1"]'), ("GET", "/sets/s", None),
    ("POST", "/zsets/z", '{"m": 1}'), ("GET", "/zsets/z", None), ("GET", "/export", None), ("GET", "/stats", None),
    ("POST", "/admin/snapshot", None), ("POST", "/import", '{"key":"i","type":"string","value":"v"}\n'),
    ("POST", "/batch?atomic=true", '[{"op":"put","key":"a","value":"1"},{"op":"incr","key":"c"},{"op":"delete","key":"l"}]'),
    ("POST", "/batch", '[{"op":"command","args":["rpush","l","x"]},{"op":"get","key":"a"}]'),
    ("POST", "/upstash/multi-exec", '[["set","a","1"],["lpush","m","x"],["zadd","y","1","b"]]'),
]


class Storm:
    def __init__(self, server, seed, commands):
        self.server, self.seed, self.commands = server, seed, commands
        self.over, self.failures = threading.Event(), []
        self.answered = []  # how many commands, by each connection
        self.requests = self.heard = self.killed = 0

    def run(self):
        workers = self.start(self.worker, CONNECTIONS)
        others = self.start(self.requester, HTTP_CLIENTS) + self.start(self.listener, 3) + self.start(self.operator, 1)
        for t in workers:
            t.join()
        self.over.set()
        for t in others:
            t.join()
        assert not self.failures, self.failures
        assert len(self.answered) == CONNECTIONS and min(self.answered) >= self.commands, self.answered
        assert self.has_begun(), ("not all of it took place", self.requests, self.heard, self.killed)

    def has_begun(self):
        """Has everybody had a part in it?"""
        return self.requests > 0 and self.heard > 0 and self.killed > 0

    def start(self, what, n):
        def guarded(i):
            try:
                what(i, random.Random(f"{self.seed} {what.__name__} {i}"))
            except Exception as e:  # the main thread tells
                self.failures.append(f"{what.__name__} {i}: {e!r}")

        threads = [threading.Thread(target=guarded, args=(i,)) for i in range(n)]
        for t in threads:
            t.start()
        return threads

    def connect(self, protocol):
        """A connection of those that may be killed; each is killed sooner or later, perhaps at once."""
        while True:
            c = Resp(self.server.resp)
            try:
                c("hello", protocol, "setname", "prey")
                return c
            except OSError:
                c.__exit__()

    def worker(self, i, rng):
        shapes, done, c = parse(SHAPES) + parse(EXTRA), 0, self.connect(2 + i % 2)
        while done < self.commands or (not self.has_begun() and done < 100 * self.commands):
            commands = [draw(rng, shapes) for _ in range(BATCH)]
            try:
                c.send(b"".join(Resp.encode([w.encode("latin-1") for w in command]) for command in commands))
                for _ in commands:
                    raw_reply(c.file)
            except OSError:
                c.__exit__()
                c = self.connect(2 + i % 2)
            done += len(commands)
        self.answered.append(done)
        c.__exit__()

    def requester(self, _, rng):
        c = http.client.HTTPConnection("127.0.0.1", self.server.http, timeout=PATIENCE)
        while not self.over.is_set():
            method, path, body = rng.choice(REQUESTS)
            c.request(method, path, body=body, headers={"Content-Type": "application/json"} if body else {})
            response = c.getresponse()
            text = response.read()
            assert response.status != 500, (method, path, text)
            self.requests += 1
        c.close()

    def listener(self, i, rng):
        ask = (["subscribe", "c"], ["psubscribe", "__key*", "c*"], ["monitor"])[i]
        c = Resp(self.server.resp)
        c.socket.settimeout(0.2)
        c.send(Resp.encode(ask))
        while not self.over.is_set():
            try:
                got = c.socket.recv(1 << 16)
            except TimeoutError:
                continue
            if not got:  # too slow, and so cut off
                c.__exit__()
                c = Resp(self.server.resp)
                c.socket.settimeout(0.2)
                c.send(Resp.encode(ask))
            self.heard += len(got)
        c.__exit__()

    def operator(self, _, rng):
        with Resp(self.server.resp) as c:
            c("config", "set", "notify-keyspace-events", "KEA")
            while not self.over.is_set():
                prey = re.findall(rb"id=(\d+) [^\n]*name=prey", c("client", "list"))
                if prey:
                    self.killed += c("client", "kill", "id", rng.choice(prey))
                for command in (["bgsave"], ["config", "set", rng.choice(LIMITS), rng.choice((0, 2, 64, 512))],
                                ["client", "pause", 3, rng.choice(("write", "all"))], ["info", "everything"],
                                ["slowlog", "reset"], ["config", "set", "slowlog-log-slower-than", rng.choice((0, 10000))],
                                ["client", "no-evict", "on"], ["latency", "reset"], ["config", "resetstat"]):
                    try:
                        c(*command)
                    except Error as e:
                        assert command == ["bgsave"], (command, e)
                self.over.wait(0.05)


def is_short_lived(c, key):
    """Does the key, or a field of it, expire soon?"""
    times = [c("pttl", key)]
    if c("type", key) == "hash":
        fields = c("hkeys", key)
        times += c("hpttl", key, "fields", len(fields), *fields) if fields else []
    return any(0 <= t < 1000 for t in times)


def count_keys(server):
    """DBSIZE, when what had to expire has."""
    with server.client() as c:
        until = time.monotonic() + PATIENCE
        while True:
            counted, named, scanned = c("dbsize"), c("keys", "*"), c("scan", 0, "count", 10000)
            soon = any([is_short_lived(c, key) for key in named])
            if not soon and counted == len(named) == len(scanned[1]) and scanned[0] == b"0":
                return counted
            assert time.monotonic() < until, (counted, named, scanned)
            time.sleep(0.01)


def make(commands, seed):
    def test():
        with Directory("--fsync=everysec") as d:
            with d.server() as s:
                try:
                    Storm(s, seed, commands).run()
                    count_keys(s)
                    want = dump(s)
                    same(s.stop(), 0, "exit status")
                except Exception:
                    print("# " + s.read_log()[:20000].replace("\n", "\n# "), flush=True)
                    raise
            with d.server() as s:
                same_lasting(dump(s), want, "after a restart")
                with s.client() as c:
                    c("flushall")
                    same(c("dbsize"), 0)
                same(s.stop(), 0, "exit status")

    test.__doc__ = f"{CONNECTIONS} connections with {commands} commands each, seed {seed}"
    return test


if __name__ == "__main__":
    commands, *seeds = [int(word) for word in sys.argv[1:]] or [COMMANDS]
    report([(f.__doc__, f) for f in (make(commands, seed) for seed in seeds or SEEDS)])
