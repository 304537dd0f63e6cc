#!/usr/bin/env python3
"""What was acknowledged is there: when the process is killed, the disk is full, or a call to it fails."""
import mmap
import os
import signal
import socket
import struct
import tempfile
import threading
import time

from fk import Error, Resp, name_of, report, same
from persist import Directory, dump

FAULTS = os.environ.get("FAULTS", "./tests/e2e/faults.so")
WRITE, SYNC, RENAME, CREATE = range(4)
EIO, ENOSPC = 5, 28
PATIENCE = 20  # seconds until what has to happen must have happened


class Faults:
    """The rows of tests/e2e/faults.c, shared with a server."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes(96))
        self.file.flush()
        self.rows = mmap.mmap(self.file.fileno(), 96)
        # A sanitizer would have its library come first.
        self.env = {"FK_FAULTS": self.file.name, "LD_PRELOAD": os.path.abspath(FAULTS), "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def fail(self, kind, error, first=None, count=0, partial=0):
        """Lets calls of a kind fail: from the next on, or from the `first` counted from the start."""
        first = self.calls(kind) + 1 if first is None else first
        struct.pack_into("4i", self.rows, 24 * kind + 8, count, error, partial, 0)
        struct.pack_into("i", self.rows, 24 * kind + 4, first)

    def heal(self):
        for kind in range(4):
            struct.pack_into("i", self.rows, 24 * kind + 4, 0)

    def calls(self, kind):
        return struct.unpack_from("i", self.rows, 24 * kind)[0]


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.01)


def silent(client):
    """Has nothing arrived?"""
    client.socket.setblocking(False)
    try:
        client.socket.recv(1, socket.MSG_PEEK)
        return False
    except BlockingIOError:
        return True
    finally:
        client.socket.setblocking(True)


def kill(server):
    server.process.kill()
    server.process.wait()


def takes_changes(c):
    try:
        c("set", "probe", "x")
        return True
    except Error:
        return False


# ---- a disk that is full for a while --------------------------------------------------------------------------------


def disk_full():
    """a full disk: changes are refused with MISCONF and 507, reads go on, and all is well once there is room"""
    faults = Faults()
    with Directory("--fsync=everysec") as d:
        with d.server(env=faults.env) as s, s.client() as c:
            c("set", "before", "1")
            faults.fail(WRITE, ENOSPC)
            until("MISCONF", lambda: not takes_changes(c))
            error = c.error("set", "k", "v")
            assert error.startswith("MISCONF ") and "No space left on device" in error, error
            assert c.error("mset", "a", "1", "b", "2").startswith("MISCONF ")
            same(c("multi"), "OK")
            same(c("incr", "n"), "QUEUED")
            assert c.error("exec").startswith("MISCONF ")
            same(c("get", "before"), b"1", "reads go on")
            same(c("exists", "k", "a", "n"), 0, "what was refused changed nothing")
            status, headers, _ = s.request("PUT", "/keys/k", body=b"v")
            same((status, headers["content-type"]), (507, "application/problem+json"))
            same(s.request("GET", "/keys/before")[0], 200)
            faults.heal()
            until("changes are taken again", lambda: takes_changes(c))
            same(c("set", "after", "2"), "OK")
            want = dump(s)
            same(s.stop(), 0, "exit status")
        with d.server() as s:
            same(dump(s), want)


def short_writes():
    """a write that writes a part, and the next fails: the rest is written later, behind it"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as other:
            same(c("set", "a", "1"), "OK")
            faults.fail(WRITE, ENOSPC, count=1, partial=7)
            same(c("set", "b", "2"), "OK")
            faults.fail(WRITE, EIO, count=3)
            c.send(Resp.encode(["set", "c", "3"]))
            until("trouble", lambda: faults.calls(WRITE) > 5)
            same(c.read(), "OK", "held until it was written")
            until("changes are taken again", lambda: takes_changes(other))
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("mget", "a", "b", "c"), [b"1", b"2", b"3"])


# ---- an fsync that fails ------------------------------------------------------------------------------------------------


def failed_fsync():
    """a failed fsync: nothing is acknowledged until a snapshot holds it, then all is there"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as other:
            same(c("set", "a", "1"), "OK")
            faults.fail(SYNC, EIO)
            c.send(Resp.encode(["set", "b", "2"]))
            s.wait_for_log("log: fsync: ")
            assert silent(c), "acknowledged though it may be lost"
            until("MISCONF", lambda: not takes_changes(other))
            same(s.request("PUT", "/keys/b", body=b"v")[0], 507)
            same(other("get", "b"), b"2", "reads go on, even of what is not durable")
            assert silent(c)
            faults.heal()
            same(c.read(), "OK", "once a snapshot holds it")
            until("changes are taken again", lambda: takes_changes(other))
            same(other("set", "c", "3"), "OK")
            same(s.request("PUT", "/keys/d", body=b"4")[0], 201)
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("mget", "a", "b", "c", "d"), [b"1", b"2", b"3", b"4"])


def blocked_clients():
    """the reply of a BLPOP that another client serves waits for the disk too"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as waits, s.client() as other:
            waits.send(Resp.encode(["blpop", "q", "0"]))
            until("a blocked client", lambda: b"blocked_clients:1" in other("info", "clients"))
            faults.fail(SYNC, EIO)
            c.send(Resp.encode(["rpush", "q", "x"]))
            s.wait_for_log("log: fsync: ")
            assert silent(c) and silent(waits)
            faults.heal()
            same(c.read(), 1)
            same(waits.read(), [b"q", b"x"])
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("exists", "q"), 0)


