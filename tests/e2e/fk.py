"""What the end-to-end tests share: a server of their own on free ports, clients, and TAP.

A test is a function; `run` calls each with a fresh server and prints a TAP line for it. The binary is named by
FLASHKV in the environment.
"""
import concurrent.futures
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.append("/usr/lib/python3/dist-packages")  # python3-redis, should python3 not be Debian's own

FLASHKV = os.environ.get("FLASHKV", "./flashkv")
PATIENCE = 60  # seconds until what has to happen must have happened, on the busiest machine


def free_port():
    """A port that nobody listens on, and that the kernel gives to nobody who asks for just any, as every client does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first = int(f.read().split()[0])
    while True:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", random.randrange(first // 2, first)))
                return s.getsockname()[1]
            except OSError:
                pass


class Server:
    """A running flashkv: .http and .resp are its ports."""

    def __init__(self, *options, env=None, cwd=None):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [FLASHKV, "--http-port=0", "--resp-port=0", *options],
            stderr=self.log, env={**os.environ, **(env or {})}, cwd=cwd)
        try:
            ready = self.wait_for_log(r"ready: http on \S+?:(\d+), resp on \S+?:(\d+),")
        except BaseException:
            self.__exit__()
            raise
        self.http, self.resp = int(ready[1]), int(ready[2])

    def read_log(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for_log(self, pattern, seconds=PATIENCE):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = re.search(pattern, self.read_log())
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"no {pattern!r} in the log:\n{self.read_log()}")

    def stop(self, sig=signal.SIGTERM):
        """Ends it by its pid and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def request(self, method, path, body=None, headers=None):
        """One HTTP request on a connection of its own: (status, headers, body; of an event stream its beginning)."""
        c = http.client.HTTPConnection("127.0.0.1", self.http, timeout=PATIENCE)
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            endless = r.getheader("Content-Type") == "text/event-stream" and method != "HEAD"
            return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read1() if endless else r.read()
        finally:
            c.close()

    def raw_http(self, data, seconds=PATIENCE):
        """Sends bytes and returns all that comes until the server closes, and whether it closed."""
        with socket.create_connection(("127.0.0.1", self.http), timeout=seconds) as s:
            s.sendall(data)
            return read_all(s)

    def client(self):
        return Resp(self.resp)

    def stats(self):
        return json.loads(self.request("GET", "/stats")[2])


def read_all(s):
    got = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return got, True
            got += more
    except socket.timeout:
        return got, False
    except ConnectionResetError:
        return got, True


class Error(Exception):
    """An error reply."""


class Resp:
    """A RESP client that shows replies as Python values; errors are raised."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    @staticmethod
    def encode(args):
        out = b"*%d\r\n" % len(args)
        for a in args:
            a = a if isinstance(a, bytes) else str(a).encode()
            out += b"$%d\r\n%s\r\n" % (len(a), a)
        return out

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind in b"$=":
            if rest == b"-1":
                return None
            data = self.file.read(int(rest) + 2)[:-2]
            return data[4:] if kind == b"=" else data
        if kind in b"*~>":
            return None if rest == b"-1" else [self.read_any() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read_any(): self.read_any() for _ in range(int(rest))}
        raise AssertionError(f"unknown reply {line!r}")

    def read_any(self):
        """As read, with errors as values: for members of an array."""
        try:
            return self.read()
        except Error as e:
            return e

    def __call__(self, *args):
        self.send(self.encode(args))
        return self.read()

    def error(self, *args):
        """The text of the error that a command must answer."""
        try:
            got = self(*args)
        except Error as e:
            return str(e)
        raise AssertionError(f"{args} answered {got!r}, not an error")


class Events:
    """A client of an event stream, as browsers have it: .last_id is where it would resume."""

    def __init__(self, server, path, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=PATIENCE)
        self.connection.request("GET", path, headers=headers or {})
        self.response = self.connection.getresponse()
        self.last_id, self.comments = "", 0
        assert self.response.status == 200, (self.response.status, self.response.read())
        same(self.response.getheader("Content-Type"), "text/event-stream")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.response.close()
        self.connection.close()

    def block(self):
        """The fields up to the next empty line."""
        fields = {}
        while True:
            line = self.response.readline()
            if not line:
                raise ConnectionError("the stream ended")
            if line == b"\n":
                return fields
            if line.startswith(b":"):
                self.comments += 1
                continue
            name, _, value = line[:-1].decode().partition(": ")
            fields[name] = fields[name] + "\n" + value if name in fields else value
            if name == "id":
                self.last_id = value

    def next(self):
        """The next event: its name and what its data are."""
        while True:
            fields = self.block()
            if "data" in fields:
                return fields.get("event", "message"), json.loads(fields["data"])

    def take(self, n):
        return [self.next() for _ in range(n)]


def until(what, condition):
    """Asks again and again whether it is so; `what` says what did not come."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.01)


def side_by_side(function, calls):
    """Calls it with each of the tuples of arguments, in as many threads. Raises what the first of them raised."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
        for call in [threads.submit(function, *arguments) for arguments in calls]:
            call.result()


def same(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def report(tests):
    """Runs each test, prints TAP and exits."""
    failed = 0
    print(f"1..{len(tests)}")
    for n, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {n} - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {n} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    sys.exit(failed > 0)


def name_of(test):
    return (test.__doc__ or test.__name__).strip().splitlines()[0]


def with_server(test, options):
    def run_test():
        with Server(*options) as server:
            test(server)
            same(server.process.poll(), None, "the server's exit status while it should run")
            status = server.stop()
            assert status == 0, f"exit status after SIGTERM: {status}\n{server.read_log()[-6000:]}"

    return run_test


def run(tests):
    """Runs each test, or (test, option...), with a fresh server."""
    tests = [test if isinstance(test, tuple) else (test,) for test in tests]
    report([(name_of(test), with_server(test, options)) for test, *options in tests])
