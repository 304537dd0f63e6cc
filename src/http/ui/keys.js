// keys.js - the console's key browser: search, view, create, change, expire and delete, by type.

import { $, Binary, button, element, form, guard, hint, labelled, row, run, runTogether, say, size } from "/ui/page.js";

const SCANNED = 1000, FOUND = 100, ROWS = 100, TEXT_MAX = 1024 * 1024, TEXT_SHOWN = 64 * 1024;

// ---- types --------------------------------------------------------------------------------------------------------

const pairs = (flat) => flat.flatMap((x, i) => (i % 2 ? [] : [[x, flat[i + 1]]]));
const byScan = (command, rowsOf) => async (k, from) => {
  const [next, found] = await run(command, k, from, "COUNT", ROWS);
  return [rowsOf(found), next === "0" ? null : next];
};
const byRank = (rowsOf) => async (k, from) => {
  const rows = await rowsOf(k, Number(from), Number(from) + ROWS - 1);
  return [rows, rows.length === ROWS ? Number(from) + ROWS : null];
};

// A text that is nowhere else.
const unique = () => crypto.randomUUID?.() ?? `${Math.random()} ${Date.now()}`;

// An element of a list has no name but its index: it is made something that no other is, and that is removed.
function removeAt(k, index) {
  const mark = unique();
  return runTogether(["LSET", k, index, mark], ["LREM", k, 1, mark]);
}

// How each type is read: rows of cells, from a place on, and the next place, null at the end; and what can be done with a row,
// whose last cell can be changed. `fields` are what an addition needs, `add` are the commands for it.
const TYPES = {
  list: {
    head: ["#", "element"], length: "LLEN",
    read: byRank(async (k, from, to) => (await run("LRANGE", k, from, to)).map((v, i) => [from + i, v])),
    set: (k, [i], v) => run("LSET", k, i, v), remove: (k, [i]) => removeAt(k, i),
    fields: ["element"], add: { "Add at the end": (k, v) => ["RPUSH", k, v], "Add at the front": (k, v) => ["LPUSH", k, v] },
  },
  hash: {
    head: ["field", "value"], length: "HLEN", read: byScan("HSCAN", pairs),
    set: (k, [f], v) => run("HSET", k, f, v), remove: (k, [f]) => run("HDEL", k, f),
    fields: ["field", "value"], add: { Add: (k, f, v) => ["HSET", k, f, v] },
  },
  set: {
    head: ["member"], length: "SCARD", read: byScan("SSCAN", (found) => found.map((m) => [m])),
    set: (k, [m], v) => runTogether(["SREM", k, m], ["SADD", k, v]), remove: (k, [m]) => run("SREM", k, m),
    fields: ["member"], add: { Add: (k, m) => ["SADD", k, m] },
  },
  zset: {
    head: ["member", "score"], length: "ZCARD", read: byRank(async (k, from, to) => pairs(await run("ZRANGE", k, from, to, "WITHSCORES"))),
    set: (k, [m], v) => run("ZADD", k, "XX", v, m), remove: (k, [m]) => run("ZREM", k, m),
    fields: ["member", "score"], add: { Add: (k, m, s) => ["ZADD", k, s, m] },
  },
};

// ---- search -------------------------------------------------------------------------------------------------------

let cursor = "0", chosen = null;
const items = () => [...$("key-list").children];
const itemOf = (key) => items().find((li) => String(li.key) === String(key));

function addItem(key) {
  const li = element("li", { key, id: `key-${items().length}`, textContent: String(key), onclick: () => choose(key) });
  li.setAttribute("role", "option");
  $("key-list").append(li);
}

let searches = 0;

