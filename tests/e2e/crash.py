#!/usr/bin/env python3
"""The process is killed, or the machine loses power, in the midst of load: what was acknowledged is there, as it was promised."""
import dataclasses
import http.client
import math
import random
import signal
import socket
import threading
import time

from faulty import Faults, Writer, check, kill
from fk import PATIENCE, Error, Resp, name_of, report, same, until
from linearizable import KINDS, Rest, draw
from linearize import UNKNOWN, Op, linearizable
from persist import Directory

SNAPSHOTS = "--snapshot-log-bytes=20kb"  # one follows the other


def loaded(writers, counts):
    """Has each done enough? None of them may have ended yet."""
    assert not [w.error for w in writers if w.error], f"{[(w.name_, w.error) for w in writers]}\n{writers[0].server.read_log()[-4000:]}"
    return all(w.done >= counts[w.name_] + 40 for w in writers)


def writers_on(server, counts):
    return [Writer(server, name, name == "http", n) for name, n in counts.items()]


def die(server, writers, faults, directory, power):
    """Ends the server in one of both ways."""
    kill(server)
    for w in writers:
        w.join()
    if power:
        faults.cut_power(directory.path)


def syncs(server):
    with server.client() as c:
        return int(c("info", "persistence").partition(b"aof_fsyncs:")[2].split()[0])


def outlasted(server, writers):
    """What each had done before everysec came round three times: by the second at the latest it is on the disk. The load goes on,
    so that there is something that may be lost too. (How long three seconds are depends on the disk and on what else runs.)"""
    done, before = {w.name_: w.done for w in writers}, syncs(server)
    until("everysec's syncs", lambda: syncs(server) >= before + 3)
    return done


def life(d, fsync, faults, power, counts):
    """Load, then the end; then what is there. Returns it by writer."""
    with d.server(env=faults.env) as s:
        writers = writers_on(s, counts)
        until("some load", lambda: loaded(writers, counts))
        least = outlasted(s, writers) if fsync == "everysec" else {w.name_: 0 for w in writers}
        die(s, writers, faults, d, power)
    if fsync == "always":
        least = {w.name_: w.done for w in writers}
    with d.server(env=faults.env) as s:
        there = {w.name_: check(s, w, least[w.name_]) for w in writers}
        die(s, [], faults, d, power)
    return there


def again_and_again(fsync, power):
    def test():
        faults = Faults()
        with Directory(f"--fsync={fsync}", SNAPSHOTS) as d:
            counts = {"resp1": 0, "resp2": 0, "http": 0}
            for _ in range(2 if fsync == "everysec" else 4):
                counts = life(d, fsync, faults, power, counts)

    what = "the power fails" if power else "kill -9"
    test.__doc__ = f"{what} under load over both ports, again and again, while snapshots are written, --fsync {fsync}"
    return test


def killed_then_powerless():
    """the power fails soon after a restart from kill -9: what was loaded, and told to clients, stays"""
    faults = Faults()
    with Directory("--fsync=no") as d:
        with d.server(env=faults.env) as s, s.client() as c:
            c("set", "k", "written, never synced")
            until("the write", lambda: b"aof_buffer_length:0\r\n" in c("info", "persistence"))
            kill(s)
        with d.server("--fsync=always", env=faults.env) as s, s.client() as c:
            same(c("get", "k"), b"written, never synced")
            c("set", "l", "v")
            die(s, [], faults, d, True)
        with d.server() as s, s.client() as c:
            same(c("mget", "k", "l"), [b"written, never synced", b"v"])


# ---- SIGTERM ----------------------------------------------------------------------------------------------------------------


def stopped_in_midst():
    """SIGTERM under load: an orderly end, and all that was acknowledged is there, whatever --fsync says"""
    with Directory("--fsync=no", SNAPSHOTS) as d:
        with d.server() as s:
            writers = writers_on(s, {"resp": 0, "http": 0})
            until("some load", lambda: loaded(writers, {"resp": 0, "http": 0}))
            same(s.stop(signal.SIGTERM), 0, "exit status")
            for w in writers:
                w.join()
        with d.server() as s:
            for w in writers:
                check(s, w, w.done)


