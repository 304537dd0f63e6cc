#!/usr/bin/env python3
"""redis-py as its users drive it: pipelines, transactions with WATCH, blocking pops, subscriptions."""
import threading

from blocking import blocked
from fk import PATIENCE, run, same

import redis  # where fk looks for it too

SECONDS = PATIENCE


def connect(s, **options):
    return redis.Redis(port=s.resp, socket_timeout=SECONDS, decode_responses=True, **options)


def raises(kind, text, call):
    try:
        got = call()
    except kind as e:
        assert text in str(e), e
    else:
        raise AssertionError(f"no {kind.__name__}, but {got!r}")


def meanwhile(call):
    """Runs it in a thread of its own; what it returns is what it returned, or raised."""
    got = []

    def work():
        try:
            got.append(call())
        except redis.RedisError as e:
            got.append(e)

    thread = threading.Thread(target=work)
    thread.start()

    def result():
        thread.join(SECONDS)
        return got[0] if got else "nothing"

    return result


def pipelines(s):
    """pipelines: replies in order, an error at its place"""
    r = connect(s)
    p = r.pipeline(transaction=False)
    for i in range(1000):
        p.set(f"k:{i}", i)
    p.incr("k:999").rpush("l", "a", "b").lrange("l", 0, -1).hset("h", mapping={"f": "v"}).hgetall("h").zadd("z", {"m": 1.5})
    same(p.execute()[1000:], [1000, 2, ["a", "b"], 1, {"f": "v"}, 1])
    p.set("k", "v").incr("k").get("k")
    set_, failed, get = p.execute(raise_on_error=False)
    same((set_, get), (True, "v"))
    assert isinstance(failed, redis.ResponseError) and "not an integer" in str(failed), failed
    same(len(set(r.scan_iter("k:*", count=100))), 1000)


def transactions(s):
    """transactions: all or nothing is queued; a command that fails does not undo the others"""
    r = connect(s)
    same(r.pipeline().set("k", 1).incr("k").get("k").execute(), [True, 2, "2"])
    raises(redis.ResponseError, "not an integer", lambda: r.pipeline().set("k", "v").incr("k").execute())
    same(r.get("k"), "v")
    raises(redis.ResponseError, "unknown command",
           lambda: r.pipeline().set("k", "w").execute_command("NOSUCH").execute())
    same(r.get("k"), "v")


def watches(s):
    """WATCH: a change in between is a WatchError, and transaction() tries again"""
    r, other = connect(s), connect(s)
    with r.pipeline() as p:
        p.watch("n", "m")
        same(p.get("n"), None)
        p.multi()
        same(p.set("n", 1).execute(), [True])
        p.watch("n", "m")
        other.set("m", "theirs")
        p.multi()
        raises(redis.WatchError, "Watched variable changed", lambda: p.set("n", 2).execute())
    same(r.get("n"), "1")
    tries = []

    def double(p):
        n = int(p.get("n"))
        tries.append(n)
        if n == 1:
            other.incr("n")
        p.multi()
        p.set("n", 2 * n)

    same(r.transaction(double, "n"), [True])
    same((tries, r.get("n")), ([1, 2], "4"))


def blocking(s):
    """blocking pops of lists and sorted sets, served by others, timed out, unblocked"""
    r, other = connect(s), connect(s)
    got = meanwhile(lambda: other.blpop(["none", "l"], timeout=0))
    blocked(s, 1)
    r.pipeline().rpush("l", "a", "b").lpush("l", "z").execute()
    same(got(), ("l", "z"))
    same(other.blmove("l", "m", 0, "LEFT", "RIGHT"), "a")
    same(other.brpoplpush("l", "m", 0), "b")
    got = meanwhile(lambda: other.bzpopmax(["z"], timeout=0))
    blocked(s, 1)
    r.zadd("z", {"x": 1.5, "y": 2.5})
    same(got(), ("z", "y", 2.5))
    same(other.brpop(["none"], timeout=0.02), None)
    me = other.client_id()  # of its one connection
    got = meanwhile(lambda: other.blpop(["none"], timeout=0))
    blocked(s, 1)
    same(r.client_unblock(me, error=True), True)
    assert "UNBLOCKED" in str(got()), got()


def subscriptions(s):
    """subscriptions with handlers, and a listener's thread"""
    r = connect(s)
    messages, done = [], threading.Event()

    def hear(m):
        messages.append((m["type"], m["channel"], m["data"]))
        if len(messages) == 3:
            done.set()

    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe(**{"news": hear})
    p.psubscribe(**{"n*": hear})
    same([p.get_message(timeout=SECONDS) for _ in range(2)], [None, None])
    thread = p.run_in_thread(sleep_time=0.05)
    try:
        same(r.pipeline().publish("news", "one").publish("night", "two").execute(), [2, 1])
        assert done.wait(SECONDS), messages
    finally:
        thread.stop()
        thread.join(SECONDS)
    same(messages, [("message", "news", "one"), ("pmessage", "news", "one"), ("pmessage", "night", "two")])


if __name__ == "__main__":
    run([pipelines, transactions, watches, (blocking, "--resp-threads=2"), subscriptions])
