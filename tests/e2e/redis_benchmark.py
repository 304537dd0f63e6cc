#!/usr/bin/env python3
"""redis-benchmark 7.0: its whole default list, in its ways of asking; each test is done, and no reply is an error."""
import re
import subprocess

from fk import run, same

TESTS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD",
         "ZPOPMIN", "LPUSH (needed to benchmark LRANGE)", "LRANGE_100 (first 100 elements)",
         "LRANGE_300 (first 300 elements)", "LRANGE_500 (first 500 elements)", "LRANGE_600 (first 600 elements)",
         "MSET (10 keys)"]
WAYS = [["-n", "2000"], ["-n", "4000", "-P", "16"], ["-n", "2000", "-c", "50", "--threads", "2"],
        ["-n", "4000", "-r", "1000", "-P", "16", "-d", "100"], ["-n", "500", "-k", "0", "-c", "5"]]


def benchmark(s, *options):
    p = subprocess.run(["redis-benchmark", "-p", str(s.resp), *options], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=200)
    text = p.stdout.decode().replace("\r", "\n")
    same(p.returncode, 0, text[-2000:])
    assert "Error from server" not in text and "WARNING: Could not fetch" not in text, text[-2000:]
    with s.client() as c:
        assert b"total_error_replies:0\r\n" in c("INFO", "stats"), "an error was replied"
    return text


def make(options):
    def test(s):
        text = benchmark(s, "-q", *options)
        done = re.findall(r"^([A-Z].*): \d+\.\d\d requests per second, p50=\d+\.\d+ msec *$", text, re.M)
        same(done, TESTS)

    test.__doc__ = f"redis-benchmark {' '.join(options)}"
    return test


def test_csv(s):
    """redis-benchmark --csv"""
    head, *lines = benchmark(s, "--csv", "-n", "2000", "-P", "4").splitlines()
    same(head.split(",")[:2], ['"test"', '"rps"'])
    same([re.match('"([^"]*)","[0-9]+[.][0-9]+",', line)[1] for line in lines], TESTS)


def test_left(s):
    """what it leaves is what it says it did; commands of one's own; three connections to a RESP3 server"""
    benchmark(s, "-q", "-n", "3000", "-t", "incr,lpush,hset", "-P", "10")
    with s.client() as c:
        same([c("GET", "counter:__rand_int__"), c("LLEN", "mylist")], [b"3000", 3000])
        assert c("HLEN", "myhash") >= 1
        text = benchmark(s, "-q", "-3", "-n", "1000", "-r", "100000", "-c", "3", "zadd", "z", "__rand_int__", "m__rand_int__")
        assert "requests per second" in text, text
        assert 900 < c("ZCARD", "z") <= 1000, c("ZCARD", "z")


if __name__ == "__main__":
    run([*((make(way), "--resp-threads=2") for way in WAYS), test_csv, (test_left, "--resp-threads=2")])
