#!/usr/bin/env python3
"""Who can reach what: an open port is refused unless it is meant, the administrator's port, pages of other origins."""
import http.client
import json
import os
import socket
import subprocess

from fk import FLASHKV, PATIENCE, Server, free_port, report, name_of, same


def ask(port, method, target, headers=None, body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        c.request(method, target, body=body, headers=headers or {})
        r = c.getresponse()
        r.read()
        return r.status, {k.lower(): v for k, v in r.getheaders()}
    finally:
        c.close()


# ---- open to others ------------------------------------------------------------------------------------------------


def refused(*options, env=None):
    got = subprocess.run([FLASHKV, "--http-port=0", "--resp-port=0", *options], capture_output=True, timeout=PATIENCE,
                         env={**os.environ, **(env or {})})
    return got.returncode, got.stderr.decode()


def starts(*options, env=None):
    with Server(*options, env=env) as s:
        same(ask(s.http, "GET", "/healthz")[0], 200)
        same(s.stop(), 0)


def open_by_oversight():
    """listening on more than loopback without a password is refused, with what to do"""
    for bind in "0.0.0.0", "::", "127.0.0.1,0.0.0.0", "::ffff:0.0.0.0":
        status, said = refused(f"--bind={bind}")
        same((status, "ready:" in said), (2, False), said)
        for word in (f"listening on {bind} without a password", "--requirepass-file", "FLASHKV_REQUIREPASS",
                     "tokens-file", "--open", "FLASHKV_OPEN=yes"):
            assert word in said, said
    status, said = refused(f"--admin-port={free_port()}", "--admin-bind=0.0.0.0")
    same((status, "listening on 0.0.0.0" in said), (2, True), said)


def open_by_intent():
    """it starts with a password, a token, or --open; and on loopback without any of them"""
    everywhere = "--bind=0.0.0.0"
    starts(everywhere, "--open")
    starts("--open", everywhere)
    starts(everywhere, "--open=yes")
    starts(everywhere, env={"FLASHKV_OPEN": "yes"})
    starts(everywhere, env={"FLASHKV_REQUIREPASS": "secret"})
    starts(everywhere, env={"SRH_TOKEN": "secret"})
    starts("--bind=localhost,127.0.0.2")
    same(refused(everywhere, "--open=no")[0], 2)
    same(refused(everywhere, "--open", "maybe")[0], 2)


# ---- the administrator's port ---------------------------------------------------------------------------------------

ADMIN = [("GET", "/stats"), ("GET", "/metrics"), ("GET", "/ui"), ("GET", "/ui/console.js"), ("POST", "/admin/snapshot"),
         ("POST", "/stats/reset")]


def admin_port():
    """--admin-port alone has statistics, metrics, console and /admin; both have health and keys"""
    port, upstash = free_port(), free_port()
    with Server(f"--admin-port={port}", f"--upstash-port={upstash}") as s:
        s.wait_for_log(rf"ready: admin on 127.0.0.1:{port}")
        for method, target in ADMIN:
            for public in s.http, upstash:
                same(ask(public, method, target)[0], 404 if public == s.http else 400, f"{method} {target}")
            same(ask(s.http, "OPTIONS", target)[0], 404, target)
            same(ask(s.http, "DELETE", target)[0], 404, target)
            assert ask(port, method, target)[0] in (200, 202, 204, 409), target
        for p in s.http, port:
            same(ask(p, "GET", "/healthz")[0], 200)
            same(ask(p, "PUT", "/keys/k", body="v")[0] in (201, 204), True)
            same(ask(p, "GET", "/openapi.json")[0], 200)
        same(ask(s.http, "GET", f"http://127.0.0.1:{port}/stats")[0], 404)  # as a target of absolute form
        same(subprocess.run([FLASHKV, "--check", f"--http-port={s.http}", f"--admin-port={port}"]).returncode, 0)
        same(s.stop(), 0)
    with Server() as s:
        same(ask(s.http, "GET", "/stats")[0], 200)
    same(refused(f"--admin-port={upstash}", f"--upstash-port={upstash}")[0], 2)


def admin_port_with_password():
    """a password is asked for on the admin port too"""
    port = free_port()
    with Server(f"--admin-port={port}", env={"FLASHKV_REQUIREPASS": "secret"}) as s:
        same(ask(port, "GET", "/stats")[0], 401)
        same(ask(port, "GET", "/stats", {"Authorization": "Bearer secret"})[0], 200)
        same(ask(s.http, "GET", "/stats", {"Authorization": "Bearer secret"})[0], 404)
        same(ask(port, "GET", "/ui")[0], 200)


# ---- origins ----------------------------------------------------------------------------------------------------------

APP, OTHER = "https://app.example", "https://evil.example"
LIST = "--cors-origins=https://first.example," + APP
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}


def cors_of(answer):
    return {k: v for k, v in answer[1].items() if k.startswith("access-control-")}


