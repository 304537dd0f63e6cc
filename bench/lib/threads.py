"""What a second server thread brings, on a machine whose two cores must run the clients too.

Throughput cannot tell: the clients take half of either core. What is measured is what two threads pay for sharing a server: the CPU
time of an operation of one server with two threads, over that of two servers with a thread each, which share nothing but the machine.
Both take the same load in turns. A serving thread and a client are pinned to each core; each client's connections are dealt out to both
threads or servers. Two servers do twice the work of one; so two threads do 2 / (that ratio) of it, if they have a core each.

They meet less often than on cores of their own, since each runs only while no client does on its core: half of the time, by the kernel's
account of each thread (schedstat). For what part of its own time it had the other beside it differs by the work, and is a column of the
table below. What sharing cost is divided by it, as if they had met all the time.
"""
import os
import statistics
import tempfile

import measure
import ratios
from items import Goal, Item
from subjects import Subject

CORES = (0, 1)
LEAST_CAPACITY = 1.8
LEAST_SHARE = 0.3  # of the time that each thread must run: about half is what the clients leave it
NAMES = ["two threads", "two servers"]
GOALS = [Goal(2 / LEAST_CAPACITY, "two servers", ours="two threads")]
# What is asked for, and for what part of its own time a thread then has the other beside it: from the switches of both cores that
# `perf record -e sched:sched_switch -a` saw in half a second.
WORK = [(Item("RESP GET p16", "resp", NAMES, pipeline=16, goals=GOALS), 0.44),
        (Item("RESP SET p16", "resp", NAMES, pipeline=16, reads=0, goals=GOALS), 0.48),
        (Item("RESP GET p1", "resp", NAMES, goals=GOALS), 0.29),
        (Item("RESP SET p1", "resp", NAMES, reads=0, goals=GOALS), 0.26),
        (Item("HTTP GET", "http", NAMES, goals=GOALS), 0.33)]


class Servers:
    """One server with two threads or two with one each: .threads are the paths of those that serve the item, one on each core."""

    def __init__(self, name, directory, programs, item):
        self.programs, self.item, self.threads = programs, item, []
        kinds = [("flashkv 2 threads", CORES)] if name == "two threads" else [("flashkv", (core,)) for core in CORES]
        self.subjects = []
        for i, (kind, cores) in enumerate(kinds):
            place = os.path.join(directory, f"{name} {i}")
            os.mkdir(place)
            self.subjects.append(Subject(kind, place, programs, item, cores))

    def start(self):
        for s in self.subjects:
            s.start()
            measure.fill(self.programs, s, self.item)
            serving = s.threads(self.item.protocol)
            for thread, core in zip(serving, s.cores, strict=True):
                os.sched_setaffinity(thread.tid, {core})
            self.threads += serving

    def stop(self):
        for s in self.subjects:
            s.stop()

    def run_round(self, seconds):
        """{cpu_us: CPU time of an operation, shares: of the time, which each thread ran}"""
        before = [t.cpu_seconds() for t in self.threads]
        cpu = -sum(s.cpu_seconds() for s in self.subjects)
        first, *others = self.subjects
        results = measure.finish_loads(
            measure.start_load(self.programs, first, self.item.protocol, self.item, self.item.reads, cores={core},
                               beside=others, ops=measure.FOREVER, seconds=seconds, pipeline=self.item.pipeline,
                               connections=self.item.connections // len(CORES)) for core in CORES)
        cpu += sum(s.cpu_seconds() for s in self.subjects)
        took = max(r["seconds"] for r in results)
        return {"cpu_us": cpu * 1e6 / sum(r["ops"] for r in results),
                "shares": [(t.cpu_seconds() - b) / took for t, b in zip(self.threads, before)]}


def rounds_of(programs, item, plan):
    with tempfile.TemporaryDirectory(prefix="flashkv-bench-") as directory:
        running = {name: Servers(name, directory, programs, item) for name in NAMES}
        try:
            for servers in running.values():
                servers.start()
                servers.run_round(plan.seconds)
            return measure.take_rounds(lambda name: running[name].run_round(plan.seconds), item, NAMES, plan)
        finally:
            for servers in running.values():
                servers.stop()


def capacity(cost, beside):
    """What two threads do to what one does, were they always beside each other and not for that part of their time."""
    slowdown = 1 + (cost.value - 1) / beside
    return ratios.Ratio(2 / slowdown, 2 / slowdown ** 2 * cost.error / beside, cost.rounds)


def row(item, beside, table):
    cost = ratios.ratio(*(table[name] for name in NAMES), "cpu_us")
    shares = [statistics.median(s) for s in zip(*(r["shares"] for r in table["two threads"]))]
    if min(shares) < LEAST_SHARE:
        raise RuntimeError(f"{item.name}: the two threads ran for {shares} of the time, too little to meet")
    found = capacity(cost, beside)
    return {"what": f"two threads on two cores, {item.name}: operations to those of one thread",
            "limit": f"at least {LEAST_CAPACITY}", "passed": found.value >= LEAST_CAPACITY,
            "measured": f"{found} (CPU {cost} of two servers', {cost.rounds} rounds; the threads ran "
                        f"{' and '.join(f'{s:.0%}' for s in shares)} of the time)"}


def on_two_cores(programs, plan):
    """The rows of bench/compare."""
    return [row(item, beside, rounds_of(programs, item, plan)) for item, beside in WORK]
