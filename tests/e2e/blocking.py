#!/usr/bin/env python3
"""Commands that wait for a key, over real connections: what is behind them waits too, and every end of a wait is told."""
import threading
import time

from fk import Resp, run, same


def blocked(server, n):
    """Waits until so many clients are blocked."""
    with server.client() as c:
        until = time.monotonic() + 20
        while b"blocked_clients:%d\r\n" % n not in c("INFO", "clients"):
            assert time.monotonic() < until, f"not {n} clients blocked"
            time.sleep(0.01)


def test_waits(server):
    """a blocked client waits with all that it sent behind, and goes on when served, across threads and protocols"""
    with server.client() as c, server.client() as d, server.client() as pusher:
        d("HELLO", 3)
        for r in (c, d):
            r.send(Resp.encode(["BLPOP", "k", 0]) + Resp.encode(["SET", "behind", 1]) + Resp.encode(["GET", "behind"]))
        blocked(server, 2)
        same(pusher("EXISTS", "behind"), 0)
        same(pusher("RPUSH", "k", "a", "b"), 2)
        for r in (c, d):
            got = r.read()
            assert got in ([b"k", b"a"], [b"k", b"b"]), got
            same([r.read(), r.read()], ["OK", b"1"])
        blocked(server, 0)


def test_timeouts(server):
    """timeouts of fractions of a second, not too early, in the order in which they end"""
    with server.client() as c, server.client() as d:
        start = time.monotonic()
        c.send(Resp.encode(["BLPOP", "k", "0.3"]) + Resp.encode(["BRPOPLPUSH", "k", "l", "0.05"]))
        d.send(Resp.encode(["BLMPOP", "0.1", 2, "k", "l", "LEFT"]) + Resp.encode(["PING"]))
        same([d.read(), d.read()], [None, "PONG"])
        same(c.read(), None)
        assert time.monotonic() - start >= 0.3
        same(c.read(), None)
        assert time.monotonic() - start >= 0.35
        blocked(server, 0)
        d("HELLO", 3)
        d.send(Resp.encode(["BLMOVE", "k", "l", "LEFT", "LEFT", "0.01"]))
        same(d.file.readline(), b"_\r\n")


def test_gone(server):
    """a client that goes while it waits takes nothing with it"""
    with server.client() as pusher:
        gone, stays = server.client(), server.client()
        gone.send(Resp.encode(["BLPOP", "k", 0]))
        blocked(server, 1)
        stays.send(Resp.encode(["BLPOP", "k", "j", 0]))
        blocked(server, 2)
        gone.file.close()
        gone.socket.close()
        blocked(server, 1)
        same(pusher("RPUSH", "k", "x"), 1)
        same(stays.read(), [b"k", b"x"])
        stays.send(Resp.encode(["BLPOP", "k", 0]))
        blocked(server, 1)  # and the server can stop


def test_large(server):
    """large elements come whole, and many clients are each served once"""
    with server.client() as pusher:
        clients = [server.client() for _ in range(50)]
        for c in clients:
            c.send(Resp.encode(["BLPOP", "k", "l", 30]))
        blocked(server, len(clients))
        threads = [threading.Thread(target=lambda i=i: Resp(server.resp)("RPUSH", "kl"[i % 2], b"%d" % i * 20000))
                   for i in range(len(clients))]
        for t in threads:
            t.start()
        got = sorted(c.read()[1] for c in clients)
        for t in threads:
            t.join()
        same(got, sorted(b"%d" % i * 20000 for i in range(len(clients))))
        same(pusher("DBSIZE"), 0)


if __name__ == "__main__":
    run([(test_waits, "--resp-threads=4"), (test_timeouts, "--resp-threads=2"), (test_gone, "--resp-threads=3"),
         (test_large, "--resp-threads=4")])