def cors_off():
    """without --cors-origins no response speaks of origins"""
    with Server() as s:
        for method, target in ("GET", "/keys"), ("OPTIONS", "/keys/k"), ("GET", "/healthz"):
            got = ask(s.http, method, target, {"Origin": APP, **PREFLIGHT})
            same(cors_of(got), {})
            assert "Origin" not in got[1].get("vary", "")


def cors_that_never_fit():
    """an origin that no browser would send is refused at the start, with the reason"""
    for origin, why in (("app.example", "a scheme"), ("://app.example", "a scheme"), ("https://", "a host"), (APP + "/", "no slash"),
                        (APP + "/path", "no path"), (APP + "?q", "no path"), ("https://user@app.example", "no user"),
                        ("https://*.example", "no *"), ("https://App.example", "lower case"), ("HTTPS://app.example", "lower case"),
                        (APP + ":443", "leave out the port"), ("http://app.example:80", "leave out the port"),
                        ("https://bücher.example", "xn--"), (APP + ",", "a scheme"), (f"{APP}, {APP}", "no space"), (f"*,{APP}", "a scheme"),
                        (f"{APP},{APP}/", "no slash")):
        status, said = refused(f"--cors-origins={origin}")
        same((status, "cors-origins" in said, why in said), (2, True, True), said)
    for origin in ("null", "http://localhost:3000", "https://[::1]:8443", "chrome-extension://abc", APP + ":80", f"http://app.example:443,{APP}"):
        starts(f"--cors-origins={origin}")


def cors_preflight():
    """a preflight names methods, headers and Authorization, to origins of the list, and asks for no password"""
    with Server(LIST, env={"FLASHKV_REQUIREPASS": "secret"}) as s:
        got = ask(s.http, "OPTIONS", "/keys/k", {"Origin": APP, **PREFLIGHT})
        same((got[0], got[1]["access-control-allow-origin"]), (204, APP))
        same(got[1]["access-control-allow-methods"], "GET, HEAD, PUT, DELETE, OPTIONS")
        allowed = got[1]["access-control-allow-headers"].lower().split(", ")
        for name in "authorization", "content-type", "if-match", "if-none-match", "upstash-encoding", "last-event-id":
            assert name in allowed, name
        assert "access-control-allow-credentials" not in got[1] and "Origin" in got[1]["vary"]
        same(ask(s.http, "OPTIONS", "/upstash/pipeline", {"Origin": APP, **PREFLIGHT})[1]["access-control-allow-methods"],
             "POST, OPTIONS")
        for origin in OTHER, "null", APP + ".evil.example", "https://app.exampl", APP + ":8443", "http://app.example", "":
            got = ask(s.http, "OPTIONS", "/keys/k", {"Origin": origin, **PREFLIGHT})
            same((got[0], cors_of(got), "Origin" in got[1]["vary"]), (204, {}, True), origin)
        for target in "/stats", "/ui", "/metrics", "/admin/snapshot", "/healthz", "/nothing":
            same(cors_of(ask(s.http, "OPTIONS", target, {"Origin": APP, **PREFLIGHT})), {}, target)


