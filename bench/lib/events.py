"""What is measured of FlashKV around an event, not in a steady state: starting, growing, a second thread (threads.py).

passed is None where there is no goal, see report.VERDICTS.
"""
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

import measure
import ratios
import subjects
import threads
from items import Item


@dataclass
class Event:
    run: Callable  # (programs, measure.Plan) -> [{what, limit, measured, passed}]
    quick: bool = True  # also in --quick


ROUNDS = 3
STARTS = 15
BASE_KEYS = 1000000  # there before, and as many come: the table doubles
EXPIRING = 500000
FILL_PIPELINE = 100
WRITE_PIPELINE = 20  # so short that a batch does not hold up what it is measured against
WRITES_PER_SECOND = 100000
GETS = 1 / 3  # of what it can: with the writes about half load
BUSY_SECONDS = BASE_KEYS / WRITES_PER_SECOND
HOLD_US = 1000  # src/store/sweeper.c promises that no lock is held for longer
TTL_SECONDS = 3  # so that they expire while the table grows


def row(what, value, text, limit=None, unit=""):
    return {"what": what, "measured": f"{text}{unit}", "limit": "" if limit is None else f"at most {limit:g}{unit}",
            "passed": None if limit is None else value <= limit}


def start_to_ready(programs, _plan):
    """From exec to the line that says ready, when both ports answer; nothing is stored."""
    found = []
    for _ in range(STARTS):
        began = time.monotonic()
        with subprocess.Popen([f"{programs}/flashkv", "--http-port=0", "--resp-port=0"], stderr=subprocess.PIPE,
                              text=True) as p:
            while "ready: " not in p.stderr.readline():
                pass
            found.append((time.monotonic() - began) * 1e3)
            p.terminate()
            p.stderr.read()
    ms = statistics.median(found)
    return [row("start to ready, empty", ms, f"{ms:.1f}", 20, " ms")]


def get_load(programs, s, item, rate, seconds):
    """Its latencies are what is wanted: it must not wait for the client that writes, with which it shares a core. So it goes
    first there, and sleeps until a request is due instead of spinning, which leaves the other some time."""
    return measure.start_load(programs, s, "resp", item, 100, goes_first=True, ops=measure.FOREVER, seconds=seconds,
                              connections=50, rate=rate, spin=0)


def write_load(programs, s, item, ops, **options):
    return measure.start_load(programs, s, "resp", item, 0, ops=ops, order="sequential", connections=2, seconds=600,
                              **{"pipeline": WRITE_PIPELINE, **options})


def growth_round(programs, name):
    """p99.9 of GET at half load in us, (quiet, growing). The same number of writes goes on in both."""
    item, more, dying = (Item("", "resp", [], keys=n, key=size)
                         for n, size in ((BASE_KEYS, 16), (BASE_KEYS, 15), (EXPIRING, 14)))
    with tempfile.TemporaryDirectory(prefix="flashkv-bench-") as directory:
        s = subjects.Subject(name, directory, programs, item)
        try:
            s.start()
            measure.fill(programs, s, item)
            rate = measure.finish_load(get_load(programs, s, item, 0, 1))["ops_per_second"] * GETS
            found = []
            for written in (item, more):
                if written is more:
                    measure.finish_load(write_load(programs, s, dying, EXPIRING, ttl=TTL_SECONDS,
                                                   pipeline=FILL_PIPELINE))
                writes = write_load(programs, s, written, BASE_KEYS, rate=WRITES_PER_SECOND)
                found.append(measure.finish_load(get_load(programs, s, item, rate, BUSY_SECONDS))["p999_us"])
                measure.finish_load(writes)
            return found
        finally:
            s.stop()


def growth(programs, _plan):
    rows = []
    for name in ("flashkv", "redis"):
        if subjects.missing(name):
            continue
        rounds = [growth_round(programs, name) for _ in range(ROUNDS)]
        quiet, busy = (statistics.median(column) for column in zip(*rounds))
        ratio = statistics.median(b / q for q, b in rounds)
        rows.append(row(f"p99.9 of GET at half load while the table doubles and {EXPIRING} keys expire, to quiet: {name}",
                        ratio, f"{ratio:.2f} ({quiet:.0f} us quiet, {busy:.0f} us growing)",
                        2 if name == "flashkv" else None))
    return rows


def holds(programs, _plan):
    """What a reader may have to wait for: in the server's own process, without sockets."""
    out = subprocess.run([f"{programs}/bench/locks/holds", str(BASE_KEYS), str(EXPIRING)], check=True, capture_output=True,
                         text=True).stdout
    return [row(f"a shard is held exclusively by {what}, p99.9 (median; the most)", h["p999_us"],
                f"{h['p999_us']:.1f} us ({h['p50_us']:.1f}; {h['most_us']:.0f})", HOLD_US)
            for what, h in json.loads(out).items()]


def two_threads(programs, plan):
    """With cores enough for server and client, operations a second; else what a second thread costs on the same core."""
    item = Item("", "resp", [], pipeline=16)
    enough = os.cpu_count() >= 4
    names = ["flashkv", "flashkv 2 threads"]
    table = measure.measure(programs, item, names, plan, threads=2 if enough else 1)
    one, two = (table[n] for n in names)
    if enough:
        r = ratios.ratio(two, one, "ops_per_second")
        return [{"what": "two server threads to one, GET p16, operations a second", "measured": str(r),
                 "limit": "at least 1.8", "passed": r.value >= 1.8}]
    r = ratios.ratio(two, one, "cpu_us")
    return [row("two server threads on ONE core to one, GET p16, CPU an operation (the machine lacks the cores for more)",
                r.value, str(r))]


EVENTS = {"start to ready": Event(start_to_ready), "growth": Event(growth, quick=False), "holds": Event(holds),
          "two threads": Event(two_threads), "two threads on two cores": Event(threads.on_two_cores, quick=False)}
