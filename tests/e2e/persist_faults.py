#!/usr/bin/env python3
"""What was acknowledged is there: when the process is killed, the disk is full, or a call to it fails."""
import os
import shutil
import subprocess

from faulty import CREATE, EIO, ENOSPC, RENAME, SYNC, WRITE, Faults, kill, silent, takes_changes
from fk import FLASHKV, PATIENCE, Error, Resp, name_of, report, same, until
from persist import Directory, dump


# ---- a disk that is full for a while --------------------------------------------------------------------------------


def disk_full(*options):
    """a full disk: changes are refused with MISCONF and 507, reads go on, and all is well once there is room"""
    faults = Faults()
    with Directory("--fsync=everysec", *options) as d:
        with d.server(env=faults.env) as s, s.client() as c:
            c("set", "before", "1")
            faults.fail(WRITE, ENOSPC)
            until("MISCONF", lambda: not takes_changes(c))
            error = c.error("set", "k", "v")
            assert error.startswith("MISCONF ") and "No space left on device" in error, error
            assert c.error("mset", "a", "1", "b", "2").startswith("MISCONF ")
            same(c("multi"), "OK")
            same(c("incr", "n"), "QUEUED")
            assert c.error("exec").startswith("MISCONF ")
            same(c("get", "before"), b"1", "reads go on")
            same(c("exists", "k", "a", "n"), 0, "what was refused changed nothing")
            status, headers, _ = s.request("PUT", "/keys/k", body=b"v")
            same((status, headers["content-type"]), (507, "application/problem+json"))
            same(s.request("GET", "/keys/before")[0], 200)
            faults.heal()
            until("changes are taken again", lambda: takes_changes(c))
            same(c("set", "after", "2"), "OK")
            want = dump(s)
            same(s.stop(), 0, "exit status")
        with d.server() as s:
            same(dump(s), want)


