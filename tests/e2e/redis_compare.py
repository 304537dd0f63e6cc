#!/usr/bin/env python3
"""The same command lines to redis-server 7.0 and to FlashKV, in RESP2 and RESP3: the same bytes come back."""
import shlex
import subprocess
import tempfile
import time

from fk import Resp, free_port, run, same, until

BIG = 9223372036854775807

# Groups of lines, each group on an empty keyspace. What depends on time or order is not asked here.
GROUPS = {
    "strings": """
        set k v / get k / get none / set k v nx / set k v xx / set none v xx / set k w get / set none2 w get / get none2
        set k v nx get / set k v ex 100 / ttl k / set k v keepttl / ttl k / set k v / ttl k / set k v px 100000 / ttl k
        set k v exat 33177117420 / expiretime k / set k v pxat 33177117420000 / pexpiretime k / set k v ex 0
        set k v ex -1 / set k v ex x / set k v ex / set k v px 1 ex 1 / set k v nx xx / set k v bogus / set k
        set k v ex 9223372036854775807 / set k v px 9223372036854775807 / set k v exat 0 / set k v keepttl ex 1
        set k v keepttl keepttl / set k v get get / set k v ex 10 keepttl / SET K V / GET K / get / get a b
        setnx k x / setnx n x / get n / setex k 100 v / ttl k / setex k 0 v / setex k x v / setex k -5 v / setex k 10
        psetex k 100000 v / psetex k 0 v / psetex k x v / psetex k 9223372036854775807 v / getset k new / getset nope a
        getdel nope / getdel none / getex k / getex k ex 100 / ttl k / getex k persist / ttl k / getex k ex 0
        getex k bogus / getex k ex / getex k persist ex 1 / getex none ex 10 / getex none / getex none bogus
        set k v ex 1 ex 100 / ttl k / set k v ex 1 exat 2 / set k v persist / getex k px 1 px 100000 / ttl k / getex k nx
        getex k persist persist / ttl k / getex k ex 1 px 1 / getex k ex 1 persist / getex none ex 0 / getex none ex x
        mset a 1 b 2 / mget a b c / mset a / mset a 1 b / mget / mset / append s abc / append s def / get s / strlen s
        strlen none / append / strlen""",
    "parts": """
        getrange k 0 -1 / setrange k 0 "" / exists k / setrange k 3 abc / get k / setrange k 0 xyz / get k / getrange k 0 -1
        getrange k 1 3 / getrange k -3 -1 / getrange k -3 -5 / getrange k 4 2 / getrange k 5 99 / getrange k 99 100
        getrange k -99 1 / getrange k -99 -98 / substr k 1 2 / getrange k x 1 / getrange k 0 x / getrange k 0 / substr k
        setrange k -1 x / setrange k x y / setrange k 1 "" / setrange k 536870912 x / setrange none 536870912 x
        setrange k 9223372036854775807 x / getrange k -9223372036854775808 9223372036854775807
        rpush l a / getrange l 0 1 / setrange l 0 x / setrange l 0 "" / setrange l -1 x / set e v ex 100 / setrange e 1 x
        ttl e / msetnx a 1 b 2 / msetnx b 3 c 4 / mget a b c / msetnx a / msetnx a 1 b / msetnx d 1 d 2 / get d""",
    "floats": """
        incrbyfloat f 1.5 / incrbyfloat f 1.5 / get f / incrbyfloat f -0.1 / incrbyfloat f 5.0e3 / incrbyfloat f x
        set i 10 / incrbyfloat i 0.1 / incrbyfloat i -10.1 / get i / set s abc / incrbyfloat s 1 / set t " 1" / incrbyfloat t 1
        set u "1 " / incrbyfloat u 1 / incrbyfloat f nan / incrbyfloat f inf / incrbyfloat f -inf / rpush l a
        incrbyfloat l 1 / incrbyfloat f / set b 17179869184 / incrbyfloat b 1.5 / incrbyfloat b 1e300 / set m 1 ex 100
        incrbyfloat m 2 / ttl m / incrbyfloat v 3.0e-5 / set z 0 / incrbyfloat z -0.0""",
    "common subsequences": """
        lcs none nope / lcs none nope len / lcs none nope idx / mset a ohmytext b mynewtext e "" / lcs a b / lcs a b len
        lcs a b idx / lcs a b idx withmatchlen / lcs a b idx minmatchlen 4 / lcs a b IDX MINMATCHLEN 4 WITHMATCHLEN
        lcs a b idx minmatchlen -1 / lcs a b idx minmatchlen 5 / lcs a a idx withmatchlen / lcs a e / lcs e b idx / lcs a b len idx
        lcs a b minmatchlen / lcs a b minmatchlen x / lcs a b bogus / lcs a b len minmatchlen 3 withmatchlen / lcs a
        rpush l x / lcs a l / lcs l none bogus / mset c aaaa d aa / lcs c d idx withmatchlen / lcs d c idx
        mset f abcxyzabc g abc / lcs f g idx / lcs g f idx / mset h AGGTAB i GXTXAYB / lcs h i / lcs h i idx / lcs i h idx
        command getkeys lcs a b len""",
    "raw": """
        set k 1 / object encoding k / append k 2 / object encoding k / get k / incr k / object encoding k / set k 1234
        setrange k 0 2 / object encoding k / setrange k 0 "" / object encoding k / set k 1234 / setrange k 0 "" / object encoding k
        append new abc / object encoding new / append new d / object encoding new / set new abcd / object encoding new
        set k 10 / append k 0 / set k 10 / object encoding k / append n 12 / object encoding n / setrange m 0 12 / object encoding m
        mset k 1 k 22 k 33 / mget k / mset k 1 j 2 k 333 / mget k j / set x v ex 100 / mset x w x ww / ttl x / get x
        mset k "" / get k / msetnx p 1 p 22 p 3 / get p / msetnx q 1 p 2 / exists q""",
    "counters": f"""
        incr n / incr n / incrby n 10 / decr n / decrby n 5 / get n / incrby n x / incrby n 1.5 / incrby n
        set s abc / incr s / decr s / set b {BIG} / incr b / incrby b 1 / decrby b -1 / set m -{BIG + 1} / decr m
        decrby m 1 / decrby m -{BIG + 1} / incrby n {BIG + 1} / incrby n -{BIG} / set p +5 / incr p / set p 05 / incr p
        set p " 5" / incr p / set p "" / incr p / set p 0 / decr p / set p -0 / incr p / set p 5\\x00 / incr p""",
    "lists": """
        rpush l a b c / lpush l z y / lrange l 0 -1 / llen l / lrange l 1 2 / lrange l -2 -1 / lrange l 5 10
        lrange l 2 1 / lrange l -100 100 / lrange l a b / lrange none 0 -1 / lindex l 0 / lindex l -1 / lindex l 99
        lindex l -99 / lindex l x / lindex none 0 / lset l 0 first / lset l -1 last / lset l 99 x / lset l x y
        lset none 0 x / lrange l 0 -1 / lpop l / rpop l / lpop l 2 / rpop l 0 / lpop l -1 / lpop l x / lpop none
        lpop none 2 / rpop none 0 / rpop l 100 / exists l / rpush l a b a c a / lrem l 2 a / lrange l 0 -1
        rpush l a b / lrem l -1 b / lrem l 0 a / lrange l 0 -1 / lrem l x a / lrem none 0 a / lrem l 0 nothing / del l
        rpush l a b c / linsert l before b x / linsert l after c y / linsert l before nope x / linsert none before a b
        linsert l middle a b / lrange l 0 -1 / ltrim l 1 2 / lrange l 0 -1 / ltrim l 5 10 / exists l / ltrim none 0 1
        ltrim l x y / rpush l 1 2 3 4 5 / ltrim l -3 -2 / lrange l 0 -1 / lpushx l h / rpushx l t / lpushx none h
        rpushx none t / lrange l 0 -1 / llen none / rpush l / lpush / rpop l 1 2 / type l""",
    "lists moved": """
        rpush l a b c / lmove l m left right / lmove l m RIGHT LEFT / lrange m 0 -1 / lmove l l left right / rpush l z
        lmove l l left left / lmove l l left right / lmove l l right left / lmove l l right right / lrange l 0 -1
        lmove none l left left / lmove l m up left / lmove l m left up / lmove l m left / lmove none s left up
        rpoplpush l m / rpoplpush none m / rpoplpush l l / lrange m 0 -1 / rpoplpush l m / rpoplpush l m / exists l / rpoplpush l
        set s v / lmove s m left left / lmove m s left left / rpoplpush s m / rpoplpush m s / lmove none s left left / llen m
        lmpop 1 none left / lmpop 2 none m left / lmpop 2 none m right count 2 / lmpop 1 m left count 100 / exists m
        rpush a 1 2 3 / rpush b 4 5 / lmpop 2 a b left / lmpop 2 a b left count 0 / lmpop 2 a b left count x
        lmpop 0 a left / lmpop x a left / lmpop -1 a left / lmpop 1 a / lmpop 2 a left / lmpop 3 a b left / lmpop 1 a up
        lmpop 1 a left count / lmpop 1 a left count 1 count 1 / lmpop 1 a left bogus 1 / lmpop 1 a left count 0 count 1
        lmpop 2 s a left / lmpop 2 a s left / lmpop 1 a right count 9223372036854775808 / lmpop 99999999999 a left
        lpos none x / lpos none x count 1 / rpush l a b a c a / lpos l a / lpos l x / lpos l x count 0 / lpos l a rank 2
        lpos l a rank -1 / lpos l a rank -2 count 0 / lpos l a count 2 / lpos l a count 0 maxlen 3 / lpos l a rank 2 maxlen 2
        lpos l a rank 0 / lpos l a rank x / lpos l a rank -9223372036854775808 / lpos l a rank 9223372036854775807
        lpos l a count -1 / lpos l a count x / lpos l a maxlen -1 / lpos l a maxlen x / lpos l a bogus 1 / lpos l a rank
        lpos l a count 1 count 0 / lpos s a / lpos s a rank 0 / lpos l / lpos l a rank -1 count 2 maxlen 3 / lpos l a maxlen 0
        command getkeysandflags lmpop 2 a b left / command getkeysandflags lmove a b left left / command info lmove / command getkeys lmove a b left left""",
    "hashes": """
        hset h a 1 b 2 / hset h a 3 c 4 / hset h a / hset h a 1 b / hset h / hmset h d 5 / hmset h d / hmset h d 5 e / hget h a
        hget h none / hget none a / hget h / hmget h a none b / hmget none a / hmget h / hgetall h / hgetall none / hkeys h
        hvals h / hlen h / hlen none / hexists h a / hexists h none / hstrlen h a / hstrlen h none / hstrlen none a
        hsetnx h a 9 / hsetnx h new 9 / hget h new / hdel h new none / hdel none a / hdel h / hincrby h a 5 / hincrby h n -3
        hincrby h a x / hset h s abc / hincrby h s 1 / hincrbyfloat h s 1 / hset h m 9223372036854775807 / hincrby h m 1
        hincrbyfloat h f 3.14 / hincrbyfloat h f 1e3 / hincrbyfloat h f -0.000001 / hincrbyfloat h f x / hincrbyfloat h f inf
        hincrbyfloat h f nan / hset h e 1e400 / hincrbyfloat h e 1 / hset h sp " 1" / hincrbyfloat h sp 1 / hincrby h sp 1
        hscan h x / hscan none 0 / hscan h 0 match a count 100 / hscan h 0 count 0 / hscan h 0 count x / hscan h 0 bogus / hscan h 0 type hash
        hrandfield none -9223372036854775808 / hrandfield none -9223372036854775808 bogus / hrandfield none / hrandfield none 2 / hrandfield none -2 withvalues / hrandfield h 0 / hrandfield h x
        hrandfield h 1 bogus / hrandfield h 1 withvalues bogus / del h / hset h one 1 / hrandfield h / hrandfield h 5
        hrandfield h -3 / hrandfield h 1 withvalues / hrandfield h -2 withvalues / hrandfield h 5 withvalues / type h
        hrandfield h 9223372036854775807 withvalues / hdel h one / exists h / hgetall h / set x v / hset x a 1 / hget x a
        hgetall x / hdel x a / hincrby x a 1 / hscan x 0 / hrandfield x / hrandfield x 1 / hlen x / get h / hset h a 1 / get h""",
    "sets": """
        sadd s 1 2 3 / sadd s 3 4 / sadd s / scard s / scard none / sismember s 1 / sismember s x / sismember none 1
        smismember s 1 x 2 / smismember none 1 / smismember s / smembers s / srem s 4 none / srem none 1 / srem s / smembers none
        sadd t 2 3 5 / sinter s t / sinter s none / sinter none / sunion s t none / sdiff s t / sdiff none s / sdiff s none t
        sinterstore d s t / smembers d / sinterstore d s none / exists d / sunionstore d s t / smembers d / sdiffstore d s t
        smembers d / sunionstore s s t / smembers s / set x v / sinterstore x s t / type x / sintercard 2 s t / sintercard 2 s t limit 1
        sintercard 0 s / sintercard x s / sintercard 3 s t / sintercard 2 s t limit -1 / sintercard 2 s t limit x
        sintercard 2 s t limit 1 limit 2 / sintercard 2 s t limit x bogus / sintercard 2 s t bogus 1 / sintercard 2 s t limit / sintercard 1 none / sintercard / smove s t 1 / smove s t nope
        smove none t 1 / smove s s 2 / smove s x2 2 / smembers x2 / set str v / smove s str 3 / smove str s 3 / sadd str 1
        sinter s str / sunion str / sdiff s str / sinterstore d s str / sintercard 2 s str / spop none / spop none 2
        srandmember none -9223372036854775808 / srandmember none / srandmember none 2 / srandmember s 0 / srandmember s x / srandmember s 1 2 / spop s x / spop s -1
        spop s 1 2 / del one / sadd one m / srandmember one / srandmember one 5 / srandmember one -3 / spop one 0 / spop one 2
        exists one / sadd one m / spop one / exists one / sscan s x / sscan none 0 / sscan x2 0 / sscan x2 0 match q
        sscan x2 0 count 0 / type s / get s / lpush s a / hset s a b / sadd i 007 / sadd i 7 / scard i""",
    "sorted sets": """
        zadd z 1 a 2 b 3 c / zadd z 1 a 5 d / zadd z ch 2 a 6 e / zadd z nx 9 a 1 new / zadd z xx 9 none 8 d / zadd z xx ch 7 d
        zadd z gt ch 1 d 9 e / zadd z lt ch 1 d 10 e / zadd z incr 2 a / zadd z nx incr 1 a / zadd z xx incr 1 none / zadd z gt incr -1 a
        zadd none xx 1 a / exists none / zadd none xx incr 1 a / zadd z / zadd z 1 / zadd z nx / zadd z nx xx 1 a / zadd z gt lt 1 a
        zadd z nx gt 1 a / zadd z nx lt 1 a / zadd z incr 1 a 2 b / zadd z 1 a 2 / zadd z x a / zadd z nan a / zadd z 1 a x b
        zadd z 1e400 a / zadd z 0x10 hex / zadd z 1.5e3 e1 / zadd z " 1" a / zadd z "" a / zadd z CH NX 3 a / zadd z ch ch 1 a
        zadd z -0 minus / zscore z minus / zadd z inf i -inf j / zincrby z inf j / zincrby z 1 i / zscore z i / zincrby z 1.1 a
        zincrby z x a / zincrby z nan a / zincrby fresh 3 m / zincrby z 1 / zscore z a / zscore z none / zscore none a / zscore z
        zadd p 0.1 a 17179869184.5 b 1e16 c 1e17 d 123456789012345678 e 3.0e-5 f -1e15 g 0.30000000000000004 h / zrange p 0 -1 withscores
        zmscore z a none i / zmscore none a b / zmscore z / zcard z / zcard none / zrank z a / zrank z none / zrank none a
        zrevrank z a / zrevrank z none / zrank z / zrem z a none / zrem none a / zrem z / zrank z a / type z / exists z
        zadd r 1 a 2 b 2 bb 3 c 4 d / zrange r 0 -1 / zrange r 0 -1 withscores / zrange r 1 2 / zrange r -2 -1 / zrange r -99 99
        zrange r 3 1 / zrange r 9 99 / zrange none 0 -1 / zrange r x 1 / zrange r 0 x / zrange r 0 / zrange r 0 -1 rev
        zrange r 0 -1 rev withscores / zrange r 1 2 REV / zrange r 0 -1 bogus / zrange r 0 1 limit 0 1 / zrange r 0 1 limit 0 -1
        zrange r 2 3 byscore / zrange r (1 (3 byscore / zrange r -inf +inf byscore limit 1 2 / zrange r -inf inf byscore limit 1 -1
        zrange r -inf inf byscore limit -1 2 / zrange r -inf inf byscore limit 9 2 / zrange r inf -inf byscore rev withscores
        zrange r (3 1 byscore rev limit 1 1 / zrange r 3 1 byscore / zrange r a b byscore / zrange r 1 nan byscore / zrange r "" 3 byscore
        zrange r "(" 3 byscore / zrange r " 1" 2 byscore / zrange r 1 "2 " byscore / zrange r 0 1 rev rev / zrange r 0 1 byscore bylex
        zrange r 0 1 byscore byscore / zrange r - + bylex withscores / zrange r 0 1 withscores withscores / zrange r - + bylex limit 0
        zrange r - + bylex limit x 1 / zrange r - + bylex limit 0 x / zrevrange r 0 1 / zrevrange r 0 -1 withscores / zrevrange r 0 1 rev
        zrevrange r 0 1 limit 0 1 / zrangebyscore r 1 2 / zrangebyscore r (1 +inf withscores limit 1 2 / zrangebyscore r 1 2 rev
        zrangebyscore r 1 2 limit 0 / zrangebyscore r x 2 / zrangebyscore none 1 2 / zrevrangebyscore r 3 1 / zrevrangebyscore r 3 (1 withscores
        zrevrangebyscore r +inf -inf limit 1 2 / zrevrangebyscore r 1 3 / zcount r 2 3 / zcount r (2 (3 / zcount r -inf +inf / zcount r 3 2
        zcount none 1 2 / zcount r x 2 / zcount r 1 / zcount r 1 2 3
        zadd l 0 a 0 b 0 c 0 ab 0 "" / zrangebylex l - + / zrangebylex l [a (b / zrangebylex l (a [b / zrangebylex l [ [ / zrangebylex l - ( / zrangebylex l + -
        zrangebylex l [b + limit 0 1 / zrangebylex l a b / zrangebylex l [a b / zrangebylex l - + withscores / zrevrangebylex l + -
        zrevrangebylex l [c (a / zrevrangebylex l (a [c / zrevrangebylex l + - limit 1 2 / zlexcount l - + / zlexcount l [a (b / zlexcount l + -
        zlexcount l x + / zlexcount none - + / zrange l + [ab bylex rev / zrange l "[a\x00" + bylex / zlexcount l - -
        zrangestore d r 1 2 / zrange d 0 -1 withscores / zrangestore d r 2 3 byscore limit 0 1 / zrange d 0 -1 withscores
        zrangestore d r 0 -1 rev withscores / zrangestore d r 0 1 rev / zrange d 0 -1 / zrangestore d none 0 -1 / exists d
        zrangestore d r - + bylex / zcard d / zrangestore d r x y / zrangestore d r 0 / zrangestore r r 0 2 / zrange r 0 -1
        zadd q 1 a 2 b 3 c 4 d 5 e 6 f 7 g / zremrangebyrank q 0 0 / zremrangebyrank q -1 -1 / zremrangebyrank q 5 1 / zremrangebyrank q x 1
        zremrangebyscore q 2 (3 / zremrangebyscore q -inf 0 / zremrangebyscore q x 1 / zremrangebyscore none 1 2 / zremrangebyrank none 0 1
        zremrangebylex none - + / zremrangebylex q x y / zrange q 0 -1 / zremrangebylex l [a (b / zrange l 0 -1 / zremrangebyrank q 0 -1 / exists q
        zremrangebyrank q 0 / zremrangebyscore q 1 / zremrangebylex l - + / exists l
        set str v / zadd str 1 a / zincrby str 1 a / zscore str a / zmscore str a / zcard str / zrank str a / zrem str a / zrange str 0 1
        zrange str x 1 / zcount str 1 2 / zlexcount str - + / zrangestore d str 0 1 / zrangestore str r 0 1 / type str
        set str v / zremrangebyrank str 0 1 / zscan str 0 / zrandmember str / zrandmember str 1 / zpopmin str / zpopmax str 1 / get z""",
    "sorted sets at the ends and together": """
        zpopmin none / zpopmax none 2 / zpopmin none x / zadd z 1 a 2 b 3 c 4 d 5 e / zpopmin z / zpopmax z / zpopmin z 0 / zpopmin z -1
        zpopmin z x / zpopmin z 1 1 / zpopmin z 1 / zpopmax z 2 / exists z / zadd z 1 a 2 b 3 c / zpopmax z 99 / exists z
        zadd z 1 a 2 b 3 c / zmpop 1 z min / zmpop 2 none z max count 5 / zmpop 1 z min / zmpop 0 z min / zmpop x z min / zmpop 3 z min
        zmpop 1 z mid / zmpop 1 z / zmpop 1 z min count 0 / zmpop 1 z min count x / zmpop 1 z min count 1 count 2 / zmpop 1 z min bogus 1
        zmpop 1 z min count / set str v / zmpop 1 str min / zmpop 2 none str max / zadd z 1 a / zmpop 2 z str max
        zadd a 1 m 2 n 3 o / zadd b 10 n 20 o 30 p / sadd s n p q / zunion 2 a b / zunion 2 a b withscores / zunion 3 a b s withscores
        zunion 2 a b weights 2 0.5 withscores / zunion 2 a b aggregate min withscores / zunion 2 a b aggregate MAX withscores
        zunion 2 a none withscores / zunion 1 none / zinter 2 a b withscores / zinter 3 a b s withscores / zinter 2 a none
        zinter 2 a b weights 1 2 aggregate max withscores / zdiff 2 a b / zdiff 2 b s withscores / zdiff 2 s a withscores / zdiff 1 none / zdiff 2 none a
        zdiff 2 a none withscores / zunion 1 s withscores / zinter 1 s withscores / zunion 2 a a withscores / zdiff 2 a a
        zunion 0 a / zunion x a / zunion 3 a / zunion 2 a str / zunion 2 a b weights 1 / zunion 2 a b weights 1 x / zunion 2 a b aggregate avg
        zunion 2 a b bogus / zunion 1 a aggregate / zunion 2 a str weights x / zunion 1 a weights 1 weights 2 withscores / zunion 1 a weights nan
        zdiff 1 a weights 1 / zdiff 1 a aggregate sum / zdiff 0 a / zunion 1 / zunion 1 a withscores withscores
        zunionstore d 2 a b / zrange d 0 -1 withscores / zinterstore d 2 a b weights 1 -1 / zrange d 0 -1 withscores / zdiffstore d 2 a b
        zrange d 0 -1 withscores / zinterstore d 2 a none / exists d / zunionstore d 1 a withscores / zdiffstore d 1 a weights 1
        zunionstore d 0 a / zunionstore d x a / zunionstore d 3 a / zunionstore a 2 a b / zrange a 0 -1 withscores / zunionstore str 1 s / type str
        zintercard 2 a b / zintercard 2 a b limit 1 / zintercard 2 a b limit 0 / zintercard 2 a b limit -1 / zintercard 2 a b limit x / zintercard 0 a
        zintercard x a / zintercard 3 a / zintercard 1 a withscores / zintercard 2 a none / zintercard 1 a limit 1 limit 2 / zintercard 1 a limit
        zadd f inf x -inf y 0 z / zadd g -inf x 5 y / zunion 2 f g withscores / zinter 2 f g weights 0 1 withscores / zunion 1 f weights 0 withscores
        zinter 2 f g weights 1 0 aggregate min withscores / zunion 2 f g weights inf 1 withscores
        zrandmember none / zrandmember none 2 / zrandmember a 0 / zrandmember a x / zrandmember a 1 bogus / zrandmember a x y
        zrandmember a 1 withscores x / zrandmember a 9223372036854775807 withscores / zadd one 1.5 m / zrandmember one / zrandmember one 5
        zrandmember one -3 / zrandmember one 2 withscores / zrandmember one -2 withscores / zrandmember none 2 withscores
        zscan z x / zscan none 0 / zscan one 0 / zscan one 0 match q* / zscan one 0 count 0 / zscan one 0 bogus / zscan none 0 bogus
        zscan one 0 match m count 5 / rename one two / zscore two m / expire two 100 / zadd two 5 n / ttl two / zunionstore two 1 two / ttl two
        zadd x 3 1 2 10 1 7 / sort x / sort x desc / sort x by nosort / sort x by nosort desc / sort x by nosort limit 1 1 / sort x alpha
        sort x by nosort desc limit 0 2 / sort x by nosort store l / lrange l 0 -1 / copy x x2 / zrange x2 0 -1 withscores / sort_ro x limit 1 5""",
    "access": """
        set a v / object idletime a / config set maxmemory-policy allkeys-lfu lfu-log-factor 0 lfu-decay-time 0 / set a 1
        object freq none / object idletime a / set b v / object freq b / get b / object freq b / mget b b b / object freq b
        exists b / type b / ttl b / pttl b / expiretime b / object encoding b / object freq b / touch b b / object freq b
        set b w / object freq b / set b ww / object freq b / getset b u / append b x / object freq b
        strlen b / getrange b 0 1 / object freq b / setrange b 0 x / object freq b / set b v keepttl / object freq b
        mset b v / object freq b / expire b 100 / object freq b / persist b / object freq b / rename b c / object freq c
        copy c d / object freq c / object freq d / get c / copy c d replace / object freq d / set e v xx / object freq e
        getdel a / object freq a / setex x 100 v / object freq x
        rpush l a b c / object freq l / llen l / lrange l 0 -1 / object freq l / lpop l / object freq l / rpush l x / object freq l
        lpos l x / lset l 0 z / linsert l before z y / object freq l / lmove l l2 left right / object freq l / object freq l2
        sadd s a b / object freq s / sismember s a / sismember s b / object freq s / srem s a / object freq s / smove s t b / object freq t
        hset h f v / object freq h / hget h f / hgetall h / hexists h f / object freq h / hdel h f g / hset h f 1 / object freq h
        hincrby h f 1 / object freq h / hsetnx h f 2 / object freq h / zadd z 1 a / object freq z / zscore z a / zrange z 0 -1 / object freq z
        zincrby z 1 a / object freq z / zunionstore u 1 z / object freq u / object freq z / zunionstore u 1 z / object freq u
        sort l / object freq l / sort l alpha store m / object freq m / object freq l / multi / get c / touch c / exec / object freq c
        getex c / object freq c / getex c ex 100 / object freq c / sinterstore t2 t / object freq t2
        config set maxmemory-policy noeviction lfu-log-factor 10 lfu-decay-time 1""",
    "encodings": """
        object encoding none / set n 12 / object encoding n / set n 012 / object encoding n / set n 9223372036854775808
        object encoding n / rpush l a / object encoding l / hset h a 1 / object encoding h / sadd s 1 2 / object encoding s
        sadd s x / object encoding s / object refcount none / object refcount l / object freq l / object freq none
        object idletime none / object encoding / object encoding a b / object bogus / object refcount h""" + f"""
        set n {"x" * 44} / object encoding n / set n {"x" * 45} / object encoding n
        hset h b {"x" * 65} / object encoding h / zadd z 1 a / object encoding z / zadd z 1 {"x" * 65} / object encoding z
        zrem z {"x" * 65} / object encoding z / zunionstore z 1 z / object encoding z / zadd y 1 {"x" * 64} / object encoding y
        config set zset-max-ziplist-entries 2 / zadd y 2 b / object encoding y / zadd y 2 c / object encoding y / zadd y -0 m
        zscore y m / zadd y 1 m / zadd y -0 m / zscore y m / zrange y 0 -1 withscores / config set zset-max-listpack-entries 128""",
    "wrong types": """
        rpush l a / get l / incr l / append l x / strlen l / getset l x / getdel l / getex l / set l x get / mget l
        setnx l x / set s v / lpush s a / rpush s a / lpop s / rpop s 2 / llen s / lindex s 0 / lrange s 0 1
        lset s 0 x / lrem s 0 x / linsert s before a b / ltrim s 0 1 / lpushx s a / type l / type s / type none
        set l now-a-string / get l / lindex s x / lset s x y / linsert s bogus a b / lrem s x y""",
    "keys": f"""
        set a 1 / set b 2 / exists a / exists a b none a / exists / del a none / unlink b / del / set a 1 / touch a none
        expire a 100 / ttl a / expire none 100 / expire a x / expire a {BIG} / expire a -{BIG} / exists a / set a 1
        expire a 100 nx / expire a 200 nx / expire a 200 xx / ttl a / expire a 100 gt / expire a 300 gt / expire a 400 lt
        expire a 50 lt / ttl a / expire a 10 nx xx / expire a 10 gt lt / expire a 10 bogus / expire a 10 nx gt
        pexpire a 100000 / ttl a / pexpire a {BIG} / expireat a 33177117420 / expiretime a / expireat a x
        expireat a {BIG} / pexpireat a 33177117420000 / pexpiretime a / persist a / persist a / persist none / ttl a
        pttl a / ttl none / pttl none / expiretime a / expiretime none / pexpiretime none / expire a 0 / exists a
        set a 1 / expire a -1 / exists a / set a 1 / pexpireat a 1 / exists a / set a 1 ex 100 / expire a 10 lt
        set p 1 / expire p 100 gt / expire p 100 lt / ttl p / expire a / ttl / rename a b / get b / exists a / ttl b
        rename none x / rename b b / get b / set c 3 / rename b c / get c / renamenx c c / renamenx c d / set e 1
        renamenx d e / renamenx none e / rename a / keys d / keys * none / keys [ef] / dbsize / randomkey x
        scan 0 count 0 / scan x / scan 0 match / scan 0 bogus 1 / scan 0 count x / scan / keys / scan 0 match none* count 1000
        flushdb bogus / flushall async / dbsize / randomkey / scan 0 / keys * / flushdb / flushall sync / type""",
    "copies": """
        copy none x / set a v ex 100 / copy a b / ttl b / get b / copy a b / set a w / copy a b replace / get b / ttl b / copy a a
        copy a c db 0 / copy a c db 99 / copy a c db x / copy a c db / copy a c bogus / copy a c replace replace db 0 / get c
        rpush l 1 2 3 / copy l m / rpush m 4 / lrange l 0 -1 / lrange m 0 -1 / hset h a 1 b 2 / copy h a / copy h a replace
        hset a a 9 / hget h a / hget a a / ttl a / sadd s 1 2 3 / copy s t / sadd t x / scard s / scard t / copy t u
        object encoding s / object encoding u / srem u 1 2 3 x / exists u / scard t / copy a / copy none a replace / type a
        wait 0 0 / wait 0 10 / wait x 0 / wait 0 x / wait 0 -1 / wait 0 1.5 / wait / object help / object help x""",
    "sorting": """
        sort none / sort none store d / exists d / rpush l 3 1 10 2 / sort l / sort l desc / sort l alpha / sort l alpha desc
        sort l limit 1 2 / sort l limit -1 2 / sort l limit 0 -1 / sort l limit 0 0 / sort l limit 9 9 / sort l limit 2 99
        sort l limit x 1 / sort l limit 1 / sort l limit 1 x / sort l by / sort l get / sort l store / sort l bogus / sort_ro l
        sort_ro l store d / sort_ro l desc limit 0 1 / sort l store d / lrange d 0 -1 / sort l desc store l / lrange l 0 -1
        mset w1 3 w2 2 w3 1 w10 0 / sort l by w* / sort l by w* desc / sort l by w* get # get w* get nope* get none / sort l by none*
        sort l by nosort / sort l by nosort desc / sort l by nosort limit 1 2 / sort l by nosort desc limit 1 2
        sort l by nosort limit 3 9 get # / hset h1 f 5 n x / hset h2 f 4 / hset h3 f 6 / sort l by h*->f / sort l by h*->f get h*->f get h*->n
        sort l by h*->nope / sort l by h*-> / sort l get h*->f store d / lrange d 0 -1 / sort l by h*->f desc limit 1 2
        rpush words banana apple cherry "" / sort words / sort words alpha / sort words desc alpha / sort words alpha limit 1 1
        rpush nums 1.5 -2 1e3 0x10 inf "" " 7" / sort nums / sort nums desc / rpush bad 1 "1 " / sort bad / rpush nan nan / sort nan
        mset x1 b x3 a / sort l by x* alpha get # get x* / sort l by x* / sort l by x* alpha desc limit 0 2 / sadd s 5 3 4 1 / sort s / sort s desc
        sort s limit 1 2 / sort s store d / lrange d 0 -1 / sort s by nosort store d / lrange d 0 -1 / sadd t b a c / sort t alpha
        sort t / sort t by nosort store d / lrange d 0 -1 / sort t by nosort desc store d / lrange d 0 -1 / set str v / sort str
        sort str by bogus / sort h1 / sort none store str / exists str / sort l get # get # / sort l by w* get #* get * / sort l limit 0 1 limit 1 1
        sort l asc desc / sort l desc asc / sort l by w* by x* / set w2 "not a number" / sort l by w* / rpush same 2 1 2 1 / sort same
        mset y1 0 y2 0 / sort same by y* / sort l get l / sort_ro l by w* alpha / sort l get w* store w1 / lrange w1 0 -1 / type w1""",
    "transactions": """
        multi / multi / watch a / unwatch / set a 1 / incr a / get a / client setname x / exec / client getname / exec
        discard / multi / exec / multi / set a 5 / discard / get a / multi / bogus a / set a 6 / exec / get a
        multi / ssubscribe ch / exec / multi / get / exec / multi / client bogus / exec / multi / exec now / exec / exec now / multi / discard now / discard
        multi now / multi / lpush a 1 / set a x ex y / incr none / exec / watch / watch a / set a 7 / multi / get a / exec
        watch a / multi / set a 8 / exec / watch a / unwatch / set a 9 / multi / exec / watch b / flushall / multi / exec
        set b 1 / watch b / flushall / multi / exec / watch b / multi / discard / set b 1 / multi / exec / multi / reset / exec
        watch none / del none / multi / exec / multi / dbsize / flushall / dbsize / exec / command getkeys watch a b
        multi / set a 1 / hello 4 / get none / exec / config|get x / multi / config|get x / exec / unwatch x""",
    "blocking": """
        rpush l a b c d e / blpop none l 0 / brpop l 0 / blmove l m left right 0 / brpoplpush l m 0 / blmpop 0 2 none m left count 9
        blpop l x / blpop l -1 / blpop l 1e300 / blpop l nan / blpop l / blpop none 0.01 / brpop none 0.01 / blmove none l left left 0.01
        brpoplpush none l 0.01 / blmpop 0.01 1 none left / blmpop x 1 k left / blmpop 0 0 k left / blmpop 0 2 k left / blmpop 0 1 k up
        blmpop x 1 k up / blmpop x x k left / blmpop -1 1 k left count 0 / blmpop 0 1 k left count 0 / blmpop 0 1 k left count x / blmpop 0 1 k left foo 1 / blmove a b up left 0 / blmove a b left left x
        set s 1 / blpop s 0 / blpop none s 0 / brpoplpush s x 0 / rpush l a / brpoplpush l s 0 / blmpop 0 2 none s left
        zadd z 1 a 2 b 3 c 4 d 5 e / bzpopmin none z 0 / bzpopmax z 0 / bzmpop 0 2 none z max / bzmpop 0 1 z min count 9 / exists z
        bzpopmin z x / bzpopmin z -1 / bzpopmin z / bzpopmin none 0.01 / bzpopmax none 0.01 / bzmpop 0.01 1 none min / bzmpop x 1 z min
        bzmpop x 1 z mid / bzmpop -1 x z min / bzmpop 0 0 z min / bzmpop 0 x z min / bzmpop 0 2 z min / bzmpop 0 1 z mid / bzmpop 0 1 z min count 0 / bzmpop 0 1 z min count
        bzpopmin s 0 / bzpopmin none s 0 / bzmpop 0 2 none s min / multi / bzpopmin none 0 / bzpopmax none 0 / bzmpop 0 1 none min / exec
        multi / blpop none 0 / brpop none 0 / blmove none l left left 0 / brpoplpush none l 0 / blmpop 0 1 none left / exec
        command getkeys blpop a b 0 / command getkeys blmpop 0 2 a b left""",
    "odd strings": """
        set "" "" / get "" / strlen "" / append "" "" / set k v px 9223372036854775 / set k 10 / incrby k 9223372036854775807
        incrby k -9223372036854775808 / decrby k -9223372036854775808 / incrby k "" / incrby k 1e3 / incrby k 0x10 / incrby k +1 / incrby k 00
        incrby k -0 / set n 1.0 / incr n / set n 1e3 / incr n / set n "" / incr n / incrbyfloat n 1 / set n abc / incrbyfloat n 1
        set f 1e308 / incrbyfloat f 1e308 / set f 3.0 / incrbyfloat f 0 / get f / set f 5.0e3 / incrbyfloat f 200.0 / incrbyfloat f 1e-17 / get f
        incrbyfloat f 1e17 / incrbyfloat f 0x10 / incrbyfloat f "1 " / incrbyfloat f "" / incrbyfloat f +1.5 / incrbyfloat f .5 / incrbyfloat f 5.
        incrbyfloat f 1e / incrbyfloat f infinity / incrbyfloat f 1e-400 / set f 0.1 / incrbyfloat f 0.2 / set f 1.7976931348623157e308
        incrbyfloat f 0 / set f 1e4000 / incrbyfloat f 1 / set f 123456789.123456789 / incrbyfloat f 0.000000001 / set f -0 / incrbyfloat f 0
        set f 1e20 / incrbyfloat f 1 / set f 0 / incrbyfloat f 1e-5 / incrbyfloat f -1e-5 / getrange k 0 9223372036854775807
        getrange k -1 -9223372036854775808 / getrange k 9223372036854775808 1 / getrange k 0 0 0 / setrange s 10 x / get s / setrange s 1.5 x
        setrange none 0 "" / exists none / setrange s 536870911 xy / lcs a b minmatchlen 9223372036854775808 / lcs a b withmatchlen
        lcs a b idx minmatchlen "" / lcs / setnx k / getset k / setex k 9223372036854775807 v / setex k 9223372036854775 v / setex k 9223372036854776 v
        psetex k -1 v / setex k "" v / setex k 1.5 v / set k v ex 1.5 / set k v ex "" / set k v px 0 / set k v pxat -1 / set k v exat 9223372036854775807
        set k v exat 9223372036854776 / set k v nx ex / set k v ex 10 px 10 / set k v get nx xx / set k v nx keepttl / getex k ex 10 persist
        getex k exat 0 / getex k pxat 9223372036854775807 / getex k px "" / getex / getex k k / getdel / getdel a b / incr a b / decrby a x""",
    "odd keys": """
        set k v / reset / object / object freq k k / object idletime none / object refcount none / type a b / exists k k k / expire k 10 xx gt
        expire k 10 20 / expire k "" / expire k 1.5 / expire none 10 bogus / expire none x / expire k 9223372036854775 / expire k 9223372036854775 nx
        expireat k 9223372036854775807 / pexpireat k -9223372036854775808 / expire k -1 nx / set k v / expire k 10 xx xx / expire k 100 nx nx
        expiretime k k / pttl a b / copy a b db / copy a b db 0 db 0 / copy a b db 16 / copy a b db "" / copy a b replace db 0 / copy none none
        copy a a replace / copy a a db 0 / copy a b db -1 / scan none / sscan none -1 / hscan none "" / zscan none +0 / scan 0 0 / scan 0 type / scan 18446744073709551616 / scan 0x0 / scan " 0" / scan "0 "
        scan 0 count 9223372036854775808 / scan 0 count "" / scan 0 type string type list / scan 0 count 1 count 0 / hscan none 0 match
        hscan none x / sscan k 0 / zscan k 0 / zscan none 0 count 0 / sscan none 0 novalues / sscan none 0 match x count 10 match y
        wait -1 0 / wait 0 -1 / wait 0 9223372036854775807 / wait 1.5 0 / wait 0 0 0 / move k 99 / move k x / move none 99 / swapdb 0 x / swapdb x 0
        swapdb 99 0 / swapdb 0 -1 / rename none none / renamenx none k / persist k k / keys a b / hello 3 auth / hello 3 auth a / hello 3 setname
        hello 1 / hello 99999999999999999999 / hello "" / hello 2.0 / auth / auth a / auth a b / auth default b / auth a b c / select ""
        select 0x0 / select 1.0 / ping "" / echo "a\x00b" / ping a b c""",
    "odd lists": """
        rpush l a b c d / lpop l -1 / lpop l 0 / lpop l "" / lpop none -1 / lpop none x / lrange l 0 9223372036854775807
        lrange l -9223372036854775808 9223372036854775807 / lrange l 0 9223372036854775808 / lindex l -9223372036854775808 / lindex l ""
        lset l -5 x / lset l 9223372036854775807 x / lset l -1 "" / lrem l 9223372036854775807 a / lrem l -9223372036854775808 a / lrem l "" a
        ltrim l 9223372036854775807 -9223372036854775808 / exists l / rpush l a b a b / linsert l BEFORE "" x / linsert l before a b c
        lpos l a rank 1 rank 2 / lpos l a count 9223372036854775807 / lpos l a maxlen 9223372036854775807 / lpos l a rank 1.0 / lpos l ""
        lpos l a count "" / lmpop 1 l LEFT COUNT 9223372036854775807 / lmpop 9223372036854775807 l left / lmpop 1 none left count 0
        lmpop 1 l left left / lmpop 1.0 l left / lmove l l left right x / lmove none none up down / blpop / blpop none "" / blpop none 0x0.01
        blpop none inf / blpop none " 0.01" / blpop none 9223372036854776 / blpop none 9223372036854775807 / blmove none l left right -1
        blmpop 0.01 1 none left count -1 / blmpop 0.01 1 none left count 1 x / bzpopmin none -1 / bzpopmin none abc / blmove none l left right inf""",
    "odd hashes and sets": """
        hset h "" "" / hget h "" / hset h f v f w / hlen h / hincrby h n 9223372036854775807 / hincrby h n 1 / hincrby h n -9223372036854775808
        hincrby h n 1.0 / hset h x "" / hincrby h x 1 / hincrbyfloat h x 1 / hset h y " 1" / hincrby h y 1 / hincrbyfloat h y 1 / hset h z "1 "
        hincrbyfloat h z 1 / hincrbyfloat h q 1e308 / hincrbyfloat h q 1e308 / hincrbyfloat h q 1e5000 / hincrbyfloat h w 0.1 / hincrbyfloat h w 0.2
        hincrbyfloat h w -0.3 / hincrbyfloat h w "" / hincrbyfloat h w 0x1p3 / hincrbyfloat h e 1.0e2 / hincrbyfloat h e -1e2 / hget h e
        hrandfield h 0 withvalues / hrandfield none 0 / hrandfield h 1.0 / hrandfield h "" / hscan h 0 match / hscan h 0 count 1 match / hscan h 0 type string
        del h / hset h a 1 b 2 c 3 / hscan h 0 / hrandfield h 3 / hrandfield h 10 withvalues / sadd s "" / sismember s "" / smismember none a b / spop s ""
        spop s 9223372036854775808 / spop none -1 / srandmember s "" / srandmember none -5 / smove s s "" / smove s d none / smove none d x
        sintercard 1 s limit 9223372036854775807 / sintercard 1 s limit / sintercard -1 s / sintercard "" s / sintercard 9223372036854775808 s
        sinterstore d none / sunionstore d none none / sdiffstore s s s / exists s / sadd i 1 2 3 9223372036854775807 / object encoding i
        sadd i 9223372036854775808 / object encoding i / sadd j 1 01 / object encoding j / sadd m -0 / object encoding m""",
    "odd sorted sets": """
        zadd z inf a -inf b / zadd z nx incr -inf a / zadd z incr -inf a / zadd z gt incr -inf a / zadd z -1e400 d / zadd z 0x1p4 e / zadd z "1 " f / zadd z +1 f / zadd z .5 g / zadd z 5. h / zadd z 1e h
        zadd z infinity i / zadd z +inf j / zadd z INF k / zadd z -Inf l / zadd z 1_000 m / zadd z incr nx 1 a / zadd z incr xx 1 nosuch
        zadd z incr gt -5 g / zadd z incr -inf a / zadd z ch 3 f 4 f / zadd z ch xx incr 1 f / zadd z nx ch 1 f 1 new1 / zincrby z inf b
        zincrby z "" a / zincrby z 1e400 f / zincrby z 0x10 f / zadd p 0.1 a 1.1 b 3.3333333333333335 c 1e21 d 1e22 e 123456789012345680 f
        zadd p 1e-7 g 0.000001 h 1e15 i 1e16 j 1e17 k 4.9e-324 l 1.7976931348623157e308 m -0.0 n 12345678.9 r 9007199254740993 s
        zrange p 0 -1 withscores / zmscore p a b none l m / zincrby p 0.1 a / zincrby p 1e-20 a / zadd p xx ch incr 5 a
        zrange p 0 inf byscore limit 0 -5 / zrange p 0 inf byscore limit -1 -1 / zrange p 0 inf byscore limit 1 0 / zrange p ((0 1 byscore
        zrange p (nan 1 byscore / zrange p ( 1 byscore / zrange p 1 ( byscore / zrange p [a [b byscore / zrange p [a [b bylex limit 0 x
        zrange p 1.0 2 / zrange p "" 1 / zrange p 9223372036854775807 -1 / zrange p -9223372036854775808 9223372036854775807 rev
        zrange p 9223372036854775808 1 / zrangestore d p 0 -1 withscores / zrangestore d p 0 / zrangebyscore p 0 1 withscores limit
        zrangebyscore p 0 1 limit 0 1 limit 1 1 / zrevrange p 0 0 withscore / zrevrangebyscore p 1 / zrangebylex p - + limit -1 1
        zrangebylex none ( ( / zrangebylex none "" + / zrangebylex none -a + / zrangebylex none +a + / zcount p "" 1 / zcount p (inf inf
        zcount p -inf (inf / zcount p nan 1 / zremrangebyscore p (1e15 (1e16 / zremrangebyrank p "" 1 / zremrangebyrank p 9223372036854775807 1
        zpopmin p -1 / zpopmin p "" / zpopmin none -1 / zpopmin p 1.0 / zmpop 1 p min count 9223372036854775808 / zmpop 1 none max count 0
        zunion 2 p p weights 1 "" / zunion 2 p p aggregate SUM aggregate min withscores / zunion 9223372036854775808 p / zdiff 2 p none withscores bogus
        zinterstore d 1 p limit 1 / zintercard 1 p limit 9223372036854775808 / zunionstore d 1 p weights -inf / zrange d 0 -1 withscores
        zunionstore e 1 d weights 0 / zrange e 0 -1 withscores / zrandmember p 1.0 / zrandmember none 0 withscores / zscan p 0 match""",
    "odd subcommands": """
        config get "" / config get maxmemory MAXMEMORY / config get [ / config set maxmemory -1 / config set maxmemory 1k / config get maxmemory
        config set maxmemory 1gb1 / config set maxmemory 0 / config set hz 0 / config set timeout 0 timeout 1 / config set lfu-decay-time -1
        config set slowlog-max-len -1 / config set notify-keyspace-events KEAx / config set hash-max-listpack-entries 9223372036854775808
        config set save "0 0" / config set save "60" / config set save "60 1 " / config set save " 60 1" / config get save / config set save "60  1"
        config set latency-tracking-info-percentiles "50 x" / config set latency-tracking-info-percentiles 101 / config set latency-tracking-info-percentiles nan
        config set latency-tracking-info-percentiles "50 99.90 100" / config get latency-tracking-info-percentiles / config set latency-tracking-info-percentiles " 50"
        config set latency-tracking-info-percentiles "" / config get latency-tracking-info-percentiles / config set latency-tracking-info-percentiles "50 "
        config set oom-score-adj-values "1 2" / config set oom-score-adj-values "1 2 x" / config set oom-score-adj-values "1 2 3000" / config set oom-score-adj-values "-5 2 3"
        config get oom-score-adj-values / config set client-output-buffer-limit "normal 1 2" / config set client-output-buffer-limit "bogus 1 2 3"
        config set client-output-buffer-limit "master 1 2 3" / config set client-output-buffer-limit "normal x 2 3" / config set client-output-buffer-limit "replica 1 2 -3"
        config set client-output-buffer-limit "pubsub 1 2 3 replica 5gb 0 0 NORMAL 1mb 2kb 3" / config get client-output-buffer-limit
        config set dir /tmp / config set dbfilename x / config set daemonize yes / config set save "" / config resetstat x / config rewrite x / config help x / config set a b c
        client list type normal id 1 / client list id 0 / client list id -1 / client list id x / client list type master / client list type ""
        client info x / client kill id 1.0 / client kill addr x / client kill user default skipme yes type pubsub / client kill skipme yes id 99999
        client kill id 99999 id 99998 / client reply on off / client pause 1.5 / client pause 10 all x / client unblock 1 x / client unblock -1
        client setname "a\\nb" / client setname a b / command docs nosuch / command list x / command list filterby module x
        command list filterby aclcat nosuch / command list filterby pattern nosuch* / command help x / acl whoami / acl whoami x / acl users
        acl getuser nosuch / acl cat nosuch / acl cat bitmap x / acl deluser default / acl deluser nosuch / acl genpass x / acl genpass 4097
        acl genpass 5 x / acl log x / acl log reset / acl log 1 2 / acl dryrun nosuch get x / acl dryrun default get x / acl load / acl save / acl bogus
        slowlog get x / slowlog get -2 / slowlog get 0 / slowlog get 1 2 / slowlog len x / slowlog bogus / latency history nosuch / latency latest x
        latency reset nosuch / latency graph nosuch / latency histogram nosuch / latency bogus / memory usage none / memory usage none samples
        memory usage none samples x / memory usage none samples -1 / memory usage none bogus 1 / memory bogus / memory purge x / pubsub channels a b
        pubsub numsub a b / pubsub numpat x / pubsub bogus / pubsub shardnumsub a / publish a / spublish a b / unsubscribe nosuch / punsubscribe x
        multi x / exec x / discard x / multi / watch k / exec / multi / config set maxmemory x / exec / info nosuch nosuch2
        save x / bgsave x / shutdown x / shutdown save nosave / shutdown nosave bogus / replicaof no / replicaof a b c / flushall sync async
        multi / subscribe ch / exec / exec / get k / exec x""",
    "memory limit": """
        set a 1 / lpush l x / config set maxmemory 1 / set a 2 / get a / lpush l y / lpop l / append a x / incr a / del a
        multi / set a 1 / get a / exec / multi / set a 1 / discard / multi / get a / exec / mset a 1 b 2 / get b
        config set maxmemory 0 / set a 3 / get a""",
    "clients": """
        client kill 1.2.3.4:5 / client kill id 999999 / client kill id abc / client kill id -1 / client kill type foo / client kill
        client kill type normal skipme foo / client kill user nosuch / client kill foo bar / client kill laddr 1:1 maxage 3
        client kill id / client kill id 1 type / client kill addr 1.2.3.4:5 laddr 1.2.3.4:6 / client kill type pubsub
        client kill type normal skipme yes / client pause abc / client pause -1 / client pause 10 foo / client pause 1 write
        client pause 1 all / client pause / client pause 1 write x / client unpause / client unpause x / client no-evict on
        client no-evict off / client no-evict foo / client reply foo / client reply on / client unblock 99999
        client unblock abc / client unblock 1 foo / client unblock 99999 error / client unblock 99999 timeout""",
    "connection": """
        ping / ping hello / ping a b / echo hi / echo / echo a b / select 0 / select 1 / select -1 / select x / select
        client getname / client setname me / client getname / client setname "a b" / client setname "" / client getname
        client setname / client id x / client bogus / client / client list bogus / client list type bogus
        client list id x / client list id / hello 4 / hello x / hello 2 bogus / hello 2 setname "a b" / bogus / bogus a b
        BOGUS "with\\r\\nline" / "" / config|get save / config get\\x00 save
        config / config bogus / config get / config set / config set a
        config get databases / config get save / config get appendonly / config get nothing* / config set nothing 1
        config set databases 1 x / config set databases 1 / config set maxmemory 1 maxmemory 2
        config set maxmemory x / config set maxmemory 1 hz x / config get maxmemory / config set hz -1 / config set hz 99999999999
        config set maxmemory-policy lru / config set save "1 2 3" / config set save x / config set save "900 1 300 10"
        config get save / config set save "" / config get save / config set notify-keyspace-events KEA
        config get notify-keyspace-events / config set notify-keyspace-events gKn / config get notify-keyspace-events
        config set notify-keyspace-events ngm / config get notify-keyspace-events / config set notify-keyspace-events q
        config set latency-tracking maybe / config set latency-tracking NO / config get latency-tracking
        config set maxmemory 100mb hash-max-ziplist-value 16 / config get maxmemory / config get hash-max-ziplist-value
        config get hash-max-listpack-value / config set sanitize-dump-payload clients / config get sanitize-dump-payload
        config set list-max-ziplist-size -3 / config get list-max-listpack-size / config rewrite
        config set rdb-key-save-delay 1 / config set databases 1 nothing 2 / config set nothing 2 databases 1
        config set hash-max-listpack-value 9223372036854775808 / config get hash-max-listpack-value / config set repl-backlog-size 0
        config set zset-max-listpack-value 18446744073709551615 / config set active-defrag-ignore-bytes 0
        config set slowlog-log-slower-than -2 / config set slowlog-log-slower-than -1
        command list filterby aclcat generic
        debug / debug sleep / command bogus / command getkeys / command getkeys get / command getkeys get k
        command getkeysandflags mset a 1 b 2 / command getkeysandflags set k v / command getkeysandflags set k v nx GET
        command getkeysandflags sort a store b store c / command getkeysandflags sort_ro a / command getkeysandflags copy a b
        command getkeysandflags zunionstore d 2 a b / command getkeysandflags zinter x a / command getkeysandflags zinter 3 a b
        command getkeysandflags object encoding k / command getkeysandflags memory usage k / command getkeysandflags get
        command getkeysandflags subscribe a / command getkeysandflags bogus x / command getkeysandflags get a b
        command getkeysandflags config get x / command getkeysandflags object bogus x / command getkeysandflags watch a b
        command getkeys mset a 1 b 2 / command getkeys ping / command getkeys bogus x / command info bogus
        command info get / command info set / command info mget / command info lrange / command info ping
        command list filterby bogus x / command list filterby / time x / dbsize x / command count x / quit x y""",
}

