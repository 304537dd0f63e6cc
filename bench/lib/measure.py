"""Running the work: fill, load, CPU time per operation, medians."""
import contextlib
import json
import os
import random
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

import ratios
from subjects import CLIENT_CORES, READS, Subject

FOREVER = "1000000000000"
FILL_BATCH_BYTES = 1 << 20
WARM_UP_SECONDS = 0.2
MEASURES = ["cpu_us", "ops_per_second", "p50_us", "p99_us", "p999_us"]


@dataclass
class Plan:
    """How long a round is and how many are taken, see take_rounds."""
    seconds: float
    least: int
    most: int
    error: float


def client(cores, goes_first):
    """To be called in a client's process: it runs there, before other clients if it may."""
    os.sched_setaffinity(0, cores)
    if goes_first:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def start_load(programs, subject, protocol, item, reads, goes_first=False, cores=CLIENT_CORES, beside=(), **options):
    """Asks those `beside` the subject too, with as many connections."""
    argv = [f"{programs}/bench/load/load", "--protocol", protocol, "--reads", str(reads), "--keys", str(item.keys),
            "--key-size", str(item.key), "--value-size", str(item.value)]
    for s in (subject, *beside):
        argv += ["--port", str(s.place.ports[protocol])]
    if protocol == "http" and subject.targets is not None:
        argv += ["--target", subject.targets[0 if reads == 100 else 1]]
    for name, value in options.items():
        argv += [f"--{name}", str(value)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: client(cores, goes_first))


def finish_load(process):
    out = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(process.args)}: exit status {process.returncode}: {out}")
    return json.loads(out)


def finish_loads(loads):
    """All of them were started before the first is waited for. Every key that was read must have been there."""
    results = [finish_load(load) for load in list(loads)]
    misses = sum(r["misses"] for r in results)
    if misses:
        raise RuntimeError(f"{misses} keys missed")
    return results


def fill(programs, subject, item):
    """Sets every key once, so that reads hit."""
    stored = [p for p in ("resp", "memcached", "http") if p in subject.place.ports]
    if subject.name.startswith(("nginx", "floor")):
        return
    pipeline = max(1, min(100, FILL_BATCH_BYTES // item.value)) if stored[0] != "http" else 1
    finish_load(start_load(programs, subject, stored[0], item, 0, ops=item.keys, order="sequential",
                           pipeline=pipeline, connections=1, seconds=600))


def run_round(programs, subject, item, seconds, threads=1):
    """One round of load from so many threads. Returns the measures."""
    own = "memcached" if subject.name == "memcached" else item.protocol
    options = {"ops": FOREVER, "seconds": seconds, "order": item.order, "pipeline": item.pipeline,
               "connections": item.connections, "rate": item.rate, "threads": threads}
    reads = READS.get(subject.name, item.reads)
    before = subject.cpu_seconds()
    results = finish_loads(start_load(programs, subject, p, item, reads, **options) for p in (own, item.beside) if p)
    cpu = subject.cpu_seconds() - before
    measured = {name: max(r[name] for r in results) for name in MEASURES[2:]}
    measured["cpu_us"] = cpu * 1e6 / sum(r["ops"] for r in results)
    measured["ops_per_second"] = sum(r["ops_per_second"] for r in results)
    return measured


def orders(names, seed):
    """For each round an order: a random one, then the same backwards. So each goes before any other as often as after it."""
    chance = random.Random(seed)
    while True:
        order = chance.sample(names, len(names))
        yield order
        yield order[::-1]


def take_rounds(run, item, names, plan):
    """{subject: [what run(subject) gave in round 1, ...]}

    The goal: each ratio that a goal judges known to a standard error of plan.error, in as few rounds as that takes. A single round
    differs by 10 to 20 % from the next, so a fixed number of them is too few for one row and too many for another.

    The rule: plan.least rounds of all subjects; then of those only whose ratio is not settled; at most plan.most. What
    ends it is the error and never the ratio, so a verdict does not come about by stopping when it pleases.

    The cost: about 60 rounds for 0.01 where the quartiles of the ratios are 0.07 apart, a fourth of that where they are half as
    far; simulated so, with neighbours alike, the median is then 0.010 to 0.012 off (root mean square).
    """
    table = {name: [] for name in names}
    for r, order in zip(range(plan.most), orders(names, item.name)):
        going = names if r < plan.least else ratios.unsettled(item, table, plan.error)
        if not going:
            break
        for name in order:
            if name in going:
                table[name].append(run(name))
    return table


def measure(programs, item, names, plan, threads=1):
    """Alternating rounds of an item. Returns {subject: [measures of round 1, ...]}."""
    with tempfile.TemporaryDirectory(prefix="flashkv-bench-") as top:
        running = {}
        try:
            for i, name in enumerate(names):
                os.mkdir(f"{top}/{i}")
                s = running[name] = Subject(name, f"{top}/{i}", programs, item)
                s.start()
                fill(programs, s, item)
                run_round(programs, s, item, min(plan.seconds, WARM_UP_SECONDS), threads)
            return take_rounds(lambda name: run_round(programs, running[name], item, plan.seconds, threads), item, names, plan)
        finally:
            for s in running.values():
                s.stop()


def medians(table):
    """{subject: {measure: its median}} over the rounds that all took, so that they can be compared."""
    common = min(map(len, table.values()))
    return {name: {m: statistics.median(r[m] for r in rounds[:common]) for m in MEASURES} for name, rounds in table.items()}
