// console.js - the console: its views, but for the keys (keys.js). Everything goes through the public HTTP interface, as any
// client's would.

import { follow } from "/ui/events.js";
import { choose, openKeys } from "/ui/keys.js";
import { $, Binary, button, element, guard, headers, number, request, row, run, say, sayQuietly, signIn, size, textOf } from "/ui/page.js";

const POLL_MS = 1000, POINTS = 120, WATCHED_MAX = 200;

// ---- views --------------------------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll("[role=tab]")];
const onShow = {};

function show(tab, focus = false) {
  for (const t of tabs) {
    const chosen = t === tab;
    t.setAttribute("aria-selected", chosen);
    t.tabIndex = chosen ? 0 : -1;
    $(t.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  const view = tab.getAttribute("aria-controls");
  history.replaceState(null, "", `#${view}`);
  onShow[view]?.();
}
tabs.forEach((tab, i) => {
  tab.onclick = () => show(tab);
  tab.onkeydown = (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (step) show(tabs[(i + step + tabs.length) % tabs.length], true);
  };
});
document.addEventListener("keydown", (e) => {
  const typing = /INPUT|TEXTAREA|SELECT/.test(e.target.tagName);
  if (e.key === "Escape" && typing) e.target.blur();
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key >= "1" && e.key <= String(tabs.length)) show(tabs[e.key - 1], true);
  if (e.key === "/" || e.key === "n") {
    e.preventDefault();
    show($("tab-keys"));
    if (e.key === "n") openKeys(true);
    else $("pattern").select();
  }
});

// ---- overview -----------------------------------------------------------------------------------------------------

const series = { rate: [[], []], latency: [[]], memory: [[], []] };
let before = null;

// Lines on one scale from zero; the greatest value is written beneath.
function draw(id, lines, format) {
  const svg = $(`graph-${id}`), most = Math.max(1, ...lines.flat()), ns = "http://www.w3.org/2000/svg";
  svg.replaceChildren();
  for (const y of [5, 45, 85]) {
    const line = svg.appendChild(document.createElementNS(ns, "line"));
    Object.entries({ x1: 0, x2: 300, y1: y, y2: y }).forEach(([k, v]) => line.setAttribute(k, v));
  }
  lines.forEach((points, i) => {
    const path = svg.appendChild(document.createElementNS(ns, "path"));
    const at = points.map((v, x) => `${((x + POINTS - points.length) * 300) / (POINTS - 1)},${85 - (v * 80) / most}`);
    path.setAttribute("class", "ab"[i]);
    path.setAttribute("d", at.length ? `M${at.join("L")}` : "");
  });
  const scale = svg.nextElementSibling ?? svg.parentNode.appendChild(element("div", { className: "scale" }));
  scale.replaceChildren(element("span", { textContent: lines.map((p) => format(p.at(-1) ?? 0)).join(" · ") }), element("span", { textContent: `scale to ${format(most)}` }));
}

function push(points, value) {
  points.push(value);
  if (points.length > POINTS) points.shift();
}

// calls and microseconds of all commands, from INFO commandstats
async function commandTime() {
  let calls = 0, usec = 0;
  for (const [, c, u] of (await run("INFO", "commandstats")).matchAll(/calls=(\d+),usec=(\d+)/g)) {
    calls += Number(c);
    usec += Number(u);
  }
  return { calls, usec };
}

function drawShards(now, was) {
  const work = now.map((s, i) => s.gets + s.sets + s.deletes + s.list_ops - (was ? was[i].gets + was[i].sets + was[i].deletes + was[i].list_ops : 0));
  const most = Math.max(1, ...work), grid = $("shards");
  while (grid.children.length < now.length) grid.append(element("button", { type: "button", textContent: grid.children.length }));
  now.forEach((s, i) => {
    const cell = grid.children[i];
    cell.style.setProperty("--heat", `${Math.round((work[i] * 90) / most)}%`);
    cell.title = `shard ${i}: ${s.keys} keys, ${size(s.bytes)}, ${work[i]} operations lately, ${s.contended} waits for its lock`;
    cell.setAttribute("aria-label", cell.title);
  });
}

function drawFigures(s, rate) {
  const lookups = s.total.hits + s.total.misses;
  const figures = {
    Keys: number(s.total.keys), "With a TTL": number(s.total.volatile_keys), "Requests/s": number(rate),
    "Hit rate": lookups ? `${((100 * s.total.hits) / lookups).toFixed(1)} %` : "–", Expired: number(s.total.expired),
    Memory: size(s.memory.resident), "RESP + HTTP clients": `${s.resp.connections} + ${s.http.connections}`,
    Uptime: `${Math.floor(s.uptime_seconds / 3600)} h ${Math.floor(s.uptime_seconds / 60) % 60} min`,
  };
  $("figures").replaceChildren(...Object.entries(figures).map(([k, v]) => element("div", {}, element("dt", { textContent: k }), element("dd", { textContent: v }))));
}

async function poll() {
  const s = await (await request("/stats")).json();
  const time = await commandTime(), now = { s, time, at: performance.now() };
  if (before) {
    const seconds = (now.at - before.at) / 1000, calls = time.calls - before.time.calls;
    const rates = ["resp", "http"].map((f) => Math.max(0, s[f].requests - before.s[f].requests) / seconds);
    rates.forEach((r, i) => push(series.rate[i], r));
    push(series.latency[0], calls > 0 ? (time.usec - before.time.usec) / calls : 0);
    push(series.memory[0], s.memory.resident);
    push(series.memory[1], s.total.bytes);
    if (!$("overview").hidden) {
      draw("rate", series.rate, number);
      draw("latency", series.latency, (v) => v.toFixed(1));
      draw("memory", series.memory, size);
    }
    drawFigures(s, rates[0] + rates[1]);
  }
  drawShards(s.shards, before?.s.shards);
  before = now;
  sayQuietly(`version ${s.version}`);
}

async function pollForever() {
  await guard(poll);
  setTimeout(pollForever, POLL_MS);
}

onShow.keys = () => openKeys(false);

// ---- slow log -----------------------------------------------------------------------------------------------------

async function slowlog() {
  const rows = await run("SLOWLOG", "GET", 100);
  $("slowlog-rows").replaceChildren(...rows.map(([, at, usec, args, client]) => row(new Date(at * 1000).toLocaleTimeString(), usec, args.join(" "), client)));
}
$("slowlog-refresh").onclick = () => guard(slowlog);
$("slowlog-reset").onclick = () => guard(async () => {
  await run("SLOWLOG", "RESET");
  await slowlog();
});
onShow.slowlog = () => guard(slowlog);

// ---- live watch ---------------------------------------------------------------------------------------------------

let watching = null; // its AbortController

// A key or value as text: what is not UTF-8 comes as base64.
const shown = (text, encoding) => (encoding === "base64" ? textOf(text) : text);

function watchedRow(event, data) {
  const time = new Date().toLocaleTimeString();
  if (event === "gap") return row(time, event, "", "", "some changes are not told here");
  const key = shown(data.key, data.key_encoding);
  const open = button(key, () => {
    show($("tab-keys"), true);
    return choose(key);
  });
  open.className = "link";
  const value = data.value === undefined ? "" : String(shown(data.value, data.encoding)).slice(0, 200);
  const expiry = data.expire_at ? `expires ${new Date(data.expire_at).toLocaleTimeString()}` : "";
  return row(time, event, open, data.type ?? "", [value, expiry].filter(Boolean).join(" · "));
}

function stopWatching() {
  watching?.abort();
  watching = null;
  $("watch-toggle").textContent = "Watch";
  $("watch-state").textContent = "not watching";
}

async function startWatching() {
  const query = new URLSearchParams({ match: $("watch-pattern").value || "*", value: $("watch-values").checked });
  const mine = watching = new AbortController();
  $("watch-toggle").textContent = "Stop";
  try {
    await follow(`/watch?${query}`, {
      headers, signal: mine.signal,
      onOpen: () => ($("watch-state").textContent = "watching"),
      onBreak: () => ($("watch-state").textContent = "connecting again"),
      onEvent: (event, data) => {
        const rows = $("watch-rows"), added = watchedRow(event, data);
        added.className = event;
        rows.prepend(added);
        while (rows.children.length > WATCHED_MAX) rows.lastChild.remove();
      },
    });
  } finally {
    if (watching === mine) stopWatching();
  }
}
$("watch-form").onsubmit = (e) => {
  e.preventDefault();
  if (watching) stopWatching();
  else guard(startWatching);
};
$("watch-clear").onclick = () => $("watch-rows").replaceChildren();

// ---- command line -------------------------------------------------------------------------------------------------

const ESCAPES = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

// Splits a line as redis-cli does; throws if a quote is left open.
function words(line) {
  const out = [], token = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))(?=\s|$)/gsy;
  while (token.lastIndex < line.trimEnd().length) {
    const m = token.exec(line);
    if (!m) throw new Error("unbalanced quotes");
    if (m[1] !== undefined) out.push(m[1].replace(/\\(x([0-9a-f]{2})|.)/gis, (_, c, hex) => (hex ? String.fromCharCode(parseInt(hex, 16)) : ESCAPES[c] ?? c)));
    else out.push(m[2] !== undefined ? m[2].replace(/\\'/g, "'") : m[3]);
  }
  return out;
}

function format(reply, indent = "") {
  if (reply === null) return "(nil)";
  if (typeof reply === "number") return `(integer) ${reply}`;
  if (reply instanceof Binary) return `"${reply}"`;
  if (!Array.isArray(reply)) return JSON.stringify(reply);
  if (!reply.length) return "(empty)";
  const width = String(reply.length).length;
  return reply.map((r, i) => `${i ? indent : ""}${String(i + 1).padStart(width)}) ${format(r, indent + " ".repeat(width + 2))}`).join("\n");
}

const lines = [];
let lineAt = 0;
function print(text, className = "") {
  const out = $("transcript");
  out.append(element("span", { textContent: `${text}\n`, className }));
  out.scrollTop = out.scrollHeight;
}
$("prompt").onsubmit = async (e) => {
  e.preventDefault();
  const line = $("line").value;
  $("line").value = "";
  if (!line.trim()) return;
  lines.push(line);
  lineAt = lines.length;
  print(`> ${line}`);
  try {
    const reply = await run(...words(line));
    print(typeof reply === "string" && reply.includes("\n") ? reply : format(reply));
  } catch (error) {
    print(`(error) ${error.message}`, "error");
  }
};
$("line").onkeydown = (e) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
  if (!step) return;
  e.preventDefault();
  lineAt = Math.min(Math.max(lineAt + step, 0), lines.length);
  $("line").value = lines[lineAt] ?? "";
};
onShow.command = () => $("line").focus();

// ---- start --------------------------------------------------------------------------------------------------------

$("login").onsubmit = (e) => {
  e.preventDefault();
  signIn($("token").value);
  $("token").value = "";
  guard(poll);
};
show(tabs.find((t) => `#${t.getAttribute("aria-controls")}` === location.hash) ?? tabs[0]);
pollForever();
