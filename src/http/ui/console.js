// console.js - the console's one script: everything goes through the public HTTP interface, as any client's would.
// What comes from the store is only ever put into the page as text.

import { follow } from "/ui/events.js";

const $ = (id) => document.getElementById(id);
const POLL_MS = 1000, POINTS = 120, PAGE = 200, SHOWN_MAX = 100, WATCHED_MAX = 200;

// ---- talking to the server ----------------------------------------------------------------------------------------

const TOKEN = "flashkv-token";
const headers = () => {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
};

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

async function request(path, options = {}) {
  // Without the browser's own credentials, or it would ask for a password itself before this page can.
  const r = await fetch(path, { credentials: "omit", ...options, headers: { ...headers(), ...options.headers } });
  $("login").hidden = r.status !== 401;
  if (r.status === 401) throw new Error("sign in with a token");
  return r;
}

class CommandError extends Error {}

// Strings come and go as base64, so that any bytes survive; they are shown as UTF-8 where they are, else escaped.
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
function textOf(base64) {
  const bytes = bytesOf(base64);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (b) => (b >= 32 && b < 127 && b !== 92 ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, "0")}`)).join("");
  }
}
const decode = (x) => (typeof x === "string" ? textOf(x) : Array.isArray(x) ? x.map(decode) : x);

// Runs one command; the reply with its strings as text. The server's error becomes a CommandError.
async function run(...args) {
  const r = await request("/upstash", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Upstash-Encoding": "base64" },
    body: JSON.stringify(args.map(String)),
  });
  const reply = await r.json();
  if (reply.error !== undefined) throw new CommandError(reply.error);
  return reply.result === "OK" ? "OK" : decode(reply.result);
}

// ---- small pieces -------------------------------------------------------------------------------------------------

function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}
const row = (...cells) => element("tr", {}, ...cells.map((c) => element("td", {}, c instanceof Node ? c : String(c))));
const button = (text, action) => element("button", { type: "button", textContent: text, onclick: () => guard(action) });
function number(n) {
  for (const unit of ["", "k", "M", "G"]) {
    if (Math.abs(n) < 1000 || unit === "G") return (unit && Math.abs(n) < 100 ? n.toFixed(1) : Math.round(n)) + unit;
    n /= 1000;
  }
}
function size(n) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024 || unit === "GiB") return `${unit !== "B" && n < 100 ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1024;
  }
}
// Runs an action of the user's and tells what went wrong.
async function guard(action) {
  try {
    await action();
  } catch (e) {
    say(e.message, true);
  }
}

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
  if (e.key === "/") {
    e.preventDefault();
    show($("tab-keys"));
    $("pattern").select();
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
  say(`version ${s.version}`);
}

async function pollForever() {
  await guard(poll);
  setTimeout(pollForever, POLL_MS);
}

// ---- keys ---------------------------------------------------------------------------------------------------------

let cursor = "0", chosen = null;

// One page of SCAN, or more until something is found.
async function search(more) {
  const list = $("key-list"), type = $("type").value;
  if (!more) {
    list.replaceChildren();
    cursor = "0";
  }
  let found = [];
  do {
    const [next, keys] = await run("SCAN", cursor, "MATCH", $("pattern").value || "*", "COUNT", PAGE, ...(type ? ["TYPE", type] : []));
    cursor = next;
    found = keys;
  } while (cursor !== "0" && found.length === 0);
  list.append(...found.map((key) => element("li", { role: "option", textContent: key, onclick: () => choose(key) })));
  list.querySelectorAll("li").forEach((li) => li.setAttribute("role", "option"));
  $("more").hidden = cursor === "0";
  say(`${list.children.length} keys`);
}

const items = () => [...$("key-list").children];
function choose(key) {
  chosen = key;
  items().forEach((li) => li.setAttribute("aria-selected", li.textContent === key));
  items().find((li) => li.textContent === key)?.scrollIntoView({ block: "nearest" });
  return guard(() => view(key));
}
$("key-list").onkeydown = (e) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (!step || !items().length) return;
  e.preventDefault();
  const at = items().findIndex((li) => li.textContent === chosen) + step;
  choose(items()[Math.min(Math.max(at, 0), items().length - 1)].textContent);
};

// How each type is read, and written back: what a row of its table is, and the commands of its buttons.
const TYPES = {
  list: {
    head: ["#", "element"],
    read: async (k) => (await run("LRANGE", k, 0, SHOWN_MAX - 1)).map((v, i) => [i, v]),
    length: "LLEN", set: (k, [i], v) => run("LSET", k, i, v), add: [["element"], (k, v) => run("RPUSH", k, v)],
  },
  hash: {
    head: ["field", "value"],
    read: async (k) => pairs((await run("HSCAN", k, 0, "COUNT", SHOWN_MAX))[1]),
    length: "HLEN", set: (k, [f], v) => run("HSET", k, f, v), remove: (k, [f]) => run("HDEL", k, f),
    add: [["field", "value"], (k, f, v) => run("HSET", k, f, v)],
  },
  set: {
    head: ["member"],
    read: async (k) => (await run("SSCAN", k, 0, "COUNT", SHOWN_MAX))[1].map((m) => [m]),
    length: "SCARD", remove: (k, [m]) => run("SREM", k, m), add: [["member"], (k, m) => run("SADD", k, m)],
  },
  zset: {
    head: ["member", "score"],
    read: async (k) => pairs(await run("ZRANGE", k, 0, SHOWN_MAX - 1, "WITHSCORES")),
    length: "ZCARD", set: (k, [m], v) => run("ZADD", k, v, m), remove: (k, [m]) => run("ZREM", k, m),
    add: [["member", "score"], (k, m, s) => run("ZADD", k, s, m)],
  },
};
const pairs = (flat) => flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]]]));

