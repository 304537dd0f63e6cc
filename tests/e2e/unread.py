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

from fk import PATIENCE, Resp, run, same

KEYS, CONNECTIONS = 16, 4
REQUESTS = 40000  # on each connection: more replies than fit into the buffers of both kernels
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


def finish(s, stream, at, one, reply, ends, errors):
    """Sends the rest of a request that was begun, and maybe the end; reads what was asked for."""
    try:
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
    except Exception as e:
        errors.append(e)


def unread(s, port, request, reply):
    for i in range(KEYS):
        same(s.request("PUT", f"/keys/k{i:02}", value(i))[0], 201)
    stream, one = b"".join(request(i) for i in range(REQUESTS)), len(request(0))
    errors = []
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        at = flood(sockets, stream)
        same(s.request("GET", "/keys/k00")[2], value(0), "beside them")
        threads = [threading.Thread(target=finish, args=(c, stream, at[c], one, reply, i % 2 == 0, errors))
                   for i, c in enumerate(sockets)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    same(errors, [])


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
    for _ in range(int(PATIENCE * 100)):
        if s.stats()["http"]["connections"] == 1 and s.stats()["resp"]["connections"] == 0:
            return
        select.select([], [], [], 0.01)
    same((s.stats()["http"]["connections"], s.stats()["resp"]["connections"]), (1, 0))


def stop(s):
    """a server that is stopped with replies unread ends"""
    for port, request in ((s.http, http_request), (s.resp, resp_request)):
        flood([connect(port) for _ in range(CONNECTIONS)], b"".join(request(i) for i in range(REQUESTS)))
    # run() stops it


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
     (of_one_turn, "--http-threads=1", "--resp-threads=1")])
