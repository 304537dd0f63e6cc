#!/usr/bin/env python3
"""HTTP that others got wrong: framing, limits, slow clients, pipelining (must-survive, mhd-notes)."""
import socket
import threading
import time

from fk import read_all, run, same


def statuses(got):
    """The status codes of the responses in a byte stream."""
    return [int(part.split(b" ")[0]) for part in got.split(b"HTTP/1.1 ")[1:]]


def refused(s, data, want, what):
    """A response with one of the statuses of `want`, then the end, and nothing done."""
    got, closed = s.raw_http(data)
    codes = statuses(got)
    # 0.9.75 writes the status line of its own refusals twice; what counts is that there is nothing else.
    assert codes and all(code in want for code in codes) and closed, f"{what}: {got[:300]!r}, closed {closed}"
    with s.client() as r:
        same(r("DBSIZE"), 0, what)


def smuggling(s):
    """framing that two readers could divide differently is refused and the connection closed"""
    second = b"PUT /keys/smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\ny"
    put = b"PUT /keys/k HTTP/1.1\r\nHost: x\r\n"
    refused(s, put + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + second, [400], "both")
    refused(s, put + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second, [400], "both, turned")
    refused(s, put + b"Content-Length: 1\r\nContent-Length: 5\r\n\r\nx" + second, [400], "two lengths")
    refused(s, put + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" + second, [400], "the same length twice")
    refused(s, put + b"Content-Length: +1\r\n\r\nx", [400], "signed length")
    refused(s, put + b"Content-Length: 1, 1\r\n\r\nx", [400], "list of lengths")
    refused(s, put + b"Content-Length: abc\r\n\r\nx", [400], "length that is no number")
    refused(s, put + b"Transfer-Encoding: gzip\r\n\r\nx" + second, [400, 501], "another encoding")
    refused(s, put + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + second, [400, 501], "two encodings")
    refused(s, put + b"Content-Length : 1\r\n\r\nx" + second, [400], "a space before the colon")
    refused(s, put + b": empty\r\nContent-Length: 1\r\n\r\nx" + second, [400, 411], "an empty name")


def hosts(s):
    """no Host and two Hosts are 400"""
    refused(s, b"PUT /keys/k HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", [400], "no host")
    refused(s, b"PUT /keys/k HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\n\r\nx", [400], "two hosts")


def targets(s):
    """a space, a fragment or a control byte in the target is 400"""
    end = b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
    for target in (b"/keys/a b", b"/keys/a#b", b"/keys/a\x01b", b"keys/a"):
        refused(s, b"PUT " + target + end, [400], target)
    got, _ = s.raw_http(b"PUT http://else/keys/abs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
    same(statuses(got), [201], "absolute form")
    got, _ = s.raw_http(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    same(statuses(got), [204], "asterisk form")
    for method in (b"TRACE", b"CONNECT", b"BREW"):
        got, _ = s.raw_http(method + b" /keys/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        same(statuses(got), [405], method)


def null_bytes(s):
    """a NUL in the target or a header never changes which key is meant"""
    refused(s, b"PUT /keys/a\0b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", [400], "in the target")
    # libmicrohttpd 0.9.75 cuts a header's value there, unseen; the key is in the target, and stays what it is.
    s.raw_http(b"PUT /keys/ab HTTP/1.1\r\nHost: x\0y\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx")
    with s.client() as r:
        assert r("KEYS", "*") in ([], [b"ab"])


def body_too_long(s):
    """413 before the body is read, with 100-continue and without; chunked, when it has grown too long"""
    for extra in (b"", b"Expect: 100-continue\r\n"):
        got, closed = s.raw_http(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n" + extra + b"\r\n")
        same((statuses(got), closed), ([413], True), extra)
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    got, closed = s.raw_http(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 40
                             + b"0\r\n\r\n")
    same((statuses(got), closed), ([413], True), "chunked")
    with s.client() as r:
        same(r("DBSIZE"), 0)


def expectations(s):
    """100-continue is met, any other expectation is 417"""
    refused(s, b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nExpect: miracle\r\nContent-Length: 1\r\n\r\nx", [417], "417")
    with socket.create_connection(("127.0.0.1", s.http), timeout=20) as c:
        c.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n")
        same(c.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        c.sendall(b"x")
        same(statuses(read_all(c)[0]), [201])


def floods(s):
    """a 40 000-byte URL is 414, a flood of headers 431; the service goes on"""
    got, _ = s.raw_http(b"GET /keys/" + b"k" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    same(statuses(got), [414])
    got, _ = s.raw_http(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Flood: y\r\n" * 3000 + b"\r\n")
    same(statuses(got), [431])
    same(s.request("GET", "/healthz")[0], 200)


def pipelining(s):
    """pipelined requests are answered in order on a connection that is kept"""
    requests = b"".join(b"PUT /keys/p%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % (i, i) for i in range(9))
    requests += b"".join(b"GET /keys/p%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(9))
    requests += b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    got, closed = s.raw_http(requests)
    same((statuses(got), closed), ([201] * 9 + [200] * 10, True))
    values = [part.split(b"\r\n\r\n")[1] for part in got.split(b"HTTP/1.1 200")[1:10]]
    same(values, [b"%d" % i for i in range(9)])


def http10(s):
    """HTTP/1.0 is answered and closed; with keep-alive it is kept"""
    got, closed = s.raw_http(b"GET /healthz HTTP/1.0\r\n\r\n")
    same((got.split(b" ")[1], closed), (b"200", True))


def slow_clients(s):
    """slow headers and half-sent bodies are timed out; others are served meanwhile"""
    slow = []
    for i in range(40):
        c = socket.create_connection(("127.0.0.1", s.http), timeout=30)
        c.sendall([b"GET /he", b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"][i % 2])
        slow.append(c)
    for _ in range(20):
        same(s.request("GET", "/healthz")[0], 200)
    for c in slow:
        read_all(c)
        c.close()
    for _ in range(500):
        connections = s.stats()["http"]["connections"]
        if connections == 1:  # the one that asks
            break
        time.sleep(0.01)
    same(connections, 1)
    with s.client() as r:
        same(r("EXISTS", "k"), 0, "half a body is no value")


def half_closed(s):
    """a client that has finished sending still gets its response"""
    with socket.create_connection(("127.0.0.1", s.http), timeout=20) as c:
        c.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        c.shutdown(socket.SHUT_WR)
        same(statuses(read_all(c)[0]), [200])


def many_uploads(s):
    """large uploads and downloads side by side arrive whole"""
    errors = []

    def one(i):
        value = bytes([i]) * 700000
        try:
            assert s.request("PUT", f"/keys/u{i}", value)[0] == 201
            for _ in range(5):
                assert s.request("GET", f"/keys/u{i}")[2] == value
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(errors, [])


run([smuggling, hosts, targets, null_bytes, (body_too_long, "--max-value-bytes=1mb"), expectations, floods, pipelining,
     http10, (slow_clients, "--http-timeout=1"), half_closed, many_uploads])
