#!/usr/bin/env python3
"""Counts the instructions of the hot paths and fails (TAP) if one needs 3 % more than bench/regress.counts says.

The server runs under callgrind and gets N requests, then 2 N, one at a time over one connection: the difference over N
is what a request costs, connecting and valgrind's own doings taken out. `bench/regress.py --update` writes the counts.
They hold for one compiler and one set of libraries; elsewhere the checks are skipped.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTS = os.path.join(HERE, "regress.counts")
REQUESTS = 4000
KEYS = 50  # so few that it hardly matters how the process's random secret spreads them
TOLERANCE = 1.03
# valgrind counts a repeated string instruction once for each byte: have memset and memcpy take loops instead
TUNABLES = "glibc.cpu.x86_rep_stosb_threshold=1000000000:glibc.cpu.x86_rep_movsb_threshold=1000000000"
sys.path.insert(0, os.path.join(HERE, "lib"))
from subjects import free_port  # noqa: E402

# path: (protocol, percent of reads, functions whose inclusive counts are of interest: name -> function)
PATHS = {
    "resp get": ("resp", 100, {"parse": "parser_read", "lookup": "table_find", "reply": "write_bulk"}),
    "resp set": ("resp", 0, {"store": "store_set_string"}),
    "http get": ("http", 100, {"parse": "request_headers", "lookup": "table_find", "reply": "respond_kept"}),
    "http put": ("http", 0, {"store": "store_set_string"}),
}


def wait_for(ready, what):
    deadline = time.monotonic() + 60
    while not ready():
        if time.monotonic() > deadline:
            sys.exit(f"Bail out! {what}")
        time.sleep(0.05)


def load(args, protocol, port, ops, reads, *more):
    subprocess.run([args.load, "--protocol", protocol, "--port", str(port), "--ops", str(ops), "--reads", str(reads),
                    "--connections", "1", "--keys", str(KEYS), *more], check=True, stdout=subprocess.DEVNULL)


def dump(server, out, part):
    """Has callgrind write what was counted since the last dump, and read it: instructions by function, inclusive."""
    subprocess.run(["callgrind_control", "--dump", str(server.pid)], check=True, capture_output=True)
    wait_for(lambda: os.path.exists(f"{out}.{part}"), "callgrind does not dump")
    return subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", f"{out}.{part}"], check=True,
                          capture_output=True, text=True).stdout


def counts(report, functions):
    found = {"": number(r"([\d,]+) \([\d.]+%\)  PROGRAM TOTALS", report)}
    for name, function in functions.items():
        found[name] = number(rf"([\d,]+) \([ \d.]+%\)  \S*:{function}(?:'\d+)?(?: \[|$)", report)
    return found


def measure_path(args, protocol, reads, functions, directory):
    """Instructions for a request, of all and of each function with what it calls."""
    out, log = f"{directory}/callgrind", f"{directory}/log"
    ports = {"resp": free_port(), "http": free_port()}
    with open(log, "w") as f:
        server = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", args.flashkv, "--http-threads=1",
             "--resp-threads=1", f"--resp-port={ports['resp']}", f"--http-port={ports['http']}"], stderr=f,
            env={**os.environ, "GLIBC_TUNABLES": TUNABLES})
    try:
        wait_for(lambda: "ready: " in open(log).read(), "the server does not start")
        load(args, "resp", ports["resp"], KEYS, 0, "--order", "sequential")
        load(args, protocol, ports[protocol], REQUESTS, reads)  # warms up
        dump(server, out, 1)
        points = []
        for part, requests in ((2, REQUESTS), (3, 2 * REQUESTS)):
            load(args, protocol, ports[protocol], requests, reads)
            points.append(counts(dump(server, out, part), functions))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return {name: (points[1][name] - points[0][name]) / REQUESTS for name in points[0]}


def number(pattern, text):
    """The largest of the numbers found: a function with code from several files has a line for each, and one for all."""
    found = re.findall(pattern, text, re.M)
    if not found:
        sys.exit(f"Bail out! callgrind saw no {pattern}")
    return max(int(n.replace(",", "")) for n in found)


def measure(args):
    measured = {}
    for path, (protocol, reads, functions) in PATHS.items():
        with tempfile.TemporaryDirectory(prefix="flashkv-regress-") as d:
            for name, n in measure_path(args, protocol, reads, functions, d).items():
                measured[f"{path}: {name}" if name else path] = n
    return measured


def environment():
    """What the counts depend on besides our code."""
    def first_line(*argv):
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")[0]
    versions = [f"{m} {first_line('pkg-config', '--modversion', m)}" for m in ("libmicrohttpd", "libxxhash", "jemalloc")]
    flags = set(next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split())
    return ", ".join([first_line("gcc", "--version"), first_line("ldd", "--version"), *versions,
                      f"{os.uname().machine} {'with' if 'avx2' in flags else 'without'} avx2"])


def read_counts():
    with open(COUNTS) as f:
        lines = f.read().splitlines()
    return lines[0].removeprefix("# "), {name: float(n) for name, n in (line.rsplit(maxsplit=1) for line in lines[1:])}


def check(measured):
    """TAP: a line for each count of the tree."""
    failures, (where, counts) = 0, read_counts()
    skip = "" if where == environment() else f" # SKIP the counts are those of {where}"
    for i, (name, known) in enumerate(counts.items(), 1):
        now = measured[name]
        ok = now <= known * TOLERANCE
        failures += not ok and not skip
        print(f"{'ok' if ok or skip else 'not ok'} {i} - {name}: {now:.1f} instructions, {known:.1f} in the tree "
              f"({(now / known - 1) * 100:+.1f} %){skip}")
    print(f"1..{len(counts)}")
    return failures


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--update", action="store_true", help="write bench/regress.counts instead of checking")
    p.add_argument("--flashkv", default=os.environ.get("FLASHKV", "./flashkv"))
    p.add_argument("--load", default=os.environ.get("BENCH_LOAD", "bench/load/load"))
    args = p.parse_args()
    measured = measure(args)
    if not args.update:
        sys.exit(check(measured) > 0)
    with open(COUNTS, "w") as f:
        f.write(f"# {environment()}\n" + "".join(f"{name:20} {n:9.1f}\n" for name, n in measured.items()))


if __name__ == "__main__":
    main()
