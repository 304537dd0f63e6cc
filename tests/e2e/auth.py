#!/usr/bin/env python3
"""A password: from a flag, the environment or a file; nothing but AUTH, HELLO and QUIT before it; redis-cli."""
import base64
import json
import os
import re
import socket
import subprocess
import tempfile

from fk import FLASHKV, Error, Resp, Server, run, same

ROUTES = os.path.join(os.path.dirname(__file__), "../../src/http/routes.c")


def check_asked(server):
    with Resp(server.resp) as c:
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
        same(c.error("AUTH", "wrong").split()[0], "WRONGPASS")
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
        same(c.error("BLPOP", "k", "0.01"), "NOAUTH Authentication required.")
        same(c("AUTH", "s3cret"), "OK")
        same(c("GET", "k"), None)
        same(c("RESET"), "RESET")
        same(c.error("GET", "k"), "NOAUTH Authentication required.")
    with Resp(server.resp) as c:  # in one go with what must not run
        c.send(c.encode(["SET", "k", "v"]) + c.encode(["AUTH", "s3cret"]) + c.encode(["GET", "k"]))
        try:
            c.read()
            raise AssertionError("it ran")
        except Error as e:
            same(str(e), "NOAUTH Authentication required.")
        same([c.read(), c.read()], ["OK", None])


def test_flag(server):
    """a flag"""
    check_asked(server)


def test_environment(_):
    """the environment"""
    with Server(env={"FLASHKV_REQUIREPASS": "s3cret"}) as server:
        check_asked(server)


def test_file(_):
    """a file that the environment names"""
    with tempfile.NamedTemporaryFile("w") as f:
        f.write("s3cret\nnothing else\n")
        f.flush()
        with Server(env={"FLASHKV_REQUIREPASS_FILE": f.name}) as server:
            check_asked(server)
            assert "s3cret" not in server.read_log()


def test_files_that_are_no_use(_):
    """password files that are no use"""
    for options in (["--requirepass-file=/nowhere"], ["--requirepass-file=/dev/null"],
                    ["--requirepass-file=/dev/null", "--requirepass=x"]):
        done = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", *options], capture_output=True, timeout=20)
        same(done.returncode, 2)
        assert b"password file" in done.stderr, done.stderr


def test_clients(server):
    """redis-cli, by -a and by its environment"""
    cli = ["redis-cli", "-p", str(server.resp), "--no-auth-warning"]
    for more in ([], ["-3"]):
        same(subprocess.run([*cli, *more, "-a", "s3cret", "ping"], capture_output=True, timeout=20).stdout, b"PONG\n")
    done = subprocess.run([*cli, "ping"], capture_output=True, timeout=20, env={**os.environ, "REDISCLI_AUTH": "s3cret"})
    same(done.stdout, b"PONG\n")
    assert b"NOAUTH" in subprocess.run([*cli, "ping"], capture_output=True, timeout=20).stdout


def test_changed_while_it_runs(server):
    """CONFIG SET requirepass"""
    with Resp(server.resp) as before:
        same(before("CONFIG", "SET", "requirepass", "s3cret"), "OK")
        same(before("SLOWLOG", "LEN"), 0)
        check_asked(server)
        same(before("GET", "k"), None)
        same(before("CONFIG", "SET", "requirepass", ""), "OK")
        with Resp(server.resp) as c:
            same(c("GET", "k"), None)


# ---- HTTP ------------------------------------------------------------------------------------------------------------

def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


GOOD = ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret", basic("default", "s3cret"), basic("", "s3cret"), basic("me", "s3cret")]
BAD = [None, "", "Bearer", "Bearer ", "Bearer wrong", "Bearer s3cret2", "Bearer s3cre", "Bearer s3cret,", "s3cret", "Bearers3cret",
       "Token s3cret", "Digest s3cret", "Basic", "Basic !", "Basic s3cret", basic("default", "wrong"), basic("s3cret", ""),
       "Basic " + base64.b64encode(b"s3cret").decode(), "Basic " + "QUJD" * 900]


def headers(authorization):
    return {} if authorization is None else {"Authorization": authorization}


def routes():
    """Every route of the table, its parameters filled in."""
    with open(ROUTES) as f:
        found = re.findall(r'\{"([A-Z]+)", "(/[^"]*)",.*?(ACCESS_\w+)\}', f.read(), re.DOTALL)
    assert len(found) > 50, found
    return [(method, re.sub(r"\{\w+\}", "get", path), path, access) for method, path, access in found]


def test_http_every_route(server):
    """HTTP: every route but two asks for it"""
    same([path for _, _, path, access in routes() if access == "ACCESS_OPEN"], ["/healthz", "/readyz"])
    for method, target, path, access in routes():
        body = b"[]" if method in ("PUT", "POST") else None
        status, got, text = server.request(method, target, body)
        if access == "ACCESS_OPEN":
            same(status, 200, path)
            continue
        same(status, 401, path)
        same(got["www-authenticate"], 'Basic realm="FlashKV", charset="UTF-8"')  # the last of two lines
        if path.startswith("/upstash"):
            same(got["content-type"], "application/json", path)
            same(json.loads(text), {"error": "WRONGPASS invalid or missing auth token"}, path)
        else:
            same(got["content-type"], "application/problem+json", path)
            same(json.loads(text)["status"], 401, path)
        assert server.request(method, target, body, headers(GOOD[0]))[0] != 401, path
    same(server.request("HEAD", "/keys/k")[0], 401)
    same(server.request("OPTIONS", "/keys/k")[0], 204)
    same(server.request("GET", "/keys?unknown=1")[0], 401, "before the parameters")


