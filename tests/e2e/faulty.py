"""A machine that fails: what a server under test is given to bear, and what was acknowledged to those who wrote meanwhile."""
import mmap
import os
import socket
import struct
import tempfile
import threading

from fk import Error, Resp, same

FAULTS = os.environ.get("FAULTS", "./tests/e2e/faults.so")
WRITE, SYNC, RENAME, CREATE = range(4)
EIO, ENOSPC = 5, 28
ROW, KINDS, FILES = 24, 5, 512
CLOCK = ROW * KINDS


class Faults:
    """What tests/e2e/faults.c is told and tells, shared with a server."""

    def __init__(self, *more):
        self.file = tempfile.NamedTemporaryFile()
        self.size = CLOCK + 8 + 24 * FILES
        self.file.write(bytes(self.size))
        self.file.flush()
        self.rows = mmap.mmap(self.file.fileno(), self.size)
        # A sanitizer would have its library come first.
        self.env = {"FK_FAULTS": self.file.name, "LD_PRELOAD": " ".join(map(os.path.abspath, (FAULTS, *more))),
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def fail(self, kind, error, first=None, count=0, partial=0):
        """Lets calls of a kind fail: from the next on, or from the `first` counted from the start."""
        first = self.calls(kind) + 1 if first is None else first
        struct.pack_into("4i", self.rows, ROW * kind + 8, count, error, partial, 0)
        struct.pack_into("i", self.rows, ROW * kind + 4, first)

    def heal(self):
        for kind in range(KINDS):
            struct.pack_into("i", self.rows, ROW * kind + 4, 0)

    def calls(self, kind):
        return struct.unpack_from("i", self.rows, ROW * kind)[0]

    def step_clock(self, seconds):
        """Sets the wall clock, from what it is without faults."""
        struct.pack_into("q", self.rows, CLOCK, int(seconds * 1000))

    def cut_power(self, path):
        """Leaves of the files of a dead server what it had made last: bytes by fsync, names by fsync of the directory."""
        rows = {inode: (durable, named) for inode, durable, named in
                (struct.unpack_from("3q", self.rows, CLOCK + 8 + 24 * i) for i in range(FILES))}
        lost = 0
        for name in os.listdir(path):
            file = os.path.join(path, name)
            if os.stat(file).st_ino not in rows:  # older than the server
                continue
            durable, named = rows[os.stat(file).st_ino]
            lost += os.path.getsize(file) - (durable if named else 0)
            if named:
                os.truncate(file, min(durable, os.path.getsize(file)))
            else:
                os.unlink(file)
        return lost


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


# ---- clients that note what they were told ------------------------------------------------------------------------


class Writer(threading.Thread):
    """Counts keys of its own up, over one of the ports, and notes what it sent and what was acknowledged."""

    def __init__(self, server, name, http, start):
        super().__init__()
        self.server, self.name_, self.http = server, name, http
        self.sent = self.done = start
        self.error = None  # what ended it
        self.start()

    def step(self, c, n):
        key = self.name_
        if self.http:
            status = self.server.request("PUT", f"/keys/{key}", body=b"%d" % n)[0]
            assert status in (201, 204), status
            return
        mset = ["mset", key + "/left", n, key + "/right", n]
        commands = [["multi"], ["set", key, n], ["set", key + "/twin", n, "ex", 1000], ["del", f"{key}/{n - 1}"],
                    ["set", f"{key}/{n}", n], ["exec"], mset]
        c.send(b"".join(map(Resp.encode, commands)))
        for _ in commands:
            c.read()

    def run(self):
        try:
            with self.server.client() as c:
                while True:
                    self.sent += 1
                    self.step(c, self.sent)
                    self.done = self.sent
        except Exception as e:  # the server is gone
            self.error = e


def check(server, w, least):
    """What is there again is one state that the writer made, at `least` that one. Returns it."""
    with server.client() as c:
        got = int(c("get", w.name_) or 0)
        assert got <= w.sent, f"{w.name_} is {got}, which nobody sent yet"
        assert got >= least, f"{w.name_} is {got}, {least} was acknowledged in time"
        if not w.http and got > 0:
            same(int(c("get", w.name_ + "/twin")), got, "EXEC all or nothing")
            assert 900 < c("ttl", w.name_ + "/twin") <= 1000
            same(c("keys", w.name_ + "/[0-9]*"), [f"{w.name_}/{got}".encode()], "deleted keys stay away")
            left, right = c("mget", w.name_ + "/left", w.name_ + "/right")
            same(left, right, "MSET all or nothing")
            assert got - 1 <= int(left or 0) <= got, f"MSET of {left}, EXEC of {got}"
    return got
