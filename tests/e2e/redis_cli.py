#!/usr/bin/env python3
"""redis-cli 7.0 in its modes, as people poke a server with it: what each prints, not only that it ends well."""
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from fk import FLASHKV, Server, run, same
from terminal import Terminal

SECONDS = 60


def cli(s, *words, stdin=b"", status=0):
    """What one run of redis-cli prints, errors included."""
    p = subprocess.run(["redis-cli", "-p", str(s.resp), *map(str, words)], input=stdin, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=SECONDS)
    text = p.stdout.decode()
    same(p.returncode, status, f"{words}: {text}")
    return text.removesuffix("\n")


def has(text, *patterns):
    for pattern in patterns:
        assert re.search(pattern, text, re.M), f"no {pattern!r} in:\n{text[-2000:]}"


def watch(s, words, pattern, meanwhile=lambda: None):
    """Runs a mode that does not end by itself until it has printed the pattern; returns what it printed until then."""
    p = subprocess.Popen(["stdbuf", "-oL", "timeout", str(SECONDS), "redis-cli", "-p", str(s.resp), *map(str, words)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         start_new_session=True)
    text, told = "", False
    try:
        while not re.search(pattern, text, re.M):
            more = os.read(p.stdout.fileno(), 65536).decode()
            assert more, f"no {pattern!r} in:\n{text[-2000:]}"
            text += more
            if not told:
                meanwhile()
                told = True
    finally:
        os.killpg(p.pid, signal.SIGTERM)
        p.stdout.close()
        p.wait()
    return text


def keyspace(s):
    """One key of each type, and strings."""
    for words in (["mset", "s1", "v", "s2", "x" * 300], ["rpush", "l", "a", "b", "c"], ["hset", "h", "f", "1", "g", "2"],
                  ["sadd", "st", 1, 2, 3, 4], ["zadd", "z", "1.5", "a", 2, "b"]):
        cli(s, *words)


def test_one_command(s):
    """one command: raw, formatted, CSV, JSON, RESP3, errors by -e, repeated by -r"""
    keyspace(s)
    same(cli(s, "get", "s1"), "v")
    same(cli(s, "--no-raw", "lrange", "l", 0, -1), '1) "a"\n2) "b"\n3) "c"')
    same(cli(s, "--csv", "lrange", "l", 0, -1), '"a","b","c"')
    same(cli(s, "--json", "hgetall", "h"), '{"f":"1","g":"2"}')
    same(cli(s, "-3", "--json", "zrange", "z", 0, -1, "withscores"), '[["a",1.5],["b",2]]')
    same(cli(s, "-3", "--no-raw", "hgetall", "h"), '1# "f" => "1"\n2# "g" => "2"')
    same(cli(s, "-3", "--no-raw", "smembers", "st").splitlines()[0], '1~ "1"')
    same(cli(s, "-3", "--no-raw", "zscore", "z", "a"), "(double) 1.5")
    has(cli(s, "-3", "--no-raw", "hello"), r'^ *\d+# "proto" => \(integer\) 3$')
    same(cli(s, "-3", "--no-raw", "get", "none"), "(nil)")
    same(cli(s, "-D", ";", "-r", 3, "-i", "0.01", "incr", "n"), "1;2;3;")
    same(cli(s, "-d", ";", "--raw", "lrange", "l", 0, -1), "a;b;c")
    same(cli(s, "-u", f"redis://127.0.0.1:{s.resp}/0", "ping"), "PONG")
    same(cli(s, "lpush", "s1", "x"), "WRONGTYPE Operation against a key holding the wrong kind of value\n")
    has(cli(s, "-e", "lpush", "s1", "x", status=1), "^WRONGTYPE")
    has(cli(s, "-n", 1, "ping"), "^SELECT 1 failed: ERR DB index is out of range")


def test_stdin(s):
    """commands and arguments from standard input: lines, -x, -X"""
    same(cli(s, stdin=b"set k v\nget k\nincr k\n"), "OK\nv\nERR value is not an integer or out of range\n")
    same(cli(s, "-x", "set", "k", stdin=bytes(range(256))), "OK")
    same(cli(s, "strlen", "k"), "256")
    same(cli(s, "-X", "here", "set", "here", "v", stdin=b"name"), "OK")
    same(cli(s, "get", "name"), "v")


def test_scan(s):
    """--scan, with patterns"""
    cli(s, stdin=b"".join(b"set scan:%d x\n" % i for i in range(500)) + b'set "odd \\x00" x\n')
    same(len(set(cli(s, "--scan").splitlines())), 501)
    same(len(set(cli(s, "--scan", "--pattern", "scan:*").splitlines())), 500)
    same(set(cli(s, "--scan", "--pattern", "scan:12?").splitlines()), {f"scan:{n}" for n in range(120, 130)})
    same(cli(s, "--no-raw", "--scan", "--quoted-pattern", '"odd \\x00"'), '"odd \\x00"')


def test_big_keys(s):
    """--bigkeys, --memkeys and --hotkeys"""
    keyspace(s)
    has(cli(s, "--bigkeys"), r"^Sampled 6 keys", r"""^Biggest +list found '"l"' has 3 items$""",
        r"""^Biggest +hash found '"h"' has 2 fields$""", r"""^Biggest +string found '"s2"' has 300 bytes$""",
        r"""^Biggest +set found '"st"' has 4 members$""", r"""^Biggest +zset found '"z"' has 2 members$""",
        r"^2 strings with 301 bytes \(33\.33% of keys, avg size 150\.50\)$")
    for mode in (["--memkeys"], ["--memkeys-samples", 2]):
        has(cli(s, *mode), r"""^Biggest string found '"s2"' has [3-9]\d\d bytes$""", r"^1 zsets with [1-9]\d+ bytes")
    cli(s, "config", "set", "maxmemory-policy", "noeviction")
    has(cli(s, "--hotkeys", status=1), "An LFU maxmemory policy is not selected, access frequency not tracked")
    cli(s, "config", "set", "maxmemory-policy", "allkeys-lfu")
    cli(s, "flushall")
    keyspace(s)
    cli(s, stdin=b"get s1\n" * 100)
    has(cli(s, "--hotkeys"), r"^Sampled 6 keys", r'^hot key found with counter: \d+\tkeyname: "s1"$')


def test_latency(s):
    """--latency, --latency-history, --latency-dist, --stat"""
    has(cli(s, "--latency", "-i", "0.2"), r"^\d+ \d+ \d+\.\d\d \d+$")
    has(cli(s, "--latency", "--csv", "-i", "0.2"), r"^\d+,\d+,\d+\.\d\d,\d+$")
    watch(s, ["--latency-history", "-i", "0.2"], r"^\d+ \d+ \d+\.\d\d \d+\n -- \d\.\d\d seconds range$")
    watch(s, ["--latency-dist", "-i", "0.2"], r"from 1 to 9 +milliseconds(.*\n)+.*-----\n.*\x1b\[38;5;0m")
    cli(s, "set", "k", "v")
    has(watch(s, ["--stat", "-i", "0.05"], r"^1 +\S+ +\d+ +0 +\d+ \(\+[1-9]\d*\)"),
        r"^keys +mem +clients +blocked +requests +connections")


def test_pipe(s):
    """--pipe: 20 000 commands, and what --dump-resp writes of another server's data"""
    many = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\np%d\r\n$1\r\nx\r\n" % (len(str(i)) + 1, i) for i in range(20000))
    has(cli(s, "--pipe", stdin=many), r"^errors: 0, replies: 20000$")
    same(cli(s, "dbsize"), "20000")
    has(cli(s, "--pipe", stdin=many + b"*1\r\n$5\r\nBOGUS\r\n", status=1), r"^errors: 1, replies: 20001$")
    cli(s, "flushall")
    with tempfile.TemporaryDirectory() as folder:
        with Server(f"--data-dir={folder}") as other:
            keyspace(other)
            expected = [cli(other, "lrange", "l", 0, -1), cli(other, "zrange", "z", 0, -1, "withscores")]
            same(other.stop(), 0)
        dump = subprocess.run([FLASHKV, "--dump-resp", folder], stdout=subprocess.PIPE, check=True, timeout=SECONDS).stdout
    has(cli(s, "--pipe", stdin=dump), r"^errors: 0, replies: [1-9]\d*$")
    same([cli(s, "lrange", "l", 0, -1), cli(s, "zrange", "z", 0, -1, "withscores")], expected)
    same(cli(s, "dbsize"), "6")


def test_listening(s):
    """SUBSCRIBE, PSUBSCRIBE and MONITOR, in RESP2 and RESP3"""
    for protocol in ([], ["-3"]):
        for words, got in ((["subscribe", "news"], "message\nnews\nhello"),
                           (["psubscribe", "n*"], "pmessage\nn*\nnews\nhello"),
                           (["ssubscribe", "news"], "smessage\nnews\nhello")):
            publish = "spublish" if words[0][0] == "s" and words[0][1] == "s" else "publish"
            watch(s, [*protocol, *words], f"^{re.escape(got)}$", lambda: same(cli(s, publish, "news", "hello"), "1"))
        watch(s, [*protocol, "monitor"], r'^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "set" "k" "a\\"b"$',
              lambda: same(cli(s, "set", "k", 'a"b'), "OK"))


def test_interactive(s):
    """on a terminal: help that COMMAND DOCS feeds, a transaction's prompt, repetition, a subscription"""
    prompt = rf"127\.0\.0\.1:{s.resp}> "
    with Terminal("redis-cli", "-p", str(s.resp)) as t:
        t.wait_for(prompt)
        t.type("help get", "Returns the string of a key", prompt)
        t.type("help @connection", "Answers PONG", prompt)
        t.type("set typed yes", "^OK$", prompt)
        t.type("get typed", '^"yes"$', prompt)
        t.type("multi", "^OK$", rf"127\.0\.0\.1:{s.resp}\(TX\)> ")
        t.type("incr n", "^QUEUED$", r"\(TX\)> ")
        t.type("exec", r"^1\) \(integer\) 1$", prompt)
        t.type("3 incr n", r"^\(integer\) 2$", r"^\(integer\) 3$", r"^\(integer\) 4$", prompt)
        t.type("nonsense", r"^\(error\) ERR unknown command 'nonsense'", prompt)
        t.type("subscribe ch", r"^Reading messages\.\.\.", r'^1\) "subscribe"$', r"^3\) \(integer\) 1$")
        same(cli(s, "publish", "ch", "hello"), "1")
        t.wait_for(r'^1\) "message"\n2\) "ch"\n3\) "hello"$')


def test_refused(s):
    """what FlashKV has not got fails with words, and hurts nobody: --rdb, --replica, --eval, --cluster"""
    with tempfile.TemporaryDirectory() as folder:
        has(cli(s, "--rdb", f"{folder}/x.rdb", status=1), "SYNC with master failed: -ERR unknown command 'SYNC'")
        has(cli(s, "--functions-rdb", f"{folder}/x.rdb", status=1), "Failed requesting functions only RDB")
        script = Path(folder, "script.lua")
        script.write_text("return 1")
        has(cli(s, "--eval", script, "k", ",", "v"), "^ERR unknown command 'EVAL'")
    has(cli(s, "--replica", status=1), "SYNC with master failed: -ERR unknown command 'SYNC'")
    has(cli(s, "--cluster", "info", f"127.0.0.1:{s.resp}", status=1), "is not configured as a cluster node")
    same(cli(s, "ping"), "PONG")


if __name__ == "__main__":
    run([test_one_command, test_stdin, test_scan, test_big_keys, test_latency, test_pipe, test_listening,
         test_interactive, test_refused])