def test_http_credentials(server):
    """HTTP: schemes and credentials, right and wrong"""
    for each in GOOD:
        same(server.request("GET", "/keys", None, headers(each))[0], 200, each)
        same(server.request("GET", "/upstash/get/k", None, headers(each))[0], 200, each)
    for each in BAD:
        same(server.request("GET", "/keys", None, headers(each))[0], 401, each)
    same(server.request("GET", "/keys?_token=s3cret")[0], 401, "no tokens in URLs")
    same(server.request("GET", "/upstash/get/k?_token=s3cret")[0], 200)
    same(server.request("GET", "/upstash/get/k", None, headers("s3cret"))[0], 200, "bare")
    same(server.request("GET", "/upstash/get/k?_token=wrong", None, headers(GOOD[0]))[0], 401, "the query wins")
    same(server.request("GET", "/upstash/get/k?_token=", None, headers("wrong"))[0], 401)


def raw(server, lines):
    return server.raw_http(("".join(f"{line}\r\n" for line in lines) + "\r\n").encode(), 5)[0]


def test_http_hostile(server):
    """HTTP: repeated and huge headers, bodies without a password, keep-alive"""
    first = ["GET /keys HTTP/1.1", "Host: x", "Connection: close"]
    twice = raw(server, [*first, "Authorization: Bearer wrong", "Authorization: Bearer s3cret"])
    assert twice.startswith(b"HTTP/1.1 401 "), twice
    huge = raw(server, [*first, "Authorization: Bearer " + "x" * 100000])
    assert huge.startswith(b"HTTP/1.1 431 ") or huge == b"", huge[:200]
    long = raw(server, [*first, "Authorization: Bearer " + "x" * 3000])
    assert long.startswith(b"HTTP/1.1 401 ") and b'\r\nWWW-Authenticate: Bearer realm="FlashKV"\r\n' in long, long[:400]

    with socket.create_connection(("127.0.0.1", server.http), timeout=20) as s:  # 1 GB is announced, none is sent
        s.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 401 ")
    with socket.create_connection(("127.0.0.1", server.http), timeout=20) as s:  # 100 MB begin to come
        s.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + bytes(100000))
        got = s.recv(4096)
        assert got.startswith(b"HTTP/1.1 401 ") and b"WWW-Authenticate: Bearer" in got, got

    with socket.create_connection(("127.0.0.1", server.http), timeout=20) as s:  # one connection, many requests
        for authorization, want in [(GOOD[0], 204), (None, 401), (GOOD[3], 204), ("Bearer wrong", 401), (None, 401)]:
            line = f"Authorization: {authorization}\r\n" if authorization else ""
            s.sendall(f"PUT /keys/kept HTTP/1.1\r\nHost: x\r\n{line}Content-Length: 1\r\n\r\n{want % 10}".encode())
            status = int(s.recv(4096).split()[1])
            assert status == want or (want, status) == (204, 201), (authorization, status)
    same(server.request("GET", "/keys/kept", None, headers(GOOD[0]))[2], b"4", "what was refused was not done")


def test_http_changed_while_it_runs(server):
    """HTTP: CONFIG SET requirepass counts at once, on connections that are open"""
    def status(s, authorization=""):
        s.sendall(f"GET /stats HTTP/1.1\r\nHost: x\r\n{authorization}\r\n".encode())
        got = s.recv(65536)
        while b"\r\n\r\n" not in got or got[-1:] != b"}":
            got += s.recv(65536)
        return int(got.split()[1])

    with socket.create_connection(("127.0.0.1", server.http), timeout=20) as s, Resp(server.resp) as c:
        same(status(s), 200)
        same(c("CONFIG", "SET", "requirepass", "s3cret"), "OK")
        same([status(s), status(s, "Authorization: Bearer s3cret\r\n")], [401, 200])
        same(c("CONFIG", "SET", "requirepass", "other"), "OK")
        same([status(s, "Authorization: Bearer s3cret\r\n"), status(s, "Authorization: Bearer other\r\n")], [401, 200])
        same(c("CONFIG", "SET", "requirepass", ""), "OK")
        same(status(s), 200)


def test_http_upstash_port(_):
    """HTTP: the port for Upstash's clients"""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with Server("--requirepass=s3cret", f"--upstash-port={port}") as server:
        server.http = port
        status, _, text = server.request("POST", "/", b'["PING"]')
        same([status, json.loads(text)], [401, {"error": "WRONGPASS invalid or missing auth token"}])
        same(server.request("POST", "/pipeline", b'[["PING"]]')[0], 401)
        same(server.request("GET", "/subscribe/ch")[0], 401)
        same(server.request("GET", "/monitor")[0], 401)
        same(json.loads(server.request("POST", "/", b'["PING"]', headers(GOOD[0]))[2]), {"result": "PONG"})
        same(json.loads(server.request("GET", "/ping?_token=s3cret")[2]), {"result": "PONG"})


PASSWORD = "--requirepass=s3cret"
run([(test_flag, PASSWORD), test_environment, test_file, test_files_that_are_no_use, (test_clients, PASSWORD),
     test_changed_while_it_runs, (test_http_every_route, PASSWORD), (test_http_credentials, PASSWORD),
     (test_http_hostile, PASSWORD), test_http_changed_while_it_runs, test_http_upstash_port])
