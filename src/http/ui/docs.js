// docs.js - shows /openapi.json: operations by tag, each with what it takes and gives, examples and a line of curl.
// Everything of the document is put into the page as text.

const $ = (id) => document.getElementById(id);
const TOKEN = "flashkv-token"; // the console's
const METHODS = ["get", "put", "post", "delete"];
let doc;

// ---- small pieces -------------------------------------------------------------------------------------------------

function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children.filter((c) => c !== undefined && c !== ""));
  return e;
}

const resolve = (node) => node?.$ref
  ? node.$ref.slice(2).split("/").reduce((at, name) => at[name.replaceAll("~1", "/").replaceAll("~0", "~")], doc) : node ?? {};
const nameOf = (node) => node?.$ref?.split("/").pop();

// The little of Markdown that the document uses: paragraphs, **strong**, `code`.
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) =>
    part.startsWith("**") ? element("strong", { textContent: part.slice(2, -2) })
      : part.startsWith("`") ? element("code", { textContent: part.slice(1, -1) }) : part);
}
const prose = (text = "") => text.trim().split(/\n\s*\n/).filter(Boolean).map((p) => element("p", {}, ...inline(p.replaceAll("\n", " "))));

function table(name, head, rows) {
  const cells = (kind, row) => element("tr", {}, ...row.map((cell) => element(kind, {}, ...[cell].flat())));
  return element("table", { className: name }, element("thead", {}, cells("th", head)), element("tbody", {}, ...rows.map((row) => cells("td", row))));
}

const json = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

// ---- schemas --------------------------------------------------------------------------------------------------------

// A schema in a few words, with what is named elsewhere by its name.
function shape(schema, indent = "") {
  if (nameOf(schema)) return nameOf(schema);
  const s = schema ?? {};
  if (s.enum) return s.enum.map((e) => JSON.stringify(e)).join(" | ");
  if (s.const !== undefined) return JSON.stringify(s.const);
  for (const [key, word] of [["oneOf", " | "], ["anyOf", " | "], ["allOf", " & "]])
    if (s[key]) return s[key].map((each) => shape(each, indent)).join(word);
  if (s.properties) return members(s, indent);
  if (s.additionalProperties && typeof s.additionalProperties === "object") return `{ [name]: ${shape(s.additionalProperties, indent)} }`;
  if (s.items || s.prefixItems) return s.items ? `[${shape(s.items, indent)}, ...]` : `[${s.prefixItems.map((each) => shape(each, indent)).join(", ")}]`;
  const type = [s.type ?? "any"].flat().join(" | ") + (s.contentEncoding ? `, ${s.contentEncoding}` : "");
  const range = [s.minimum !== undefined ? `from ${s.minimum}` : "", s.maximum !== undefined ? `to ${s.maximum}` : "",
    s.default !== undefined ? `default ${JSON.stringify(s.default)}` : ""].filter(Boolean).join(", ");
  return range ? `${type} (${range})` : type;
}

function members(s, indent) {
  const inner = `${indent}  `;
  const lines = Object.entries(s.properties).map(([name, each]) => {
    const note = resolve(each).description;
    return `${inner}${name}${s.required?.includes(name) ? "" : "?"}: ${shape(each, inner)}${note ? `  // ${note.trim().replaceAll(/\s+/g, " ")}` : ""}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function exampleOf(media) {
  if (media?.example !== undefined) return media.example;
  const first = Object.values(media?.examples ?? {})[0];
  return first && resolve(first).value;
}

// ---- operations ---------------------------------------------------------------------------------------------------

const operationsOf = () => Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((m) => item[m]).map((method) => ({
  path, method, ...item[method],
  parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve),
  body: item[method].requestBody && resolve(item[method].requestBody),
})));

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// A line of curl that does something sensible with an instance that has just been started.
function curl(o) {
  const example = (p) => p.example ?? resolve(p.schema).example ?? resolve(p.schema).default ?? p.name;
  const path = o.path.replaceAll(/\{(\w+)\}/g, (all, name) => encodeURIComponent(example(o.parameters.find((p) => p.in === "path" && p.name === name) ?? { name })));
  const query = o.parameters.filter((p) => p.in === "query" && p.required).map((p) => `${p.name}=${encodeURIComponent(example(p))}`).join("&");
  const words = ["curl"];
  if (o.method !== "get") words.push("-X", o.method.toUpperCase());
  if (o.security?.length !== 0) words.push("-H", quote("Authorization: Bearer TOKEN"));
  if (o.body) {
    const types = Object.keys(o.body.content), type = types.find((t) => exampleOf(o.body.content[t]) !== undefined) ?? types[0];
    const value = exampleOf(o.body.content[type]);
    words.push("-H", quote(`Content-Type: ${type === "*/*" ? "text/plain" : type}`), "--data-binary",
      quote(value === undefined ? "hello" : typeof value === "string" ? value : JSON.stringify(value)));
  }
  return [...words, quote(`${location.origin}${path}${query && `?${query}`}`)].join(" ");
}

