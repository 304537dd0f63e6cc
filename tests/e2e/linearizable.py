#!/usr/bin/env python3
"""Concurrent clients on both ports see one store: histories of registers, counters, queues and transactions are linearizable."""
import http.client
import json
import math
import random
import threading
import time

from fk import PATIENCE, Resp, run, same
from linearize import UNKNOWN, Op, counter, linearizable, pair, queue, register

ROUNDS = 12   # histories of each kind
CLIENTS = 6   # at once, half of them over HTTP
OPS = 25      # of each client in a history


class Rest:
    """The same operations over HTTP, on a connection that is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        r = self.connection.getresponse()
        return r.status, r.headers, r.read()

    def close(self):
        self.connection.close()


# ---- what a client does: (kind, argument) -> answer ------------------------------------------------------------------


def resp_register(c, key, kind, argument):
    if kind == "set":
        return c("SET", key, argument)
    got = c("GET", key)
    return got.decode() if got is not None else None


def rest_register(c, key, kind, argument):
    if kind == "set":
        status, _, _ = c.ask("PUT", f"/keys/{key}", argument)
        assert status in (201, 204), status
        return "OK"
    if kind == "cas":
        expected, new = argument
        status, headers, body = c.ask("GET", f"/keys/{key}")
        if status != 200 or body.decode() != expected:
            return UNKNOWN  # nothing was tried: dropped from the history
        status, _, _ = c.ask("PUT", f"/keys/{key}", new, {"If-Match": headers["ETag"]})
        assert status in (204, 412), status
        return status == 204
    status, _, body = c.ask("GET", f"/keys/{key}")
    return body.decode() if status == 200 else None


def resp_counter(c, key, kind, argument):
    if kind == "incr":
        return c("INCRBY", key, argument)
    got = c("GET", key)
    return int(got) if got is not None else None


def rest_counter(c, key, kind, argument):
    if kind == "incr":
        return json.loads(c.ask("POST", f"/keys/{key}/incr?by={argument}")[2])["value"]
    status, _, body = c.ask("GET", f"/keys/{key}")
    return int(body) if status == 200 else None


def resp_queue(c, key, kind, argument):
    if kind == "push":
        return c("RPUSH", key, argument)
    if kind == "pop":
        got = c("LPOP", key)
        return got.decode() if got is not None else None
    return c("LLEN", key)


def rest_queue(c, key, kind, argument):
    if kind == "push":
        status, _, body = c.ask("POST", f"/lists/{key}?end=right", json.dumps([argument]),
                                {"Content-Type": "application/json"})
        assert status in (200, 201), (status, body)
        return json.loads(body)["length"]
    if kind == "pop":
        status, _, body = c.ask("POST", f"/lists/{key}/pop?end=left")
        return json.loads(body)["values"][0] if status == 200 else None
    status, _, body = c.ask("GET", f"/lists/{key}")
    return json.loads(body)["length"] if status == 200 else 0


def resp_pair(c, key, kind, argument):
    """{key} and {key}2 are on different shards, nearly always."""
    if kind == "set":
        return c("MSET", key, argument, key + "2", argument)
    first, second = c("MGET", key, key + "2")
    assert first == second, f"torn: {first!r} and {second!r}"
    return first.decode() if first is not None else None


KINDS = {  # model, start, over RESP, over HTTP, what is drawn from
    "register": (register, None, resp_register, rest_register, ("set", "get", "get")),
    "conditional register": (register, None, resp_register, rest_register, ("set", "get", "cas", "cas")),
    "counter": (counter, None, resp_counter, rest_counter, ("incr", "incr", "get")),
    "queue": (queue, (), resp_queue, rest_queue, ("push", "pop", "push", "pop", "length")),
    "pair": (pair, None, resp_pair, resp_pair, ("set", "get")),
}


def draw(rng, name, over_http, kinds, written):
    """An operation's (kind, argument). Values are unique, so that a wrong answer shows; cas expects one seen lately."""
    kind = rng.choice(kinds)
    fresh = f"{name}-{rng.getrandbits(40):x}"
    if kind == "cas" and not (over_http and written):
        kind = "get"
    if kind == "cas":
        return kind, (written[-1], fresh)
    if kind == "incr":
        return kind, rng.randint(1, 9)
    return kind, fresh if kind in ("set", "push") else None