def short_writes():
    """a write that writes a part, and the next fails: the rest is written later, behind it"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as other:
            same(c("set", "a", "1"), "OK")
            faults.fail(WRITE, ENOSPC, count=1, partial=7)
            same(c("set", "b", "2"), "OK")
            faults.fail(WRITE, EIO, count=3)
            c.send(Resp.encode(["set", "c", "3"]))
            until("trouble", lambda: faults.calls(WRITE) > 5)
            same(c.read(), "OK", "held until it was written")
            until("changes are taken again", lambda: takes_changes(other))
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("mget", "a", "b", "c"), [b"1", b"2", b"3"])


def long_runs(fsync):
    def test():
        faults = Faults()
        value, count = "v" * 1000, 3000
        with Directory(f"--fsync={fsync}") as d:
            with d.server(env=faults.env) as s, s.client() as c, s.client() as other:
                for partial, error in (0, ENOSPC), (5000, ENOSPC), (200000, EIO), (4096, EIO):
                    first = f"{partial}-{error}"
                    faults.fail(WRITE, error, count=7, partial=partial)
                    c.send(b"".join(Resp.encode(["set", f"{first}-{i}", f"{i}{value}"]) for i in range(count)))
                    replies = [c.read_any() for _ in range(count)]
                    faults.heal()
                    until("changes are taken again", lambda: takes_changes(other))
                    for i in range(count):
                        if isinstance(replies[i], Error):
                            c("set", f"{first}-{i}", f"{i}{value}")
                until("all is written", lambda: b"aof_buffer_length:0\r\n" in c("info", "persistence"))
                want = dump(s)
                kill(s)
            with d.server() as s:
                same(dump(s), want)

    test.__doc__ = f"writes of long runs that write a part, or fail: nothing is missing after a kill -9, --fsync {fsync}"
    return test


# ---- an fsync that fails ------------------------------------------------------------------------------------------------


def failed_fsync(*options):
    """a failed fsync: nothing is acknowledged until a snapshot holds it, then all is there"""
    faults = Faults()
    with Directory("--fsync=always", *options) as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as other:
            same(c("set", "a", "1"), "OK")
            faults.fail(SYNC, EIO)
            c.send(Resp.encode(["set", "b", "2"]))
            s.wait_for_log("log: fsync: ")
            assert silent(c), "acknowledged though it may be lost"
            until("MISCONF", lambda: not takes_changes(other))
            same(s.request("PUT", "/keys/b", body=b"v")[0], 507)
            same(other("get", "b"), b"2", "reads go on, even of what is not durable")
            assert silent(c)
            faults.heal()
            same(c.read(), "OK", "once a snapshot holds it")
            until("changes are taken again", lambda: takes_changes(other))
            same(other("set", "c", "3"), "OK")
            same(s.request("PUT", "/keys/d", body=b"4")[0], 201)
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("mget", "a", "b", "c", "d"), [b"1", b"2", b"3", b"4"])


def blocked_clients(*options):
    """the reply of a BLPOP that another client serves waits for the disk too"""
    faults = Faults()
    with Directory("--fsync=always", *options) as d:
        with d.server(env=faults.env) as s, s.client() as c, s.client() as waits, s.client() as other:
            waits.send(Resp.encode(["blpop", "q", "0"]))
            until("a blocked client", lambda: b"blocked_clients:1" in other("info", "clients"))
            faults.fail(SYNC, EIO)
            c.send(Resp.encode(["rpush", "q", "x"]))
            s.wait_for_log("log: fsync: ")
            assert silent(c) and silent(waits)
            faults.heal()
            same(c.read(), 1)
            same(waits.read(), [b"q", b"x"])
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("exists", "q"), 0)


def killed_before_the_snapshot():
    """killed between a failed fsync and the snapshot behind it: what was acknowledged before is there"""
    faults = Faults()
    with Directory("--fsync=always") as d:
        with d.server(env=faults.env) as s, s.client() as c:
            same(c("set", "a", "1"), "OK")
            faults.fail(RENAME, EIO)
            faults.fail(SYNC, EIO, count=1)
            c.send(Resp.encode(["set", "b", "2"]))
            until("a snapshot that fails", lambda: faults.calls(RENAME) > 1)
            assert silent(c)
            kill(s)
        with d.server() as s, s.client() as c:
            same(c("get", "a"), b"1")


def deleted_log():
    """the log is deleted under a running server: all is written anew, and what was acknowledged is there after a restart"""
    for fsync in "always", "everysec", "no":
        with Directory(f"--fsync={fsync}") as d:
            with d.server() as s, s.client() as c:
                same(c("set", "a", "1"), "OK")
                for name in d.files("log-"):
                    os.unlink(os.path.join(d.path, name))
                same(c("set", "b", "2"), "OK")
                until("a snapshot of all", lambda: d.files("snapshot-"))
                until("changes are taken again", lambda: takes_changes(c))
                assert "the file was deleted" in s.read_log()
                same(c("set", "c", "3"), "OK")
                same(s.stop(), 0)
            with d.server() as s, s.client() as c:
                same(c("mget", "a", "b", "c"), [b"1", b"2", b"3"], fsync)


def deleted_directory():
    """the whole directory is deleted, and maybe made again: it is taken up, and what is in memory is there after a restart"""
    for fsync, made_again in ("always", False), ("everysec", True), ("no", False):
        with Directory(f"--fsync={fsync}") as d:
            with d.server() as s, s.client() as c:
                same(c("set", "a", "1"), "OK")
                shutil.rmtree(d.path)
                if made_again:
                    os.mkdir(d.path)
                same(c("set", "b", "2"), "OK")
                until("a snapshot of all", lambda: os.path.exists(d.path) and d.files("snapshot-"))
                until("changes are taken again", lambda: takes_changes(c))
                same(c("set", "c", "3"), "OK")
                second = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", f"--data-dir={d.path}"],
                                        capture_output=True, text=True, timeout=PATIENCE)
                assert "another process uses this data directory" in second.stderr, second.stderr
                same(s.stop(), 0)
            with d.server() as s, s.client() as c:
                same(c("mget", "a", "b", "c"), [b"1", b"2", b"3"], fsync)


def other_data():
    """in the place of the deleted directory another server's data are put: they stay as they are, and changes are refused"""
    with Directory() as d, Directory() as other:
        with other.server() as s, s.client() as c:
            c("set", "theirs", "1")
            same(s.stop(), 0)
        with d.server() as s, s.client() as c:
            shutil.rmtree(d.path)
            shutil.copytree(other.path, d.path)
            before = d.files("")
            c("set", "a", "1")
            until("MISCONF", lambda: not takes_changes(c))
            s.wait_for_log("cannot begin a segment: File exists")
            same(d.files(""), before)
            same(s.stop(), 0)
        with d.server() as s, s.client() as c:
            same(c("get", "theirs"), b"1")