function curlBlock(o) {
  const line = curl(o), button = element("button", { type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(line);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return element("div", { className: "curl" }, element("pre", { textContent: line }), button);
}

function contentOf(content) {
  return Object.entries(content ?? {}).flatMap(([type, media]) => {
    const example = exampleOf(media), of = media.schema?.contentSchema ? `lines, each ${shape(media.schema.contentSchema)}` : shape(media.schema);
    return [element("p", {}, element("code", { textContent: type }), " ", element("code", { textContent: of })),
      example === undefined ? "" : element("pre", { textContent: json(example) })];
  });
}

const headersOf = (headers) => (Object.keys(headers ?? {}).length === 0 ? ""
  : element("p", { className: "hint", textContent: `Headers: ${Object.keys(headers).join(", ")}` }));

function responseRow([status, node]) {
  const r = resolve(node);
  return [element("code", { textContent: status }), [...prose(r.description), headersOf(r.headers), ...contentOf(r.content)].filter((c) => c !== "")];
}

function operationBlock(o) {
  const body = element("div", {}, ...prose(o.description), o.security?.length === 0 ? element("p", { className: "hint", textContent: "Needs no token." }) : "");
  body.append(element("h3", { textContent: "Try it" }), curlBlock(o));
  if (o.parameters.length > 0)
    body.append(element("h3", { textContent: "Parameters" }), table("parameters", ["Name", "In", "Type", ""], o.parameters.map((p) =>
      [element("code", { textContent: p.name + (p.required ? "" : "?") }), p.in, element("code", { textContent: shape(p.schema) }), prose(p.description)])));
  if (o.body) body.append(element("h3", { textContent: "Body" }), ...prose(o.body.description), ...contentOf(o.body.content).filter((c) => c !== ""));
  body.append(element("h3", { textContent: "Responses" }), table("responses", ["Status", ""], Object.entries(o.responses).map(responseRow)));
  return element("details", { className: "operation", id: o.operationId },
    element("summary", {}, element("span", { className: `method ${o.method}`, textContent: o.method.toUpperCase() }),
      element("span", { className: "path", textContent: o.path }), element("span", { className: "hint", textContent: o.summary ?? "" })), body);
}

// ---- the page --------------------------------------------------------------------------------------------------------

function show() {
  const operations = operationsOf();
  $("title").textContent = `${doc.info.title} ${doc.info.version}`;
  $("about").replaceChildren(...prose(doc.info.summary), ...prose(doc.info.description));
  $("operations").replaceChildren();
  $("contents").replaceChildren();
  for (const tag of doc.tags) {
    const own = operations.filter((o) => o.tags?.[0] === tag.name);
    if (own.length === 0) continue;
    $("operations").append(element("div", { className: "tag" }, element("h2", { textContent: tag.name }), ...prose(tag.description), ...own.map(operationBlock)));
    $("contents").append(element("div", {}, element("h2", { textContent: tag.name }), ...own.map((o) => {
      const link = element("a", { href: `#${o.operationId}` }, element("span", { className: `method ${o.method}`, textContent: o.method.toUpperCase() }), ` ${o.path}`);
      link.dataset.operation = o.operationId;
      return link;
    })));
  }
  $("schemas").replaceChildren(element("h2", { textContent: "Schemas" }), ...Object.entries(doc.components.schemas).flatMap(([name, schema]) =>
    [element("h3", { textContent: name, id: `schema-${name}` }), ...prose(schema.description), element("pre", { textContent: shape(schema) })]));
  openTarget();
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView();
}

function find() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const block of document.querySelectorAll("details.operation")) {
    const text = `${block.id} ${block.textContent}`.toLowerCase();
    block.hidden = !words.every((w) => text.includes(w));
    shown += !block.hidden;
    document.querySelector(`nav a[data-operation="${block.id}"]`).hidden = block.hidden;
  }
  for (const group of document.querySelectorAll(".tag, nav > div")) group.hidden = !group.querySelector("details:not([hidden]), a:not([hidden])");
  $("about").hidden = $("schemas").hidden = words.length > 0;
  $("status").textContent = words.length > 0 ? `${shown} found` : "";
}

async function load() {
  const token = sessionStorage.getItem(TOKEN);
  const r = await fetch("/openapi.json", { credentials: "omit", headers: token ? { Authorization: `Bearer ${token}` } : {} });
  $("login").hidden = r.status !== 401;
  if (r.status === 401) return void ($("status").textContent = "sign in with a token");
  doc = await r.json();
  $("status").textContent = "";
  show();
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, $("token").value);
  load();
});
$("find").addEventListener("input", find);
addEventListener("hashchange", openTarget);
load().catch((error) => { $("status").textContent = error.message; });
