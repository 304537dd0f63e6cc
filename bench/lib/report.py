"""What is made of the figures: the goals, a Markdown table, plots."""
import os
import platform
import subprocess

from measure import medians, ratio

TITLES = [("CPU us/op", "cpu_us", "%.2f"), ("ops/s", "ops_per_second", "%.0f"), ("p50 us", "p50_us", "%.0f"),
          ("p99 us", "p99_us", "%.0f"), ("p99.9 us", "p999_us", "%.0f")]

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


def judge(item, tables):
    """The item's goals against the figures: [{what, ratio, limit, passed}]."""
    judged = []
    for g in item.goals:
        theirs = tables.get(g.item or item.name, {}).get(g.subject)
        if theirs is None:
            continue
        r = ratio(tables[item.name][g.ours], theirs, g.measure)
        whose = "" if g.ours == "flashkv" else f"{g.ours}, "
        judged.append({"what": f"{whose}{g.measure} / {g.item or g.subject}", "ratio": round(r, 3),
                       "limit": ("at least " if g.least else "at most ") + str(g.limit),
                       "passed": r >= g.limit if g.least else r <= g.limit})
    return judged


def about(a):
    return (f"Machine: {a['machine']}. Commit {a['commit']}, {a['date']}, {a['rounds']} alternating rounds of "
            f"{a['seconds']} s; server on one core, client on the other.")


def goals(items, tables):
    lines = ["| work | goal | limit | measured | |", "|---|---|---|---|---|"]
    for item in items:
        for j in judge(item, tables):
            lines.append(f"| {item.name} | {j['what']} | {j['limit']} | {j['ratio']:.2f} | "
                         f"{'PASS' if j['passed'] else 'miss'} |")
    return "\n".join(lines) + "\n"


def figures(items, tables):
    lines = ["| work | subject | " + " | ".join(t[0] for t in TITLES) + " | CPU, flashkv / it |",
             "|---|---|" + "---:|" * (len(TITLES) + 1)]
    for item in items:
        for name, rounds in tables[item.name].items():
            m = medians(rounds)
            ours = ratio(tables[item.name]["flashkv"], rounds, "cpu_us")
            lines.append(f"| {item.name} | {name} | " + " | ".join(f % m[key] for _, key, f in TITLES) +
                         f" | {ours:.2f} |")
    return "\n".join(lines) + "\n"


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
                cells = [f"{medians(tables[i][s])['cpu_us']:.3f}" if s in tables[i] else "NaN" for s in subjects]
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
