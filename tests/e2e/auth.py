#!/usr/bin/env python3
"""A password: from a flag, the environment or a file; nothing but AUTH, HELLO and QUIT before it; redis-cli."""
import base64
import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import tempfile

from fk import FLASHKV, PATIENCE, Error, Resp, Server, free_port, run, same

NOBODY_ASKED = ("ACCESS_OPEN", "ACCESS_PAGE")
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
        done = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", *options], capture_output=True, timeout=PATIENCE)
        same(done.returncode, 2)
        assert b"password file" in done.stderr, done.stderr


def test_clients(server):
    """redis-cli, by -a and by its environment"""
    cli = ["redis-cli", "-p", str(server.resp), "--no-auth-warning"]
    for more in ([], ["-3"]):
        same(subprocess.run([*cli, *more, "-a", "s3cret", "ping"], capture_output=True, timeout=PATIENCE).stdout, b"PONG\n")
    done = subprocess.run([*cli, "ping"], capture_output=True, timeout=PATIENCE, env={**os.environ, "REDISCLI_AUTH": "s3cret"})
    same(done.stdout, b"PONG\n")
    assert b"NOAUTH" in subprocess.run([*cli, "ping"], capture_output=True, timeout=PATIENCE).stdout


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


def status_of(server, method, target, body, more):
    """The status alone: a stream has no end to wait for."""
    c = http.client.HTTPConnection("127.0.0.1", server.http, timeout=PATIENCE)
    c.request(method, target, body, more)
    status = c.getresponse().status
    c.close()
    return status


def test_http_every_route(server):
    """HTTP: every route but those that hold no data asks for it"""
    same(sorted(path for _, _, path, access in routes() if access in NOBODY_ASKED), ["/docs", "/docs/{file}", "/healthz", "/readyz", "/ui", "/ui/{file}"])
    for method, target, path, access in routes():
        body = b"[]" if method in ("PUT", "POST") else None
        status, got, text = server.request(method, target, body)
        if access in NOBODY_ASKED:
            same(status, 404 if "{" in path else 200, path)
            continue
        same(status, 401, path)
        same(got["www-authenticate"], 'Basic realm="FlashKV", charset="UTF-8"')  # the last of two lines
        if path.startswith("/upstash"):
            same(got["content-type"], "application/json", path)
            same(json.loads(text), {"error": "WRONGPASS invalid or missing auth token"}, path)
        else:
            same(got["content-type"], "application/problem+json", path)
            same(json.loads(text)["status"], 401, path)
        assert status_of(server, method, target, body, headers(GOOD[0])) != 401, path
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

    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s:  # 1 GB is announced, none is sent
        s.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 401 ")
    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s:  # 100 MB begin to come
        s.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + bytes(100000))
        got = s.recv(4096)
        assert got.startswith(b"HTTP/1.1 401 ") and b"WWW-Authenticate: Bearer" in got, got

    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s:  # one connection, many requests
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

    with socket.create_connection(("127.0.0.1", server.http), timeout=PATIENCE) as s, Resp(server.resp) as c:
        same(status(s), 200)
        same(c("CONFIG", "SET", "requirepass", "s3cret"), "OK")
        same([status(s), status(s, "Authorization: Bearer s3cret\r\n")], [401, 200])
        same(c("CONFIG", "SET", "requirepass", "other"), "OK")
        same([status(s, "Authorization: Bearer s3cret\r\n"), status(s, "Authorization: Bearer other\r\n")], [401, 200])
        same(c("CONFIG", "SET", "requirepass", ""), "OK")
        same(status(s), 200)


def test_http_upstash_port(_):
    """HTTP: the port for Upstash's clients"""
    port = free_port()
    with Server("--requirepass=s3cret", f"--upstash-port={port}") as server:
        server.http = port
        status, _, text = server.request("POST", "/", b'["PING"]')
        same([status, json.loads(text)], [401, {"error": "WRONGPASS invalid or missing auth token"}])
        same(server.request("POST", "/pipeline", b'[["PING"]]')[0], 401)
        same(server.request("GET", "/subscribe/ch")[0], 401)
        same(server.request("GET", "/monitor")[0], 401)
        same(json.loads(server.request("POST", "/", b'["PING"]', headers(GOOD[0]))[2]), {"result": "PONG"})
        same(json.loads(server.request("GET", "/ping?_token=s3cret")[2]), {"result": "PONG"})


