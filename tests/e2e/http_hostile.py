#!/usr/bin/env python3
"""HTTP: what killed others (must-survive), and what a proxy would read otherwise."""
import contextlib
import json
import os
import resource
import select
import signal
import socket
import struct
import time

from fk import PATIENCE, read_all, run, same, side_by_side, until

HOST = b"Host: x\r\n"


def parse(data):
    """The responses in `data`, each (status, headers, body)."""
    out = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        assert lines[0].startswith("HTTP/1.1 "), lines[0]
        status = int(lines[0].split()[1])
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        length = 0 if status < 200 or status in (204, 304) else int(headers["content-length"])
        out.append((status, headers, data[:length]))
        assert len(data) >= length, "a response was cut"
        data = data[length:]
    return out


def refused(s, request, status, word=None):
    """The request gets exactly one response, this status, and the connection's end; nothing was stored."""
    got, closed = s.raw_http(request)
    responses = parse(got)
    by_library = bool(responses) and responses[0][2].startswith(b"<html>")  # 1.0 refuses more itself, with 400
    same([r[0] for r in responses], [400 if by_library and status == 501 else status], request[:200])
    same(closed, True, f"closed after {request[:200]!r}")
    same(responses[0][1].get("connection"), "close", request[:200])
    if word is not None and not by_library:
        same(responses[0][1]["content-type"], "application/problem+json", request[:200])
        problem = json.loads(responses[0][2])
        same(problem["status"], status)
        assert word in problem["detail"], problem
    untouched(s)


def untouched(s):
    same(s.request("GET", "/keys/smuggled")[0], 404, "a second request was read")
    same(s.request("GET", "/keys/victim")[0], 404, "the refused request was acted on")