def told_once():
    """a snapshot that fails again and again is tried on, and told of once"""
    faults = Faults()
    with Directory("--fsync=everysec", "--snapshot-seconds=1") as d:
        with d.server(env=faults.env) as s, s.client() as c:
            begun = faults.calls(CREATE)
            faults.fail(CREATE, ENOSPC)
            same(c("set", "a", "1"), "OK")
            until("three that fail", lambda: faults.calls(CREATE) > begun + 2)
            same([s.read_log().count(line) for line in ("cannot begin a segment: No space", "snapshot: ")], [1, 1], s.read_log())
            assert "snapshot: No space left on device" in s.read_log(), s.read_log()
            faults.heal()
            until("one that does not", lambda: d.files("snapshot-"))
            same(s.stop(), 0)


# ---- the Nth call fails -------------------------------------------------------------------------------------------------


def short_run(server):
    """Sets keys, with a snapshot in the midst; what was acknowledged."""
    acknowledged = {}
    with server.client() as c:
        c.socket.settimeout(PATIENCE)
        for i in range(6):
            try:
                if i == 3:
                    c("save")
                c("mset", f"a{i}", i, f"b{i}", i)
                acknowledged[i] = True
            except Error:
                pass
    return acknowledged


def every_call(kind, error):
    def test():
        n = 1
        while True:
            faults = Faults()
            with Directory("--fsync=always") as d:
                with d.server(env=faults.env) as s:
                    faults.fail(kind, error, first=n, count=1)
                    acknowledged = short_run(s)
                    calls = faults.calls(kind)
                    kill(s)
                with d.server() as s:
                    there = {k.decode(): v[1] for k, v in dump(s).items()}
            for i in range(6):
                both = there.get(f"a{i}"), there.get(f"b{i}")
                assert both in [(None, None), (b"%d" % i, b"%d" % i)], f"call {n}: half of an MSET, {both}"
                assert i not in acknowledged or both[0] is not None, f"call {n}: {i} was acknowledged, and is gone"
            if calls < n:
                break
            n += 1
        assert n > 1

    test.__doc__ = f"the Nth {['write', 'fsync', 'rename', 'open'][kind]} fails, for every N of a short run"
    return test


def amid_snapshots(test):
    """The same while one snapshot follows the other."""
    def run():
        test("--snapshot-log-bytes=1")

    run.__doc__ = f"{name_of(test)}, while snapshots are written"
    return run


if __name__ == "__main__":
    tests = [disk_full, short_writes, failed_fsync, blocked_clients, killed_before_the_snapshot, deleted_log, deleted_directory, other_data, told_once, *map(long_runs, ("always", "everysec", "no")),
             *map(amid_snapshots, (disk_full, failed_fsync, blocked_clients)),
             every_call(WRITE, ENOSPC), every_call(SYNC, EIO), every_call(RENAME, EIO), every_call(CREATE, EIO)]
    report([(name_of(t), t) for t in tests])