# ---- tokens ----------------------------------------------------------------------------------------------------------

TOKENS = [
    {"name": "all", "sha256": hashlib.sha256(b"t-all").hexdigest(), "scopes": ["read", "write", "admin"]},
    {"name": "reader", "secret": "t-reader", "scopes": ["read"]},
    {"name": "writer", "secret": "t-writer", "scopes": ["write"]},
    {"name": "web", "secret": "t-web", "scopes": ["read", "write"], "prefixes": ["web:", "shared/"]},
]


def with_tokens(test, *options, env=None):
    def run_test(_):
        with tempfile.NamedTemporaryFile("w") as f:
            json.dump(TOKENS, f)
            f.flush()
            with Server(f"--tokens-file={f.name}", *options, env=env) as server:
                for key in ("web:a", "other", "shared/x"):
                    same(server.request("PUT", "/keys/" + key.replace("/", "%2F"), b"v", headers("Bearer t-all"))[0], 201)
                test(server)
                assert "t-web" not in server.read_log()
    run_test.__doc__ = test.__doc__
    return run_test


def test_tokens_http(server):
    """tokens: scopes and prefixes over HTTP"""
    cases = [  # method, target, body, who may
        ("GET", "/keys/web:a", None, "all reader web"), ("GET", "/keys/other", None, "all reader"),
        ("GET", "/keys/none", None, "all reader"), ("GET", "/keys/web:none", None, "all reader web"),
        ("PUT", "/keys/web:b", b"v", "all writer web"), ("PUT", "/keys/web:b?nx", b"v", "all writer web"), ("PUT", "/keys/we", b"v", "all writer"), ("PUT", "/keys/WEB:b", b"v", "all writer"),
        ("DELETE", "/keys/nothing", None, "all writer"), ("POST", "/keys/web:n/incr", None, "all writer web"),
        ("POST", "/hashes/h", b'{"f":"v"}', "all writer"), ("GET", "/hashes/h", None, "all reader"),
        ("POST", "/zsets/web:z", b'{"f":1}', "all writer web"), ("GET", "/sets/shared%2Fs", None, "all reader web"),
        ("GET", "/keys", None, "all reader"), ("GET", "/keys?prefix=web:", None, "all reader web"),
        ("GET", "/keys?prefix=we", None, "all reader"), ("GET", "/keys?match=*", None, "all reader"),
        ("GET", "/keys?match=web:*", None, "all reader web"), ("GET", "/keys?match=%5Bw%5Deb:*", None, "all reader"),
        ("GET", "/stats", None, "all"), ("GET", "/metrics", None, "all"), ("POST", "/stats/reset", None, "all"), ("POST", "/admin/snapshot", None, "all"),
        ("GET", "/", None, "all reader writer web"), ("GET", "/healthz", None, "all reader writer web nobody"),
    ]
    for method, target, body, allowed in cases:
        for who in ("all", "reader", "writer", "web"):
            status, got, text = server.request(method, target, body, headers(f"Bearer t-{who}"))
            what = f"{who}: {method} {target}: {status} {text[:100]}"
            assert (status not in (401, 403)) == (who in allowed.split()), what
            if status == 403:
                same([got["content-type"], json.loads(text)["status"]], ["application/problem+json", 403], what)
        same(server.request(method, target, body)[0] != 401, "nobody" in allowed, target)
    same(json.loads(server.request("GET", "/keys?prefix=web:", None, headers("Bearer t-web"))[2])["keys"].count("other"), 0)


