#!/usr/bin/env python3
"""Large values over HTTP: from the second GET on they are sent by reference, and must not change under the reader."""
import http.client
import random
import socket

from fk import PATIENCE, run, same, until

PAGED_LEAST = 128 * 1024  # include/flashkv/blob.h
HUGE = 8 << 20  # more than sockets hold on their way


def value(size, seed):
    return random.Random(seed).randbytes(size)


def store(s, key, bytes_, reads):
    """Stores a value and reads it so often."""
    status = s.request("PUT", f"/keys/{key}", bytes_)[0]
    assert status in (201, 204, 200), status
    for i in range(reads):
        same(s.request("GET", f"/keys/{key}")[2] == bytes_, True, f"read {i + 1} of {len(bytes_)} bytes")


class Slow:
    """A GET whose body is not read until rest() is called."""

    def __init__(self, s, key):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", s.http))
        self.ask(key)
        self.got = self.socket.recv(1000)
        assert self.got.startswith(b"HTTP/1.1 200"), self.got[:50]

    def ask(self, key):
        self.socket.sendall(f"GET /keys/{key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def read(self, n):
        """The next n bytes."""
        pieces, have = [self.got], len(self.got)
        while have < n:
            pieces.append(self.socket.recv(1 << 20))
            assert pieces[-1], f"closed after {have} of {n} bytes"
            have += len(pieces[-1])
        got = b"".join(pieces)
        self.got = got[n:]
        return got[:n]

    def line(self):
        while b"\r\n" not in self.got:
            self.got += self.socket.recv(1 << 16)
        line, _, self.got = self.got.partition(b"\r\n")
        return line

    def rest(self):
        """The body, whole; what comes behind it waits for the next call."""
        head = list(iter(self.line, b""))
        assert b"Transfer-Encoding: chunked" in head, head
        body = []
        while size := int(self.line(), 16):
            body.append(self.read(size))
            same(self.line(), b"")
        same(self.line(), b"")
        return b"".join(body)

    def close(self):
        self.socket.close()


def sizes(s):
    """values of all sizes around the bounds arrive whole, however often they are read"""
    for i, size in enumerate((PAGED_LEAST - 1, PAGED_LEAST, PAGED_LEAST + 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 7)):
        store(s, f"v{i}", value(size, i), 4)


def one_connection(s):
    """GET, HEAD, conditions and pipelined requests follow each other on one connection"""
    big, other = value(1 << 20, 1), value(PAGED_LEAST, 2)
    store(s, "big", big, 2)
    store(s, "other", other, 2)
    c = http.client.HTTPConnection("127.0.0.1", s.http, timeout=PATIENCE)
    for _ in range(3):
        c.request("GET", "/keys/big")
        r = c.getresponse()
        same((r.status, r.getheader("Transfer-Encoding"), r.read() == big), (200, "chunked", True))
        etag = r.getheader("ETag")
        c.request("HEAD", "/keys/big")
        r = c.getresponse()
        same((r.status, r.getheader("Content-Length"), r.read()), (200, str(len(big)), b""))
        c.request("GET", "/keys/big", headers={"If-None-Match": etag})
        r = c.getresponse()
        same((r.status, r.read()), (304, b""))
    c.close()
    slow = Slow(s, "big")
    slow.ask("other")
    slow.ask("big")
    for want in (big, other, big):
        same(slow.rest() == want, True)
    slow.close()


def http10(s):
    """HTTP/1.0, which has no chunks, gets a length"""
    big = value(1 << 20, 1)
    store(s, "big", big, 3)
    got, closed = s.raw_http(b"GET /keys/big HTTP/1.0\r\nHost: x\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    same((b"Content-Length: 1048576" in head, body == big, closed), (True, True, True), head)


def old_bytes_stay(s):
    """who is in the midst of a value gets it whole, whatever becomes of the key"""
    with s.client() as c:
        changes = {
            "overwritten": lambda: s.request("PUT", "/keys/k", value(HUGE, 2)),
            "written in its midst": lambda: c("SETRANGE", "k", 1000, b"x" * 100000),
            "appended to": lambda: c("APPEND", "k", b"x" * 100000),
            "deleted": lambda: s.request("DELETE", "/keys/k"),
            "flushed": lambda: c("FLUSHALL"),
        }
        for what, change in changes.items():
            old = value(HUGE, 1)
            store(s, "k", old, 3)
            readers = [Slow(s, "k") for _ in range(3)]
            change()
            for i in range(8):  # what was freed would be used again for these
                store(s, f"new{i}", value(HUGE // 4, 10 + i), 2)
            for r in readers:
                same(r.rest() == old, True, f"{what} meanwhile")
                r.close()


def changed_in_place(s):
    """a change of a value that is sent by reference is seen by the next reader"""
    with s.client() as c:
        old = value(1 << 20, 1)
        store(s, "k", old, 3)
        c("SETRANGE", "k", 0, "begin")
        c("APPEND", "k", "end")
        want = b"begin" + old[5:] + b"end"
        for _ in range(3):
            same(s.request("GET", "/keys/k")[2] == want, True)
        same(c("GET", "k") == want, True)
        same(c("STRLEN", "k"), len(want))


def gone(s):
    """readers that leave in the midst leave nothing behind"""
    store(s, "k", value(HUGE, 1), 3)
    for _ in range(10):
        readers = [Slow(s, "k") for _ in range(5)]
        for r in readers:
            r.close()
    until("nobody but who asks", lambda: s.stats()["http"]["connections"] == 1)


def stood_still(s):
    """a reader that takes nothing for http-timeout is shut out, and the server can stop with one that waits"""
    store(s, "k", value(HUGE, 1), 3)
    slow = Slow(s, "k")
    until("its end", lambda: s.stats()["http"]["connections"] == 1)
    slow.close()
    s.left_waiting = Slow(s, "k")


def memory_is_accounted(s):
    """the value is held once, and its memory comes back"""
    with s.client() as c:
        def info():
            return dict(line.split(":", 1) for line in c("INFO", "memory").decode().split("\r\n") if ":" in line)

        def used():
            return int(info()["used_memory"])
        if not info()["mem_allocator"].startswith("jemalloc"):
            return  # others do not tell
        before = used()
        store(s, "k", value(HUGE, 1), 3)
        held = used() - before
        assert HUGE <= held < HUGE + (4 << 20), held
        c("DEL", "k")
        assert used() - before < 4 << 20, used() - before


run([sizes, one_connection, http10, old_bytes_stay, changed_in_place, gone, (stood_still, "--http-timeout=1"), memory_is_accounted])
