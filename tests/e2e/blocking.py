#!/usr/bin/env python3
"""Commands that wait for a key, over real connections: what is behind them waits too, and every end of a wait is told."""
import threading
import time

from fk import Resp, run, same, until


def blocked(server, n):
    """Waits until so many clients are blocked."""
    with server.client() as c:
        until(f"{n} clients blocked", lambda: b"blocked_clients:%d\r\n" % n in c("INFO", "clients"))


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


def test_unblock(server):
    """CLIENT UNBLOCK ends a wait, by the timeout's reply or an error; and nothing but a wait"""
    with server.client() as c, server.client() as other:
        me = c("CLIENT", "ID")
        same(other("CLIENT", "UNBLOCK", me), 0)
        for reason, ends in (((), None), (("TIMEOUT",), None), (("ERROR",), "UNBLOCKED client unblocked via CLIENT UNBLOCK")):
            c.send(Resp.encode(["BLPOP", "k", 0]))
            blocked(server, 1)
            same(other("CLIENT", "UNBLOCK", me, *reason), 1)
            got = c.read_any()
            same(got if got is None else str(got), ends)
            blocked(server, 0)
        same(other("RPUSH", "k", "x"), 1)
        same(c("LLEN", "k"), 1)


def test_replicas(server):
    """WAIT for replicas, of which there are none, waits for its timeout, as a Redis alone does"""
    with server.client() as c, server.client() as other:
        same([c("WAIT", 0, 0), c("WAIT", -1, 0)], [0, 0])
        start = time.monotonic()
        c.send(Resp.encode(["WAIT", 1, 100]) + Resp.encode(["PING"]))
        same([c.read(), c.read()], [0, "PONG"])
        assert time.monotonic() - start >= 0.1
        me = c("CLIENT", "ID")
        for reason, timeout, ends in (("TIMEOUT", 0, 0), ("TIMEOUT", 2**63 - 1, 0),
                                      ("ERROR", 0, "UNBLOCKED client unblocked via CLIENT UNBLOCK")):
            c.send(Resp.encode(["WAIT", 1, timeout]))
            blocked(server, 1)
            same(other("CLIENT", "UNBLOCK", me, reason), 1)
            got = c.read_any()
            same(got if got == 0 else str(got), ends)
            blocked(server, 0)
        same([c("MULTI"), c("WAIT", 1, 0), c("EXEC")], ["OK", "QUEUED", [0]])
        gone = server.client()
        gone.send(Resp.encode(["WAIT", 1, 0]))
        blocked(server, 1)
        gone.file.close()
        gone.socket.close()
        blocked(server, 0)


def test_kill(server):
    """CLIENT KILL closes others, blocked or not, and oneself after the reply"""
    with server.client() as c, server.client() as waits, server.client() as listens, server.client() as idle:
        ids = {r: r("CLIENT", "ID") for r in (c, waits, idle)}
        waits.send(Resp.encode(["BLPOP", "k", 0]))
        listens("SUBSCRIBE", "channel")
        blocked(server, 1)
        same(c("CLIENT", "KILL", "ID", ids[waits]), 1)
        same(c("CLIENT", "KILL", "TYPE", "pubsub"), 1)
        address = b"%s:%d" % (b"127.0.0.1", idle.socket.getsockname()[1])
        same(c("CLIENT", "KILL", address), "OK")
        for r in (waits, listens, idle):
            same(r.file.read(), b"", "what a killed client still gets")
        blocked(server, 0)
        same(c("RPUSH", "k", "x"), 1)
        same(c("CLIENT", "KILL", "ID", ids[c]), 0)
        same(c("CLIENT", "KILL", "ID", ids[c], "SKIPME", "no"), 1)
        same(c.file.read(), b"")