# Replies that differ, and why that is right.
ALLOWED = {
    "select 1": "one database: what lies past the last is refused with Redis's error; Redis has 16",
    "command info set": "the note on its key is not kept",
    "config get databases": "one database, not 16",
    "debug sleep": "subcommands differ: DEBUG is a tool of each server's own",
}


def raw_reply(file):
    """The bytes of one reply."""
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("closed")
    kind, rest = line[:1], line[1:-2]
    if kind in b"$=" and rest != b"-1":
        return line + file.read(int(rest) + 2)
    if kind in b"*~>" and rest != b"-1":
        return line + b"".join(raw_reply(file) for _ in range(int(rest)))
    if kind == b"%":
        return line + b"".join(raw_reply(file) for _ in range(2 * int(rest)))
    return line


def words(text):
    return [w.encode("latin-1").decode("unicode_escape").encode("latin-1") for w in shlex.split(text, posix=True)]


class Redis:
    """A redis-server of the test's own."""

    def __enter__(self):
        self.port = free_port()
        self.dir = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.dir.name],
            stdout=subprocess.DEVNULL)
        until("redis-server listens", self.listens)
        with Resp(self.port) as r:
            assert b"redis_version:7.0" in r("INFO", "server"), "the expected replies are Redis 7.0's"
        return self

    def listens(self):
        same(self.process.poll(), None, "redis-server's exit status")
        try:
            with Resp(self.port):
                return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.dir.cleanup()


