#!/usr/bin/env python3
"""GET /keys/{key}?wait=: answered when the key changes, when it goes, or when the time is up."""
import http.client
import socket
import threading
import time

from fk import PATIENCE, Server, run, same, until


class Poll:
    """A request on its way, on a connection of its own."""

    def __init__(self, server, key, wait, etag=None, method="GET"):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=PATIENCE)
        self.connection.request(method, f"/keys/{key}?wait={wait}", headers={"If-None-Match": etag} if etag else {})

    def answer(self):
        r = self.connection.getresponse()
        body = r.read()
        self.connection.close()
        return r.status, body

    def is_pending(self):
        self.connection.sock.settimeout(0.1)
        try:
            return self.connection.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        finally:
            self.connection.sock.settimeout(30)


def etag(server, key):
    return server.request("GET", f"/keys/{key}")[1]["etag"]


def watched(server):
    """Connections, this one's own included; one that was closed a moment ago may still be counted."""
    return server.stats()["http"]["connections"]


def test_change(server):
    """a change of the value, from either port, is answered at once"""
    with server.client() as c:
        c("SET", "k", "1")
        for change in (["SET", "k", "2"], ["INCR", "k"], ["APPEND", "k", "x"], ["SET", "k", "y", "EX", "100"]):
            poll = Poll(server, "k", "30s", etag(server, "k"))
            assert poll.is_pending()
            c(*change)
            same(poll.answer(), (200, c("GET", "k")), change)
        poll = Poll(server, "k", "30s", etag(server, "k"))
        same(server.request("PUT", "/keys/k", "put")[0], 204)
        same(poll.answer(), (200, b"put"))
        poll = Poll(server, "k", "30s", etag(server, "k"))
        c("MULTI")
        c("SET", "k", "in a transaction")
        c("EXEC")
        same(poll.answer(), (200, b"in a transaction"))


def test_same_value(server):
    """a write of the same value, or of another key, or of the expiry alone, is none"""
    with server.client() as c:
        c("SET", "k", "1")
        poll = Poll(server, "k", "30s", etag(server, "k"))
        c("SET", "k", "1")
        c("SET", "other", "1")
        c("EXPIRE", "k", "100")
        assert poll.is_pending()
        c("SET", "k", "2")
        same(poll.answer(), (200, b"2"))


def test_gone(server):
    """a key that goes is 404, however it goes"""
    with server.client() as c:
        for gone in (["DEL", "k"], ["RENAME", "k", "other"], ["PEXPIRE", "k", "1"], ["FLUSHALL"], ["GETDEL", "k"]):
            c("SET", "k", "1")
            poll = Poll(server, "k", "30s", etag(server, "k"))
            assert poll.is_pending()
            c(*gone)
            same(poll.answer()[0], 404, gone)
        same(Poll(server, "k", "30s", '"0000000000000000"').answer()[0], 404, "gone before")


def test_until_it_exists(server):
    """without If-None-Match it waits until there is a value"""
    with server.client() as c:
        poll = Poll(server, "new", "30")
        assert poll.is_pending()
        c("SET", "new", "born")
        same(poll.answer(), (200, b"born"))
        same(Poll(server, "new", "30").answer(), (200, b"born"), "there already")
        poll = Poll(server, "list", "30s")
        c("RPUSH", "list", "x")
        same(poll.answer()[0], 200)


def test_time(server):
    """when the time is up: 304, or 404 where nothing is"""
    server.request("PUT", "/keys/k", "v")
    tag = etag(server, "k")
    for wait in ("0", "0s", "1ms", "20ms", "1s"):
        same(Poll(server, "k", wait, tag).answer(), (304, b""), wait)
        same(Poll(server, "none", wait).answer()[0], 404, wait)
    same(Poll(server, "k", "1ms", tag, "HEAD").answer(), (304, b""))
    for wait in ("", "s", "ms", "-1", "1.5s", "301", "301s", "300001ms", "1m", "9223372036854775807", "99999999999999999999ms", " 1"):
        status, headers, body = server.request("GET", "/keys/k?wait=" + wait.replace(" ", "%20"))
        same(status, 400, wait)
        assert b"wait" in body


def test_pipelined(server):
    """the connection goes on: what was sent behind it is answered behind it"""
    server.request("PUT", "/keys/k", "v")
    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s:
        s.sendall(b"GET /keys/new?wait=30s HTTP/1.1\r\nHost: x\r\n\r\nGET /keys/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.05)
        server.request("PUT", "/keys/new", "first")
        got = b""
        while more := s.recv(4096):
            got += more
        same(got.count(b"HTTP/1.1 200 OK"), 2)
        assert got.index(b"first") < got.rindex(b"\r\n\r\nv"), got


def test_left(server):
    """clients that leave, and a server that stops, while they wait"""
    server.request("PUT", "/keys/k", "v")
    tag = etag(server, "k")
    for _ in range(50):
        Poll(server, "k", "300s", tag).connection.close()
    with server.client() as c:
        for i in range(100):
            c("SET", "k", i)
    until("that all have left", lambda: watched(server) == 1)
    with Server() as other:
        other.request("PUT", "/keys/k", "v")
        polls = [Poll(other, "k", "300s", tag) for _ in range(20)]
        until("that all wait", lambda: watched(other) >= 21)
        assert polls[0].is_pending()
        same(other.stop(), 0)
        for p in polls:
            try:
                same(p.answer()[0], 304)
            except (ConnectionError, http.client.HTTPException):
                pass  # it had not been read yet


def test_race(server):
    """a hundred clients follow a counter by long polls while it counts: all see its end, none goes back"""
    last, clients = 300, 100
    server.request("PUT", "/keys/n", "0")

    def follow(seen):
        c = http.client.HTTPConnection("127.0.0.1", server.http, timeout=120)
        tag = ""
        while not seen or seen[-1] < last:
            c.request("GET", "/keys/n?wait=30s", headers={"If-None-Match": tag} if tag else {})
            r = c.getresponse()
            body = r.read()
            if r.status == 200:
                tag = r.getheader("ETag")
                seen.append(int(body))
        c.close()

    everything = [[] for _ in range(clients)]
    threads = [threading.Thread(target=follow, args=(seen,)) for seen in everything]
    for t in threads:
        t.start()
    with server.client() as c:
        for _ in range(last):
            c("INCR", "n")
    for t in threads:
        t.join()
    for seen in everything:
        same(seen, sorted(set(seen)))
        same(seen[-1], last)


if __name__ == "__main__":
    run([test_change, test_same_value, test_gone, test_until_it_exists, test_time, test_pipelined, test_left, test_race])
