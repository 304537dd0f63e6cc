"""Random commands over all types, and random blocks of them: what redis_random.py, storm.py and persist.py draw from."""

KEYS = ["a", "b", "c", "l", "m", ""]
HASHES, SETS = ["h", "i", "a"], ["s", "t", "u", "a"]
SORTED, LEX = ["z", "y", "w", "a"], ["e", "f"]
VALUES = ["v", "", "10", "-5", "a\0b", "b", "9223372036854775807", "x" * 70, "y" * 5000]
NUMBERS = ["0", "1", "-1", "2", "-2", "3", "-9", "100", "", "x", "1.5", "+1", "01", " 1", "-0",
           "9223372036854775807", "-9223372036854775808", "9223372036854775808"]
TIMES = ["0", "-1", "x", "", "9223372036854775807", "-9223372036854775808"]
PAST_OR_FAR = TIMES + ["1", "33177117420", "9223372036854775", "33177117420000"]
LIMITS = [f"{what}-max-listpack-{limit}" for what in ("hash", "zset") for limit in ("entries", "value")]
UNORDERED = {"keys", "hgetall", "hkeys", "hvals", "hscan", "smembers", "sinter", "sunion", "sdiff", "sscan",
             "zscan", "scan", "spop", "srandmember", "hrandfield", "zrandmember"}
