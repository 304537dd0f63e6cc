#!/usr/bin/env python3
"""--access-log, X-Request-Id and traceparent: who asked for what, under which name, and no secret of theirs."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

from fk import FLASHKV, PATIENCE, Server, report, same, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
TEXT = re.compile(r'^(\S+) - (\S+) \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)" '
                  r'(\d+\.\d{6}) "([^"]*)" (\S+) (\S+)$')
TOKENS = [{"name": "web", "secret": "s3cret", "scopes": ["read", "write"]}]


class Logged:
    """A server whose access log is read, from a folder of its own."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "access.log")
        tokens = os.path.join(self.folder.name, "tokens.json")
        with open(tokens, "w") as f:
            json.dump(TOKENS, f)
        # With one thread the lines are in the order of the requests.
        self.server = Server(f"--access-log={self.path}", "--http-threads=1", *(o.replace("TOKENS", tokens) for o in options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        self.folder.cleanup()

    def lines(self, count, path=None):
        def read():
            with open(path or self.path) as f:
                return f.read().splitlines()
        until(f"{count} lines", lambda: len(read()) >= count)
        same(len(read()), count, read())
        return read()


def text_lines():
    """a line for each request in the combined format, refusals too"""
    os.umask(0o022)  # for the mode of the file
    with Logged() as l:
        s = l.server
        s.request("PUT", "/keys/a%20b", body=b"hello", headers={"User-Agent": "it\"s", "Referer": "http://x/"})
        s.request("GET", "/keys/a%20b?x=1")
        s.request("GET", "/keys/a%20b")
        s.request("GET", "/nowhere")
        first, bad, got, nowhere = (TEXT.match(line).groups() for line in l.lines(4))
        same(first[:7], ("127.0.0.1", "-", "PUT /keys/a%20b HTTP/1.1", "201", "0", "http://x/", "it\\x22s"))
        same(first[8:], ("/keys/{key}", first[9], "-"))
        same(bad[2:4], ("GET /keys/a%20b?x=1 HTTP/1.1", "400"))
        same(got[3:5], ("200", "5"))
        same((nowhere[3], nowhere[8]), ("404", "none"))
        same(os.stat(l.path).st_mode & 0o777, 0o640)


def json_lines():
    """--log-format=json: the same as an object"""
    with Logged("--log-format=json") as l:
        l.server.request("GET", "/keys/k", headers={"X-Request-Id": "req-1", "traceparent": PARENT})
        got = json.loads(l.lines(1)[0])
        same([got[name] for name in ("method", "target", "route", "status", "request_id", "trace_id")],
             ["GET", "/keys/k", "/keys/{key}", 404, "req-1", TRACE])
        assert got["seconds"] > 0 and got["bytes"] > 0 and got["remote"].startswith("127.0.0.1:"), got


def users_and_secrets():
    """who asks is named, and neither passwords nor values of Upstash's paths are logged"""
    with Logged("--tokens-file=TOKENS", "--requirepass=hidden", "--upstash-port=0") as l:
        s = l.server
        for headers in ({}, {"Authorization": "Bearer s3cret"}, {"Authorization": "Bearer hidden"},
                        {"Authorization": "Bearer s3cret-wrong"}):
            s.request("GET", "/keys/k", headers=headers)
        same(s.request("GET", "/upstash/set/k/hidden?_token=hidden")[0], 200)
        s.request("GET", "/keys?%5Ftoken=s3cret")
        lines = l.lines(6)
        same([TEXT.match(line)[2] for line in lines], ["-", "web", "default", "-", "default", "-"])
        same(TEXT.match(lines[4])[3], "GET /upstash/set HTTP/1.1")
        for secret in ("hidden", "s3cret"):
            assert secret not in "\n".join(lines), lines


def ids():
    """X-Request-Id and traceparent come back; a request without an id is given one that the log has too"""
    with Logged() as l:
        s = l.server
        s.request("PUT", "/keys/k", body=b"v")
        sent = {"X-Request-Id": "req-1", "traceparent": PARENT}
        for method, path in (("GET", "/keys/k"), ("GET", "/keys/k"), ("GET", "/keys/none"), ("POST", "/keys/k"),
                             ("GET", "/export"), ("GET", "/ui"), ("OPTIONS", "/keys")):
            headers = s.request(method, path, headers=sent)[1]
            same((headers["x-request-id"], headers["traceparent"]), ("req-1", PARENT), path)
        for bad in ({"X-Request-Id": "a b"}, {"traceparent": PARENT.upper()}, {}):
            headers = s.request("GET", "/keys/k", headers=bad)[1]
            assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"]) and "traceparent" not in headers, headers
            made = headers["x-request-id"]
        lines = l.lines(11)
        same(TEXT.match(lines[1]).groups()[9:], ("req-1", TRACE))
        same(TEXT.match(lines[10]).groups()[9:], (made, "-"))


def ids_without_log():
    """without a log only what was sent comes back; what is sent twice counts as not sent"""
    with Server() as s:
        s.request("PUT", "/keys/k", body=b"v")
        for _ in range(3):
            same(s.request("GET", "/keys/k", headers={"X-Request-Id": "req-2"})[1]["x-request-id"], "req-2")
            assert "x-request-id" not in s.request("GET", "/keys/k")[1]
        twice = b"GET /keys/k HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close\r\n\r\n"
        got = s.raw_http(twice)[0]
        assert got.startswith(b"HTTP/1.1 200") and b"x-request-id" not in got.lower(), got


def refused_midway():
    """a refusal in the midst of a body has the id too, and who leaves behind it is noticed"""
    with Logged("--max-value-bytes=1000") as l:
        with socket.create_connection(("127.0.0.1", l.server.http), timeout=PATIENCE) as c, c.makefile("rb") as answer:
            c.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nX-Request-Id: req-3\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100000)
            assert answer.readline().startswith(b"HTTP/1.1 413")
            assert b"X-Request-Id: req-3\r\n" in iter(answer.readline, b"\r\n")
        same(TEXT.match(l.lines(1)[0]).groups()[3], "413")


def rotation():
    """SIGHUP opens a renamed file anew, and no line is lost"""
    with Logged() as l:
        s = l.server
        s.request("GET", "/keys/old")
        l.lines(1)
        os.rename(l.path, l.path + ".1")
        s.request("GET", "/keys/still-old")
        l.lines(2, l.path + ".1")
        s.process.send_signal(signal.SIGHUP)
        until("that it is opened anew", lambda: os.path.exists(l.path))
        s.request("GET", "/keys/new")
        assert "/keys/new" in l.lines(1)[0]
        l.lines(2, l.path + ".1")


def hangup_without_log():
    """without a log SIGHUP does nothing"""
    with Server() as s:
        s.process.send_signal(signal.SIGHUP)
        same(s.request("GET", "/healthz")[0], 200)
        same(s.stop(), 0)


def last_lines():
    """what was logged before SIGTERM is in the file"""
    with Logged() as l:
        for _ in range(50):
            l.server.request("GET", "/keys/k")
        same(l.server.stop(), 0)
        l.lines(50)


def nobody_reads():
    """a pipe that nobody reads blocks no request, and not the end; dropped lines are counted"""
    options = ["--http-port=0", "--resp-port=0", "--access-log=-"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([FLASHKV, *options], stdout=subprocess.PIPE, stderr=log)
        try:
            read = lambda: os.pread(log.fileno(), 1 << 20, 0).decode()  # noqa: E731
            until("it is ready", lambda: "ready: " in read())
            port = int(re.search(r"ready: http on \S+?:(\d+)", read())[1])
            asked = b"GET /keys/" + b"x" * 1500 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as c, c.makefile("rb") as answers:
                for _ in range(1000):  # 1.6 MB of lines: more than the pipe and the buffers hold
                    c.sendall(asked)
                    while (line := answers.readline()) != b"\r\n":
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    answers.read(length)
                c.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                metrics = answers.read().decode()
            dropped = int(re.search(r"^flashkv_access_log_dropped_lines_total (\d+)", metrics, re.M)[1])
            assert dropped > 0, metrics
            process.send_signal(signal.SIGTERM)
            same(process.wait(timeout=PATIENCE), 0)
        finally:
            process.kill()
            process.stdout.close()


def cannot_be_opened():
    """a path that cannot be written ends the start, with the reason"""
    got = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", "--access-log=/nonexistent/x"], capture_output=True,
                         text=True, timeout=PATIENCE)
    same(got.returncode, 1)
    assert "access-log /nonexistent/x: No such file or directory" in got.stderr, got.stderr


if __name__ == "__main__":
    tests = [text_lines, json_lines, users_and_secrets, ids, ids_without_log, refused_midway, rotation, hangup_without_log,
             last_lines, nobody_reads, cannot_be_opened]
    report([(test.__doc__, test) for test in tests])