def test_tokens_many(server):
    """tokens: batch, export, import, Upstash"""
    web = headers("Bearer t-web")
    batch = [{"op": "get", "key": "other"}, {"op": "get", "key": "web:a"}, {"op": "put", "key": "other", "value": "x"},
             {"op": "command", "args": ["mget", "web:a", "other"]}, {"op": "command", "args": ["dbsize"]},
             {"op": "command", "args": ["rename", "other", "web:stolen"]}, {"op": "command", "args": ["info"]}]
    as_json = {**web, "Content-Type": "application/json"}
    status, _, text = server.request("POST", "/batch", json.dumps(batch).encode(), as_json)
    same([each["status"] for each in json.loads(text)], [403, 200, 403, 403, 403, 403, 403])
    for who, ops in ((web, batch[:2]), ({"Authorization": "Bearer t-reader"}, [{"op": "put", "key": "other", "value": "x"}])):
        status, _, text = server.request("POST", "/batch?atomic=true", json.dumps(ops).encode(), {**who, "Content-Type": "application/json"})
        assert status == 403 and b'"v"' not in text, (status, text)
    for more in ({"If-Match": "*"}, {"If-None-Match": "*"}, {}):
        for who in ("web", "writer"):
            status, _, text = server.request("POST", "/sets/other", b'["x"]', {**headers(f"Bearer t-{who}"), **more})
            assert status == 403 or (who == "writer" and not more), (who, more, status, text)
    for path in ("/export", "/export?prefix=we", "/export?match=*"):
        status, _, text = server.request("GET", path, None, web)
        assert status == 403 and b"web:a" not in text, (status, text)
    assert b'"web:a"' in server.request("GET", "/export?prefix=web:", None, web)[2]
    line = b'{"key":"other","type":"string","value":"imported"}\n{"key":"web:i","type":"string","value":"imported"}\n'
    server.request("POST", "/import", line, {**web, "Content-Type": "application/x-ndjson"})
    same([server.request("GET", f"/keys/{k}", None, headers("Bearer t-all"))[2] for k in ("other", "web:i")], [b"v", b"imported"])

    for command in (["get", "other"], ["mset", "web:x", "1", "other", "2"], ["scan", "0"], ["scan", "0", "withtype"], ["keys", "*"],
                    ["randomkey"], ["dbsize"], ["flushall"], ["sort", "web:l", "by", "other"], ["sort", "web:l", "store", "other"],
                    ["copy", "other", "web:c"], ["sunionstore", "web:d", "other"], ["zunionstore", "web:d", "1", "other"],
                    ["lmpop", "2", "web:l", "other", "left"], ["object", "encoding", "other"], ["config", "get", "*"], ["publish", "c", "m"],
                    ["scan", "0", "match", "web:*", "match", "*"], ["slowlog", "get"], ["acl", "list"], ["client", "list"], ["latency", "latest"]):
        status, _, text = server.request("POST", "/upstash", json.dumps(command).encode(), web)
        assert status != 200 and ("NOPERM" in json.loads(text)["error"] or "not available" in json.loads(text)["error"]), (command, text)
    same(json.loads(server.request("POST", "/upstash/pipeline", b'[["get","web:a"],["get","other"]]', web)[2])[0], {"result": "v"})
    text = server.request("POST", "/upstash/multi-exec", b'[["get","web:a"],["get","other"]]', web)[2]
    assert json.loads(text)["error"].startswith("EXECABORT"), text
    for path in ("/upstash/subscribe/c", "/upstash/psubscribe/*", "/upstash/monitor"):
        assert server.request("GET", path, None, web)[0] >= 400, path
    same(json.loads(server.request("GET", "/upstash/get/web:a?_token=t-web")[2]), {"result": "v"})
    same(server.request("GET", "/upstash/get/web:a?_token=t-wrong")[0], 401)


