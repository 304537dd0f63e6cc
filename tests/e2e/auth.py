#!/usr/bin/env python3
"""A password: from a flag, the environment or a file; nothing but AUTH, HELLO and QUIT before it; redis-cli."""
import os
import subprocess
import tempfile

from fk import FLASHKV, Error, Resp, Server, run, same


def check_asked(server):
    with Resp(server.resp) as c:
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
        same(c.error("AUTH", "wrong").split()[0], "WRONGPASS")
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
        same(c("AUTH", "s3cret"), "OK")
        same(c("GET", "k"), None)
        same(c("RESET"), "RESET")
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
    with Resp(server.resp) as c:  # in one go with what must not run
        c.send(c.encode(["SET", "k", "v"]) + c.encode(["AUTH", "s3cret"]) + c.encode(["GET", "k"]))
        try:
            c.read()
            raise AssertionError("it ran")
        except Error as e:
            same(str(e), "NOAUTH Authentication required.")
        same([c.read(), c.read()], ["OK", None])


def test_flag(server):
    """a flag"""
    check_asked(server)


def test_environment(_):
    """the environment"""
    with Server(env={"FLASHKV_REQUIREPASS": "s3cret"}) as server:
        check_asked(server)


def test_file(_):
    """a file that the environment names"""
    with tempfile.NamedTemporaryFile("w") as f:
        f.write("s3cret\nnothing else\n")
        f.flush()
        with Server(env={"FLASHKV_REQUIREPASS_FILE": f.name}) as server:
            check_asked(server)
            assert "s3cret" not in server.read_log()


def test_files_that_are_no_use(_):
    """password files that are no use"""
    for options in (["--requirepass-file=/nowhere"], ["--requirepass-file=/dev/null"],
                    ["--requirepass-file=/dev/null", "--requirepass=x"]):
        done = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", *options], capture_output=True, timeout=20)
        same(done.returncode, 2)
        assert b"password file" in done.stderr, done.stderr


def test_clients(server):
    """redis-cli, by -a and by its environment"""
    cli = ["redis-cli", "-p", str(server.resp), "--no-auth-warning"]
    for more in ([], ["-3"]):
        same(subprocess.run([*cli, *more, "-a", "s3cret", "ping"], capture_output=True, timeout=20).stdout, b"PONG\n")
    done = subprocess.run([*cli, "ping"], capture_output=True, timeout=20, env={**os.environ, "REDISCLI_AUTH": "s3cret"})
    same(done.stdout, b"PONG\n")
    assert b"NOAUTH" in subprocess.run([*cli, "ping"], capture_output=True, timeout=20).stdout


def test_changed_while_it_runs(server):
    """CONFIG SET requirepass"""
    with Resp(server.resp) as before:
        same(before("CONFIG", "SET", "requirepass", "s3cret"), "OK")
        same(before("SLOWLOG", "LEN"), 0)
        check_asked(server)
        same(before("GET", "k"), None)
        same(before("CONFIG", "SET", "requirepass", ""), "OK")
        with Resp(server.resp) as c:
            same(c("GET", "k"), None)


PASSWORD = "--requirepass=s3cret"
run([(test_flag, PASSWORD), test_environment, test_file, test_files_that_are_no_use, (test_clients, PASSWORD),
     test_changed_while_it_runs])
