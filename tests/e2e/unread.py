#!/usr/bin/env python3
"""Small replies to clients that do not read them for a while: on both ports the server keeps the replies of a turn and sends
them at its end (outbox.h), and what a socket does not take then must neither be lost nor change places."""
import contextlib
import os
import re
import select
import signal
import socket
import threading

from fk import PATIENCE, Resp, read_all, run, same, side_by_side, until

KEYS, CONNECTIONS = 16, 4
REQUESTS = 40000  # on each connection: more replies than fit into the buffers of both kernels
WHOLE = 16 << 20  # bytes of a reply that no connection takes unread
STUCK_S = 0.5      # no connection takes anything for so long: all are full; if that is wrong, less is tried


def value(i):
    return f"value {i % KEYS:02} ".encode() * 3


def connect(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    s.connect(("127.0.0.1", port))
    s.settimeout(PATIENCE)
    return s


def http_request(i):
    return f"GET /keys/k{i % KEYS:02} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def resp_request(i):
    return Resp.encode(["GET", f"k{i % KEYS:02}"])


HTTP_REPLY = re.compile(rb"HTTP/1\.1 200 OK\r\n(?:[^\r]+\r\n)+\r\n(value \d\d value \d\d value \d\d )")
RESP_REPLY = re.compile(rb"\$27\r\n(.{27})\r\n")


def flood(sockets, stream):
    """Sends on all of them what they take, and returns how much of the stream each took."""
    at = {s: 0 for s in sockets}
    for s in sockets:
        s.setblocking(False)
    while True:
        free = select.select([], [s for s in sockets if at[s] < len(stream)], [], STUCK_S)[1]
        if not free:
            break
        for s in free:
            with contextlib.suppress(BlockingIOError):
                at[s] += s.send(stream[at[s]:at[s] + 65536])
    for s in sockets:
        s.settimeout(PATIENCE)
    return at


def read_replies(s, want, reply):
    """Reads until there are so many. Returns their values, and what came behind."""
    found, data = [], b""
    while len(found) < want:
        more = s.recv(65536)
        if not more:
            break
        data += more
        end = 0
        for match in reply.finditer(data):
            assert match.start() == end, data[end:match.start()]
            found.append(match[1])
            end = match.end()
        data = data[end:]
    return found, data


def finish(s, stream, at, one, reply, ends):
    """Sends the rest of a request that was begun, and maybe the end; reads what was asked for."""
    whole = -(-at // one) * one

    def send():
        s.sendall(stream[at:whole])
        if ends:
            s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    found, behind = read_replies(s, whole // one, reply)
    sender.join()
    same(len(found), whole // one, "replies")
    wrong = next((i for i, v in enumerate(found) if v != value(i)), None)
    same(wrong, None, "the first reply that is another's")
    same(behind, b"")


def unread(s, port, request, reply):
    for i in range(KEYS):
        same(s.request("PUT", f"/keys/k{i:02}", value(i))[0], 201)
    stream, one = b"".join(request(i) for i in range(REQUESTS)), len(request(0))
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        at = flood(sockets, stream)
        same(s.request("GET", "/keys/k00")[2], value(0), "beside them")
        side_by_side(finish, [(c, stream, at[c], one, reply, i % 2 == 0) for i, c in enumerate(sockets)])


def http(s):
    """HTTP: replies that wait for their clients come whole and in order, also to those that end their side before"""
    unread(s, s.http, http_request, HTTP_REPLY)


def resp(s):
    """RESP: replies that wait for their clients come whole and in order, also to those that end their side before"""
    unread(s, s.resp, resp_request, RESP_REPLY)


def leave(s):
    """clients that leave with their replies unread are forgotten, and others are served"""
    for port, request in ((s.http, http_request), (s.resp, resp_request)):
        sockets = [connect(port) for _ in range(CONNECTIONS)]
        flood(sockets, b"".join(request(i) for i in range(REQUESTS)))
        for c in sockets:
            c.close()
        same(s.request("GET", "/keys/none")[0], 404)
    until("nobody but who asks", lambda: s.stats()["http"]["connections"] == 1)
    until("nobody", lambda: s.stats()["resp"]["connections"] == 0)


def stop(s):
    """a server that is stopped with replies unread ends"""
    for port, request in ((s.http, http_request), (s.resp, resp_request)):
        flood([connect(port) for _ in range(CONNECTIONS)], b"".join(request(i) for i in range(REQUESTS)))
    # run() stops it


def ask(s, c, requests):
    """Sends them, and sees to it that the server has done what it can with them."""
    c.sendall(requests)
    for _ in range(5):
        same(s.request("GET", "/keys/k00")[2], value(0))


def read_head(f):
    lines = []
    while (line := f.readline()) not in (b"", b"\r\n"):
        lines.append(line)
    return b"".join(lines)


def part(size):
    return b"GET /keys/full HTTP/1.1\r\nHost: x\r\nRange: bytes=0-%d\r\n\r\n" % (size - 1)


def all_that_comes(s, c):
    """What has been sent on a connection, with the server stopped."""
    os.kill(s.process.pid, signal.SIGSTOP)
    c.settimeout(STUCK_S)
    got, _ = read_all(c)
    os.kill(s.process.pid, signal.SIGCONT)
    return got


def behind_full(s, then, check):
    """Has connections filled, once for a large part of it, the rest by small replies, as many as fit, or one more or less. Asks them
    for something more, whose reply they may not take whole: check(file) reads that."""
    same(s.request("PUT", "/keys/full", bytes(WHOLE))[0], 201)
    same(s.request("PUT", "/keys/k00", value(0))[0], 201)
    with connect(s.http) as c:
        ask(s, c, part(WHOLE))
        large = len(all_that_comes(s, c)) - 1000
    with connect(s.http) as c:
        ask(s, c, part(large))
        ask(s, c, http_request(0) * 1000)
        small = all_that_comes(s, c).split(b"\r\n\r\n", 1)[1][large:].count(value(0))
    for n in range(small - 2, small + 3):
        with connect(s.http) as c, c.makefile("rb") as f:
            ask(s, c, part(large))
            ask(s, c, http_request(0) * n)
            ask(s, c, then)
            for status, size in [(206, large)] + [(200, len(value(0)))] * n:
                head = read_head(f)
                assert head.startswith(b"HTTP/1.1 %d " % status), head
                same(len(f.read(size)), size)
            check(f)


def check_last(f):
    reply = f.read()
    assert HTTP_REPLY.fullmatch(reply) and reply.endswith(value(0)), reply


def closing(s):
    """HTTP: the last reply of a connection comes whole, however full its socket was"""
    behind_full(s, b"GET /keys/k00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", check_last)


def closing_1_0(s):
    """HTTP/1.0: the last reply of a connection comes whole, however full its socket was"""
    behind_full(s, b"GET /keys/k00 HTTP/1.0\r\n\r\n", check_last)


def before_a_wait(s):
    """HTTP: a reply comes whole though a request behind it waits, which is answered as well"""
    def check(f):
        head = read_head(f)
        assert head.startswith(b"HTTP/1.1 200 "), head
        same(f.read(len(value(0))), value(0))
        same(f.readline()[:12], b"HTTP/1.1 404")

    behind_full(s, http_request(0) + b"GET /keys/none?wait=50ms HTTP/1.1\r\nHost: x\r\n\r\n", check)


def of_one_turn(s):
    """replies of one turn go each to its own connection, whichever of them ends or is closed in that turn"""
    for i in range(KEYS):
        same(s.request("PUT", f"/keys/k{i:02}", value(i))[0], 201)
    for port, request, reply, end in (
            (s.http, http_request, HTTP_REPLY, b"GET /keys/k00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            (s.resp, resp_request, RESP_REPLY, Resp.encode(["QUIT"]))):
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(connect(port)) for _ in range(100)]
            for i, c in enumerate(sockets):  # they are served once, and so taken on
                c.sendall(request(i))
            for i, c in enumerate(sockets):
                same(read_replies(c, 1, reply)[0], [value(i)])
            os.kill(s.process.pid, signal.SIGSTOP)
            for i, c in enumerate(sockets):
                c.sendall(request(i) + request(i + 1) + (end if i % 3 == 0 else b""))
                if i % 3 == 1:
                    c.shutdown(socket.SHUT_WR)
            os.kill(s.process.pid, signal.SIGCONT)
            for i, c in enumerate(sockets):
                found, behind = read_replies(c, 2, reply)
                while i % 3 != 2 and (more := c.recv(65536)):
                    behind += more
                same(found[:2], [value(i), value(i + 1)], i)
                if i % 3 == 0:
                    assert found[2:] == [value(0)] or behind == b"+OK\r\n" or reply.search(behind)[1] == value(0), behind


run([(http, "--http-threads=1"), (resp, "--resp-threads=1"), leave, stop,
     *((test, "--http-threads=1") for test in (closing, closing_1_0, before_a_wait)),
     (of_one_turn, "--http-threads=1", "--resp-threads=1")])
