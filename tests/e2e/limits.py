#!/usr/bin/env python3
"""Every limit is an option, and each is met here at its border: what is within passes, what is over is told, others go on."""
import json
import re
import socket
import subprocess
import time

from fk import FLASHKV, PATIENCE, Resp, Server, read_all, name_of, report, same, until

LIMITS = re.compile(r"max-|http-memory|.*-timeout")


def status(s, method, path, body=None, headers=None):
    return s.request(method, path, body, headers)[0]


def ended(client):
    """Nothing but the end comes."""
    client.socket.settimeout(PATIENCE)
    same(read_all(client.socket), (b"", True))


def refuses(s, port, words):
    """A new connection is told so and closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as c:
        got, closed = read_all(c)
    return closed and words in got


def max_connections(s):
    """max-connections=3: the fourth of a port is told so, and there is room again when one goes"""
    held = [s.client() for _ in range(3)]
    same([c("ping") for c in held], ["PONG"] * 3)
    assert refuses(s, s.resp, b"-ERR max number of clients reached\r\n")
    same(status(s, "GET", "/healthz"), 200, "the other port has its own")
    held.pop().__exit__()
    until("room", lambda: s.stats()["resp"]["connections"] == 2)
    with s.client() as c:
        same(c("ping"), "PONG")
    for c in held:
        c.__exit__()


def max_connections_per_address(s):
    """max-connections-per-address=3: counted on both ports together, each address for itself"""
    held = [s.client() for _ in range(2)]
    same([c("ping") for c in held], ["PONG"] * 2)
    kept = socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    same(kept.recv(4096)[:12], b"HTTP/1.1 200")
    assert refuses(s, s.resp, b"-ERR max number of clients reached for your address\r\n")
    got = s.raw_http(b"")[0]
    same((got[:12], json.loads(got.partition(b"\r\n\r\n")[2])["status"]), (b"HTTP/1.1 429", 429))
    with socket.create_connection(("127.0.0.1", s.resp), PATIENCE, ("127.0.0.9", 0)) as other:
        other.sendall(b"PING\r\n")
        same(other.recv(100), b"+PONG\r\n", "another address")
    same(held[0]("ping"), "PONG")
    kept.close()
    until("room over HTTP", lambda: status(s, "GET", "/healthz") == 200)
    held.pop().__exit__()
    until("room over RESP", lambda: not refuses_at_once(s))
    for c in held:
        c.__exit__()


def refuses_at_once(s):
    with socket.create_connection(("127.0.0.1", s.resp), timeout=PATIENCE) as c:
        c.sendall(b"PING\r\n")
        return c.recv(100) != b"+PONG\r\n"


def idle_timeout(s):
    """idle-timeout=3: a Redis connection without commands is closed, one that has some is not, nor one that waits"""
    with s.client() as idle, s.client() as busy, s.client() as waits:
        waits.send(Resp.encode(["blpop", "q", "0"]))
        same(idle("ping"), "PONG")
        until("the end of the idle one", lambda: b"connected_clients:2\r\n" in busy("info", "clients"))
        ended(idle)
        busy("rpush", "q", "x")
        same(waits.read(), [b"q", b"x"])


def command_timeout(s):
    """command-timeout=3: a command sent a byte now and then ends its connection; idle ones and large ones stay"""
    with s.client() as slow, s.client() as line, s.client() as idle, s.client() as large:
        slow.send(b"*1\r\n$4\r\nPI")
        line.send(b"PIN")
        value = b"v" * 2000000
        large.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % len(value))
        end = time.monotonic() + PATIENCE
        while s.stats()["resp"]["connections"] > 2:
            assert time.monotonic() < end, "slow ones are still there"
            if value:
                large.send(value[:40000])
                value = value[40000:]
            time.sleep(0.2)
        large.send(value + b"\r\n")
        same(large.read(), "OK", "it got on")
        ended(slow)
        ended(line)
        same(idle("strlen", "k"), 2000000)


def http_timeout(s):
    """http-timeout=1: connections that are idle, or amid headers or a body, are closed; Redis's are not"""
    begun = [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12"]
    with s.client() as c:
        held = [socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) for _ in begun]
        for h, text in zip(held, begun):
            h.sendall(text)
        for h in held:
            same(read_all(h), (b"", True))
            h.close()
        same(c("exists", "k"), 0)


def http_header_timeout(s):
    """http-header-timeout=1: headers that are not whole by then end the connection, however they move; idle ones and bodies do not"""
    whole, drip = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: "]

    def connect():
        return socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)

    idle, body, slow, later = connect(), connect(), [connect() for _ in drip], connect()
    for c in (idle, later):
        c.sendall(whole)
        assert c.recv(4096).startswith(b"HTTP/1.1 200")
    body.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n1")
    for c, text in zip(slow, drip):
        c.sendall(text)
    end, left = time.monotonic() + PATIENCE, slow + [later]
    while left:
        assert time.monotonic() < end, "slow ones are still there"
        for c in list(left):
            try:
                c.settimeout(0.1)
                c.sendall(b"x" if c is not slow[0] else b"")
                if c.recv(100) == b"":
                    left.remove(c)
            except TimeoutError:
                pass
            except ConnectionError:
                left.remove(c)
    body.sendall(b"23")
    assert body.recv(4096).startswith(b"HTTP/1.1 201"), "a body has time"
    idle.sendall(whole)
    assert idle.recv(4096).startswith(b"HTTP/1.1 200"), "an idle one too"
    for c in (idle, body, later, *slow):
        c.close()


