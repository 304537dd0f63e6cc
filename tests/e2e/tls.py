#!/usr/bin/env python3
"""TLS on both ports, with the clients that people use: curl, redis-cli, redis-py, openssl s_client."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

from fk import FLASHKV, PATIENCE, Resp, Server, read_all, report, name_of, same, until

import redis

CERTS = tempfile.mkdtemp(prefix="flashkv-tls-")


def path(name):
    return os.path.join(CERTS, name)


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", path(name + ".key"), "-out", path(name + ".pem"))


def make_certificate(name, authority, usage, days=2):
    with open(path(name + ".ext"), "w") as f:
        f.write(f"subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage={usage}\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
    openssl("x509", "-req", "-in", path(name + ".csr"), "-CA", path(authority + ".pem"), "-CAkey",
            path(authority + ".key"), "-CAcreateserial", "-days", str(days), "-extfile", path(name + ".ext"),
            "-out", path(name + ".pem"))


def make_certificates():
    make_authority("ca")
    make_authority("stranger-ca")
    make_certificate("server", "ca", "serverAuth")
    make_certificate("renewed", "ca", "serverAuth")
    make_certificate("client", "ca", "clientAuth")
    make_certificate("not-a-client", "ca", "serverAuth")
    make_certificate("stranger", "stranger-ca", "clientAuth")


def options(cert="server"):
    return ["--tls-cert", path(cert + ".pem"), "--tls-key", path(cert + ".key")]


CLIENTS = ["--tls-client-ca", path("ca.pem")]


def context(client=None):
    c = ssl.create_default_context(cafile=path("ca.pem"))
    if client:
        c.load_cert_chain(path(client + ".pem"), path(client + ".key"))
    return c


def connect(port, client=None, ctx=None):
    s = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return (ctx or context(client)).wrap_socket(s, server_hostname="localhost")


class TlsResp(Resp):
    def __init__(self, port, client=None, ctx=None):
        self.socket = connect(port, client, ctx)
        self.file = self.socket.makefile("rb")


def request(port, method, target, body=None, client=None, headers=None):
    c = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=context(client))
    try:
        c.request(method, target, body=body, headers=headers or {})
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def refused(try_it):
    """What a server must not let in: it ends the handshake, or the connection with the first word."""
    try:
        got = try_it()
    except (ssl.SSLError, ConnectionError, http.client.HTTPException, redis.ConnectionError):
        return
    raise AssertionError(f"let in, and answered {got!r}")


def run_tool(*args, **kw):
    return subprocess.run(args, capture_output=True, timeout=PATIENCE, **kw)


def alive(server, client=None):
    with TlsResp(server.resp, client) as r:
        same(r("PING"), "PONG")
    same(request(server.http, "GET", "/healthz", client=client)[0], 200)


# ---- clients -----------------------------------------------------------------------------------------------------


def curl(server):
    """curl --cacert: PUT, GET, keep-alive, a body of 1 MiB there and back"""
    base = f"https://localhost:{server.http}"
    put = run_tool("curl", "-sS", "--fail", "--cacert", path("ca.pem"), "-X", "PUT", "-d", "hello", base + "/keys/k")
    same((put.returncode, put.stderr), (0, b""))
    got = run_tool("curl", "-sS", "--fail", "--cacert", path("ca.pem"), base + "/keys/k", base + "/keys/k")
    same(got.stdout, b"hellohello")
    value = os.urandom(1 << 20)
    with open(path("value"), "wb") as f:
        f.write(value)
    up = run_tool("curl", "-sS", "--fail", "--cacert", path("ca.pem"), "-T", path("value"), base + "/keys/large")
    same((up.returncode, up.stderr), (0, b""))
    for _ in range(3):  # from the second time on it would be sent by reference, without TLS
        same(run_tool("curl", "-sS", "--cacert", path("ca.pem"), base + "/keys/large").stdout == value, True)
    same(run_tool("curl", "-sS", base + "/keys/k").returncode, 60, "an authority that curl does not know")


def redis_cli(server):
    """redis-cli --tls, with a pipe of 10 000 commands"""
    cli = ["redis-cli", "--tls", "--cacert", path("ca.pem"), "-h", "localhost", "-p", str(server.resp)]
    same(run_tool(*cli, "set", "k", "v").stdout, b"OK\n")
    same(run_tool(*cli, "get", "k").stdout, b"v\n")
    script = b"".join(Resp.encode(["INCR", "n"]) for _ in range(10000))
    assert b"replies: 10000" in run_tool(*cli, "--pipe", input=script).stdout
    same(run_tool(*cli, "get", "n").stdout, b"10000\n")


def redis_py(server):
    """redis-py with ssl: values of every size, a transaction, a blocked pop, publish and subscribe"""
    r = redis.Redis(host="localhost", port=server.resp, ssl=True, ssl_ca_certs=path("ca.pem"))
    for size in [0, 1, 100, 16383, 16384, 16385, 32767, 32768, 40000, 65536, 1 << 20, 5 << 20]:
        value = os.urandom(size)
        assert r.set("k", value) and r.get("k") == value, size
    with r.pipeline() as p:
        same(p.set("a", 1).incr("a").get("a").execute(), [True, 2, b"2"])
    threading.Timer(0.2, lambda: r.rpush("list", "x")).start()
    same(r.blpop("list", 10), (b"list", b"x"))
    sub = r.pubsub()
    sub.subscribe("news")
    same(sub.get_message(timeout=PATIENCE)["type"], "subscribe")
    for i in range(100):
        r.publish("news", f"{i}" * 1000)
    for i in range(100):
        same(sub.get_message(timeout=PATIENCE)["data"], (f"{i}" * 1000).encode())


def versions(server):
    """TLS 1.2 and 1.3, nothing older, by openssl s_client"""
    for port in server.http, server.resp:
        for flag, want in ("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True):
            got = run_tool("openssl", "s_client", "-connect", f"localhost:{port}", flag, "-CAfile", path("ca.pem"),
                           "-cipher", "DEFAULT:@SECLEVEL=0", "-verify_return_error", input=b"")
            same(got.returncode == 0, want, f"{flag} on {port}: {got.stdout[-300:]}")


def upstash(server):
    """Upstash's protocol and its server-sent events"""
    body = json.dumps(["SET", "k", "v"])
    same(request(server.http, "POST", "/upstash", body, headers={"Content-Type": "application/json"}),
         (200, b'{"result":"OK"}'))
    c = http.client.HTTPSConnection("localhost", server.http, timeout=PATIENCE, context=context())
    c.request("GET", "/upstash/subscribe/news", headers={"Accept": "text/event-stream"})
    events = c.getresponse()
    same(events.readline(), b"data: subscribe,news,1\n")
    with TlsResp(server.resp) as r:
        same(r("PUBLISH", "news", "x" * 100000), 1)
    events.readline()
    same(events.readline(), b"data: message,news," + b"x" * 100000 + b"\n")
    c.close()


