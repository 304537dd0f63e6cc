#!/usr/bin/env python3
"""COMMAND DOCS of every command that redis-server 7.0 has too: the same fields in the same order, arguments and all.

Texts are FlashKV's own: of a summary only that it is there is compared, of a complexity the terms, of a history the
versions. What came after 7.0 says so itself and is left out.
"""
import re

from fk import Resp, run, same
from redis_compare import Redis, raw_reply

OURS = "7.0.15"
EXPLAINED = {  # path of what differs: why
    "debug": "DEBUG has rows of its own here, and so subcommands",
    "command|getkeys": "Redis 7.0 tells no arguments",
    "command|getkeysandflags": "Redis 7.0 tells no arguments",
}


def version(text):
    return tuple(map(int, text.split(".")))


def later(thing):
    return b"since" in thing and version(thing[b"since"].decode()) > version(OURS)


def terms(text):
    return re.findall(r"O\((?:[^()]|\([^()]*\))*\)", text.decode())


def compare_args(path, mine, theirs):
    """Differences of two lists of arguments, each as (field, value) pairs in order."""
    mine = [a for a in mine if not later(a)]
    if len(mine) != len(theirs):
        return [f"{path}: arguments {[a[b'name'] for a in mine]}, in Redis {[a[b'name'] for a in theirs]}"]
    return [d for a, b in zip(mine, theirs) for d in compare(f"{path} {b[b'name'].decode()}", a, b)]


def compare_field(path, field, mine, theirs):
    if field == b"summary":
        return [] if mine else [f"{path}: no summary"]
    if field == b"complexity":
        a, b = terms(mine), terms(theirs)
        return [] if a[:1] == b[:1] and set(a) <= set(b) else [f"{path}: {mine}, in Redis {theirs}"]
    if field == b"replaced_by":
        a, b = (sorted(re.findall("[A-Z]+", text.decode())) for text in (mine, theirs))
        return [] if a == b else [f"{path}: replaced by {mine}, in Redis {theirs}"]
    if field == b"history":
        a = [v for v, _ in mine if version(v.decode()) <= version(OURS)]
        return [] if a == [v for v, _ in theirs] else [f"{path}: history {mine}, in Redis {theirs}"]
    if field == b"arguments":
        return compare_args(path, mine, theirs)
    if field == b"subcommands":
        return [d for sub in mine if sub in theirs for d in compare(sub.decode(), mine[sub], theirs[sub])]
    return [] if mine == theirs else [f"{path}: {field} {mine}, in Redis {theirs}"]


def compare(path, mine, theirs):
    if b"history" in mine and b"history" not in theirs:
        mine = {f: v for f, v in mine.items() if f != b"history" or version(v[0][0].decode()) < version(OURS)}
    if b"arguments" in mine and all(map(later, mine[b"arguments"])):
        del mine[b"arguments"]
    if list(mine) != list(theirs):
        return [f"{path}: {list(mine)}, in Redis {list(theirs)}"]
    return [d for field in theirs for d in compare_field(path, field, mine[field], theirs[field])]


def test_docs(server):
    """COMMAND DOCS as redis-server's"""
    with Redis() as redis, Resp(redis.port) as theirs, Resp(server.resp) as ours:
        theirs("HELLO", 3)
        ours("HELLO", 3)
        mine, all_theirs = ours("COMMAND", "DOCS"), theirs("COMMAND", "DOCS")
        shared = [name for name in mine if name in all_theirs]
        assert len(shared) > 150, len(shared)
        found = [d for name in shared for d in compare(name.decode(), mine[name], all_theirs[name])]
        same([d for d in found if d.split(":")[0] not in EXPLAINED], [])
        same(sorted({d.split(":")[0] for d in found}), sorted(EXPLAINED), "differences that are explained")


def test_bytes(server):
    """COMMAND DOCS in the types of redis-server's replies, in RESP2 and RESP3"""
    no_text = re.compile(rb"(summary|complexity|replaced_by|\*2\r\n\$\d\r\n[\d.]+)\r\n\$\d+\r\n[^\r]*")
    with Redis() as redis, Resp(redis.port) as theirs, Resp(server.resp) as ours:
        for protocol in (2, 3):
            for name in ("GET", "SORT", "ZADD", "HMSET", "EXEC", "LOLWUT", "REPLICAOF"):
                replies = []
                for r in (ours, theirs):
                    r("HELLO", protocol)
                    r.send(Resp.encode(["COMMAND", "DOCS", name]))
                    replies.append(no_text.sub(rb"\1", raw_reply(r.file)))
                same(replies[0], replies[1], f"{name} in RESP{protocol}")


run([test_docs, test_bytes])