def cors_answers():
    """what is answered to such an origin can be read by it, errors too; others get no leave"""
    with Server(LIST, env={"FLASHKV_REQUIREPASS": "secret"}) as s:
        app = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}
        auth = {"Authorization": "Bearer secret"}
        same(ask(s.http, "PUT", "/keys/k", {**app, **auth}, "v")[0], 201)
        for _ in range(3):  # a response that would be kept from the second time on
            got = ask(s.http, "GET", "/keys/k", {**app, **auth})
            same((got[0], got[1]["access-control-allow-origin"]), (200, APP))
            assert "ETag" in got[1]["access-control-expose-headers"] and "Origin" in got[1]["vary"], got
            got = ask(s.http, "GET", "/keys/k", auth)
            same((got[0], cors_of(got), "Origin" in got[1]["vary"]), (200, {}, True))
        for status, headers, target in ((401, app, "/keys/k"), (404, {**app, **auth}, "/keys/none"),
                                        (400, {**app, **auth}, "/keys/k?x=1"), (401, app, "/upstash/get/k")):
            got = ask(s.http, "GET", target, headers)
            same((got[0], got[1].get("access-control-allow-origin")), (status, APP), target)
        for target in "/stats", "/ui", "/metrics":
            same(cors_of(ask(s.http, "GET", target, {**app, **auth})), {}, target)
        same(cors_of(ask(s.http, "GET", "/keys/k", {"Origin": OTHER, **auth})), {})
    with Server("--cors-origins=*") as s:
        got = ask(s.http, "GET", "/keys", {"Origin": OTHER})
        same((got[1]["access-control-allow-origin"], got[1].get("vary", "")), ("*", ""))
        same(ask(s.http, "POST", "/keys/n/incr", {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"})[0], 200)
        same(ask(s.http, "POST", "/stats/reset", {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"})[0], 403)


def cors_midway():
    """an answer in the midst of a body is for that origin too, and says all that one at its end does"""
    with Server(LIST, "--max-value-bytes=1000") as s:
        for first, framing, status, more in (("PUT /keys/k", "Transfer-Encoding: chunked", 413, {}),
                                             ("PUT /keys", "Content-Length: 20000000", 405, {"allow": "GET, HEAD, OPTIONS"}),
                                             ("POST /batch?x=1", "Content-Length: 20000000", 400, {})):
            with socket.create_connection(("127.0.0.1", s.http), timeout=PATIENCE) as c:
                c.sendall(f"{first} HTTP/1.1\r\nHost: x\r\nOrigin: {APP}\r\nX-Request-Id: r1\r\n{framing}\r\n\r\n".encode()
                          + (b"1000\r\n" if "chunked" in framing else b"") + b"x" * 4096)
                r = http.client.HTTPResponse(c)
                r.begin()
                got = {k.lower(): v for k, v in r.getheaders()}
                same((r.status, json.loads(r.read())["status"], got["connection"]), (status, status, "close"), first)
                same((got["access-control-allow-origin"], got["vary"], got["x-request-id"]), (APP, "Origin", "r1"), first)
                same({k: got.get(k) for k in more}, more, first)


def foreign_pages():
    """a page of another origin cannot have a browser change anything by a form, an image or a link"""
    with Server() as s, s.client() as r:
        r("SET", "k", "v")
        form = {"Content-Type": "text/plain", "Origin": OTHER, "Sec-Fetch-Site": "cross-site"}
        old = {"Content-Type": "text/plain", "Origin": OTHER}
        for headers in form, old, {**form, "Sec-Fetch-Site": "same-site"}, {**old, "Origin": "null"}:
            for target, body in (("/upstash", '["FLUSHALL"]'), ("/keys/k/incr", ""), ("/stats/reset", ""),
                                 ("/import", ""), ("/batch", '[{"op":"delete","key":"k"}]'), ("/upstash/flushall", "")):
                same(ask(s.http, "POST", target, headers, body)[0], 403, (headers, target))
        same(ask(s.http, "GET", "/upstash/flushall", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})[0], 403)
        same(r("GET", "k"), b"v")
        own = f"http://127.0.0.1:{s.http}"
        for headers in ({"Origin": own}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
                        {"Origin": "https://proxied.example", "Sec-Fetch-Site": "same-origin"}, {}):
            same(ask(s.http, "POST", "/keys/n/incr", headers)[0], 200, headers)
        same(ask(s.http, "GET", "/keys/k", {"Sec-Fetch-Site": "cross-site"})[0], 200)  # reads change nothing


def rebound_names():
    """without a password a name that somebody can have lead here (DNS rebinding) gets nothing, whatever the browser thinks"""
    names = ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example.", "a.b:1")
    ours = ("localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "app.localhost:3", "flashkv:8080", "localhost.")

    def statuses(s, hosts, method, target, **more):
        return {ask(s.http, method, target, {"Host": host, **more}, "v" if method == "PUT" else None)[0] for host in hosts}

    with Server() as s:
        for method, target in ("PUT", "/keys/k"), ("GET", "/keys/k"), ("GET", "/ui"), ("GET", "/upstash/get/k"), ("GET", "/stats"):
            same(statuses(s, names, method, target), {403}, target)
            assert statuses(s, ours, method, target) <= {200, 201, 204}, target
        same(statuses(s, names, "GET", "/healthz"), {200})
    with Server("--open") as s:
        same(statuses(s, names, "GET", "/keys"), {200})
    with Server(env={"FLASHKV_REQUIREPASS": "secret"}) as s:
        same(statuses(s, names, "GET", "/keys"), {401})
        same(statuses(s, names, "GET", "/keys", Authorization="Bearer secret"), {200})


def values_are_no_pages():
    """HTML that is stored is data: no browser runs it on this origin"""
    with Server() as s:
        page = "<script>fetch('/keys/k', {method: 'DELETE'})</script>"
        for kind in "text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript":
            same(ask(s.http, "PUT", "/keys/page", {"Content-Type": kind}, page)[0] in (201, 204), True)
            for headers in {}, {"Range": "bytes=0-9"}:
                for _ in range(3):
                    got = ask(s.http, "GET", "/keys/page", headers)
                    same((got[1]["content-type"], got[1]["x-content-type-options"], got[1]["content-security-policy"]),
                         (kind, "nosniff", "sandbox"))
            got = ask(s.http, "PUT", "/keys/page", {"Content-Type": kind, "Prefer": "return=representation"}, page)
            same((got[1]["x-content-type-options"], got[1]["content-security-policy"]), ("nosniff", "sandbox"))


report([(name_of(test), test) for test in (
    open_by_oversight, open_by_intent, admin_port, admin_port_with_password, cors_off, cors_that_never_fit, cors_preflight, cors_answers,
    cors_midway, foreign_pages, rebound_names, values_are_no_pages)])
