#!/usr/bin/env python3
"""Counts the 64-byte lines and the pages that one command touches, code and data: at pipeline 1 a command runs from caches
that the kernel has just filled with its own, so that each line is waited for.

The server runs under valgrind's lackey, which prints every access, and gets commands one at a time over one connection. The
figures are those of the median command; what follows is where its lines are, by function (code) and by mapping (data).
"""
import argparse
import bisect
import collections
import os
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import regress  # noqa: E402

REQUESTS, KEYS = 300, 50
TRACE_LINES = 24000 * REQUESTS  # of the trace's end that are kept: more than the requests take
LINE, PAGE = 64, 4096
BEGINS = {"resp": "conn_ready", "http": "on_target"}  # functions that each command enters once


def symbols(path, base):
    """[(address, name)] of a program's functions, sorted."""
    out = "".join(subprocess.run(["nm", "--defined-only", *dynamic, path], capture_output=True, text=True,
                                 check=False).stdout for dynamic in ([], ["--dynamic"]))
    found = [line.split() for line in out.splitlines()]
    return sorted((int(f[0], 16) + base, f[2].split("@")[0]) for f in found if len(f) == 3 and f[1] in "tTwWiI")


class Places:
    """What lies where in the traced process."""

    def __init__(self, pid):
        self.maps, first = [], {}
        with open(f"/proc/{pid}/maps") as f:
            for line in f:
                part = line.split(maxsplit=5)
                low, high = (int(x, 16) for x in part[0].split("-"))
                path = part[5].strip() if len(part) > 5 else "heap"
                first.setdefault(path, low)
                self.maps.append((low, high, path))
        self.names = sorted(s for path, base in first.items() if path.startswith("/") for s in symbols(path, base))
        self.at = [address for address, _ in self.names]

    def mapping(self, address):
        for low, high, path in self.maps:
            if low <= address < high:
                return os.path.basename(path)
        return "?"

    def function(self, address):
        i = bisect.bisect_right(self.at, address) - 1
        mapping = self.mapping(address)
        if i < 0 or self.mapping(self.at[i]) != mapping:
            return mapping
        return self.names[i][1]


def trace(args, protocol, reads, directory):
    """The end of lackey's trace, as lines, and the process's places."""
    fifo, log, kept = f"{directory}/trace", f"{directory}/log", f"{directory}/kept"
    ports = {"resp": regress.free_port(), "http": regress.free_port()}
    os.mkfifo(fifo)
    with open(kept, "w") as k, open(log, "w") as f:
        tail = subprocess.Popen(["tail", "-n", str(TRACE_LINES), fifo], stdout=k)
        server = subprocess.Popen(
            ["valgrind", "--tool=lackey", "--trace-mem=yes", f"--log-file={fifo}", args.flashkv, "--http-threads=1",
             "--resp-threads=1", f"--resp-port={ports['resp']}", f"--http-port={ports['http']}"], stderr=f)
    try:
        regress.wait_for(lambda: "ready: " in open(log).read(), "the server does not start")
        regress.load(args, "resp", ports["resp"], KEYS, 0, "--order", "sequential")
        regress.load(args, protocol, ports[protocol], REQUESTS, reads)
        places = Places(server.pid)
    finally:
        server.send_signal(signal.SIGKILL)  # its end would be traced, too
        server.wait(60)
    tail.wait(60)
    with open(kept) as k:
        return [line for line in k if line[:2] in ("I ", " L", " S", " M")], places


def commands(lines, enters):
    """The trace cut where commands begin: ({code addresses}, {data addresses}, instructions) of each."""
    entries = [i for i, line in enumerate(lines) if line[0] == "I" and int(line[3:].split(",")[0], 16) == enters]
    for begin, end in zip(entries, entries[1:]):
        code, data = set(), set()
        for line in lines[begin:end]:
            address, size = line[3:].split(",")
            address = int(address, 16)
            (code if line[0] == "I" else data).update((address, address + int(size) - 1))
        yield code, data, sum(line[0] == "I" for line in lines[begin:end])


def spread(addresses, unit):
    return {a // unit for a in addresses}


def by_place(addresses, place):
    lines = collections.defaultdict(set)
    for a in addresses:
        lines[place(a)].add(a // LINE)
    return sorted(((len(l), name) for name, l in lines.items()), reverse=True)


def show(path, found, places, details):
    figures = [(len(spread(c, LINE)), len(spread(d, LINE)), len(spread(c, PAGE)), len(spread(d, PAGE)), n) for c, d, n in found]
    print(f"{path:10} code lines {statistics.median(f[0] for f in figures):5.0f}  data lines "
          f"{statistics.median(f[1] for f in figures):5.0f}  code pages {statistics.median(f[2] for f in figures):4.0f}  "
          f"data pages {statistics.median(f[3] for f in figures):4.0f}  instructions "
          f"{statistics.median(f[4] for f in figures):6.0f}")
    if details:
        code, data, _ = found[sorted((f, i) for i, f in enumerate(figures))[len(found) // 2][1]]
        for title, rows in (("code", by_place(code, places.function)), ("data", by_place(data, places.mapping))):
            for n, name in rows:
                print(f"    {title} {n:4} {name}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--flashkv", default=os.environ.get("FLASHKV", "./flashkv"))
    p.add_argument("--load", default=os.environ.get("BENCH_LOAD", "bench/load/load"))
    p.add_argument("--details", action="store_true", help="where the lines are")
    p.add_argument("--only", action="append", help="a path of bench/regress.py")
    args = p.parse_args()
    for path, (protocol, reads, _) in regress.PATHS.items():
        if args.only and path not in args.only:
            continue
        with tempfile.TemporaryDirectory(prefix="flashkv-lines-") as d:
            lines, places = trace(args, protocol, reads, d)
        enters = next(a for a, name in places.names if name.split(".")[0] == BEGINS[protocol] and not name.endswith(".cold"))
        found = list(commands(lines, enters))[REQUESTS // 10:-REQUESTS // 10]
        show(path, found, places, args.details)


if __name__ == "__main__":
    main()
