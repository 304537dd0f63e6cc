#!/usr/bin/env python3
"""COMMAND INFO of every command that redis-server 7.0 has too: the same arity, flags, keys, categories, tips and specs."""
import tempfile

from fk import Resp, run, same
from redis_compare import Redis

NAMES = ["name", "arity", "flags", "first key", "last key", "step", "ACL categories", "tips", "key specifications"]
# Deliberate differences, each with its reason.
EXCEPT = {
    ("zrank", "arity"), ("zrevrank", "arity"),  # WITHSCORE, of 7.2
}




NOT_MEASURED = sorted("""
    aof_current_rewrite_time_sec current_eviction_exceeded_time current_save_keys_processed current_save_keys_total
    expire_cycle_cpu_milliseconds expired_stale_perc expired_time_cap_reached_count rdb_current_bgsave_time_sec
    rdb_last_load_keys_loaded total_eviction_exceeded_time total_reads_processed total_writes_processed
    used_cpu_sys_main_thread used_cpu_user_main_thread""".split())
folder = tempfile.TemporaryDirectory()


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
    with Redis() as redis, Resp(redis.port) as other, server.client() as ours:
        names = ours("COMMAND", "LIST")
        mine, theirs = rows(ours, names), rows(other, names)
        shared = sorted(mine.keys() & theirs.keys())
        assert len(shared) > 150, len(shared)
        wrong = [f"{name.decode()}: {NAMES[i]}: {tidy(mine[name][i])} is {tidy(theirs[name][i])} in Redis"
                 for name in shared for i in range(1, 9)
                 if tidy(mine[name][i]) != tidy(theirs[name][i]) and (name.decode(), NAMES[i]) not in EXCEPT]
        same(wrong, [])


def fields(client):
    """By section; those of commands and errors depend on what was run."""
    found, section = set(), ""
    for line in client("INFO", "everything").decode().split("\r\n"):
        section = line[2:] if line.startswith("# ") else section
        if ":" in line and section not in ("Commandstats", "Errorstats", "Latencystats"):
            found.add((section, line.split(":")[0]))
    return found


def test_fields(server):
    """INFO and MEMORY STATS have the fields that redis-server's have, but for what is not measured"""
    with Redis() as redis, Resp(redis.port) as other, server.client() as ours:
        same(sorted(name for _, name in fields(other) - fields(ours)), NOT_MEASURED)
        theirs, mine = other("MEMORY", "STATS")[::2], ours("MEMORY", "STATS")[::2]
        same(sorted(set(theirs) - set(mine)), [])


def test_without_data(server):
    """INFO has the same fields when nothing is kept, but for the log's own"""
    with server.client() as ours, Redis() as redis, Resp(redis.port) as other:
        same(sorted(name for _, name in fields(other) - fields(ours)), NOT_MEASURED)


def test_config(server):
    """CONFIG GET tells each option once, all of redis-server's among them"""
    with Redis() as redis, Resp(redis.port) as other, server.client() as ours:
        mine, theirs = ours("CONFIG", "GET", "*")[::2], other("CONFIG", "GET", "*")[::2]
        same(sorted(name for name in set(mine) if mine.count(name) > 1), [])
        same(sorted(set(theirs) - set(mine)), [])
        same(ours("CONFIG", "GET", "appendfsync"), [b"appendfsync", b"everysec"])
        same(ours("CONFIG", "SET", "appendfsync", "everysec"), "OK")
        assert "can't set immutable config" in ours.error("CONFIG", "SET", "appendfsync", "always")


run([test_info, (test_fields, "--data-dir=" + folder.name), test_without_data, test_config])