def test_pause(server):
    """CLIENT PAUSE holds writes back, queued ones in EXEC too, until it ends or is ended; reads go on; UNBLOCK is no way out"""
    with server.client() as c, server.client() as writer, server.client() as exec_:
        exec_("MULTI")
        same(exec_("INCR", "n"), "QUEUED")
        paused = writer("CLIENT", "ID")
        same(c("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        writer.send(Resp.encode(["INCR", "n"]) + Resp.encode(["GET", "n"]))
        exec_.send(Resp.encode(["EXEC"]))
        blocked(server, 2)
        same(c("CLIENT", "UNBLOCK", paused), 0)
        same(c("GET", "n"), None)
        same(c("CLIENT", "UNPAUSE"), "OK")
        results = exec_.read()
        got = writer.read()
        same(sorted([got, results[0]]), [1, 2])
        assert writer.read() in (b"1", b"2")
        start = time.monotonic()
        same(c("CLIENT", "PAUSE", 150, "ALL"), "OK")
        same(c("GET", "n"), b"2")
        assert time.monotonic() - start >= 0.15
        blocked(server, 0)


def test_reply(server):
    """CLIENT REPLY: off, on again, and one that is skipped; subscriptions are confirmed all the same"""
    with server.client() as c:
        c.send(b"".join(map(Resp.encode, (["CLIENT", "REPLY", "OFF"], ["SET", "k", 1], ["BOGUS"], ["GET", "k"],
                                          ["CLIENT", "REPLY", "ON"], ["GET", "k"], ["CLIENT", "REPLY", "SKIP"],
                                          ["SET", "k", 2], ["GET", "k"]))))
        same([c.read(), c.read(), c.read()], ["OK", b"1", b"2"])
        skip = ["CLIENT", "REPLY", "SKIP"]  # of what is skipped itself it counts too, but ON is skipped without a word
        c.send(b"".join(map(Resp.encode, (skip, skip, ["PING"], ["ECHO", "a"], skip, ["CLIENT", "REPLY", "ON"], ["ECHO", "b"]))))
        same([c.read(), c.read()], [b"a", b"b"])
        c.send(b"".join(map(Resp.encode, (["CLIENT", "REPLY", "OFF"], ["SUBSCRIBE", "ch"], ["SUBSCRIBE"], ["PING"],
                                          ["UNSUBSCRIBE", "ch"], ["CLIENT", "REPLY", "ON"]))))
        same([c.read(), c.read(), c.read()], [[b"subscribe", b"ch", 1], [b"unsubscribe", b"ch", 0], "OK"])


def test_muted(server):
    """CLIENT REPLY mutes commands that wait too: served, timed out, postponed"""
    with server.client() as c, server.client() as other:
        for mute, served in (("OFF", ["BLPOP", "k", 0]), ("SKIP", ["BLMOVE", "k", "l", "LEFT", "LEFT", 0])):
            c.send(b"".join(map(Resp.encode, (["CLIENT", "REPLY", mute], served, ["CLIENT", "REPLY", "ON"], ["PING"]))))
            blocked(server, 1)
            same(other("RPUSH", "k", "x"), 1)
            same([c.read(), c.read()], ["OK", "PONG"])
            same(other("EXISTS", "k"), 0)
        c.send(b"".join(map(Resp.encode, (["CLIENT", "REPLY", "OFF"], ["BRPOP", "k", "0.01"], ["CLIENT", "REPLY", "ON"]))))
        same(c.read(), "OK")
        same(other("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        c.send(b"".join(map(Resp.encode, (["CLIENT", "REPLY", "SKIP"], ["INCR", "n"], ["GET", "n"]))))
        blocked(server, 1)
        same(other("CLIENT", "UNPAUSE"), "OK")
        same(c.read(), b"1")


def test_pause_expiry(server):
    """while clients are paused what expires is not seen, yet kept; it goes with the pause"""
    def count(c):
        return int(c("INFO", "stats").split(b"expired_keys:")[1].split(b"\r")[0])

    with server.client() as c:
        for k in "ab":
            same(c("SET", k, 1, "PX", 10), "OK")
        same(c("SET", "stays", 1), "OK")
        same(c("CLIENT", "PAUSE", 100000, "WRITE"), "OK")
        before = count(c)
        while c("EXISTS", "a", "b"):
            time.sleep(0.01)
        time.sleep(0.3)  # the sweeper would have been there
        same(count(c), before)
        same(c("CLIENT", "UNPAUSE"), "OK")
        same([count(c), c("DBSIZE")], [2, 1])


if __name__ == "__main__":
    run([(test_waits, "--resp-threads=4"), (test_timeouts, "--resp-threads=2"), (test_gone, "--resp-threads=3"),
         (test_large, "--resp-threads=4"), (test_unblock, "--resp-threads=2"), (test_replicas, "--resp-threads=2"), (test_kill, "--resp-threads=4"),
         (test_pause, "--resp-threads=3"), test_reply, (test_muted, "--resp-threads=2"),
         test_pause_expiry])
