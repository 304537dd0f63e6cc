#!/usr/bin/env python3
"""Publish and subscribe, as redis-py drives them; subscribers in numbers, and those who do not read."""
import socket
import threading
import time

from fk import PATIENCE, run, same

import redis  # where fk looks for it too

SECONDS = PATIENCE


def eventually(what, wanted):
    """Polls what() until it is `wanted`."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        got = what()
        if got == wanted:
            return
        time.sleep(0.01)
    raise AssertionError(f"still {got!r}, not {wanted!r}")


def connect(s):
    return redis.Redis(port=s.resp, socket_timeout=SECONDS)


def take(pubsub, count):
    """The next `count` messages: (type, pattern, channel, data)."""
    got = []
    while len(got) < count:
        m = pubsub.get_message(timeout=SECONDS)
        assert m is not None, f"only {got}"
        got.append((m["type"], m["pattern"], m["channel"], m["data"]))
    return got


def redis_py(s):
    """redis-py: channels, patterns, and its pipeline as the publisher"""
    r = connect(s)
    p = r.pubsub()
    p.subscribe("news", b"\x00\xff")
    p.psubscribe("n*")
    same(take(p, 3), [("subscribe", None, b"news", 1), ("subscribe", None, b"\x00\xff", 2),
                      ("psubscribe", None, b"n*", 3)])
    pipe = r.pipeline(transaction=False)
    pipe.publish("news", "one").publish(b"\x00\xff", "two").publish("nobody", "three").publish("x", "four")
    same(pipe.execute(), [2, 1, 1, 0])
    same(take(p, 4), [("message", None, b"news", b"one"), ("pmessage", b"n*", b"news", b"one"),
                      ("message", None, b"\x00\xff", b"two"), ("pmessage", b"n*", b"nobody", b"three")])
    same(sorted(r.pubsub_channels()), [b"\x00\xff", b"news"])
    same((r.pubsub_numpat(), r.pubsub_numsub("news", "none")), (1, [(b"news", 1), (b"none", 0)]))
    p.ping("x")
    same(take(p, 1), [("pong", None, None, b"x")])
    p.unsubscribe()
    p.punsubscribe()
    same([t for t, *_ in take(p, 3)], ["unsubscribe", "unsubscribe", "punsubscribe"])
    same(r.publish("news", "nobody hears"), 0)


def redis_py_thread(s):
    """redis-py: handlers in a thread, a publisher that pipelines"""
    r = connect(s)
    p = r.pubsub()
    heard, done = [], threading.Event()

    def handler(message):
        heard.append(int(message["data"]))
        if len(heard) == 10000:
            done.set()

    p.subscribe(numbers=handler)
    thread = p.run_in_thread(sleep_time=0.01)
    eventually(lambda: r.pubsub_numsub("numbers"), [(b"numbers", 1)])
    for start in range(0, 10000, 500):
        pipe = r.pipeline(transaction=False)
        for i in range(start, start + 500):
            pipe.publish("numbers", i)
        same(pipe.execute(), [1] * 500)
    assert done.wait(SECONDS), f"only {len(heard)}"
    thread.stop()
    thread.join()
    same(heard, list(range(10000)))


def large_messages(s):
    """a message of 8 MiB to subscribers of both protocols"""
    payload = b"0123456789abcdef" * (1 << 19)
    with s.client() as two, s.client() as three, s.client() as publisher:
        three("HELLO", 3)
        for c in (two, three):
            same(c("SUBSCRIBE", "c"), [b"subscribe", b"c", 1])
        readers = [threading.Thread(target=lambda c=c: same(c.read(), [b"message", b"c", payload])) for c in (two, three)]
        for t in readers:
            t.start()
        same(publisher("PUBLISH", "c", payload), 2)
        for t in readers:
            t.join(SECONDS)
            assert not t.is_alive()


def slow_subscriber(s):
    """a subscriber that does not read is closed and counted; others get everything"""
    payload = b"x" * 10000
    count = 1000  # 10 MB; the ceiling is 1 MiB
    with s.client() as slow, s.client() as good, s.client() as publisher:
        slow("SUBSCRIBE", "c")
        good("SUBSCRIBE", "c")
        got = []
        reader = threading.Thread(target=lambda: got.extend(good.read()[2] for _ in range(count)))
        reader.start()
        for n in range(count):
            publisher("PUBLISH", "c", payload)
            while len(got) < n - 20:  # the good one keeps up, whatever the machine does
                time.sleep(0.001)
        reader.join(SECONDS)
        same(got, [payload] * count)
        same(s.stats()["resp"]["output_overflows"], 1)
        same(publisher("PUBSUB", "NUMSUB", "c"), [b"c", 1])
        assert b"client_output_buffer_limit_disconnections:1" in publisher("INFO", "stats")


def many_subscribers(s):
    """10 000 subscribers of one channel"""
    count, rounds = 9000, 3
    payload = b"hello"
    want = b"*3\r\n$7\r\nmessage\r\n$3\r\nall\r\n$5\r\nhello\r\n" * rounds
    subscribers = []
    for _ in range(count):
        c = socket.create_connection(("127.0.0.1", s.resp), timeout=SECONDS)
        c.sendall(b"SUBSCRIBE all\r\n")
        subscribers.append(c)
    for c in subscribers:
        same(c.recv(100), b"*3\r\n$9\r\nsubscribe\r\n$3\r\nall\r\n:1\r\n")
    with s.client() as publisher:
        for _ in range(rounds):
            same(publisher("PUBLISH", "all", payload), count)
        for c in subscribers:
            got = b""
            while len(got) < len(want):
                more = c.recv(4096)
                assert more, "closed"
                got += more
            same(got, want)
        for c in subscribers[: count // 2]:
            c.close()
        eventually(lambda: publisher("PUBSUB", "NUMSUB", "all"), [b"all", count - count // 2])
        for c in subscribers[count // 2:]:
            c.close()
        eventually(lambda: publisher("PUBLISH", "all", payload), 0)


def coming_and_going(s):
    """subscribers that leave without a word while others publish"""
    stop = threading.Event()

    def publish():
        with s.client() as c:
            while not stop.is_set():
                c("PUBLISH", "c", "x" * 100)

    def visit():
        for _ in range(100):
            with s.client() as c:
                c.send(b"SUBSCRIBE c\r\nPSUBSCRIBE *\r\n")
                c.read()

    publishers = [threading.Thread(target=publish) for _ in range(2)]
    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for t in publishers + visitors:
        t.start()
    for t in visitors:
        t.join()
    stop.set()
    for t in publishers:
        t.join()
    with s.client() as c:
        eventually(lambda: c("PUBLISH", "c", ""), 0)
        same(c("PUBSUB", "NUMPAT"), 0)


def monitor(s):
    """redis-py's monitor sees commands of both ports, none of its secrets"""
    r = connect(s)
    with r.monitor() as m:
        r.set("k", b"a \x00\"b\"")
        got = m.next_command()
        while not got["command"].startswith("SET"):  # redis-py's own connection talks too
            got = m.next_command()
        same((got["db"], got["command"], got["client_address"]), (0, 'SET k a \\x00"b"', "127.0.0.1"))
        s.request("DELETE", "/keys/k")
        got = m.next_command()
        assert "k" in got["command"].split(), got


if __name__ == "__main__":
    run([redis_py, redis_py_thread, large_messages, (slow_subscriber, "--max-output-bytes=1mb"),
         (many_subscribers, "--max-connections=20000"), coming_and_going, monitor])