def client(server, key, spec, number, seed, together, history, failures):
    _, _, resp, rest, kinds = spec
    over_http = number % 2 == 1 and rest is not resp
    rng, written = random.Random(f"{seed} {number}"), []
    c = Rest(server.http) if over_http else Resp(server.resp)
    try:
        together.wait(timeout=PATIENCE)
        for _ in range(OPS):
            kind, argument = draw(rng, number, over_http, kinds, written)
            called = time.monotonic()
            answer = (rest if over_http else resp)(c, key, kind, argument)
            returned = time.monotonic()
            if kind == "cas" and answer is UNKNOWN:
                continue
            if kind == "get" and answer is not None:
                written.append(answer)
            history.append(Op(called, returned, kind, argument, answer))
    except Exception as e:  # the main thread tells
        failures.append(e)
    finally:
        c.close() if over_http else c.__exit__()


def record(server, key, spec, seed):
    history, failures, together = [], [], threading.Barrier(CLIENTS)
    threads = [threading.Thread(target=client, args=(server, key, spec, n, seed, together, history, failures))
               for n in range(CLIENTS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures
    return history


def make(name):
    def test(server):
        model, start, *_ = KINDS[name]
        overlaps = 0
        for seed in range(ROUNDS):
            history = record(server, f"{name.split()[0]}-{seed}", KINDS[name], seed)
            assert len(history) >= CLIENTS * OPS / 2, "too little was tried"
            overlaps += any(a.called < b.returned and b.called < a.returned for a in history for b in history if a is not b)
            assert linearizable(history, model, start), f"seed {seed}:\n" + "\n".join(map(str, sorted(history, key=lambda o: o.called)))
        assert overlaps > 0, "no two operations were under way at once"

    test.__doc__ = f"{name}: every history is linearizable"
    return test


def the_checker_can_say_no(_):
    """The checker refuses what is not linearizable, and allows what only looks odd"""
    def ok(model, start, *ops):
        return linearizable([Op(*o) for o in ops], model, start)

    same(ok(register, None, (0, 1, "set", "a", "OK"), (2, 3, "get", None, "a")), True)
    same(ok(register, None, (0, 1, "set", "a", "OK"), (2, 3, "get", None, None)), False, "a stale read")
    same(ok(register, None, (0, 5, "set", "a", "OK"), (1, 2, "get", None, "a"), (3, 4, "get", None, None)), False, "back in time")
    same(ok(register, None, (0, 5, "set", "a", "OK"), (1, 2, "get", None, None), (3, 4, "get", None, "a")), True)
    same(ok(register, "a", (0, 9, "cas", ("a", "b"), True), (0, 9, "cas", ("a", "c"), True)), False, "two winners")
    same(ok(counter, None, (0, 9, "incr", 1, 1), (0, 9, "incr", 1, 1)), False, "a lost increment")
    same(ok(counter, None, (0, 9, "incr", 1, 2), (0, 9, "incr", 1, 1)), True)
    same(ok(queue, ("x",), (0, 9, "pop", None, "x"), (0, 9, "pop", None, "x")), False, "popped twice")
    same(ok(queue, (), (0, math.inf, "push", "x"), (5, 6, "pop", None, "x")), True, "no answer, yet done")
    same(ok(queue, (), (0, math.inf, "push", "x"), (5, 6, "pop", None, None)), True, "no answer, not done")
    same(ok(queue, (), (0, math.inf, "push", "x", UNKNOWN, 1), (2, 3, "length", None, 0), (5, 6, "pop", None, "x")), False, "done when it was dead")
    same(ok(queue, (), (0, math.inf, "push", "x", UNKNOWN, 1), (2, 3, "length", None, 1), (5, 6, "pop", None, "x")), True)
    same(ok(queue, (), (7, math.inf, "push", "x"), (5, 6, "pop", None, "x")), False, "popped before it was pushed")


if __name__ == "__main__":
    run([the_checker_can_say_no, *map(make, KINDS)])