def answers(s, request, *statuses):
    """The statuses of the responses, on a connection that says at its end that it is done."""
    got, closed = s.raw_http(request + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    responses = parse(got)
    same(([r[0] for r in responses], closed), ([*statuses, 200], True), request[:200])
    return responses


def nobody_left(s):
    """Connections are gone, but for the one that asks; closing takes the server a moment."""
    until("nobody but who asks", lambda: s.stats()["http"]["connections"] == 1)


SMUGGLED = b"PUT /keys/smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"


def framing(s):
    """framing that two readers could divide differently is refused and the connection closed"""
    put = b"PUT /keys/victim HTTP/1.1\r\n" + HOST
    chunks = b"0\r\n\r\n" + SMUGGLED
    refused(s, put + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks, 400, "both")
    refused(s, put + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400, "both")
    refused(s, put + b"Content-Length: 1\r\nContent-Length: 50\r\n\r\nx" + SMUGGLED, 400, "twice")
    refused(s, put + b"Content-Length: 50\r\nContent-Length: 1\r\n\r\nx" + SMUGGLED, 400, "twice")
    refused(s, put + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" + SMUGGLED, 400, "twice")
    for length in (b"+1", b"-1", b"1, 1", b"0x1", b"1 1", b"", b"99999999999999999999"):
        # libmicrohttpd answers these itself, 0.9.75 with half a page too much behind its response
        got, closed = s.raw_http(put + b"Content-Length: " + length + b"\r\n\r\nx" + SMUGGLED)
        same((got[:11], closed), (b"HTTP/1.1 41" if length[:3] == b"999" else b"HTTP/1.1 40", True), length)
        untouched(s)
    for coding in (b"gzip", b"identity", b"gzip, chunked", b"chunked, chunked", b"xchunked", b"chunked;x"):
        refused(s, put + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + chunks, 501, "chunked")
    refused(s, put + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunks, 400, "twice")
    refused(s, put + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400, "twice")
    refused(s, b"PUT /keys/victim HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400, "HTTP/1.0")


def hosts(s):
    """HTTP/1.1 needs one Host; HTTP/1.0 none"""
    refused(s, b"PUT /keys/victim HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400, "Host")
    refused(s, b"PUT /keys/victim HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\n\r\nx", 400, "twice")
    got, closed = s.raw_http(b"GET /healthz HTTP/1.0\r\n\r\n")
    same((parse(got)[0][0], closed), (200, True))


def header_lines(s):
    """header lines that are not name, colon, value, CR LF are refused"""
    put = b"PUT /keys/victim HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n"
    end = b"\r\n\r\nx" + SMUGGLED
    for line in (b"Na me: v", b"Name : v", b"Name\t: v", b": v", b" Name: v", b"no colon", b"Na\0me: v",
                 b"Name: v\0w", b"Name: v\0", b"Name: v\rOther: w", b"Name: v\nOther: w", b"Name: v\r\n folded",
                 b"Name: v\r\n\tfolded", b"N\xe4me: v", b"Na(me): v"):
        refused(s, put + line + end, 400)
        refused(s, b"PUT /keys/victim HTTP/1.1\r\n" + line + b"\r\n" + HOST + b"Content-Length: 1" + end, 400)
    answers(s, b"GET /keys/victim HTTP/1.1\r\nHost:x\r\nX-Empty:\r\nX-Space: \t v \r\n\r\n", 404)


def targets(s):
    """targets with NUL, spaces, fragments and the like are refused; absolute form is understood"""
    end = b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx" + SMUGGLED
    for target in (b"/keys/victim\0", b"/keys/victim\0/x", b"\0/keys/victim", b"/keys/vic tim", b"/keys/victim#f",
                   b"/keys/\x7f", b"/keys/\x01", b"keys/victim", b"", b" /keys/victim", b"/keys/victim "):
        got, closed = s.raw_http(b"PUT " + target + end)
        same((closed, [r[0] for r in parse(got)]), (True, [] if not got else [400]), target)
        untouched(s)
    for version in (b"HTTP/1.1 ", b"HTTP/1", b"http/1.1", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.11"):
        got, closed = s.raw_http(b"GET /healthz " + version + b"\r\n" + HOST + b"\r\n")
        same((closed, parse(got)[0][0] in (400, 505)), (True, True), version)
    answers(s, b"GET http://other:80/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 200)
    answers(s, b"GET http://other?x HTTP/1.1\r\n" + HOST + b"\r\n", 400)
    answers(s, b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 204)
    answers(s, b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 404)
    answers(s, b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405)
    same([r[0] for r in parse(s.raw_http(b"CONNECT x:80 HTTP/1.1\r\n" + HOST + b"\r\n")[0])], [400])


def dots(s):
    """dot segments are key bytes, and do not climb"""
    answers(s, b"PUT /keys/.. HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx", 201)
    answers(s, b"GET /keys/../stats HTTP/1.1\r\n" + HOST + b"\r\n", 404)
    with s.client() as r:
        same(r("GET", ".."), b"x")


def expectations(s):
    """Expect: 100-continue is met, unless the body is too large; another expectation is 417"""
    put = b"PUT /keys/k HTTP/1.1\r\n" + HOST
    refused(s, put + b"Expect: the-unexpected\r\nContent-Length: 1\r\n\r\nx", 417, "100-continue")
    refused(s, put + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", 413, "max-value-bytes")
    refused(s, b"PUT /nothing HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", 404, "path")
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
        c.sendall(put + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        same(c.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        c.sendall(b"hello")
        same(c.recv(100)[:12], b"HTTP/1.1 201")


def too_large(s):
    """a body over the limit is 413: before it is read, and in its midst; nothing is kept"""
    put = b"PUT /keys/victim HTTP/1.1\r\n" + HOST
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:  # says it, and sends slowly
        c.sendall(put + b"Content-Length: 100000000\r\n\r\nx")
        same(parse(c.recv(4096))[0][0], 413)
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:  # never says how much
        c.sendall(put + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        while not select.select([c], [], [], 0)[0] and sent < 64 << 20:
            c.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent += 65536
        same(parse(c.recv(4096))[0][0], 413)
        assert sent < 16 << 20, f"{sent} bytes were taken before the refusal"
    untouched(s)
    # one that is a little too large: the refusal comes when it is through, and the connection goes on
    responses = answers(s, put + b"Content-Length: 1000001\r\n\r\n" + b"x" * 1000001, 413)
    same(json.loads(responses[0][2])["title"], "Content Too Large")
    answers(s, put + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000000, 201)


def unwanted_bodies(s):
    """a body that no route wants takes no memory, and what follows it is answered"""
    before = s.stats()["memory"]["resident"]
    for line in (b"PUT /nothing", b"PATCH /keys/k", b"PUT /keys/k?color=red", b"GET /healthz", b"POST /keys/n/incr"):
        with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
            c.sendall(line + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 500000000\r\n\r\n")
            try:
                for _ in range(400):
                    c.sendall(b"x" * 65536)
            except ConnectionError:
                pass
    answers(s, b"PUT /nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 404)
    answers(s, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 200)
    answers(s, b"DELETE /keys/k HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 404)
    after = s.stats()["memory"]["resident"]
    assert after - before < 8 << 20, (before, after)


def claims(s):
    """Content-Length takes no memory: only bytes that come do"""
    held = []
    before = s.stats()["memory"]["resident"]
    for i in range(50):
        c = socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)
        c.sendall(b"PUT /keys/c%d HTTP/1.1\r\n" % i + HOST + b"Content-Length: 500000000\r\n\r\n" + b"x" * 5000)
        held.append(c)
    until("all of them", lambda: s.stats()["http"]["connections"] >= 50)
    same(s.request("GET", "/healthz")[0], 200)
    after = s.stats()["memory"]["resident"]
    assert after - before < 16 << 20, (before, after)
    for c in held:
        c.close()


def chunked(s):
    """chunked bodies are stored whole, whatever their pieces; malformed ones are refused"""
    put = b"PUT /keys/c HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    value = bytes(i % 251 for i in range(20000))
    for size in (1, 7, 1000, 1024, 1025, 20000):
        pieces = [value[i:i + size] for i in range(0, len(value) if size > 1 else 500, size)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
        answers(s, put + body, 201 if size == 1 else 204)
        same(s.request("GET", "/keys/c")[2], b"".join(pieces), size)
    answers(s, put + b"2\r\nab\r\n0\r\nTrailer: ignored\r\n\r\n", 204)
    same(s.request("GET", "/keys/c")[2], b"ab")
    for body in (b"x\r\n", b"-1\r\n", b"\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b" 5\r\nhello\r\n"):
        got, closed = s.raw_http(b"PUT /keys/victim HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        same((closed, [r[0] in (400, 413) for r in parse(got)]), (True, [True]), body)
        untouched(s)


def pipelined(s):
    """pipelined requests are answered in order"""
    one = b"".join(b"PUT /keys/p HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n%d" % (len(str(i)), i) +
                   b"GET /keys/p HTTP/1.1\r\n" + HOST + b"\r\n" for i in range(200))
    responses = answers(s, one, *([201, 200] + [204, 200] * 199))
    same([r[2] for r in responses[1:400:2]], [str(i).encode() for i in range(200)])


def split_anywhere(s):
    """a request may arrive in any pieces"""
    data = (b"PUT /keys/k%2F HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello" +
            b"GET /keys/k%2F HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    for cut in range(1, len(data), 3):
        with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.sendall(data[:cut])
            time.sleep(0.001)
            c.sendall(data[cut:])
            responses = parse(read_all(c)[0])
            same((responses[0][0] in (201, 204), responses[1][2]), (True, b"hello"), cut)


def half_closed(s):
    """a client that has finished sending still gets its answer, and is not kept for longer than http-timeout"""
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
        c.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        c.shutdown(socket.SHUT_WR)
        got, closed = read_all(c)
        same((parse(got)[0][0], closed), (200, True))
    for unfinished in (b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nHo",
                       b"PUT /keys/victim HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"):
        with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
            c.sendall(unfinished)
            c.shutdown(socket.SHUT_WR)
            same(read_all(c), (b"", True), unfinished)
    untouched(s)


def floods(s):
    """a header flood is 431, a URL of 40 000 bytes 414, a long key works"""
    get = b"GET /healthz HTTP/1.1\r\n" + HOST
    for flood in (b"".join(b"X-%d: y\r\n" % i for i in range(5000)), b"X: " + b"y" * 100000 + b"\r\n"):
        got, closed = s.raw_http(get + flood + b"\r\n")
        same((closed, [r[0] for r in parse(got)]), (True, [431]))
    got, closed = s.raw_http(b"GET /keys/" + b"k" * 40000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    same((closed, [r[0] for r in parse(got)]), (True, [414]))
    answers(s, b"PUT /keys/" + b"k" * 4000 + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx", 201)
    answers(s, get + b"Cookie: " + b"a=b; " * 50 + b"\r\n\r\n", 200)
    answers(s, b"GET /keys?" + b"&".join(b"a%d=b" % i for i in range(20)) + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400)


def edge_of_the_buffer(s):
    """URL and headers that fill the connection's buffer to any degree get an answer, whole, and no wait for a body"""
    same(s.request("PUT", "/keys/typed", "v", {"Content-Type": "x/" + "y" * 250})[0], 201)
    for n in range(3000, 5300, 13):
        fill = b"k" * n
        for request, good in ((b"GET /keys/" + fill + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404),
                              (b"GET /keys/typed HTTP/1.1\r\n" + HOST + b"X: " + fill + b"\r\n\r\n", 200),
                              (b"PUT /keys/" + fill + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx", 201),
                              (b"GET /keys?match=" + fill + b" HTTP/1.1\r\n" + HOST + b"\r\n", 200),
                              (b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n" * (n // 64) + b"\r\n", 200)):
            with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
                c.sendall(request)
                status = int(c.recv(100)[9:12])
                assert status == good and n < 4400 or status in (414, 431) and n > 3700, (request[:20], n, status)


def slow_clients(s):
    """slow clients are shut out after http-timeout; the others do not notice"""
    value = b"v" * (8 << 20)
    same(s.request("PUT", "/keys/big", value)[0], 201)
    slow = []
    for i in range(40):
        c = socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)
        slow.append(c)
        if i % 4 == 0:
            c.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        elif i % 4 == 1:
            c.sendall(b"PUT /keys/victim HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n")
        elif i % 4 == 2:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sendall(b"GET /keys/big HTTP/1.1\r\n" + HOST + b"\r\n")  # and never reads
    for _ in range(30):  # a byte now and then
        for c in slow[0::4] + slow[1::4]:
            try:
                c.sendall(b"x")
            except ConnectionError:
                pass
        same(s.request("GET", "/healthz")[0], 200)
        time.sleep(0.1)
    for i, c in enumerate(slow):
        if i % 4 != 2:  # those would take long to read what was on its way
            same(read_all(c), (b"", True), i)
    nobody_left(s)
    untouched(s)
    for c in slow:
        c.close()


def slow_but_moving(s):
    """a client that is slow but gets on is not shut out, however long it takes"""
    value = b"0123456789abcdef" * (1 << 17)
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
        c.sendall(b"PUT /keys/big HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(value))
        for at in range(0, len(value), len(value) // 24):
            c.sendall(value[at:at + len(value) // 24])
            time.sleep(0.2)
        same(c.recv(100)[:12], b"HTTP/1.1 201")
    same(s.request("GET", "/keys/big")[2] == value, True)


def max_connections(s):
    """over max-connections a client is told so; the others go on"""
    get = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    held = []
    for _ in range(20):
        c = socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE)
        c.sendall(get)
        same(c.recv(4096)[:12], b"HTTP/1.1 200")
        held.append(c)
    for _ in range(3):
        responses = parse(s.raw_http(b"")[0])
        same((responses[0][0], json.loads(responses[0][2])["status"]), (503, 503))
    held[0].sendall(get)
    same(held[0].recv(4096)[:12], b"HTTP/1.1 200")
    held.pop().close()
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    until("room", lambda: s.raw_http(request)[0].startswith(b"HTTP/1.1 200"))
    for c in held:
        c.close()
    until("room to ask", lambda: s.request("GET", "/stats")[0] == 200)
    nobody_left(s)
    assert s.stats()["http"]["refused"] >= 3


def more_connections(s):
    """max-connections can be raised far beyond what the server began with"""
    with s.client() as c:
        same(c("CONFIG", "SET", "maxclients", "400"), "OK")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE))
                   for _ in range(390)]
        for i, c in enumerate(clients):
            c.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            same(c.recv(65536)[:15], b"HTTP/1.1 200 OK", i)


def reset_connections(s):
    """connections reset in the middle of anything leave nothing behind"""
    same(s.request("PUT", "/keys/big", b"v" * 5000000)[0], 201)
    for data in (b"", b"GET /", b"PUT /keys/victim HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nabc",
                 b"GET /keys/big HTTP/1.1\r\nHost: x\r\n\r\n" * 10):
        for _ in range(20):
            c = socket.create_connection(("127.0.0.1", s.http))
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.sendall(data)
            c.close()
    nobody_left(s)
    untouched(s)


def kept_alive(s):
    """the connection is kept after errors, HEAD, 304 and 204; HTTP/1.0 may keep it too"""
    get = b" HTTP/1.1\r\n" + HOST + b"\r\n"
    answers(s, b"GET /keys/none" + get + b"GET /keys/%zz" + get + b"GET /nothing" + get + b"PATCH /" + get +
            b"PUT /keys/k" + get + b"OPTIONS /keys/k" + get, 404, 400, 404, 405, 411, 204)
    with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
        for _ in range(3):
            c.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"Connection: Keep-Alive" in c.recv(4096)
        c.sendall(b"HEAD /healthz" + get)
        got = c.recv(4096)
        assert got.endswith(b"\r\n\r\n") and b"Content-Length: 15" in got, got


def browsers(s):
    """HTML and SVG that are stored as values cannot run in a browser"""
    for kind in ("text/html", "image/svg+xml"):
        s.request("PUT", "/keys/page", b"<script>alert(1)</script>", {"Content-Type": kind})
        _, headers, _ = s.request("GET", "/keys/page", headers={"Accept": "text/html,*/*"})
        same(headers["content-type"], kind)
        same(headers["x-content-type-options"], "nosniff")
        assert "sandbox" in headers["content-security-policy"], headers


def descriptors(s):
    """out of descriptors: one warning, no spinning, and who waits is served when some are free"""
    pid = s.process.pid
    limit = len(os.listdir(f"/proc/{pid}/fd")) + 10
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
    held = [socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) for _ in range(20)]
    for c in held:
        c.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    s.wait_for_log("no file descriptors left")
    for c in held[:15]:
        c.close()
    for c in held[15:]:
        same(c.recv(4096)[:12], b"HTTP/1.1 200")
        c.close()
    same(s.read_log().count("no file descriptors left"), 1)


def idle_descriptors(s):
    """out of descriptors: connections that are idle for http-timeout are closed all the same, for those that wait"""
    limit = len(os.listdir(f"/proc/{s.process.pid}/fd")) + 10
    resource.prlimit(s.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE))
                   for _ in range(20)]
        for c in clients:
            c.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        for i, c in enumerate(clients):
            same(c.recv(4096)[:12], b"HTTP/1.1 200", i)


def all_at_once(s):
    """requests that become ready together are all answered, however many (libmicrohttpd takes 128 events at a time)"""
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    held = []
    for total in (127, 128, 129, 256):
        held += [socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) for _ in range(total - len(held))]
        for c in held:  # each is known to the server's thread
            c.sendall(request)
            same(c.recv(4096)[:12], b"HTTP/1.1 200")
        with stopped(s):
            for c in held:
                c.sendall(request)
        for c in held:
            same(c.recv(4096)[:12], b"HTTP/1.1 200", f"{total} at once")
    for c in held:
        c.close()


@contextlib.contextmanager
def stopped(s):
    """The server stands still meanwhile."""
    s.process.send_signal(signal.SIGSTOP)
    while open(f"/proc/{s.process.pid}/stat").read().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)
    try:
        yield
    finally:
        s.process.send_signal(signal.SIGCONT)


def many_uploads(s):
    """large uploads and downloads side by side arrive whole"""
    def one(i):
        value = bytes([i]) * 700000
        same(s.request("PUT", f"/keys/u{i}", value)[0], 201)
        for _ in range(5):
            assert s.request("GET", f"/keys/u{i}")[2] == value

    side_by_side(one, [(i,) for i in range(12)])


def both_addresses(s):
    """several addresses, one port"""
    for address in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection((address, s.http), timeout=PATIENCE) as c:
            c.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            same(parse(read_all(c)[0])[0][0], 200, address)


run([framing, hosts, header_lines, targets, dots, unwanted_bodies, claims, chunked, pipelined, split_anywhere,
     floods, edge_of_the_buffer, reset_connections, kept_alive, browsers, many_uploads, descriptors,
     (expectations, "--max-value-bytes=1000000"),
     (too_large, "--max-value-bytes=1000000"),
     (half_closed, "--http-timeout=1"),
     (idle_descriptors, "--http-timeout=1"),
     (slow_clients, "--http-timeout=1"),
     (slow_but_moving, "--http-timeout=3"),
     (max_connections, "--max-connections=20"),
     (more_connections, "--max-connections=5"),
     (all_at_once, "--http-threads=1"),
     (both_addresses, "--bind=127.0.0.1,127.0.0.2"),
     (edge_of_the_buffer, "--access-log=/dev/null"),
     (reset_connections, "--access-log=/dev/null")])