def test_tokens_resp(server):
    """tokens: AUTH, HELLO and RESET"""
    with Resp(server.resp) as c:
        same(c.error("GET", "web:a"), "NOAUTH Authentication required.")
        for wrong in (["t-no"], ["default", "t-no"], ["web", "t-all"], ["web", ""], ["web", "s3cret"], ["default", ""], [""]):
            same(c.error("AUTH", *wrong).split()[0], "WRONGPASS")
        same(c("AUTH", "web", "t-web"), "OK")
        same([c("ACL", "WHOAMI"), c("GET", "web:a"), c("PING")], [b"web", b"v", "PONG"])
        same(c.error("GET", "other"), "NOPERM this user has no permissions to access one of the keys used as arguments")
        same(c.error("INFO"), "NOPERM this user has no permissions to run the 'info' command")
        same(c.error("CONFIG", "SET", "requirepass", ""), "NOPERM this user has no permissions to run the 'config|set' command")
        same([c("MULTI"), c("SET", "web:m", "1")], ["OK", "QUEUED"])
        assert c.error("SET", "other", "1").startswith("NOPERM")
        assert c.error("EXEC").startswith("EXECABORT")
        assert c.error("BLPOP", "web:l", "other", "0").startswith("NOPERM")
        assert c.error("WATCH", "other").startswith("NOPERM")
        same(c("AUTH", "t-reader"), "OK")
        same(c("GET", "other"), b"v")
        assert c.error("SET", "other", "1").startswith("NOPERM")
        same(c("HELLO", "2", "AUTH", "default", "t-all")[0], b"server")
        same(c("SET", "other", "1"), "OK")
        # The password allows more than a token, so that none gets it: not to read, to guess at, or to change.
        everything = c("CONFIG", "GET", "*")
        assert b"requirepass" not in everything and b"s3cret" not in everything and b"maxmemory" in everything
        same(c("CONFIG", "GET", "requirepass"), [])
        digest = hashlib.sha256(b"s3cret").hexdigest().encode()
        assert digest not in c("ACL", "LIST")[0] and digest not in repr(c("ACL", "GETUSER", "default")).encode()
        for setting in (["CONFIG", "SET", "requirepass", "mine"], ["CONFIG", "SET", "timeout", "0", "RequirePass", ""],
                        ["ACL", "SETUSER", "default", ">mine"], ["ACL", "SETUSER", "default", "nopass"]):
            assert c.error(*setting).startswith("NOPERM"), setting
        same(c("CONFIG", "SET", "timeout", "0"), "OK")
        same(c("AUTH", "s3cret"), "OK")
        same(c("CONFIG", "GET", "requirepass"), [b"requirepass", b"s3cret"])
        same(c("RESET"), "RESET")
        same(c.error("GET", "other"), "NOAUTH Authentication required.")


def test_tokens_environment(_):
    """tokens: UPSTASH_REDIS_REST_TOKEN and SRH_TOKEN, beside a password"""
    with Server("--requirepass=s3cret", env={"UPSTASH_REDIS_REST_TOKEN": "t-up", "SRH_TOKEN": "t-srh"}) as server:
        for token in ("t-up", "t-srh", "s3cret"):
            same(server.request("GET", "/stats", None, headers(f"Bearer {token}"))[0], 200)
            with Resp(server.resp) as c:
                same(c("AUTH", token), "OK")
                same(c("DBSIZE"), 0)
        same(server.request("GET", "/keys", None, headers("Bearer x"))[0], 401)
        assert "unknown option" not in server.read_log()
    with Server(env={"SRH_TOKEN": ""}) as server:
        same(server.request("GET", "/keys")[0], 200, "an empty one is none")


def test_tokens_that_are_no_use(_):
    """token files that are no use"""
    good = {"name": "a", "secret": "s", "scopes": ["read"]}
    for text in ("", "{}", "[]", "[1]", "[", *(json.dumps([{**good, **bad}]) for bad in (
            {"scopes": []}, {"scopes": ["all"]}, {"scopes": "read"}, {"secret": ""}, {"sha256": "00" * 32}, {"name": "default"}, {"name": ""},
            {"prefixes": []}, {"prefixes": [""]}, {"prefixes": "x"}, {"prefix": "x"}, {"prefixes": ["x"], "scopes": ["admin"]})),
            json.dumps([good, good])):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(text)
            f.flush()
            done = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", f"--tokens-file={f.name}"], capture_output=True, timeout=PATIENCE)
            same(done.returncode, 2, text)
            assert b"tokens-file" in done.stderr, done.stderr
    same(subprocess.run([FLASHKV, "--tokens-file=/nowhere"], capture_output=True, timeout=PATIENCE).returncode, 2)


PASSWORD = "--requirepass=s3cret"
run([(test_flag, PASSWORD), test_environment, test_file, test_files_that_are_no_use, (test_clients, PASSWORD),
     test_changed_while_it_runs, (test_http_every_route, PASSWORD), (test_http_credentials, PASSWORD),
     (test_http_hostile, PASSWORD), test_http_changed_while_it_runs, test_http_upstash_port,
     with_tokens(test_tokens_http), with_tokens(test_tokens_many), with_tokens(test_tokens_resp, "--requirepass=s3cret"),
     test_tokens_environment, test_tokens_that_are_no_use])