# ---- the Redis port's own reading and writing --------------------------------------------------------------------


def pipelines(server):
    """pipelines that end anywhere in a record, behind blocked commands and large values too"""
    with TlsResp(server.resp) as r:
        value = os.urandom(40000)  # received straight into the value; what follows is in the same records
        script = b"".join(r.encode(a) for a in [["SET", "big", value], ["PING"], ["GET", "big"], ["BLPOP", "l", 0],
                                                ["SET", "big", value], ["GET", "big"], ["PING"]])
        r.send(script)
        same([r.read(), r.read(), r.read() == value], ["OK", "PONG", True])
        with TlsResp(server.resp) as other:
            same(other("RPUSH", "l", "x"), 1)
        same([r.read(), r.read(), r.read() == value, r.read()], [[b"l", b"x"], "OK", True, "PONG"])
        for size, most in (1, 20), (7, 50), (4093, 3000), (16384, 3000), (70000, 3000):  # as records of their own
            whole = b"".join(r.encode(["SET", f"k{i}", "v" * (i * most // 300)]) for i in range(300))
            for at in range(0, len(whole), size):
                r.send(whole[at:at + size])
            same([r.read() for _ in range(300)], ["OK"] * 300)


def slow_reader(server):
    """100 MB of replies to a client that reads them late: they wait, none is lost, others are served"""
    value = os.urandom(1 << 20)
    with TlsResp(server.resp) as r, TlsResp(server.resp) as other:
        r("SET", "k", value)
        r.send(r.encode(["GET", "k"]) * 100)
        for _ in range(100):
            same(other("PING"), "PONG")
        for _ in range(100):
            same(r.read() == value, True)
        r.send(r.encode(["MGET", *["k"] * 20]) + r.encode(["PING"]))
        same([len(r.read()), r.read()], [20, "PONG"])


def half_closed(server):
    """a client that ends its side, as openssl s_client does, gets its replies and a proper end"""
    with connect(server.resp) as s:
        s.sendall(Resp.encode(["PING"]) + Resp.encode(["QUIT"]))
        same(read_all(s), (b"+PONG\r\n+OK\r\n", True))  # an end without TLS's own would raise
    with connect(server.resp) as s:
        s.sendall(b"*1\r\n$x\r\n")
        same(read_all(s)[0], b"-ERR Protocol error: invalid bulk length\r\n")


def many_connections(server):
    """1000 connections, one after the other and 200 at once, and none is left"""
    ctx = context()
    for i in range(800):
        with TlsResp(server.resp, ctx=ctx) as r:
            same(r("ECHO", i), str(i).encode())
    clients = [TlsResp(server.resp, ctx=ctx) for _ in range(200)]
    for c in clients:
        c.send(c.encode(["PING"]))
    same({c.read() for c in clients}, {"PONG"})
    for c in clients:
        c.__exit__()
    until("the end of them all", lambda: request_stats(server)["resp"]["connections"] == 0)


def request_stats(server):
    return json.loads(request(server.http, "GET", "/stats")[1])


# ---- what is no TLS ----------------------------------------------------------------------------------------------


def garbage(server):
    """garbage, plain HTTP and plain commands to the TLS ports are refused, and others served"""
    for port in server.http, server.resp:
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"*1\r\n$4\r\nPING\r\n", bytes(1000), os.urandom(5000),
                     b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b""):
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                got, closed = read_all(s)
                assert closed and b"PONG" not in got and b"HTTP" not in got, (port, data[:20], got)
    alive(server)


ASK = {"resp": (b"PING\r\n", b"+PONG"), "http": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200")}


def visit(server, front, ctx, session=None):
    """A connection that asks once, for with TLS 1.3 a ticket comes behind the handshake. (the session, was it resumed?)"""
    with socket.create_connection(("127.0.0.1", getattr(server, front)), timeout=PATIENCE) as plain, \
            ctx.wrap_socket(plain, server_hostname="localhost", session=session) as s:
        question, answer = ASK[front]
        s.sendall(question)
        got = s.recv(4096)
        assert got.startswith(answer), got
        return s.session, s.session_reused


def resumed(server, client=None):
    """a client comes back to either port by the ticket it was given"""
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        ctx = context(client)
        ctx.minimum_version = ctx.maximum_version = version
        for first, then in ("resp", "resp"), ("http", "http"), ("http", "resp"):
            session, again = visit(server, first, ctx)
            same(again, False)
            same(visit(server, then, ctx, session)[1], True, f"{version} {first} {then}")


def resumed_by_certificate(server):
    """where clients need certificates one comes back by its ticket, and a stranger has none"""
    resumed(server, "client")


def slow_handshake(server):
    """handshakes that stand still hold nobody up, and are ended"""
    idle = [socket.create_connection(("127.0.0.1", p), timeout=60) for p in (server.resp, server.http) for _ in range(20)]
    for s in idle:
        s.sendall(b"\x16\x03\x01")
    alive(server)
    for s in idle:
        same(read_all(s), (b"", True))
        s.close()
    alive(server)


def midway(server):
    """a body that is refused in its midst is answered over TLS too"""
    with connect(server.http) as s:
        s.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                s.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        except OSError:
            pass
        same(s.recv(13), b"HTTP/1.1 413 ")


def http_pipelines(server):
    """requests of HTTP that come in one record, and in many"""
    with connect(server.http) as s:
        one = b"POST /keys/n/incr HTTP/1.1\r\nHost: x\r\n\r\n"
        for size in 1 << 20, 16384, 100, 7:
            whole = one * 300
            for at in range(0, len(whole), size):
                s.sendall(whole[at:at + size])
        s.sendall(b"GET /keys/n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got, closed = read_all(s)
        same((got.count(b"HTTP/1.1 200"), got.endswith(b"\r\n\r\n1200"), closed), (1201, True, True))


def http_crowd(server):
    """130 busy connections of HTTP: none is forgotten"""
    clients = [http.client.HTTPSConnection("localhost", server.http, timeout=PATIENCE, context=context()) for _ in range(130)]
    for _ in range(10):
        for c in clients:
            c.request("POST", "/keys/n/incr")
        for c in clients:
            same(c.getresponse().read() != b"", True)
    same(json.loads(request(server.http, "GET", "/keys/n", headers={"Accept": "application/json"})[1])["value"], "1300")
    for c in clients:
        c.close()


# ---- certificates of clients -------------------------------------------------------------------------------------


def clients_required(server):
    """with tls-client-ca a client needs a certificate by that authority, for clients"""
    alive(server, "client")
    for who in None, "stranger", "not-a-client":
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            ctx = context(who)
            ctx.minimum_version = ctx.maximum_version = version
            refused(lambda: TlsResp(server.resp, ctx=ctx)("PING"))

            def ask():
                c = http.client.HTTPSConnection("localhost", server.http, timeout=PATIENCE, context=ctx)
                c.request("GET", "/healthz")
                return c.getresponse().status

            refused(ask)
    got = run_tool("curl", "-sS", "--cacert", path("ca.pem"), "--cert", path("client.pem"), "--key", path("client.key"),
                   f"https://localhost:{server.http}/healthz")
    same((got.returncode, got.stderr), (0, b""))
    cli = ["redis-cli", "--tls", "--cacert", path("ca.pem"), "-h", "localhost", "-p", str(server.resp)]
    same(run_tool(*cli, "--cert", path("client.pem"), "--key", path("client.key"), "ping").stdout, b"PONG\n")
    assert b"PONG" not in run_tool(*cli, "ping").stdout


def clients_optional(server):
    """tls-client-auth optional: none will do, a wrong one will not"""
    alive(server)
    alive(server, "client")
    refused(lambda: TlsResp(server.resp, "stranger")("PING"))
    refused(lambda: request(server.http, "GET", "/healthz", client="stranger"))


def check(server):
    """flashkv --check over TLS, where clients need certificates too"""
    def ready(*more):
        return run_tool(FLASHKV, "--check", f"--http-port={server.http}", *more)

    same(ready(*options(), *CLIENTS).returncode, 0)
    plain = ready()
    same((plain.returncode, b"no HTTP answer" in plain.stderr), (1, True))


# ---- one port only, wrong options --------------------------------------------------------------------------------


def only_resp(server):
    """--tls-ports=resp leaves HTTP plain"""
    same(server.request("GET", "/healthz")[0], 200)
    with TlsResp(server.resp) as r:
        same(r("PING"), "PONG")
    same(run_tool(FLASHKV, "--check", f"--http-port={server.http}", *options(), "--tls-ports=resp").returncode, 0)


def only_http(server):
    """--tls-ports=http leaves the Redis protocol plain"""
    same(request(server.http, "GET", "/healthz")[0], 200)
    with Resp(server.resp) as r:
        same(r("PING"), "PONG")


def wrong_options():
    """files that are not there, do not fit or hold nothing: exit 2, and the log says which"""
    empty = path("empty.pem")
    open(empty, "w").close()
    for bad, said in (
            (["--tls-cert", path("none.pem"), "--tls-key", path("server.key")], b"none.pem: No such file"),
            (["--tls-cert", path("server.pem"), "--tls-key", path("client.key")], b"server.pem with "),
            (["--tls-cert", empty, "--tls-key", path("server.key")], b"empty.pem with "),
            (["--tls-cert", path("server.pem")], b"both tls-cert and tls-key"),
            (CLIENTS, b"both tls-cert and tls-key"),
            ([*options(), "--tls-client-ca", empty], b"empty.pem: no certificate"),
            ([*options(), "--tls-client-ca", path("none.pem")], b"none.pem: No such file")):
        got = run_tool(FLASHKV, "--http-port=0", "--resp-port=0", *bad)
        same((got.returncode, said in got.stderr), (2, True), got.stderr)


# ---- reloading -----------------------------------------------------------------------------------------------------


def shown(port):
    """The common name of the certificate that a new connection sees."""
    with connect(port) as s:
        return dict(part[0] for part in s.getpeercert()["subject"])["commonName"]


def install(name):
    for kind in ".pem", ".key":  # as renewal tools do: whole files take the places of the old ones
        shutil.copy(path(name + kind), path("new"))
        os.replace(path("new"), path("live" + kind))


def reloading():
    """certificates that change are taken up by themselves and on SIGHUP; bad ones are not; connections live on"""
    install("server")
    with Server(*options("live")) as server, TlsResp(server.resp) as old:
        old_http = http.client.HTTPSConnection("localhost", server.http, timeout=PATIENCE, context=context())
        old_http.request("GET", "/healthz")
        same(old_http.getresponse().read() != b"", True)
        same([shown(server.http), shown(server.resp)], ["server", "server"])
        ctx = context()
        session, _ = visit(server, "resp", ctx)
        same(visit(server, "resp", ctx, session)[1], True)
        install("renewed")
        until("the new certificate", lambda: shown(server.resp) == "renewed")
        same(visit(server, "resp", ctx, session)[1], False, "by a ticket that the old certificate sealed")
        same(shown(server.http), "renewed")
        with open(path("live.pem"), "w") as f:
            f.write("no certificate")
        server.wait_for_log("error +TLS: the certificate stays as it was: .*live.pem with")
        same([shown(server.http), shown(server.resp)], ["renewed", "renewed"])
        os.remove(path("live.key"))
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("error +TLS: the certificate stays as it was: .*live.key: No such file")
        install("server")
        server.process.send_signal(signal.SIGHUP)
        until("the old certificate", lambda: shown(server.http) == "server")
        same(old("PING"), "PONG")
        old_http.request("GET", "/healthz")
        same(old_http.getresponse().status, 200)
        old_http.close()
        same(server.stop(), 0)


def hup_without_tls():
    """SIGHUP does a server without TLS no harm"""
    with Server() as server:
        server.process.send_signal(signal.SIGHUP)
        with server.client() as r:
            same(r("PING"), "PONG")
        same(server.stop(), 0)


def refused_over_limit(server):
    """over max-connections a client is turned away, before it shakes hands"""
    with TlsResp(server.resp):
        refused(lambda: TlsResp(server.resp)("PING"))


def with_tls(test, *more):
    def run_test():
        with Server(*options(), *more) as server:
            test(server)
            same(server.process.poll(), None, "the server's exit status while it should run")
            same(server.stop(), 0, "exit status after SIGTERM")

    return name_of(test), run_test


try:
    make_certificates()
    report([
        with_tls(curl), with_tls(redis_cli), with_tls(redis_py), with_tls(versions), with_tls(upstash),
        with_tls(pipelines), with_tls(http_pipelines), with_tls(http_crowd), with_tls(resumed),
        with_tls(slow_reader), with_tls(half_closed), with_tls(many_connections),
        with_tls(garbage), with_tls(slow_handshake, "--http-timeout=2"),
        with_tls(midway, "--max-value-bytes=100000"),
        with_tls(clients_required, *CLIENTS), with_tls(resumed_by_certificate, *CLIENTS),
        with_tls(clients_optional, *CLIENTS, "--tls-client-auth=optional"),
        with_tls(check, *CLIENTS), with_tls(only_resp, "--tls-ports=resp"), with_tls(only_http, "--tls-ports=http"),
        with_tls(refused_over_limit, "--max-connections=1"),
        *[(name_of(test), test) for test in (wrong_options, reloading, hup_without_tls)]])
finally:
    shutil.rmtree(CERTS)
