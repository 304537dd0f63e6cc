#!/usr/bin/env python3
"""GET /metrics: Prometheus's own promtool reads it, and the numbers are those of what was done."""
import json
import os
import re
import socket
import subprocess
import tempfile
import time

from fk import run, same, until

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPEN = {"Accept": "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"}


def scrape(s, headers=None):
    status, got, body = s.request("GET", "/metrics", headers=headers)
    same(status, 200)
    return got["content-type"], body.decode()


def values(text):
    """{'name{labels}': number}"""
    return {m[1]: float(m[2]) for m in re.finditer(r"^(\w+(?:\{.*\})?) (\S+)$", text, re.M)}


def await_value(s, name, want):
    until(f"{name} is {want}", lambda: values(scrape(s)[1]).get(name) == want)


def work(s):
    with s.client() as c:
        c("SET", "k", "v")
        c("GET", "k")
        c("GET", "none")
        c.error("LPUSH", "k", "x")
    s.request("GET", "/keys/k")


def promtool_agrees(s):
    """promtool check metrics has nothing to say"""
    work(s)
    kind, text = scrape(s)
    same(kind, "text/plain; version=0.0.4; charset=utf-8")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    same((checked.returncode, checked.stderr, checked.stdout), (0, "", ""))


def openmetrics(s):
    """OpenMetrics where it is asked for: families without _total, units, and an end"""
    work(s)
    kind, text = scrape(s, OPEN)
    same(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert text.endswith("\n# EOF\n")
    assert "# TYPE flashkv_lookups counter\n" in text and "# UNIT flashkv_received_bytes bytes\n" in text
    families = re.findall(r"^# TYPE (\w+) ", text, re.M)
    same(len(families), len(set(families)), "families that stand there once")
    for name in re.findall(r"^# UNIT (\w+) (\w+)$", text, re.M):
        assert name[0].endswith("_" + name[1]), name
    same(values(text).keys() - values(scrape(s)[1]).keys(), set(), "series of the other form")


def numbers(s):
    """the numbers are those of what was done"""
    before = values(scrape(s)[1])
    work(s)
    await_value(s, 'flashkv_requests_total{front="resp"}', 4)  # a thread tells of them when it has answered
    after = values(scrape(s)[1])
    grown = {name: after[name] - before.get(name, 0) for name in after}
    same(after["flashkv_keys"], 1)
    same(grown['flashkv_lookups_total{result="hit"}'], 2)
    same(grown['flashkv_lookups_total{result="miss"}'], 1)
    same(grown['flashkv_requests_total{front="resp"}'], 4)
    same(grown['flashkv_error_replies_total{code="WRONGTYPE"}'], 1)
    same(grown['flashkv_command_duration_seconds_count{command="get"}'], 2)
    same(grown['flashkv_command_duration_seconds_bucket{command="get",le="+Inf"}'], 2)
    assert grown['flashkv_command_duration_seconds_sum{command="get"}'] > 0
    same(sum(n for name, n in after.items() if name.startswith("flashkv_shard_keys{")), 1)
    same(len([name for name in after if name.startswith("flashkv_shard_contended_total{")]), 64)


def buckets_grow(s):
    """a histogram's buckets never fall, and end with the count"""
    work(s)
    buckets = [(m[1], float(m[2])) for m in re.finditer(
        r'^flashkv_command_duration_seconds_bucket\{command="get",le="([^"]+)"\} (\S+)$', scrape(s)[1], re.M)]
    bounds = [float(le) for le, _ in buckets]
    same(bounds, sorted(bounds))
    counts = [n for _, n in buckets]
    same(counts, sorted(counts))
    same(counts[-1], 2)


def requests_by_route(s):
    """HTTP requests are counted by route and status, those without a route too; and their commands as all others"""
    with s.client() as c:
        s.request("PUT", "/keys/a%22%0Ab", body=b"v")
        for path in ("/keys/a%22%0Ab", "/keys/a%22%0Ab", "/keys/none", "/nowhere", "/keys?limit=x"):
            s.request("GET", path)
        s.request("HEAD", "/keys/none")
        s.request("BREW", "/keys/none")
        c("HSET", "h", "f", "v")
        s.request("POST", "/keys/h/append", body=b"x")
    text = scrape(s)[1]
    got = values(text)
    route = 'flashkv_http_requests_total{route="%s",method="%s",code="%d"}'
    for template, method, code, n in (
            ("/keys/{key}", "PUT", 201, 1), ("/keys/{key}", "GET", 200, 2), ("/keys/{key}", "GET", 404, 2),
            ("/keys/{key}/append", "POST", 409, 1), ("/keys", "GET", 400, 1), ("none", "none", 404, 1), ("none", "none", 405, 1)):
        same(got[route % (template, method, code)], n, (template, method, code))
    same(got['flashkv_http_request_duration_seconds_count{route="/keys/{key}",method="GET"}'], 4)
    same(got['flashkv_http_request_duration_seconds_bucket{route="/keys/{key}",method="GET",le="+Inf"}'], 4)
    same(got["flashkv_http_requests_in_flight"], 1)
    same(got['flashkv_command_duration_seconds_count{command="rest.write"}'], 1)
    same(got['flashkv_error_replies_total{code="WRONGTYPE"}'], 1)
    assert "%22" not in text and "nowhere" not in text, "what clients sent"


def client_that_left(s):
    """a request whose client leaves before the answer is counted as 499"""
    with socket.create_connection(("127.0.0.1", s.http)) as half:
        half.sendall(b"PUT /keys/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        await_value(s, "flashkv_http_requests_in_flight", 2)
    await_value(s, 'flashkv_http_requests_total{route="/keys/{key}",method="PUT",code="499"}', 1)
    await_value(s, "flashkv_http_requests_in_flight", 1)


def persistence(s):
    """a data directory's log, its fsyncs and snapshots"""
    with s.client() as c:
        c("SET", "k", "v")
        c("SAVE")
        c("SET", "k", "w")
    got = values(scrape(s)[1])
    same(got["flashkv_log_accepting"], 1)
    same(got["flashkv_log_frames_total"], 2)
    same(got["flashkv_snapshots_total"], 1)
    assert got["flashkv_log_sync_duration_seconds_count"] >= 2
    assert 0 < got["flashkv_log_bytes"] < got["flashkv_log_appended_bytes_total"]
    assert abs(got["flashkv_snapshot_timestamp_seconds"] - time.time()) < 3600


def memory_by_kind(s):
    """the kinds of memory add up to what is allocated; the process's own metrics are there"""
    work(s)
    got = values(scrape(s)[1])
    same(sum(n for name, n in got.items() if name.startswith("flashkv_memory_bytes{")), got["flashkv_allocated_bytes"])
    for name in ("process_cpu_seconds_total", "process_open_fds", "process_virtual_memory_bytes", "process_max_fds"):
        assert got[name] > 0, name


def families(text):
    """{family of samples: labels that its samples may have}, by the types that the text declares."""
    found = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M):
        for end in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
            found[name + end] = {"instance", "job"}
    for name, labels in re.findall(r"^(\w+)\{(.*)\} ", text, re.M):
        found[name] |= set(re.findall(r'(\w+)="', labels))
    return found


def dashboard(s):
    """every expression of the Grafana dashboard is right for promtool, and asks for metrics and labels that are there"""
    work(s)
    s.request("GET", "/none")
    with s.client() as c:
        c.error("GET")
    known = families(scrape(s)[1])
    panels = json.load(open(f"{REPOSITORY}/docker/grafana/flashkv.json"))["panels"]
    exprs = [t["expr"] for p in panels for t in p.get("targets", [])]
    assert len(exprs) > 30
    for expr in exprs:
        bare = re.sub(r'"[^"]*"', '""', expr)
        names = re.findall(r"\b((?:flashkv|process)_\w+)\b", bare)
        assert names, expr
        for name in names:
            assert name in known, f"{expr}: there is no {name}"
        may = set().union(*(known[name] for name in names)) | {"le"}
        for labels in re.findall(r"\bby \(([^)]*)\)", bare) + re.findall(r"\{([^}]*)\}", bare):
            assert set(re.findall(r"[a-z]\w*", labels)) <= may, f"{expr}: labels {labels}, of {may}"
    rules = [{"record": f"flashkv:panel{i}", "expr": e.replace("$__rate_interval", "1m").replace("$instance", ".*")}
             for i, e in enumerate(exprs)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:  # JSON is YAML
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, f)
        f.flush()
        checked = subprocess.run(["promtool", "check", "rules", f.name], capture_output=True, text=True)
    same((checked.returncode, checked.stderr), (0, ""), checked.stdout)


def slow_requests(s):
    """commands of HTTP are in the slow log, with the client's address and its X-Request-Id"""
    with s.client() as c:
        c("CONFIG", "SET", "slowlog-log-slower-than", "0")
        with socket.create_connection(("127.0.0.1", s.http)) as http:
            http.sendall(b"GET /keys/k HTTP/1.1\r\nHost: x\r\nX-Request-Id: req-7\r\n\r\n")
            assert http.recv(65536)
            entry = next(e for e in c("SLOWLOG", "GET", "-1") if e[3][0].startswith(b"rest."))
            same(entry[4].decode(), "127.0.0.1:%d" % http.getsockname()[1])
            same(entry[5], b"req-7")
            same(entry[3][1], b"k")


def secret(s):
    """with a password, metrics need it"""
    same(s.request("GET", "/metrics")[0], 401)
    same(s.request("GET", "/metrics", headers={"Authorization": "Bearer pw"})[0], 200)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data:
        run([promtool_agrees, openmetrics, numbers, buckets_grow, (secret, "--requirepass=pw"),
             (requests_by_route, "--http-threads=1"),
             client_that_left, memory_by_kind, dashboard, slow_requests,
             (persistence, f"--data-dir={data}", "--fsync=always")])