def http_memory(s):
    """http-memory=4kb: a URL over it is 414, headers over it 431, both within are fine"""
    same(status(s, "PUT", "/keys/" + "k" * 1500, b"v"), 201)
    same(status(s, "GET", "/keys/" + "k" * 8000), 414)
    same(status(s, "GET", "/healthz", headers={"X": "h" * 8000}), 431)
    same(status(s, "GET", "/healthz", headers={"X": "h" * 1000}), 200)


def max_key_bytes(s):
    """max-key-bytes=10: keys of ten bytes, of eleven none, on either port"""
    with s.client() as c:
        same(c("set", "k" * 10, "v"), "OK")
        assert "max-key-bytes" in c.error("set", "k" * 11, "v")
        same(c("dbsize"), 1)
    same(status(s, "PUT", "/keys/" + "k" * 10, b"v"), 204)
    same(status(s, "PUT", "/keys/" + "k" * 11, b"v"), 414)


def max_value_bytes(s):
    """max-value-bytes=100kb: a value of 102 400 bytes, none longer, by whatever command and on either port"""
    most = b"v" * 102400
    with s.client() as c:
        same(c("set", "k", most), "OK")
        assert "exceeds maximum allowed size" in c.error("append", "k", "v")
        assert "exceeds maximum allowed size" in c.error("setrange", "k", 102400, "v")
        same(c("strlen", "k"), 102400)
        assert "invalid bulk length" in c.error("set", "k", most + b"v")
        ended(c)
    same(status(s, "PUT", "/keys/k", most), 204)
    same(status(s, "PUT", "/keys/k", most + b"v"), 413)
    same(status(s, "POST", "/keys/k/append", b"v"), 413)


def max_args(s):
    """max-args=16: a command of sixteen arguments, none of seventeen"""
    with s.client() as c:
        same(c("del", *range(15)), 0)
        assert "invalid multibulk length" in c.error("del", *range(16))
        ended(c)


def max_request_bytes(s):
    """max-request-bytes=64kb: a command over it ends the connection, a JSON body over it is 413"""
    with s.client() as c:
        same(c("mset", "a", "v" * 20000, "b", "v" * 20000), "OK")
        assert "Protocol error" in c.error("mset", *["k", "v" * 20000] * 4)
    line = json.dumps({"key": "k", "type": "list", "value": ["v" * 20000] * 4}).encode()
    same(status(s, "POST", "/import", line, {"Content-Type": "application/x-ndjson"}), 413)


def max_json_depth(s):
    """max-json-depth=3: three levels within each other pass, four are 400"""
    for path, kind, fits, deep in (("/batch", "json", '[{"x":[1]}]', '[{"x":[[1]]}]'),
                                   ("/batch", "x-ndjson", '{"x":[[1]]}', '{"x":[[[1]]]}'),
                                   ("/import", "x-ndjson", '{"etag":[[1]]}', '{"etag":[[[1]]]}')):
        for body in (fits, deep):
            _, _, text = s.request("POST", path, body, {"Content-Type": "application/" + kind})
            same(b"too deep" in text, body == deep, (path, body, text))


def max_output_bytes(s):
    """max-output-bytes=64kb: a reply over it ends the Redis connection, and is counted; over HTTP nobody waits for memory"""
    with s.client() as c, s.client() as other:
        c("set", "k", "v" * 30000)
        same(len(c("mget", "k", "k")), 2)
        c.send(Resp.encode(["mget"] + ["k"] * 10))
        ended(c)
        same(other("ping"), "PONG")
    same(s.stats()["resp"]["output_overflows"], 1)


TESTS = [(max_connections, "3"), (max_connections_per_address, "3"), (idle_timeout, "3"), (command_timeout, "3"),
         (http_timeout, "1"), (http_header_timeout, "1"), (http_memory, "4kb"), (max_key_bytes, "10"), (max_value_bytes, "100kb"), (max_args, "16"),
         (max_request_bytes, "64kb"), (max_json_depth, "3"), (max_output_bytes, "64kb")]


def every_limit():
    """every option that is a limit has its test here"""
    table = subprocess.run([FLASHKV, "--help-markdown"], check=True, capture_output=True, text=True).stdout
    options = {o for o in re.findall(r"^\| `--([a-z-]+)`", table, re.M) if LIMITS.match(o)}
    same(options, {t.__name__.replace("_", "-") for t, _ in TESTS})


def of_option(test, value):
    def run_test():
        with Server(f"--{test.__name__.replace('_', '-')}={value}") as s:
            test(s)
            same(s.stop(), 0, "exit status")

    return name_of(test), run_test


if __name__ == "__main__":
    report([(name_of(every_limit), every_limit), *(of_option(*t) for t in TESTS)])