// Scans until FOUND more keys are there, or all; another search ends this one.
async function search(more) {
  const type = $("type").value, mine = ++searches, until = (more ? items().length : 0) + FOUND;
  if (!more) {
    $("key-list").replaceChildren();
    cursor = "0";
  }
  do {
    const [next, found] = await run("SCAN", cursor, "MATCH", $("pattern").value || "*", "COUNT", SCANNED, ...(type ? ["TYPE", type] : []));
    if (mine !== searches) return;
    cursor = next;
    found.forEach(addItem);
    say(`${items().length} keys`);
  } while (cursor !== "0" && items().length < until);
  $("more").hidden = cursor === "0";
}
export const searchKeys = () => guard(() => search(false));

export function choose(key) {
  chosen = key;
  items().forEach((li) => li.setAttribute("aria-selected", String(li.key) === String(key)));
  const li = itemOf(key);
  li?.scrollIntoView({ block: "nearest" });
  if (li) $("key-list").setAttribute("aria-activedescendant", li.id);
  return guard(() => view(key));
}

// ---- one key ------------------------------------------------------------------------------------------------------

// What can be changed where it stands, unless it is bytes, which a text field would spoil.
function cell(value, name, change) {
  if (value instanceof Binary) return String(value);
  return element("input", { value, ariaLabel: name, onchange: (e) => guard(async () => {
    await change(e.target.value);
    say("saved");
  }) });
}

function tableRow(key, how, cells, again) {
  const last = cells.length - 1;
  const change = async (value) => {
    await how.set(key, cells, value);
    cells[last] = value;
  };
  const remove = button("Remove", async () => {
    await how.remove(key, cells);
    await again();
  });
  remove.ariaLabel = `Remove ${cells[0]}`;
  return row(...cells.map((c, i) => (i === last ? cell(c, how.head[i], change) : c)), remove);
}

async function collectionView(key, how) {
  const again = () => view(key), total = await run(how.length, key);
  const head = element("tr", {}, ...[...how.head, ""].map((h) => element("th", { textContent: h })));
  const rows = element("tbody"), count = hint("");
  let from = 0;
  const readMore = async () => {
    const [found, next] = await how.read(key, from);
    rows.append(...found.map((cells) => tableRow(key, how, cells, again)));
    from = next;
    more.hidden = next === null;
    count.textContent = `${rows.children.length} of ${total} shown`;
  };
  const more = button("More rows", readMore);
  await readMore();
  return [element("table", {}, element("thead", {}, head), rows), count, more, additionForm(how, async (add, values) => {
    await run(...add(key, ...values));
    await again();
  })];
}

// The fields of one element and a button for each way to add it; Enter takes the first.
function additionForm(how, action) {
  const fields = how.fields.map((name) => element("input", { placeholder: name, ariaLabel: name, required: name === "score" }));
  const [first, ...others] = Object.entries(how.add);
  const values = () => fields.map((f) => f.value);
  return form(() => action(first[1], values()), ...fields, element("button", { textContent: first[0] }),
    ...others.map(([text, add]) => button(text, () => action(add, values()))));
}

async function stringView(key) {
  const length = await run("STRLEN", key), whole = length <= TEXT_MAX;
  const value = whole ? await run("GET", key) : await run("GETRANGE", key, 0, TEXT_SHOWN - 1);
  const area = element("textarea", { value: String(value), ariaLabel: "Value", readOnly: !whole || value instanceof Binary });
  if (!whole) return [area, hint(`The first ${size(TEXT_SHOWN)} of ${size(length)}; too long to be changed here.`)];
  if (value instanceof Binary) return [area, hint("Not text: shown with escapes, and not to be changed here.")];
  return [area, button("Save", async () => {
    await run("SET", key, area.value, "KEEPTTL");
    say("saved");
  })];
}

async function remove(key) {
  if (!confirm(`Delete ${key}?`)) return;
  await run("DEL", key);
  itemOf(key)?.remove();
  showView(hint("Deleted."));
  $("key-list").focus();
}

