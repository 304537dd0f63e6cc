#!/usr/bin/env python3
"""RESP: what killed others (must-survive), and the protocol's corners."""
import os
import socket
import struct
import tempfile
import time

from fk import PATIENCE, Resp, read_all, run, same, until


def raw(s, data, seconds=PATIENCE):
    with socket.create_connection(("127.0.0.1", s.resp), timeout=seconds) as c:
        c.sendall(data)
        return read_all(c)


def answers(s, data, want):
    """The bytes that come back on a connection that stays open: asked with a PING behind."""
    with s.client() as r:
        r.send(data + b"*1\r\n$4\r\nPING\r\n")
        want += b"+PONG\r\n"
        got = b""
        while len(got) < len(want):
            more = r.socket.recv(65536)
            assert more, f"closed after {got!r}"
            got += more
        same(got, want, data[:60])


def alive(s):
    with s.client() as r:
        same(r("PING"), "PONG")


def expire_overflow(s):
    """expire times that overflow are errors, and the connection is kept"""
    with s.client() as r:
        big = 9223372036854775807
        same(r.error("SET", "k", "v", "EX", big), "ERR invalid expire time in 'set' command")
        same(r.error("SETEX", "k", big, "v"), "ERR invalid expire time in 'setex' command")
        same(r.error("PSETEX", "k", big, "v"), "ERR invalid expire time in 'psetex' command")
        same(r("SET", "k", "v"), "OK")
        same(r.error("EXPIRE", "k", big), "ERR invalid expire time in 'expire' command")
        same(r.error("GETEX", "k", "EX", 0), "ERR invalid expire time in 'getex' command")
        same(r("EXPIRE", "k", -1), 1)
        same(r("EXISTS", "k"), 0)
        for past in (0, -5, 1):
            r("SET", "k", "v")
            same(r("PEXPIREAT", "k", past), 1)
            same(r("DBSIZE"), 0)


def hostile_headers(s):
    """headers that claim too much: the error, the end, no memory taken"""
    before = s.stats()["memory"]["resident"]
    multi = b"-ERR Protocol error: invalid multibulk length\r\n"
    bulk = b"-ERR Protocol error: invalid bulk length\r\n"
    for n in (b"2147483647", b"1099511627776", b"9223372036854775807", b"abc", b"99999999999999999999"):
        same(raw(s, b"*" + n + b"\r\n"), (multi, True), n)
    for n in (b"600000000", b"-5", b"abc", b"9223372036854775807"):
        same(raw(s, b"*1\r\n$" + n + b"\r\n"), (bulk, True), n)
    same(raw(s, b"*1\r\n:5\r\n"), (b"-ERR Protocol error: expected '$', got ':'\r\n", True))
    same(raw(s, b"*2\r\n$4\r\nECHO\r\n*1\r\n$1\r\na\r\n"),
         (b"-ERR Protocol error: expected '$', got '*'\r\n", True), "a nested array")
    with socket.create_connection(("127.0.0.1", s.resp)) as c:  # says half a gigabyte, sends nothing
        c.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n")
        alive(s)
        assert s.stats()["memory"]["resident"] - before < 8 << 20


def large_commands(s):
    """one command over 64 KiB works: a large SET, RPUSH of 10 000 values, DEL of 5 000 keys"""
    with s.client() as r:
        for size in (32767, 32768, 65536, 1 << 20, 20 << 20):
            value = os.urandom(size)
            same(r("SET", "big", value), "OK")
            assert r("GET", "big") == value
            same(r("APPEND", "big", b"x"), size + 1)
            assert r("GET", "big") == value + b"x"
        same(r("RPUSH", "l", *range(10000)), 10000)
        same(r("LRANGE", "l", 9998, -1), [b"9998", b"9999"])
        r("MSET", *[x for i in range(5000) for x in (f"k{i}", i)])
        same(r("DEL", *[f"k{i}" for i in range(5000)]), 5000)


def split_anywhere(s):
    """a command may arrive in any pieces"""
    data = Resp.encode(["SET", "k", "x" * 40]) + b"PING\r\n" + Resp.encode(["GET", "k"])
    for cut in range(1, len(data)):
        with s.client() as r:
            r.send(data[:cut])
            if cut % 7 == 0:
                time.sleep(0.002)
            r.send(data[cut:])
            same([r.read(), r.read(), r.read()], ["OK", "PONG", b"x" * 40], cut)
    with s.client() as r:
        for byte in Resp.encode(["SET", "k", "v"]):
            r.send(bytes([byte]))
        same(r.read(), "OK")


