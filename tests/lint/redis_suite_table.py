#!/usr/bin/env python3
"""Writes the tables of docs/redis-compatibility.md out of what Redis's own test suite said.

    redis_suite_table.py LOGS ...     LOGS: folders that redis_suite.sh left, its output in out.txt

A test that was missed gets its reason from the error in the log, or from REASONS; one with neither ends this with 1.
"""
import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/redis-compatibility.md"
UNIT = re.compile(r"^(\S+) ok (\d+) err \d+ exception (\d+) total (\d+)", re.M)

# What FlashKV is to be Redis in; the others pass as far as they are about the same.
CORE = """unit/protocol unit/keyspace unit/scan unit/info-command unit/type/string unit/type/incr unit/type/list unit/type/list-2
    unit/type/list-3 unit/type/set unit/type/zset unit/type/hash unit/sort unit/expire unit/other unit/multi unit/quit
    unit/pubsub unit/pause unit/slowlog unit/introspection integration/redis-cli""".split()

# What is missing, by what the error says; the first that fits.
ERRORS = [
    (r"unknown command '(?:eval\w*|script|function|fcall\w*)'", "scripting"),
    (r"unknown command 'x\w+'", "streams"),
    (r"unknown command 'geo\w+'", "geo commands"),
    (r"unknown command 'pf\w+'", "HyperLogLog"),
    (r"unknown command '(?:set|get|bit\w*)bit'|unknown command 'bit\w+'", "bit operations"),
    (r"unknown command '(?:dump|restore|migrate)'", "DUMP, RESTORE, MIGRATE"),
    (r'can\'t read "dump"', "DUMP, RESTORE, MIGRATE"),
    (r"unknown subcommand 'tracking'", "client tracking"),
    (r"has one user", "users other than the default one"),
    (r"BUSY|'busy", "scripting"),
]
# And by the test's name, where the log has no such error.
REASONS = {
    "Keyspace notifications: stream events test": "streams",
    "Test scripts are blocked by pause RO": "scripting",
    "Test RO scripts are not blocked by pause RO": "scripting",
    "CONFIG SET rollback on apply error": "the port cannot be changed while the server runs",
    "LATENCY RESET is able to reset events": "scripting",  # the test before makes the events with a script
    "lazy free a stream with all types of metadata": "streams",
    "query buffer resized correctly": "INFO of query buffers: connections share one",
    "query buffer resized correctly when not idle": "INFO of query buffers: connections share one",
    "COMMAND LIST FILTERBY ACLCAT - list all commands/subcommands": "scripting",
    "COMMAND LIST FILTERBY PATTERN - list all commands/subcommands": "cluster",
    "COMMAND GETKEYS XGROUP": "streams",
    "COMMAND GETKEYS EVAL with keys": "scripting",
    "COMMAND GETKEYS EVAL without keys": "scripting",
    "XREAD command is marked with movablekeys": "streams",
    "EVAL command is marked with movablekeys": "scripting",
    "MIGRATE command is marked with movablekeys": "DUMP, RESTORE, MIGRATE",
    "GEORADIUS command is marked with movablekeys": "geo commands",
}


def reason(folder, unit, name):
    for log in sorted(folder.glob(unit.replace("/", "_") + "*.log")):
        text = log.read_text(errors="replace")
        at = text.find(f"[err]: {name} in ")
        error = re.split(r"\n\[", text[at + 1:], maxsplit=1)[0] if at >= 0 else ""
        for pattern, what in ERRORS:
            if re.search(pattern, error, re.I):
                return what
    return REASONS.get(name)


def read(folders):
    units, missed = [], {}
    for folder in map(Path, folders):
        units += UNIT.findall((folder / "out.txt").read_text())
        for line in (folder / "failed.txt").read_text().splitlines():
            unit, _, name = line.split("\t")
            missed.setdefault((unit, reason(folder, unit, name)), []).append(name)
    return units, missed


def rows(title, units):
    sums = [sum(int(u[i]) for u in units) for i in (1, 2, 3)]
    for name, ok, aborts, total in [*units, (f"**{title}**", *sums)]:
        yield f"| {name} | {ok} | {total} | {100 * int(ok) / int(total):.1f} | {aborts} |"


def tables(units, missed):
    core = sorted((u for u in units if u[0] in CORE), key=lambda u: CORE.index(u[0]))
    yield "| unit | passed | of | % | aborted |\n|---|---:|---:|---:|---:|"
    yield from rows(f"these {len(core)}", core)
    yield from rows("the others", [u for u in units if u[0] not in CORE])
    yield "\n| unit | what is missing | tests |\n|---|---|---|"
    for (unit, why), names in missed.items():
        text = "; ".join(names).replace("|", "\\|")
        yield f"| {unit} | {why} | {text} |"


def main(folders):
    units, missed = read(folders)
    page = PAGE.read_text()
    begin, end = "<!-- suite -->\n", "<!-- end of suite -->"
    head, rest = page.split(begin)
    PAGE.write_text(head + begin + "\n".join(tables(units, missed)) + "\n" + end + rest.split(end)[1])
    unexplained = [(unit, names) for (unit, why), names in missed.items() if why is None]
    for unit, names in unexplained:
        print(unit, names, file=sys.stderr)
    return bool(unexplained)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