function expiryForm(key, ttl) {
  const seconds = element("input", { type: "number", min: 1, value: ttl > 0 ? Math.ceil(ttl / 1000) : "", placeholder: "seconds", ariaLabel: "Seconds to live" });
  return form(async () => {
    await (seconds.value ? run("EXPIRE", key, seconds.value) : run("PERSIST", key));
    await view(key);
  }, element("span", { textContent: ttl > 0 ? `expires in ${(ttl / 1000).toFixed(0)} s` : "never expires" }), seconds,
  element("button", { textContent: "Set TTL" }), button("Delete key", () => remove(key)));
}

// What stands there from now on; answers that are still awaited for what it was to show before are too late.
let views = 0;
function showView(...parts) {
  views++;
  $("key-view").replaceChildren(...parts);
}

async function view(key) {
  const mine = ++views, parts = await viewOf(key);
  if (mine === views) showView(...parts);
}

async function viewOf(key) {
  const type = await run("TYPE", key);
  if (type === "none") return [hint(`${key} is gone.`)];
  const [ttl, bytes, encoding] = [await run("PTTL", key), await run("MEMORY", "USAGE", key), await run("OBJECT", "ENCODING", key)];
  const body = type === "string" ? await stringView(key) : await collectionView(key, TYPES[type]);
  return [element("h2", { textContent: String(key) }), hint(`${type} (${encoding}), ${size(bytes)}`), expiryForm(key, ttl), ...body];
}

// ---- a new key ----------------------------------------------------------------------------------------------------

// A string is created as such; a collection by its first element.
const CREATE = { string: { fields: ["value"], add: { Create: (k, v) => ["SET", k, v] } }, ...TYPES };

// Made under another name, with the same prefix, which a token may be bound to, and renamed if no other has come to be there.
async function create(key, type, values, seconds) {
  const draft = `${key} ${unique()}`, expire = seconds ? [["EXPIRE", draft, seconds]] : [];
  const made = Object.values(CREATE[type].add)[0](draft, ...values);
  const results = await runTogether(made, ...expire, ["RENAMENX", draft, key], ["DEL", draft]);
  if (results.at(-2) === 0) throw new Error(`${key} exists already`);
  if (!itemOf(key)) addItem(key);
  await choose(key);
  say(`${key} created`);
}

function newKey() {
  const name = element("input", { spellcheck: false }), place = element("span", { className: "fields" });
  const seconds = element("input", { type: "number", min: 1, placeholder: "never" });
  const type = element("select", {}, ...Object.keys(CREATE).map((t) => element("option", { textContent: t })));
  const ask = () => place.replaceChildren(...CREATE[type.value].fields.map((f) => labelled(f, element("input", { name: f, required: f === "score" }))));
  type.onchange = ask;
  ask();
  showView(element("h2", { textContent: "New key" }), form(
    () => create(name.value, type.value, [...place.querySelectorAll("input")].map((f) => f.value), seconds.value),
    labelled("Key", name), labelled("of type", type), place, labelled("Seconds to live", seconds), element("button", { textContent: "Create" })));
  name.focus();
}

// ---- by hand ------------------------------------------------------------------------------------------------------

$("key-list").onkeydown = (e) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key], all = items();
  if (e.key === "Enter") $("key-view").querySelector("textarea, tbody input, form:last-of-type input")?.focus();
  if (e.key === "Delete" && chosen !== null) guard(() => remove(chosen));
  if (!step || !all.length) return;
  e.preventDefault();
  const at = all.findIndex((li) => String(li.key) === String(chosen)) + step;
  choose(all[Math.min(Math.max(at, 0), all.length - 1)].key);
};
$("key-view").onkeydown = (e) => {
  if (e.key === "Escape") $("key-list").focus();
};
$("search").onsubmit = (e) => {
  e.preventDefault();
  searchKeys();
};
$("more").onclick = () => guard(() => search(true));
$("new-key").onclick = newKey;

// The view is shown: with what there is when it is for the first time.
export const openKeys = (creates) => {
  if (!items().length) searchKeys();
  if (creates) newKey();
};