async function stringView(key) {
  const area = element("textarea", { value: await run("GET", key), ariaLabel: "Value" });
  return [area, button("Save", async () => {
    await run("SET", key, area.value, "KEEPTTL");
    say("saved");
  })];
}

function tableRow(key, type, cells, again) {
  const how = TYPES[type], last = cells.at(-1);
  const shown = cells.slice(0, how.set ? -1 : undefined).map(String);
  if (how.set) {
    shown.push(element("input", { value: last, ariaLabel: how.head.at(-1), onchange: (e) => guard(async () => {
      await how.set(key, cells, e.target.value);
      say("saved");
    }) }));
  }
  if (how.remove) shown.push(button("Remove", async () => {
    await how.remove(key, cells);
    await again();
  }));
  return row(...shown);
}

async function collectionView(key, type) {
  const how = TYPES[type], again = () => view(key);
  const [rows, length] = [await how.read(key), await run(how.length, key)];
  const head = element("tr", {}, ...how.head.map((h) => element("th", { textContent: h })), ...(how.remove ? [element("th")] : []));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows.map((r) => tableRow(key, type, r, again))));
  const [names, add] = how.add, fields = names.map((n) => element("input", { placeholder: n, ariaLabel: n, required: true }));
  const form = element("form", { onsubmit: (e) => {
    e.preventDefault();
    guard(async () => {
      await add(key, ...fields.map((f) => f.value));
      await again();
    });
  } }, ...fields, element("button", { textContent: "Add" }));
  return [table, form, element("p", { className: "hint", textContent: `${rows.length} of ${length} shown` })];
}

function expiryForm(key, ttl) {
  const seconds = element("input", { type: "number", min: 1, value: ttl > 0 ? Math.ceil(ttl / 1000) : "", placeholder: "seconds", ariaLabel: "Seconds to live" });
  return element("form", { onsubmit: (e) => {
    e.preventDefault();
    guard(async () => {
      await (seconds.value ? run("EXPIRE", key, seconds.value) : run("PERSIST", key));
      await view(key);
    });
  } }, element("span", { textContent: ttl > 0 ? `expires in ${(ttl / 1000).toFixed(0)} s` : "never expires" }), seconds,
  element("button", { textContent: "Set TTL" }), button("Delete key", async () => {
    if (!confirm(`Delete ${key}?`)) return;
    await run("DEL", key);
    items().find((li) => li.textContent === key)?.remove();
    $("key-view").replaceChildren(element("p", { className: "hint", textContent: "Deleted." }));
  }));
}

async function view(key) {
  const type = await run("TYPE", key), into = $("key-view");
  if (type === "none") {
    into.replaceChildren(element("p", { className: "hint", textContent: `${key} is gone.` }));
    return;
  }
  const [ttl, bytes, encoding] = [await run("PTTL", key), await run("MEMORY", "USAGE", key), await run("OBJECT", "ENCODING", key)];
  const body = type === "string" ? await stringView(key) : await collectionView(key, type);
  into.replaceChildren(element("h2", { textContent: key }), element("p", { className: "hint", textContent: `${type} (${encoding}), ${size(bytes)}` }), expiryForm(key, ttl), ...body);
}

$("search").onsubmit = (e) => {
  e.preventDefault();
  guard(() => search(false));
};
$("more").onclick = () => guard(() => search(true));
$("new-key").onclick = () => guard(async () => {
  const key = prompt("Name of the new key (a string):");
  if (!key) return;
  if ((await run("SET", key, "", "NX")) === null) say(`${key} exists already`, true);
  await choose(key);
});
onShow.keys = () => $("key-list").children.length || guard(() => search(false));

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
  const value = data.value === undefined ? "" : shown(data.value, data.encoding).slice(0, 200);
  const expiry = data.expire_at ? `expires ${new Date(data.expire_at).toLocaleTimeString()}` : "";
  return row(time, event, data.key_encoding ? key : open, data.type ?? "", [value, expiry].filter(Boolean).join(" · "));
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
  sessionStorage.setItem(TOKEN, $("token").value);
  $("token").value = "";
  guard(poll);
};
show(tabs.find((t) => `#${t.getAttribute("aria-controls")}` === location.hash) ?? tabs[0]);
pollForever();
