#!/usr/bin/env python3
"""Random commands to redis-server 7.0 and to FlashKV: every reply is the same, whatever went before.

The commands are drawn from a fixed seed. Nothing expires meanwhile: times are absolute and far away, or past, or wrong.
(Not asked: DBSIZE, for Redis counts keys that have expired until it comes to sweep them.)
"""
import random

from fk import Resp, run
from redis_compare import Redis, raw_reply

COMMANDS = 10000
FRESH_EVERY = 500  # commands on one keyspace

KEYS = ["a", "b", "c", "l", "m", ""]
HASHES, SETS = ["h", "i", "a"], ["s", "t", "u", "a"]
SORTED, LEX = ["z", "y", "w", "a"], ["e", "f"]
VALUES = ["v", "", "10", "-5", "a\0b", "b", "9223372036854775807", "x" * 70, "y" * 5000]
NUMBERS = ["0", "1", "-1", "2", "-2", "3", "-9", "100", "", "x", "1.5", "+1", "01", " 1", "-0",
           "9223372036854775807", "-9223372036854775808", "9223372036854775808"]
TIMES = ["0", "-1", "x", "", "9223372036854775807", "-9223372036854775808"]
PAST_OR_FAR = TIMES + ["1", "33177117420", "9223372036854775", "33177117420000"]
UNORDERED = {"keys", "hgetall", "hkeys", "hvals", "hscan", "smembers", "sinter", "sunion", "sdiff", "sscan",
             "zscan"}
OPTIONS = ["nx", "XX", "get", "keepttl", "persist", "gt", "lt", "bogus", "ex", "exat", ""]
PATTERNS = ["*", "a", "[a-c]", "?", "l*", "\\a", "[^a]", "", "[", "[a", "[c-a]", "a\\", "*a*", "[]a]"]

