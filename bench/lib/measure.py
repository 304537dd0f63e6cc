"""Running the work: fill, load, CPU time per operation, medians."""
import contextlib
import json
import os
import statistics
import subprocess
import tempfile

from subjects import CLIENT_CORES, Subject

FOREVER = "1000000000000"
FILL_BATCH_BYTES = 1 << 20
MEASURES = ["cpu_us", "ops_per_second", "p50_us", "p99_us", "p999_us"]


def client(goes_first):
    """To be called in a client's process: it runs on the clients' core, before its other clients if it may."""
    os.sched_setaffinity(0, CLIENT_CORES)
    if goes_first:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def start_load(programs, subject, protocol, item, reads, goes_first=False, **options):
    argv = [f"{programs}/bench/load/load", "--protocol", protocol, "--port", str(subject.place.ports[protocol]),
            "--reads", str(reads), "--keys", str(item.keys), "--key-size", str(item.key), "--value-size",
            str(item.value)]
    if protocol == "http" and subject.targets is not None:
        argv += ["--target", subject.targets[0 if reads == 100 else 1]]
    for name, value in options.items():
        argv += [f"--{name}", str(value)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: client(goes_first))


def finish_load(process):
    out = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(process.args)}: exit status {process.returncode}: {out}")
    return json.loads(out)


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
    before = subject.cpu_seconds()
    loads = [start_load(programs, subject, p, item, item.reads, **options) for p in (own, item.beside) if p]
    results = [finish_load(load) for load in loads]
    cpu = subject.cpu_seconds() - before
    misses = sum(r["misses"] for r in results)
    if misses:
        raise RuntimeError(f"{subject.name}: {misses} keys missed in '{item.name}'")
    measured = {name: max(r[name] for r in results) for name in MEASURES[2:]}
    measured["cpu_us"] = cpu * 1e6 / sum(r["ops"] for r in results)
    measured["ops_per_second"] = sum(r["ops_per_second"] for r in results)
    return measured


def measure(programs, item, names, rounds, seconds, threads=1):
    """Alternating rounds of an item. Returns {subject: [measures of round 1, ...]}."""
    with tempfile.TemporaryDirectory(prefix="flashkv-bench-") as top:
        subjects = []
        try:
            for i, name in enumerate(names):
                os.mkdir(f"{top}/{i}")
                subjects.append(Subject(name, f"{top}/{i}", programs, item))
                subjects[-1].start()
                fill(programs, subjects[-1], item)
                run_round(programs, subjects[-1], item, min(seconds, 0.2), threads)  # warms up
            table = {name: [] for name in names}
            for r in range(rounds):
                for s in subjects if r % 2 == 0 else reversed(subjects):
                    table[s.name].append(run_round(programs, s, item, seconds, threads))
            return table
        finally:
            for s in subjects:
                s.stop()


def medians(rounds):
    return {name: statistics.median(r[name] for r in rounds) for name in MEASURES}


def ratio(ours, theirs, name):
    """The median of the ratios round by round: what disturbed the machine in a round disturbed both."""
    return statistics.median(a[name] / b[name] for a, b in zip(ours, theirs))
