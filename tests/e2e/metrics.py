#!/usr/bin/env python3
"""GET /metrics: Prometheus's own promtool reads it, and the numbers are those of what was done."""
import re
import subprocess

from fk import run, same

OPEN = {"Accept": "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"}


def scrape(s, headers=None):
    status, got, body = s.request("GET", "/metrics", headers=headers)
    same(status, 200)
    return got["content-type"], body.decode()


def values(text):
    """{'name{labels}': number}"""
    return {m[1]: float(m[2]) for m in re.finditer(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.M)}


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


def secret(s):
    """with a password, metrics need it"""
    same(s.request("GET", "/metrics")[0], 401)
    same(s.request("GET", "/metrics", headers={"Authorization": "Bearer pw"})[0], 200)


if __name__ == "__main__":
    run([promtool_agrees, openmetrics, numbers, buckets_grow, (secret, "--requirepass=pw")])
