#!/usr/bin/env python3
"""What bench/compare makes of rounds: errors, when it stops, tables. The rounds are made up, nothing is measured."""
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COMPARE = os.path.join(TOP, "bench", "compare")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "bench", "lib"), os.path.join(TOP, "tests", "e2e")]
import fk  # noqa: E402
import measure  # noqa: E402
import ratios  # noqa: E402
import report  # noqa: E402
import threads  # noqa: E402
from items import Goal, Item  # noqa: E402

ITEM = Item("made up", "resp", ["flashkv", "redis", "memcached"], goals=[Goal(0.90, "redis"), Goal(1.1, "nginx fixed")])
COST = {"flashkv": 1.0, "redis": 2.0, "memcached": 3.0}


def normal(chance, n):
    return [chance.gauss(1, 0.05) for _ in range(n)]


def check_error():
    """It is as large as medians of such values really scatter; and larger where neighbours are alike."""
    chance = random.Random(1)
    series = [normal(chance, 50) for _ in range(500)]
    scatter = statistics.stdev(statistics.median(s) for s in series)
    told = statistics.fmean(ratios.error_of_median(s) for s in series)
    assert 0.9 < told / scatter < 1.3, (told, scatter)
    alike = [list(itertools.chain.from_iterable([v] * 4 for v in s)) for s in series]
    told_alike = statistics.fmean(ratios.error_of_median(s) for s in alike)
    assert 0.9 < told_alike / scatter < 1.5, (told_alike, scatter)
    assert ratios.error_of_median([1.0] * 9) == 0


def rounds_of(spread, plan, order=None):
    """A table of rounds that scatter so much."""
    chance = random.Random(2)

    def run(name):
        if order is not None:
            order.append(name)
        return dict.fromkeys(measure.MEASURES, COST[name] * chance.gauss(1, spread))

    return measure.take_rounds(run, ITEM, list(COST), plan)


def check_rounds():
    """A ratio that is settled takes the least rounds, one that never is the most, and what is not judged no more than it must."""
    plan = measure.Plan(0.1, 9, 60, 0.01)
    for spread, least, most in ((0.001, 9, 9), (0.05, 10, 59), (0.5, 60, 60)):
        table = rounds_of(spread, plan)
        assert least <= len(table["flashkv"]) == len(table["redis"]) <= most, (spread, len(table["redis"]))
        assert len(table["memcached"]) == 9
        verdict = ratios.judge(ITEM, table)[0]
        assert (verdict["ratio"].error <= plan.error) == (spread < 0.5), verdict


def check_order():
    """Each subject goes before any other as often as after it."""
    order = []
    rounds_of(0.5, measure.Plan(0.1, 10, 10, 0), order)
    before = {pair: 0 for pair in itertools.permutations(COST, 2)}
    for r in range(0, len(order), len(COST)):
        for pair in itertools.combinations(order[r:r + len(COST)], 2):
            before[pair] += 1
    assert set(before.values()) == {5}, before


def check_capacity():
    """What two threads paid for sharing counts as if they had met all the time."""
    found = threads.capacity(ratios.Ratio(1.05, 0.01, 9), 0.5)
    assert (round(found.value, 3), round(found.error, 3)) == (1.818, 0.033), found
    rounds = [{"cpu_us": 1.0, "shares": [0.5, 0.2]}] * 9
    try:
        threads.row(threads.WORK[0][0], 0.5, dict.fromkeys(threads.NAMES, rounds))
    except RuntimeError as e:
        assert "too little to meet" in str(e), e
    else:
        raise AssertionError("a thread that hardly ran passed for one beside the other")


def check_tables():
    """What failed, and what was not there to be measured, has a row."""
    tables = {ITEM.name: rounds_of(0.001, measure.Plan(0.1, 9, 9, 0.01))}
    goals = report.goals([ITEM], tables, {})
    assert "| cpu_us / redis | at most 0.9 | 0.50 +- 0.01 | 9 | PASS |" in goals, goals
    assert "| cpu_us / nginx fixed | at most 1.1 | not measured |  |  |" in goals, goals
    assert "| made up | memcached | 3.00 | 3 | 3 | 3 | 3 | 0.33 |" in report.figures([ITEM], tables, {})
    for text in (f([ITEM], {}, {ITEM.name: "redis ended at once"}) for f in (report.goals, report.figures)):
        assert "redis ended at once" in text and "**FAILED**" in text, text


def check_exit_status():
    """A directory without programs: every row is there, failed, and so is the run."""
    names = ["start to ready", "resp get p16, 16 B"]
    with tempfile.TemporaryDirectory() as d:
        only = itertools.chain.from_iterable(("--only", name) for name in names)
        run = subprocess.run([sys.executable, COMPARE, "--programs", d, "--out", d, *only], capture_output=True, text=True,
                             check=False, env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"})
        assert run.returncode == 1, run
        assert run.stderr.endswith(f"compare: FAILED: {', '.join(names)}\n"), run.stderr
        with open(f"{d}/compare.md") as f:
            rows = [line for line in f if "**FAILED**" in line]
        assert [any(name in row for row in rows) for name in names] == [True, True], rows


CHECKS = [check_error, check_rounds, check_order, check_capacity, check_tables, check_exit_status]
fk.report([(fk.name_of(check), check) for check in CHECKS])