def half_a_value(s):
    """Clients that have sent half of something each."""
    half = b"v" * 500000
    resp = socket.create_connection(("127.0.0.1", s.resp), timeout=PATIENCE)
    resp.sendall(b"*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1000000\r\n" + half)
    queued = socket.create_connection(("127.0.0.1", s.resp), timeout=PATIENCE)
    queued.sendall(Resp.encode(["multi"]) + Resp.encode(["set", "half", "queued"]))
    rest = socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)
    rest.sendall(b"PUT /keys/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + half)
    return resp, queued, rest


def stopped_in_a_value():
    """SIGTERM while values and transactions have half arrived: exit 0 soon, none of them is there, what was whole is"""
    with Directory("--fsync=everysec", SNAPSHOTS) as d:
        with d.server() as s, s.client() as c:
            c("set", "whole", "v" * 1000000)
            clients = half_a_value(s)
            until("their bytes", lambda: s.stats()["resp"]["bytes_in"] > 1500000)
            c.send(Resp.encode(["incr", "n"]) * 1000)
            same([c.read() for _ in range(1000)], list(range(1, 1001)))
            same(s.stop(signal.SIGTERM), 0, "exit status")
            for client in clients:
                client.close()
        with d.server() as s, s.client() as c:
            same(c("exists", "half"), 0)
            same(c("strlen", "whole"), 1000000)
            same(c("get", "n"), b"1000")


# ---- one store, before and after -------------------------------------------------------------------------------------


class Client(threading.Thread):
    """Does what linearizable.py's clients do until the server is gone, and says of the last thing that it may have happened."""

    def __init__(self, server, kind, number, seed, history):
        super().__init__()
        _, _, resp, rest, self.kinds = KINDS[kind]
        self.over_http = number % 2 == 1 and rest is not resp
        self.client = Rest(server.http) if self.over_http else Resp(server.resp)
        self.act = rest if self.over_http else resp
        self.number, self.rng, self.history = number, random.Random(f"{seed} {number}"), history
        self.key = kind.split()[0]
        self.start()

    def run(self):
        written = []
        while True:
            kind, argument = draw(self.rng, self.number, self.over_http, self.kinds, written)
            called = time.monotonic()
            try:
                answer = self.act(self.client, self.key, kind, argument)
            except (OSError, Error, http.client.HTTPException):
                self.history.append(Op(called, math.inf, kind, argument, UNKNOWN))
                break
            if answer is UNKNOWN:
                continue
            if kind == "get" and answer is not None:
                written.append(answer)
            self.history.append(Op(called, time.monotonic(), kind, argument, answer))
            time.sleep(self.rng.random() / 200)  # few enough to be checked
        self.client.close() if self.over_http else self.client.__exit__()


def one_store(kind, power):
    def test():
        model, start, *_ = KINDS[kind]
        history, deaths, faults = [], [], Faults()
        with Directory("--fsync=always", SNAPSHOTS) as d:
            for seed in range(4):
                with d.server(env=faults.env) as s:
                    before = len(history)
                    clients = [Client(s, kind, n, seed, history) for n in range(4)]
                    until("some operations", lambda: len(history) >= before + 60)
                    die(s, clients, faults, d, power)
                    deaths.append(time.monotonic())
        # What may have been read by nobody changes nothing.
        history = [op for op in history if op.answer is not UNKNOWN or op.kind not in ("get", "length")]
        history = [dataclasses.replace(op, until=min(t for t in deaths if t > op.called)) for op in history]
        assert sum(op.answer is UNKNOWN for op in history) > 0, "nothing was under way"
        assert linearizable(history, model, start), "\n".join(map(str, sorted(history, key=lambda o: o.called)))

    what = "power failures" if power else "kill -9"
    test.__doc__ = f"{kind}: the history over {what} and restarts is linearizable"
    return test


if __name__ == "__main__":
    report([(name_of(t), t) for t in
            [*(again_and_again(fsync, power) for fsync in ("always", "everysec", "no") for power in (False, True)),
             killed_then_powerless, stopped_in_midst, stopped_in_a_value,
             *(one_store(kind, power) for kind in KINDS for power in (False, True))]])