def killed_before_the_snapshot():
    """killed between a failed fsync and the snapshot behind it: what was acknowledged before is there"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c:
            same(c("set", "a", "1"), "OK")
            faults.fail(RENAME, EIO)
            faults.fail(SYNC, EIO, count=1)
            c.send(Resp.encode(["set", "b", "2"]))
            until("a snapshot that fails", lambda: faults.calls(RENAME) > 1)
            assert silent(c)
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("get", "a"), b"1")


# ---- the Nth call fails -------------------------------------------------------------------------------------------------


def short_run(server):
    """Sets keys, with a snapshot in the midst; what was acknowledged."""
    acknowledged = {}
    with server.client() as c:
        c.socket.settimeout(PATIENCE)
        for i in range(6):
            try:
                if i == 3:
                    c("save")
                c("mset", f"a{i}", i, f"b{i}", i)
                acknowledged[i] = True
            except Error:
                pass
    return acknowledged


def every_call(kind, error):
    def test():
        n = 1
        while True:
            faults = Faults()
            with Directory("--fsync=always") as d:
                with d.server(env=faults.env) as s:
                    faults.fail(kind, error, first=n, count=1)
                    acknowledged = short_run(s)
                    calls = faults.calls(kind)
                    kill(s)
                with d.server() as s:
                    there = {k.decode(): v[1] for k, v in dump(s).items()}
            for i in range(6):
                both = there.get(f"a{i}"), there.get(f"b{i}")
                assert both in [(None, None), (b"%d" % i, b"%d" % i)], f"call {n}: half of an MSET, {both}"
                assert i not in acknowledged or both[0] is not None, f"call {n}: {i} was acknowledged, and is gone"
            if calls < n:
                break
            n += 1
        assert n > 1

    test.__doc__ = f"the Nth {['write', 'fsync', 'rename', 'open'][kind]} fails, for every N of a short run"
    return test


# ---- kill -9 ----------------------------------------------------------------------------------------------------------------


class Writer(threading.Thread):
    """Counts keys of its own up, over one of the ports, and notes what it sent and what was acknowledged."""

    def __init__(self, server, name, http, start):
        super().__init__()
        self.server, self.name_, self.http = server, name, http
        self.sent = self.done = start
        self.start()

    def step(self, c, n):
        if self.http:
            same(self.server.request("PUT", f"/keys/{self.name_}", body=b"%d" % n)[0] in (201, 204), True, "status")
            return
        key = self.name_
        for words in (["multi"], ["set", key, n], ["set", key + "/twin", n, "ex", 1000], ["del", f"{key}/{n - 1}"],
                      ["set", f"{key}/{n}", n], ["exec"]):
            c.send(Resp.encode(words))
        for _ in range(6):
            c.read()

    def run(self):
        try:
            with self.server.client() as c:
                while True:
                    self.sent += 1
                    self.step(c, self.sent)
                    self.done = self.sent
        except Exception:  # the server is gone
            pass


def check(server, w, strict):
    with server.client() as c:
        got = int(c("get", w.name_) or 0)
        assert got <= w.sent, f"{w.name_} is {got}, which nobody sent yet"
        assert not strict or got >= w.done, f"{w.name_} is {got}, {w.done} was acknowledged"
        if not w.http and got > 0:
            same(int(c("get", w.name_ + "/twin")), got, "EXEC all or nothing")
            assert 900 < c("ttl", w.name_ + "/twin") <= 1000
            same(c("keys", w.name_ + "/[0-9]*"), [f"{w.name_}/{got}".encode()], "deleted keys stay away")
    return got


def kill_loop(fsync):
    def test():
        with Directory(f"--fsync={fsync}", "--snapshot-log-bytes=20kb") as d:
            counts = {"resp1": 0, "resp2": 0, "http": 0}
            for round_ in range(5):
                with d.server() as s:
                    writers = [Writer(s, name, name == "http", n) for name, n in counts.items()]
                    until("some load", lambda: all(w.done >= counts[w.name_] + 40 for w in writers))
                    kill(s)
                    for w in writers:
                        w.join()
                with d.server() as s:
                    counts = {w.name_: check(s, w, fsync == "always") for w in writers}
                    kill(s)

    test.__doc__ = f"kill -9 under load over both ports, again and again, --fsync {fsync}"
    return test


def stopped_in_midst():
    """SIGTERM under load: an orderly end, and all that was acknowledged is there, whatever --fsync says"""
    with Directory("--fsync=no") as d:
        with d.server() as s:
            writers = [Writer(s, name, name == "http", 0) for name in ("resp", "http")]
            until("some load", lambda: all(w.done > 40 for w in writers))
            same(s.stop(signal.SIGTERM), 0, "exit status")
            for w in writers:
                w.join()
        with d.server() as s:
            for w in writers:
                check(s, w, True)


if __name__ == "__main__":
    tests = [disk_full, short_writes, failed_fsync, blocked_clients, killed_before_the_snapshot, kill_loop("always"),
             kill_loop("everysec"), stopped_in_midst, every_call(WRITE, ENOSPC), every_call(SYNC, EIO),
             every_call(RENAME, EIO), every_call(CREATE, EIO)]
    report([(name_of(t), t) for t in tests])