def looked_up_ahead(s):
    """pipelines are answered alike over few keys and over so many that the keys of a pipeline are looked up ahead"""
    lines = [["SET", "a", "1"], ["GET", "a"], ["PING"], ["INCR", "a"], ["MSET", "b", "2", "c", "3"], ["GET", "none"],
             ["MULTI"], ["SET", "b", "4"], ["GET", "b"], ["EXEC"], ["GET"], ["NONSENSE", "a"], ["LPUSH", "l", "x" * 5000],
             ["GET", "l"], ["LLEN", "l"], ["GET", ""], ["DEL", "a", "b", "c", "l"], ["EXISTS", "a"]]
    data = b"".join(Resp.encode(line) for line in lines) * 20 + b"PING\r\n" + Resp.encode(["QUIT"])

    def ask(cut):
        with socket.create_connection(("127.0.0.1", s.resp), timeout=PATIENCE) as c:
            c.sendall(data[:cut])
            c.sendall(data[cut:])
            return read_all(c)[0]

    want = ask(len(data))
    with s.client() as r:
        for i in range(4000):
            r.send(Resp.encode(["SET", f"k{i}", "v" * 100]))
        same({r.read() for _ in range(4000)}, {"OK"})
        for cut in (len(data), len(data) - 40, len(data) // 2, 777):
            same(ask(cut), want, cut)
        r.send(b"".join(Resp.encode(["GET", f"k{i}"]) for i in range(3990, 4010)))
        same([r.read() for _ in range(20)], [b"v" * 100] * 10 + [None] * 10)


def written_before_read(s):
    """400 000 GETs written before the first reply is read are all answered"""
    with s.client() as r:
        r("SET", "k", "v" * 20)
        one = Resp.encode(["GET", "k"])
        for _ in range(400):
            r.send(one * 1000)
        for _ in range(400000):
            assert r.read() == b"v" * 20


def never_reads(s):
    """a client that never reads is throttled, then cut; others do not notice"""
    with s.client() as r, s.client() as other:
        r("SET", "big", "v" * 4000)
        r.socket.settimeout(0.5)
        one = Resp.encode(["MGET"] + ["big"] * 100)
        try:
            for _ in range(3000):
                r.send(one)
        except (socket.timeout, ConnectionError):
            pass
        same(other("PING"), "PONG")
        assert s.stats()["memory"]["resident"] < 64 << 20, s.stats()["memory"]


def output_limit(s):
    """one reply over max-output-bytes ends the connection, and is counted"""
    with s.client() as r:
        r("SET", "big", "v" * 4000)
        r.send(Resp.encode(["MGET"] + ["big"] * 3000))
        try:
            r.read()
            raise AssertionError("answered")
        except ConnectionError:
            pass
    same(s.stats()["resp"]["output_overflows"], 1)
    alive(s)


def inline_commands(s):
    """inline: empty lines, LF alone, quotes, bytes that are no UTF-8"""
    answers(s, b"\r\n\n\r\n", b"")
    answers(s, b"PING\n", b"+PONG\r\n")
    answers(s, b"  ping   \r\n", b"+PONG\r\n")
    answers(s, b'SET k "a b\\x41\\n\\"" \r\nGET k\r\n', b'+OK\r\n$7\r\na bA\n"\r\n'.replace(b"$7", b"$6"))
    answers(s, b"SET k 'it\\'s'\nGET k\n", b"+OK\r\n$4\r\nit's\r\n")
    answers(s, b"ECHO \xff\xfe\r\n", b"$2\r\n\xff\xfe\r\n")
    answers(s, b'ECHO ""\r\n', b"$0\r\n\r\n")
    same(raw(s, b'SET k "unbalanced\r\n'), (b"-ERR Protocol error: unbalanced quotes in request\r\n", True))
    same(raw(s, b"SET k 'a'b\r\n"), (b"-ERR Protocol error: unbalanced quotes in request\r\n", True))
    same(raw(s, b"x" * 70000), (b"-ERR Protocol error: too big inline request\r\n", True))
    answers(s, b"*0\r\n*-1\r\n", b"")


def no_reply_injection(s):
    """CR LF in a command name or option cannot forge a reply"""
    with s.client() as r:
        text = r.error("foo\r\n+INJECTED", "a\r\nb")
        assert "\r" not in text and "\n" not in text
        same(r("PING"), "PONG")
        for args in (["CONFIG", "SET", "x\r\n:1", "y"], ["CLIENT", "x\r\n+OK"], ["EXPIRE", "k", 1, "\r\n+OK"],
                     ["HELLO", 3, "\r\n+OK"], ["CLIENT", "SETINFO", "\r\n", "x"]):
            r.error(*args)
            same(r("PING"), "PONG")


def quit_closes(s):
    """QUIT answers OK and closes; what was pipelined behind it is not run"""
    same(raw(s, b"PING\r\nQUIT\r\nSET k v\r\n"), (b"+PONG\r\n+OK\r\n", True))
    with s.client() as r:
        same(r("EXISTS", "k"), 0)


def half_closed(s):
    """a client that has finished sending still gets its replies"""
    with socket.create_connection(("127.0.0.1", s.resp), timeout=PATIENCE) as c:
        c.sendall(b"PING\r\n" * 1000)
        c.shutdown(socket.SHUT_WR)
        same(read_all(c), (b"+PONG\r\n" * 1000, True))


def max_connections(s):
    """over max-connections a client is told so; the others go on"""
    held = [s.client() for _ in range(20)]
    for r in held:
        same(r("PING"), "PONG")
    same(raw(s, b""), (b"-ERR max number of clients reached\r\n", True))
    same(held[0]("PING"), "PONG")
    held.pop().__exit__()
    until("room", lambda: raw(s, b"PING\r\nQUIT\r\n") == (b"+PONG\r\n+OK\r\n", True))
    same(s.stats()["resp"]["refused"] >= 1, True)
    for r in held:
        r.__exit__()


def reset_connections(s):
    """connections reset in the middle of anything leave nothing behind"""
    for data in (b"", b"*", b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\nabc", b"GET k\r\n" * 1000):
        for _ in range(20):
            c = socket.create_connection(("127.0.0.1", s.resp))
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.sendall(data)
            c.close()
    until("the end of them all", lambda: s.stats()["resp"]["connections"] == 0)


def resp3(s):
    """HELLO 3 changes the forms of replies, HELLO 2 changes them back"""
    with s.client() as r:
        hello = r("HELLO", 3, "SETNAME", "me")
        same((hello[b"proto"], hello[b"role"], hello[b"modules"]), (3, b"master", []))
        same(r("CLIENT", "GETNAME"), b"me")
        r.send(Resp.encode(["GET", "none"]))
        same(r.file.readline(), b"_\r\n")
        same(type(r("CONFIG", "GET", "port")), dict)
        assert b"redis_version:7.0.15" in r("INFO", "server")
        same(r.error("HELLO", 4), "NOPROTO unsupported protocol version")
        same(r("HELLO", 2)[0], b"server")
        same(r("LPOP", "none", 1), None)


def semantics(s):
    """the table of semantics that others got wrong"""
    with s.client() as r:
        r("RPUSH", "l", 1)
        wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"
        for args in (["GET", "l"], ["INCR", "l"], ["APPEND", "l", "x"], ["GETSET", "l", "x"], ["STRLEN", "l"],
                     ["SET", "l", "x", "GET"]):
            same(r.error(*args), wrong, args)
        same((r("TYPE", "l"), r("EXISTS", "l"), r("DBSIZE"), r("KEYS", "*")), ("list", 1, 1, [b"l"]))
        same((r("RENAME", "l", "m"), r("EXPIRE", "m", 100), 90 < r("TTL", "m") <= 100, r("DEL", "m")), ("OK", 1, True, 1))
        r("SET", "k", "v", "EX", 100)
        r("SET", "k", "w", "KEEPTTL")
        assert 90 < r("TTL", "k") <= 100
        for args in (["NX", "XX"], ["EX", 1, "PX", 1], ["EX"], ["KEEPTTL", "EX", 1], ["BOGUS"]):
            same(r.error("SET", "k", "v", *args), "ERR syntax error", args)
        assert 90 < r("TTL", "k") <= 100
        r("SET", "gone", "v", "PX", 1)
        time.sleep(0.01)
        same((r("DEL", "gone"), r("EXISTS", "gone"), r("TTL", "gone"), r("DBSIZE")), (0, 0, -2, 1))
        r("SET", "n", -(2**63))
        same(r.error("DECR", "n"), "ERR increment or decrement would overflow")
        same(r.error("DECRBY", "n", -(2**63)), "ERR decrement would overflow")
        for bad in ("+5", "05", " 5", "5 ", "", "1.0", "0x1", "-0"):
            r("SET", "n", bad)
            same(r.error("INCR", "n"), "ERR value is not an integer or out of range", bad)
        same(r.error("MSET", "a", 1, "b"), "ERR wrong number of arguments for 'mset' command")
        same(r("EXISTS", "a", "b"), 0)
        r("SET", b"\xff\xfe", 1)
        assert b"\xff\xfe" in r("KEYS", "*")
        r("SET", "a" * 60000, 1)
        same(r("KEYS", "a*a*a*a*a*a*a*a*b"), [])
        same(r.error("SET", "k" * 65537, 1)[:26], "ERR key is too long (65537")


def time_within_a_pipeline(s):
    """a key expires while the rest of its pipeline is run, if that takes so long"""
    with s.client() as r:
        for line in (["PSETEX", "k", 20, "v"], ["DEBUG", "SLEEP", "0.1"], ["GET", "k"], ["PTTL", "k"]):
            r.send(Resp.encode(line))
        same([r.read() for _ in range(4)], ["OK", "OK", None, -2])
        r.send(b"".join(Resp.encode(line) for line in (["PSETEX", "k", 20, "v"], ["DEBUG", "SLEEP", "0.1"], ["EXISTS", "k"])))
        same([r.read() for _ in range(3)], ["OK", "OK", 0])


def debug_sleep_holds_no_lock(s):
    """DEBUG SLEEP on one connection does not keep HTTP from the same keys"""
    with s.client() as r:
        r("SET", "k", "v")
        r.send(Resp.encode(["DEBUG", "SLEEP", "0.5"]))
        same(s.request("GET", "/keys/k")[2], b"v")
        same(r.read(), "OK")


REFUSED = "ERR DEBUG command not allowed."


def debug_of_this_machine(s):
    """DEBUG is for Redis clients of this machine, and not for HTTP, whoever that may come from"""
    with s.client() as r:
        same(r("CONFIG", "GET", "enable-debug-command"), [b"enable-debug-command", b"local"])
        same(r.error("CONFIG", "SET", "enable-debug-command", "yes")[-29:], " - can't set immutable config")
        same(r("DEBUG", "SLEEP", 0), "OK")
    assert REFUSED in s.request("POST", "/upstash", b'["DEBUG", "SLEEP", "0"]')[2].decode()


def debug_refused(s):
    """DEBUG for nobody, within a transaction as well"""
    with s.client() as r:
        same(r.error("DEBUG", "SLEEP", 0)[:len(REFUSED)], REFUSED)
        r("MULTI")
        same(r.error("DEBUG", "RELOAD")[:len(REFUSED)], REFUSED)
        same(r.error("EXEC"), "EXECABORT Transaction discarded because of previous errors.")


def debug_for_all(s):
    """DEBUG for everybody"""
    same(s.request("POST", "/upstash", b'["DEBUG", "SLEEP", "0"]')[0], 200)


def debug_reload(s):
    """DEBUG RELOAD writes a snapshot, and changes nothing, while another client writes"""
    with s.client() as r, s.client() as other:
        for i in range(2000):
            r.send(Resp.encode(["RPUSH", f"l{i}", *range(i % 70)]) + Resp.encode(["ZADD", f"z{i % 10}", i, f"m{i}"]))
        for i in range(4000):
            r.read_any()
        r("SET", "large", b"x" * 100000)
        digest, saved = r("DEBUG", "DIGEST"), r("LASTSAVE")
        r.send(Resp.encode(["DEBUG", "RELOAD"]))
        for i in range(200):
            other("SET", "k", i)
            same(other("GET", "k"), str(i).encode())
        other("DEL", "k")
        same(r.read(), "OK")
        same(r("DEBUG", "DIGEST"), digest)
        same(r("DEBUG", "LOADAOF"), "OK")
        same(r("DEBUG", "DIGEST"), digest)
        assert r("LASTSAVE") >= saved and "snapshot" in " ".join(os.listdir(folder.name))


def memory_limit(s):
    """maxmemory refuses what takes memory, EXEC of such commands too, over HTTP as well"""
    refused = "OOM command not allowed when used memory > 'maxmemory'."
    with s.client() as a, s.client() as b:
        a("SET", "k", "v")
        a("MULTI")
        a("SET", "k", "w")
        b("CONFIG", "SET", "maxmemory", "1")
        same(a.error("EXEC"), "EXECABORT Transaction discarded because of: " + refused)
        same(a("GET", "k"), b"v")
        same(s.request("PUT", "/keys/k", b"x")[0], 507)
        same(s.request("GET", "/keys/k")[2], b"v")
        same(a("DEL", "k"), 1)
        b("CONFIG", "SET", "maxmemory", "1gb")
        a("SET", "k", "x")
        same(b("CONFIG", "GET", "maxmemory"), [b"maxmemory", b"1073741824"])


tests = [expire_overflow, hostile_headers, large_commands, split_anywhere, looked_up_ahead, written_before_read, inline_commands,
         no_reply_injection, quit_closes, half_closed, reset_connections, resp3, semantics,
         time_within_a_pipeline, debug_sleep_holds_no_lock, debug_of_this_machine, memory_limit]
folder = tempfile.TemporaryDirectory()
run(tests + [(max_connections, "--max-connections=20"), (output_limit, "--max-output-bytes=8mb"),
             (never_reads, "--max-output-bytes=16mb"), (debug_refused, "--enable-debug-command=no"),
             (debug_for_all, "--enable-debug-command=yes"), (debug_reload, "--data-dir=" + folder.name)])