def as_late(line, replies, since):
    """Are they times to live that differ because a machine that does much else came between the commands?"""
    if not line.startswith("ttl ") or {reply[:1] for reply in replies} != {b":"}:
        return False
    return abs(int(replies[0][1:]) - int(replies[1][1:])) <= int(time.monotonic() - since + 0.5)


def compare(server, protocol, group):
    differences, used, begun = [], set(), time.monotonic()
    with Redis() as redis, Resp(redis.port) as theirs, Resp(server.resp) as ours:
        for r in (theirs, ours):
            r("HELLO", protocol)
        for line in " / ".join(GROUPS[group].strip().splitlines()).split(" / "):
            line = line.strip()
            replies = []
            for r in (theirs, ours):
                r.send(Resp.encode(words(line)))
                replies.append(raw_reply(r.file))
            if replies[0] == replies[1] or as_late(line, replies, begun):
                continue
            if line in ALLOWED:
                used.add(line)
                continue
            differences.append(f"{line}: redis {replies[0]!r}, flashkv {replies[1]!r}")
    lines = {line.strip() for line in " / ".join(GROUPS[group].strip().splitlines()).split(" / ")}
    differences += [f"{line}: is no difference any more" for line in ALLOWED if line in lines - used]
    assert not differences, "\n" + "\n".join(differences)


def make(protocol, group):
    def test(server):
        compare(server, protocol, group)

    test.__doc__ = f"{group}, as redis-server answers in RESP{protocol}"
    return test


if __name__ == "__main__":
    run([make(protocol, group) for protocol in (2, 3) for group in GROUPS])
