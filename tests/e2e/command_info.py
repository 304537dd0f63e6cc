#!/usr/bin/env python3
"""COMMAND INFO of every command that redis-server 7.0 has too: the same arity, flags, keys, categories, tips and specs."""
import socket
import subprocess
import tempfile
import time

from fk import Resp, run, same

NAMES = ["name", "arity", "flags", "first key", "last key", "step", "ACL categories", "tips", "key specifications"]
# Deliberate differences, each with its reason.
EXCEPT = {
    ("zrank", "arity"), ("zrevrank", "arity"),  # WITHSCORE, of 7.2
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tidy(value):
    """Sets have no order, and notes are for people."""
    if isinstance(value, dict):
        return {k: tidy(v) for k, v in value.items() if k != b"notes"}
    if isinstance(value, list):
        return sorted((tidy(v) for v in value), key=repr)
    return value.decode() if isinstance(value, bytes) else value


def rows(client, names):
    client("HELLO", 3)
    table = {}
    for row in client("COMMAND", "INFO", *names):
        if row is None:
            continue
        table[row[0]] = row
        for sub in row[9]:
            table[sub[0]] = sub
    return table


def test_info(server):
    """COMMAND INFO as redis-server's"""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        redis = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--dir", folder],
                                 stdout=subprocess.DEVNULL)
        try:
            for _ in range(200):
                try:
                    other = Resp(port)
                    break
                except OSError:
                    time.sleep(0.02)
            with other, server.client() as ours:
                names = ours("COMMAND", "LIST")
                mine, theirs = rows(ours, names), rows(other, names)
                shared = sorted(mine.keys() & theirs.keys())
                assert len(shared) > 150, len(shared)
                wrong = [f"{name.decode()}: {NAMES[i]}: {tidy(mine[name][i])} is {tidy(theirs[name][i])} in Redis"
                         for name in shared for i in range(1, 9)
                         if tidy(mine[name][i]) != tidy(theirs[name][i]) and (name.decode(), NAMES[i]) not in EXCEPT]
                same(wrong, [])
        finally:
            redis.terminate()
            redis.wait()


run([test_info])