# What a letter of a shape stands for.
KINDS = {
    "k": KEYS, "v": VALUES, "n": NUMBERS, "r": TIMES, "t": PAST_OR_FAR, "o": OPTIONS, "p": PATTERNS,
    "h": HASHES, "s": SETS, "m": VALUES + ["1", "2", "3", "-7", "007"],
    "z": SORTED, "e": LEX, "c": ["0", "1", "2", "3", "-1.5", "0.1", "1e3", "inf", "-inf", "-3", "1e16", "x", "nan", "-0.25"],
    "b": ["0", "1", "(1", "2", "(3", "-inf", "+inf", "(inf", "0.1", "(0.1", "x", ""], "d": ["withscores", "bogus", "WITHSCORES"],
    "B": ["-", "+", "[a", "(a", "[b", "(v", "[x", "[", "(", "a", ""], "O": ["nx", "XX", "gt", "LT", "ch", "incr", "CH"],
    "M": ["min", "MAX", "mid"], "A": ["sum", "min", "MAX", "avg"], "V": ["rev", "REV", "bogus"],
    "N": ["1", "2", "3", "0", "-1", "x"], "L": ["limit", "LIMIT", "bogus"],
    "E": ["left", "RIGHT", "left", "RIGHT", "up"], "P": ["rank", "COUNT", "maxlen"],
    "D": ["len", "IDX", "withmatchlen", "MINMATCHLEN"],
    "O": ["asc", "DESC", "alpha", "replace", "bogus"], "B": ["*", "nope*", "*->v", "h", "#"],
    "R": ["ex", "PX"], "T": ["exat", "PXAT"], "W": ["before", "AFTER", "between"],
}
SHAPES = """
    get k/getset k v/getdel k/getex k/getex k R r/getex k T t/getex k o/getex k o o/setnx k v/append k v/strlen k
    set k v/set k v/set k v o/set k v o o/set k v R r/set k v T t/set k v T t o/set k v o T t/setex k r v/psetex k r v
    mset k v/mset k v k v/mset k v k v k v k v k v/lcs k k/lcs k k D/lcs k k idx D n/lcs a b idx withmatchlen D n/object encoding k
    mget k k k/incr k/decr k/incrby k n/decrby k n
    lpush l v/lpush k v v/rpush l v/rpush k v v/lpushx k v/rpushx k v v/lpop k/rpop k/lpop k n/rpop k n/llen k
    lindex k n/lrange k n n/lrange l n n/lset k n v/lset l n v/lrem k n v/lrem l n v/linsert k W v v/linsert l W v v
    ltrim k n n/ltrim l n n/lmove l m E E/lmove l l E E/lmove k k E E/rpoplpush l m/rpoplpush k k/lpos l v/lpos k v P n
    lpos l v P n P n/lmpop N l E/lmpop N l m E count n/lmpop N k k E
    copy k k/copy k k replace/copy k k replace O/copy h h/copy h h replace/copy s s/copy s s replace/copy k l replace
    sort l/sort l O/sort l alpha O/sort l O O limit n n/sort l store k/sort k alpha/sort_ro l alpha desc/sort s alpha/sort l by nosort get #
    sort l alpha get # get B get B/sort l by B alpha get #/sort l limit n n alpha store l
    hset h v v/hset h v v v v/hset k v v/hmset h v v/hsetnx h v v/hget h v/hget k v/hmget h v v v/hgetall h/hkeys h/hvals h
    hlen h/hlen k/hexists h v/hstrlen h v/hdel h v/hdel h v v/hincrby h v n/hincrbyfloat h v n/hscan h 0 count 100
    sadd s m/sadd s m m m/sadd k m/srem s m/srem s m m/scard s/scard k/sismember s m/smismember s m m/smembers s/smove s s m
    sinter s s/sunion s s s/sdiff s s/sinterstore s s s/sunionstore s s s/sdiffstore s s s/sinter s k/sunionstore k s
    sintercard N s/sintercard N s s/sintercard N s s L n/sscan s 0 count 100
    zadd z c m/zadd z c m c m c m/zadd z c m c m c v/zadd z O c m/zadd z O c m c v/zadd z O O c m/zadd k c m/zincrby z c m/zscore z m
    zmscore z m m/zcard z/zrank z m/zrevrank z v/zrem z m/zrem z m v/zrange z n n/zrange z 0 -1 withscores/zrange z n n rev d
    zrange z b b byscore/zrange z b b byscore V L n n/zrange z b b byscore d L n n/zrevrange z n n d/zrangebyscore z b b d/zrevrangebyscore z b b L n n
    zcount z b b/zrangestore z z n n/zrangestore z z b b byscore L n n/zrangestore z z n n V/zremrangebyrank z n n/zremrangebyscore z b b
    zpopmin z/zpopmax z n/zpopmin z n/zmpop N z M/zmpop N z z M count n/zmpop N z s M/zunion N z z d/zunion N z s/zinter N z z z d
    zunion N z z weights c c withscores/zinter N z s weights c c aggregate A withscores/zdiff N z z d/zdiff N z s z
    zunionstore z N z z/zunionstore z N z s weights c c/zinterstore z N z z aggregate A/zdiffstore z N z z/zintercard N z z L n/zscan z 0 count 500
    zadd e 0 m/zadd e 0 v 0 m 0 v/zrem e m/zrangebylex e B B/zrangebylex e B B L n n/zrevrangebylex e B B/zlexcount e B B/zremrangebylex e B B
    zrange e B B bylex V/zrange e B B bylex L n n/zrange e 0 -1/zrank e v/zrangestore e e B B bylex/zunionstore e N e e/zpopmin e/object encoding z
    del z/type z/rename z z/zadd z 1 m 2 v 3 m
    del h/del s/type h/type s/expireat h 33177117420/del k/del k k/unlink k/exists k k/touch k/type k/rename k k/renamenx k k/keys p/persist k/expiretime k
    pexpiretime k/expire k r/pexpire k r/expire k r o/expireat k t/pexpireat k t/expireat k t o/pexpireat k t o o
"""


def draw(rng, shapes):
    """One command; now and then with an argument too few or too many."""
    name, *letters = rng.choice(shapes).split()
    words = [rng.choice(KINDS.get(x, [x])) for x in letters]
    chance = rng.random()
    if chance < 0.02 and words:
        words.pop()
    elif chance < 0.04:
        words.append(rng.choice(OPTIONS))
    return [name, *words]


def reply_to(client, command):
    client.send(Resp.encode([w.encode("latin-1") for w in command]))
    reply = raw_reply(client.file)
    if (command[0].lower() in UNORDERED or "by" in command) and reply[:1] in b"*%~":
        return sorted(reply.split(b"\r\n"))  # in no order; nothing here holds a line's end
    return reply


def show(command):
    return " ".join(repr(w[:40]) for w in command)


def make(seed):
    def test(server):
        rng = random.Random(seed)
        shapes = [s.strip() for line in SHAPES.strip().splitlines() for s in line.strip().split("/")]
        since = []
        with Redis() as redis, Resp(redis.port) as theirs, Resp(server.resp) as ours:
            for i in range(COMMANDS):
                command = ["flushall"] if i % FRESH_EVERY == 0 else draw(rng, shapes)
                since = [command] if i % FRESH_EVERY == 0 else since + [command]
                wanted, got = reply_to(theirs, command), reply_to(ours, command)
                assert wanted == got, (f"{show(command)}: redis {wanted[:200]!r}, flashkv {got[:200]!r}, after\n" +
                                       "\n".join(map(show, since[-20:])))

    test.__doc__ = f"random commands, seed {seed}"
    return test


if __name__ == "__main__":
    run([make(seed) for seed in range(1, 4)])
