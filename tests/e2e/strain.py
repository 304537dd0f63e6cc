#!/usr/bin/env python3
"""No descriptors left, the wall clock set forward and back: others go on, and all is well again afterwards. With snapshots too."""
import os
import resource
import socket
import time

from faulty import Faults
from fk import PATIENCE, Error, Resp, name_of, report, same, until
from persist import Directory, dump

SNAPSHOTS = "--snapshot-log-bytes=1"  # one follows the other
HOUR = 3600


# ---- descriptors ---------------------------------------------------------------------------------------------------------


def processor_time(s):
    """Seconds of processor time that the server has used."""
    fields = open(f"/proc/{s.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exhaust(s):
    """Connections to both ports until no descriptor is left; most of them wait to be accepted."""
    count = len(os.listdir(f"/proc/{s.process.pid}/fd")) + 6
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (count, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(10) for port in (s.resp, s.http)]
    s.wait_for_log("resp: cannot accept: Too many open files")
    s.wait_for_log("http: no file descriptors left")
    return held


def is_done(c, *words):
    try:
        return c(*words) == "OK"
    except Error:  # not yet
        return False


def descriptors(*options):
    def test():
        with Directory("--fsync=always", *options) as d:
            with d.server() as s, s.client() as c:
                c("set", "before", "1")
                usual = resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE)
                held = exhaust(s)
                used = processor_time(s)
                for i in range(20):
                    same(c("get", "before"), b"1", "who is in goes on")
                    try:
                        c("set", "during", i)
                    except Error as e:  # a new segment of the log could not be begun
                        assert str(e).startswith("MISCONF "), e
                    time.sleep(0.05)
                assert processor_time(s) - used < 0.5, "it spins"
                same(s.read_log().count("cannot accept"), 1)
                for h in held:
                    h.close()
                resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, usual)
                with s.client() as late:
                    until("changes are taken", lambda: is_done(late, "set", "after", "1"))
                same(s.request("GET", "/keys/before")[0], 200)
                until("a snapshot", lambda: is_done(c, "save"))
                want = dump(s)
                same(s.stop(), 0, "exit status")
            with d.server() as s:
                same(dump(s), want)

    test.__doc__ = f"no descriptors left: one warning, no spinning, who is in goes on, who waits is served later {' '.join(options)}"
    return test


# ---- the wall clock ----------------------------------------------------------------------------------------------------------


def set_forward(*options):
    def test():
        faults = Faults()
        with Directory("--fsync=everysec", *options) as d:
            with d.server("--idle-timeout=600", "--command-timeout=600", env=faults.env) as s, s.client() as c, s.client() as waits:
                c("set", "short", "v", "ex", HOUR // 2)
                c("set", "long", "v", "ex", 3 * HOUR)
                c("hset", "h", "short", "1", "long", "2")
                c("hexpire", "h", HOUR // 2, "fields", 1, "short")
                waits.send(Resp.encode(["blpop", "q", 100]))
                until("a blocked client", lambda: b"blocked_clients:1" in c("info", "clients"))
                faults.step_clock(HOUR)
                until("what it has passed is gone", lambda: c("exists", "short") == 0)
                same(c("hgetall", "h"), [b"long", b"2"])
                assert 2 * HOUR - 60 < c("ttl", "long") <= 2 * HOUR, c("ttl", "long")
                same(s.request("GET", "/keys/short")[0], 404)
                assert b"blocked_clients:1" in c("info", "clients"), "a timeout is no time of day"
                c("rpush", "q", "x")
                same(waits.read(), [b"q", b"x"])
                # Set right again: what was gone stays away, here and after a restart.
                until("swept", lambda: b"expired_keys:1\r\n" in c("info", "stats"))
                faults.step_clock(0)
                same(c("exists", "short"), 0)
                assert 3 * HOUR - 60 < c("ttl", "long") <= 3 * HOUR
                want = dump(s)
                same(s.stop(), 0, "exit status")
            with d.server() as s:
                same(dump(s), want)

    test.__doc__ = f"the wall clock set forward an hour, and right again: keys expire by it, durations do not {' '.join(options)}"
    return test


def set_back(*options):
    def test():
        faults = Faults()
        with Directory("--fsync=everysec", *options) as d:
            with d.server("--idle-timeout=600", env=faults.env) as s, s.client() as c, s.client() as other:
                c("set", "k", "v", "ex", HOUR)
                faults.step_clock(-HOUR)
                assert 2 * HOUR - 60 < c("ttl", "k") <= 2 * HOUR, c("ttl", "k")
                c("set", "new", "v", "px", 200)
                until("one that expires by the new time", lambda: c("exists", "new") == 0)
                same(c("blpop", "q", 0.1), None, "durations end as ever")
                c("client", "pause", 100)
                same(other("set", "paused", "v"), "OK")
                c("set", "durable", "v")
                until("everysec's second", lambda: b"aof_buffer_length:0\r\n" in c("info", "persistence"))
                same(c("dbsize"), 3)
                want = dump(s)
                s.process.kill()
                s.process.wait()
            with d.server(env=faults.env) as s:
                same(dump(s), want)

    test.__doc__ = f"the wall clock set back an hour: keys live longer by it, durations do not {' '.join(options)}"
    return test


def snapshots_by_time():
    """--snapshot-seconds counts seconds, not times of day"""
    faults = Faults()
    with Directory("--snapshot-seconds=2", "--snapshot-log-bytes=0") as d, d.server(env=faults.env) as s, s.client() as c:
        faults.step_clock(-HOUR)
        c("set", "k", "v")
        until("a snapshot", lambda: len(d.files("snapshot-")) == 1)


if __name__ == "__main__":
    report([(name_of(t), t) for t in [descriptors(), descriptors(SNAPSHOTS), set_forward(), set_forward(SNAPSHOTS),
                                      set_back(), set_back(SNAPSHOTS), snapshots_by_time]])
