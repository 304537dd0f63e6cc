"""What is made of the figures: the goals, a Markdown table, plots."""
import os
import platform
import subprocess

from measure import medians
from ratios import judge, ratio

TITLES = [("CPU us/op", "cpu_us", "%.2f"), ("ops/s", "ops_per_second", "%.0f"), ("p50 us", "p50_us", "%.0f"),
          ("p99 us", "p99_us", "%.0f"), ("p99.9 us", "p999_us", "%.0f")]
VERDICTS = {True: "PASS", False: "miss", None: "", "failed": "**FAILED**"}

RESP = ["floor epoll", "flashkv", "redis", "redis io-threads", "memcached"]
# file name, title, items (those measured are drawn), subjects
PLOTS = [
    ("resp", "RESP, one command at a time", ["resp get p1", "resp set p1"], RESP),
    ("resp-pipeline", "RESP, pipelined", ["resp get p16", "resp set p16", "resp get p128", "resp set p128"],
     [s for s in RESP if s != "memcached"]),  # whose text protocol answers each get of a pipeline by itself
    ("http", "HTTP/1.1 keep-alive, 64-byte values", ["http get", "http put", "http get, 1 connection",
                                                     "http get, 1000 connections"],
     ["floor epoll", "floor mhd", "flashkv", "nginx fixed", "webdis + redis"]),
]
COLORS = {"floor epoll": "#c8c8c8", "floor mhd": "#969696", "flashkv": "#d95f02", "redis": "#1b6ca8",
          "redis io-threads": "#7fb2d9", "memcached": "#2a9d5c", "nginx fixed": "#2a9d5c", "webdis + redis": "#1b6ca8"}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def commit():
    r = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return r.stdout.strip() or "unknown"


def about(a):
    plan = a["plan"]
    return (f"Machine: {a['machine']}. Commit {a['commit']}, {a['date']}, {plan.least} alternating rounds of {plan.seconds} s, where "
            f"there is a goal until its ratio is known to {plan.error} or there are {plan.most}; server on one core, client on the other.")


def table(titles, rows, figures=0):
    """The last `figures` columns are aligned as such."""
    head, *body = (f"| {' | '.join(map(str, cells))} |\n" for cells in [titles, *rows])
    return "".join([head, "|", "---|" * (len(titles) - figures), "---:|" * figures, "\n", *body])


def goal_rows(item, tables, failed):
    """A row each. What could not be measured has one too, for it is not a goal reached."""
    if item.name in failed:
        return [[item.name, "all", "", failed[item.name], "", VERDICTS["failed"]]] if item.goals else []
    return [[item.name, j["what"], j["limit"], j["ratio"] or "not measured", j["ratio"].rounds if j["ratio"] else "",
             VERDICTS[j["passed"]]] for j in judge(item, tables[item.name])]


def goals(items, tables, failed):
    return table(["work", "goal", "limit", "measured", "rounds", ""],
                 [row for i in items for row in goal_rows(i, tables, failed)])


def figure_rows(item, tables, failed):
    if item.name in failed:
        return [[item.name, failed[item.name], *[""] * len(TITLES), VERDICTS["failed"]]]
    measured = tables[item.name]
    return [[item.name, name, *(f % m[key] for _, key, f in TITLES),
             f"{ratio(measured['flashkv'], measured[name], 'cpu_us').value:.2f}"] for name, m in medians(measured).items()]


def figures(items, tables, failed):
    return table(["work", "subject", *(t[0] for t in TITLES), "CPU, flashkv / it"],
                 [row for i in items for row in figure_rows(i, tables, failed)], figures=len(TITLES) + 1)


def events(rows):
    if not rows:
        return ""
    return table(["event", "limit", "measured", ""],
                 [[r["what"], r["limit"], r["measured"], VERDICTS[r["passed"]]] for r in rows])


def plot(tables, about, directory):
    """CPU per operation, a group of bars an item; SVG and PNG. Returns the files made."""
    made = []
    for name, title, items, subjects in PLOTS:
        items = [i for i in items if i in tables]
        subjects = [s for s in subjects if any(s in tables[i] for i in items)]
        if not items:
            continue
        data = f"{directory}/{name}.dat"
        with open(data, "w") as f:
            for i in items:
                m = medians(tables[i])
                cells = [f"{m[s]['cpu_us']:.3f}" if s in m else "NaN" for s in subjects]
                label = i.replace(", ", "\\n")
                f.write(f'"{label}" ' + " ".join(cells) + "\n")
        bars = ", ".join(f"'{data}' using {n + 2}:xtic(1) title '{s}' linecolor rgb '{COLORS[s]}'"
                         for n, s in enumerate(subjects))
        for kind in ("svg", "png"):
            out = f"{directory}/{name}.{kind}"
            script = f"""
set terminal {'svg size 900,440 dynamic' if kind == 'svg' else 'pngcairo size 900,440'} background '#ffffff' font 'sans,12'
set output '{out}'
set title "{title}: server CPU per operation, less is better\\n{{/*0.8 {about['machine']}, {about['commit']}}}"
set style data histograms
set style histogram clustered gap 1
set style fill solid 1 noborder
set boxwidth 0.9
set ylabel 'microseconds'
set yrange [0:*]
set grid ytics linecolor rgb '#dddddd'
set border 3
set tics nomirror
set xtics font ',10'
set bmargin 3.5
set key outside right top
plot {bars}
"""
            subprocess.run(["gnuplot"], input=script, text=True, check=True)
            made.append(out)
    return made