CHOOSERS = {"spop", "srandmember", "hrandfield", "zrandmember"}  # at random, unless asked for all there is
PLAIN = {"o1", "o2", "o3"}  # have one member each, so that choosing from them is no chance: nothing odd is asked of these
LATER = {"zrank", "zrevrank"}  # take an argument more since Redis 7.2
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
    "S": ["asc", "DESC", "alpha", "replace", "bogus"], "Y": ["*", "nope*", "*->v", "h", "#"],
    "R": ["ex", "PX"], "T": ["exat", "PXAT"], "W": ["before", "AFTER", "between"],
    "C": LIMITS, "Q": ["0", "2", "8", "64", "512"], "G": KEYS + HASHES + SETS + SORTED,
    "K": KEYS + HASHES + SETS + SORTED + LEX,
    "F": ["0", "1.5", "-2.25", "0.1", "1e3", "x", "inf", "nan", "", " 1", "5.0e3", "100000000000000000000"],
    "J": ["0", "99", "-1", "x"], "X": ["string", "LIST", "set", "hash", "zset", "stream"],
}
SHAPES = """
    get k/getset k v/getdel k/getex k/getex k R r/getex k T t/getex k o/getex k o o/setnx k v/append k v/strlen k
    set k v/set k v/set k v o/set k v o o/set k v R r/set k v T t/set k v T t o/set k v o T t/setex k r v/psetex k r v
    mset k v/mset k v k v/mset k v k v k v k v k v/lcs k k/lcs k k D/lcs k k idx D n/lcs a b idx withmatchlen D n/object encoding K
    mget k k k/incr k/decr k/incrby k n/decrby k n/incrbyfloat k F/getrange k n n/setrange k N v/substr k n n/msetnx k v k v
    lpush l v/lpush k v v/rpush l v/rpush k v v/lpushx k v/rpushx k v v/lpop k/rpop k/lpop k n/rpop k n/llen k
    lindex k n/lrange k n n/lrange l n n/lset k n v/lset l n v/lrem k n v/lrem l n v/linsert k W v v/linsert l W v v
    ltrim k n n/ltrim l n n/lmove l m E E/lmove l l E E/lmove k k E E/rpoplpush l m/rpoplpush k k/lpos l v/lpos k v P n
    lpos l v P n P n/lmpop N l E/lmpop N l m E count n/lmpop N k k E
    copy k k/copy k k replace/copy k k replace S/copy h h/copy h h replace/copy s s/copy s s replace/copy k l replace/copy G G replace
    sort l/sort l S/sort l alpha S/sort l S S limit n n/sort l store k/sort k alpha/sort_ro l alpha desc/sort s alpha/sort l by nosort get #
    sort l alpha get # get Y get Y/sort l by Y alpha get #/sort l limit n n alpha store l/sort z alpha S/sort z by nosort S/sort e alpha limit n n
    hset h v v/hset h v v v v/hset k v v/hmset h v v/hsetnx h v v/hget h v/hget k v/hmget h v v v/hgetall h/hkeys h/hvals h
    hlen h/hlen k/hexists h v/hstrlen h v/hdel h v/hdel h v v/hincrby h v n/hincrbyfloat h v F/hscan h 0 count 100
    hscan h 0 match p count 100/hrandfield h 1000/hrandfield h 1000 withvalues/hrandfield h 0/hset h v v v v v v v v
    sadd s m/sadd s m m m/sadd k m/srem s m/srem s m m/scard s/scard k/sismember s m/smismember s m m/smembers s/smove s s m
    sinter s s/sunion s s s/sdiff s s/sinterstore s s s/sunionstore s s s/sdiffstore s s s/sinter s k/sunionstore k s
    sintercard N s/sintercard N s s/sintercard N s s L n/sscan s 0 count 100/sscan s 0 match p count 100
    spop s 1000/spop s 0/spop s N x/srandmember s 1000/srandmember s 0
    zadd z c m/zadd z c m c m c m/zadd z c m c m c v/zadd z O c m/zadd z O c m c v/zadd z O O c m/zadd k c m/zincrby z c m/zscore z m
    zmscore z m m/zcard z/zrank z m/zrevrank z v/zrem z m/zrem z m v/zrange z n n/zrange z 0 -1 withscores/zrange z n n rev d
    zrange z b b byscore/zrange z b b byscore V L n n/zrange z b b byscore d L n n/zrevrange z n n d/zrangebyscore z b b d/zrevrangebyscore z b b L n n
    zcount z b b/zrangestore z z n n/zrangestore z z b b byscore L n n/zrangestore z z n n V/zremrangebyrank z n n/zremrangebyscore z b b
    zpopmin z/zpopmax z n/zpopmin z n/zmpop N z M/zmpop N z z M count n/zmpop N z s M/zunion N z z d/zunion N z s/zinter N z z z d
    zunion N z z weights c c withscores/zinter N z s weights c c aggregate A withscores/zdiff N z z d/zdiff N z s z
    zunionstore z N z z/zunionstore z N z s weights c c/zinterstore z N z z aggregate A/zdiffstore z N z z/zintercard N z z L n/zscan z 0 count 500
    zadd e 0 m/zadd e 0 v 0 m 0 v/zrem e m/zrangebylex e B B/zrangebylex e B B L n n/zrevrangebylex e B B/zlexcount e B B/zremrangebylex e B B
    zrange e B B bylex V/zrange e B B bylex L n n/zrange e 0 -1/zrank e v/zrangestore e e B B bylex/zunionstore e N e e/zpopmin e/object encoding z
    zrandmember z 1000/zrandmember z 1000 d/zrandmember z 0
    del z/type z/rename z z/zadd z 1 m 2 v 3 m/object encoding h/object encoding s/config set C Q/config set set-max-intset-entries Q
    del h/del s/type h/type s/expireat h 33177117420/del k/del k k/unlink k/exists k k/touch k/type k/rename k k/renamenx k k/keys p/persist k/expiretime k
    pexpiretime k/expire k r/pexpire k r/expire k r o/expireat k t/pexpireat k t/expireat k t o/pexpireat k t o o
    scan 0 count 1000/scan 0 match p count 1000/scan 0 count 1000 type X/rename G G/type K/exists K K/del K/wait 0 0
    blpop K 0.001/brpop K K 0.001/blmove k k E E 0.001/brpoplpush k k 0.001/blmpop 0.001 N k k E/bzpopmin K 0.001/bzpopmax z z 0.001/bzmpop 0.001 N z z M
    multi/multi/exec/exec/exec/exec/discard/watch K/watch K K/unwatch/nonsense v/echo v/ping v/select 0
    ttl G/pttl G/persist G/expire G r o/pexpire G r o/expireat G t o/pexpireat G t o/expiretime G/pexpiretime G/expire G 1000000000/getex G
    mget G G/set G v get/set G v nx get/set G v xx get keepttl/getset G v/append G v/strlen G/getrange G n n/incr G/setrange G n v/object encoding G
    lpush G v/lrange G n n/llen G/lpop G n/lset G n v/lrem G n v/linsert G W v v/ltrim G n n/lmove G G E E/lpos G v P n/hset G v v/hget G v/hdel G v
    hgetall G/hincrby G v n/hincrbyfloat G v F/hmget G v v/hstrlen G v/hsetnx G v v
    sadd G m/srem G m/smembers G/sismember G m/smismember G m m/smove G G m/scard G/sinter G G/sunion G G/sdiff G G
    sinterstore G G G/sunionstore G G G/sdiffstore G G G/sintercard N G G L n/zadd G c m/zadd G O c m/zincrby G c m/zscore G m/zmscore G m m
    zrange G n n d/zrange G b b byscore d/zrangestore G G n n/zrank G m/zrevrank G m/zrem G m
    zcount G b b/zpopmin G n/zpopmax G n/zmpop N G G M count n/zunionstore G N G G/zinterstore G N G G weights c c/zdiffstore G N G G
    zunionstore G N G G aggregate A/zinterstore G N G G weights c c aggregate A
    zremrangebyrank G n n/zremrangebyscore G b b/zrevrange G n n d/zrangebyscore G b b d L n n
    zintercard N G G L n/zinter N G G d/zunion N G G aggregate A d/zdiff N G G d/copy G G/copy G G replace/rename G G/renamenx G G/unlink G G/touch G G
    blmpop 0.001 N G G E count n/bzmpop 0.001 N G G M count n/blmove G G E E 0.001/brpop G 0.001/bzpopmax G G 0.001/lmpop N G G E count n
    sort G/sort G S/sort G alpha limit n n/sort G by Y get Y get #/sort G store G/sort_ro G alpha/sort G by *->v alpha desc get *->v get #
    sscan G 0 count 1000/hscan G 0 count 1000/zscan G 0 match p count 1000/scan 0 match p count 1000 type X/keys p/substr G n n/lcs G G idx D n
    client setname v/client getname/client no-evict on/client reply on/command getkeysandflags zunionstore k N k k/move G J/swapdb 0 J/swapdb J J
    hset h v v v v/hset h m m m m m m/sadd s m m m m m m/zadd z c m c m c m c v c v/rpush l v m v m v m v/sadd t n n n n/zadd y 1 m 2 m 3 v
    sadd o1 m1/srandmember o1 -5/hset o2 f1 v1/hrandfield o2 -3/hrandfield o2 -2 withvalues/zadd o3 1.5 m1/zrandmember o3 -4/zrandmember o3 -4 withscores/spop s -1
"""


def parse(shapes):
    return [shape.strip() for line in shapes.strip().splitlines() for shape in line.strip().split("/")]


def draw(rng, shapes):
    """One command of those that parse() made; now and then with an argument too few or too many, or two exchanged
    (but not for a time from now: what was a value would be some milliseconds)."""
    name, *letters = rng.choice(shapes).split()
    words = [rng.choice(KINDS.get(x, [x])) for x in letters]
    chance = rng.random()
    if letters and letters[0] in PLAIN:
        return [name, *words]
    if chance < 0.02 and words and name not in CHOOSERS:
        words.pop()
    elif chance < 0.04 and name not in LATER:
        words.append(rng.choice(OPTIONS))
    elif chance < 0.05 and len(words) > 1 and name not in CHOOSERS and not {"e", "r"} & set(letters):
        i, k = rng.sample(range(len(words)), 2)
        words[i], words[k] = words[k], words[i]
    return [name, *words]


def show(command):
    return " ".join(repr(w[:40]) for w in command)
