#!/usr/bin/env node
// The contract: openapi/flashkv.yaml against the route table and against a running server, in both directions.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { asJson, committedJson, fromYaml, yamlFile } from "./openapi.mjs";
import { freePort, request, startServer } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const doc = fromYaml();
const METHODS = ["get", "put", "post", "delete"];
const MAX_VALUE = 1000000;

// ---- the document ----------------------------------------------------------------------------------------------

const resolve = (node) => node?.$ref
  ? node.$ref.slice(2).split("/").reduce((at, name) => at[name.replaceAll("~1", "/")], doc) : node;

const operations = Object.entries(doc.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    path, method: method.toUpperCase(), ...item[method],
    parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve),
    requestBody: resolve(item[method].requestBody),
    responses: Object.fromEntries(Object.entries(item[method].responses).map(([s, r]) => [s, resolve(r)])),
  })));
const operation = Object.fromEntries(operations.map((o) => [o.operationId, o]));
const queryNames = (o) => o.parameters.filter((p) => p.in === "query").map((p) => p.name).sort();

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: "doc:", ...doc });
const validators = new Map();

function validate(schema, value, what) {
  if (!validators.has(schema)) {
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc:#/'));
    validators.set(schema, ajv.compile(absolute));
  }
  const check = validators.get(schema);
  assert(check(value), `${what}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)?.slice(0, 300)}`);
}

// ---- a response against the document ---------------------------------------------------------------------------

const OURS = ["etag", "flashkv-ttl-ms", "allow", "www-authenticate"]; // headers that must be documented where they appear

function conforms(o, got, what, head = false) {
  const response = o.responses[got.status] ?? (got.status >= 400 ? o.responses.default : undefined);
  assert(response, `${what}: status ${got.status} is not documented: ${got.body}`);
  const documented = Object.fromEntries(Object.entries(response.headers ?? {}).map(([n, h]) => [n.toLowerCase(), resolve(h)]));
  for (const name of OURS) {
    if (got.headers[name] === undefined) continue;
    assert(documented[name], `${what}: ${got.status} carries ${name}, which is not documented`);
    const { schema } = documented[name];
    validate(schema, schema.type === "integer" ? Number(got.headers[name]) : got.headers[name], `${what}: ${name}`);
  }
  if (!response.content) return assert.equal(got.body.length, 0, `${what}: ${got.status} has a body`);
  const type = (got.headers["content-type"] ?? "").split(";")[0];
  const media = response.content[type] ?? response.content["*/*"];
  assert(media, `${what}: ${got.status} with media type '${type}'`);
  if (type === "application/x-ndjson" && !head)
    for (const line of got.body.toString().trim().split("\n")) validate(media.schema.contentSchema, JSON.parse(line), what);
  if (type === "text/event-stream" && media.schema.contentSchema)
    for (const [, data] of got.body.toString().matchAll(/^data: (.*)$/gm)) validate(media.schema.contentSchema, JSON.parse(data), what);
  if (type.endsWith("/json") || type.endsWith("+json")) if (response.content[type] && !head) {
    const json = JSON.parse(got.body);
    validate(media.schema, json, what);
    if (type === "application/problem+json") assert.equal(json.status, got.status, what);
  }
}

// A key of the right type.
const keyOf = (o) => ({ lists: "l", hashes: "h", sets: "s", zsets: "z" })[o.tags[0]] ?? "k";
const fill = (path, { key = "k", index = "0", command = "get", args = "k", field = "f", member = "a", channel = "c", pattern = "p*", file = path.startsWith("/docs") ? "docs.css" : "console.css" } = {}) =>
  Object.entries({ key, index, command, args, field, member, file, channel, pattern }).reduce((at, [name, value]) => at.replace(`{${name}}`, value), path);

async function call(server, id, { query = "", accept, ...rest } = {}) {
  const o = operation[id];
  const path = fill(o.path, rest) + (query && `?${query}`);
  const headers = { ...(accept ? { accept } : {}), ...rest.headers };
  const got = await request(server.http, o.method, path, { ...rest, headers });
  conforms(o, got, `${o.method} ${path}`);
  return got;
}

// ---- every documented status, driven -----------------------------------------------------------------------------

const text = (body, headers = {}) => ({ body, headers: { "content-type": "text/plain", ...headers } });
const json = (value) => ({ body: JSON.stringify(value), headers: { "content-type": "application/json" } });
const ndjson = (...lines) => ({
  body: lines.map((l) => `${JSON.stringify(l)}\n`).join(""), headers: { "content-type": "application/x-ndjson" },
});
const big = "x".repeat(MAX_VALUE + 1);
const gzip = text("x", { "content-encoding": "gzip" });
const noLength = { headers: { "content-type": "text/plain" } };
const unknown = { query: "unknown=1" };
// What is there before each: a string, a number, a list, a key that expires.
const seed = async (s) => {
  for (const key of ["k", "n", "l", "e", "h", "s", "z", "none"]) await request(s.http, "DELETE", `/keys/${key}`);
  await call(s, "putKey", { key: "k", ...text("hello") });
  await call(s, "putKey", { key: "n", ...text("41") });
  await call(s, "putKey", { key: "e", query: "ttl=100", ...text("expires") });
  await call(s, "pushList", { key: "l", ...json(["a", "b", "c"]) });
  await call(s, "setHashFields", { key: "h", ...json({ f: "v", n: "1" }) });
  await call(s, "addSetMembers", { key: "s", ...json(["a", "b"]) });
  await call(s, "addZsetMembers", { key: "z", ...json({ a: 1, b: 2 }) });
};
const tagOf = async (s, key) => (await call(s, "getKey", { key })).headers.etag;

const stale = { headers: { "if-match": '"0000000000000000"' } }, malformed = { headers: { "if-match": "x" } };

// What the collections have in common. `key` holds one, with the member `has`.
const collection = (name, key, add, first, more, bad) => ({
  [`get${name}`]: {
    200: [{ key }, async (s) => ({ key, headers: { "if-match": (await call(s, `get${name}`, { key })).headers.etag } })],
    304: [async (s) => ({ key, headers: { "if-none-match": (await call(s, `get${name}`, { key })).headers.etag } })],
    400: [{ key, ...unknown }, { key, ...malformed }], 404: [{ key: "none" }], 409: [{ key: "k" }], 412: [{ key, ...stale }],
  },
  [add]: {
    200: [{ key, ...json(first) }, { key: "none", ...json(more) }, { key, ...json(more), headers: { "if-match": "*" } }],
    400: bad.map((each) => ({ key, body: typeof each === "string" ? each : JSON.stringify(each) })),
    409: [json(first)], 411: [{ key, ...noLength }], 412: [{ key, ...json(first), ...stale }], 413: [{ key, ...text(big) }], 415: [{ key, ...gzip }],
  },
  [`delete${name}`]: { 204: [{ key }], 400: [{ key, ...unknown }], 404: [{ key: "none" }], 409: [{}], 412: [{ key, ...stale }] },
});
const member = (name, key, has, found, body, bad) => {
  const at = (more = {}) => ({ key, field: has, member: has, ...more });
  const put = (more = {}) => at({ ...(body === undefined ? {} : text(body)), ...more });
  return {
    [name === "SetMember" ? "hasSetMember" : `get${name}`]: {
      ...Object.fromEntries(Object.entries(found).map(([status]) => [status, [at()]])),
      400: [at(unknown)], 404: [at({ field: "no", member: "no" }), at({ key: "none" })], 409: [at({ key: "k" })],
    },
    [`put${name}`]: {
      201: [put({ field: "new", member: "new" })], 204: [put()], 400: [put(unknown), put(malformed), ...bad.map((each) => at(text(each)))],
      409: [put({ key: "k" })], 412: [put(stale)],
      ...(body === undefined ? {} : { 411: [at(noLength)], 413: [at(text(big))], 415: [at(gzip)] }),
    },
    [`delete${name}`]: {
      204: [at()], 400: [at(unknown)], 404: [at({ field: "no", member: "no" })], 409: [at({ key: "k" })], 412: [at(stale)],
    },
  };
};

// operation: status: the requests that must get it (a list; a function of the server where they depend on it)
const drivers = {
  getRoot: { 200: [{}, { accept: "text/html" }, { accept: "application/json" }], 400: [unknown] },
  getHealth: { 200: [{}], 400: [unknown] },
  getMetrics: { 200: [{}, { accept: "application/openmetrics-text" }], 400: [unknown] },
  getConsole: { 200: [{}], 400: [unknown] },
  getConsoleFile: { 200: ["base.css", "console.html", "console.css", "console.js", "keys.js", "page.js", "events.js"].map((file) => ({ file })), 400: [{ ...unknown, file: "console.css" }], 404: [{ file: "none" }] },
  getDocs: { 200: [{}], 400: [unknown] },
  getDocsFile: { 200: ["base.css", "docs.html", "docs.css", "docs.js"].map((file) => ({ file })), 400: [{ ...unknown, file: "docs.css" }], 404: [{ file: "none" }] },
  getReady: { 200: [{}], 400: [unknown] },
  getOpenapi: { 200: [{}], 400: [unknown] },
  getStats: { 200: [{}], 400: [unknown] },
  startSnapshot: { 202: [{}], 400: [unknown] },
  resetStats: { 204: [{}], 400: [unknown] },
  batch: {
    200: [json([{ op: "get", key: "k" }, { op: "put", key: "k", value: "v", ttl: 5, if: { absent: true } }, { op: "get", key: "l" }]),
      json([]), ndjson({ op: "incr", key: "n" }, 1, { op: "command", args: ["hset", "none", "f", 1] }),
      { query: "results=errors", ...ndjson({ op: "get", key: "none" }) }],
    400: [json({}), json([{ op: "nothing" }]), { ...unknown, ...json([]) }, { query: "results=errors", ...json([]) }],
    411: [noLength],
    413: [{ ...json([]), body: ["[", " ".repeat(70000), "]"] }],
    409: [{ query: "atomic=true", ...json([{ op: "check", key: "k", if: { absent: true } }]) }, { query: "atomic=true", ...json([{ op: "incr", key: "k" }]) }],
    415: [text("[]"), gzip],
    507: [async (s) => {
      await call(s, "putKey", { key: "k", ...text("x".repeat(90000)) });
      return json([{ op: "get", key: "k" }, { op: "get", key: "k" }]);
    }],
  },
  publishMessage: {
    200: [text("hello"), text("")],
    400: [{ ...unknown, ...text("x") }], 411: [noLength], 413: [text(big)], 415: [gzip],
  },
  subscribeChannel: { 200: [{}, { query: "channel=a&channel=b&pattern=c*" }], 400: [unknown, { query: "channel=%zz" }] },
  subscribePattern: { 200: [{}, { query: "channel=a&pattern=b&pattern=%ff" }], 400: [unknown] },
  watchKeys: {
    200: [{}, { query: "match=k*&value=true" }, { headers: { "last-event-id": "of-another-life" } }, async (s) => {
      const [, id] = /^id: (.*)$/m.exec((await call(s, "watchKeys")).body);
      for (const [key, query] of [["k", ""], ["%ff", "ttl=100"]]) await call(s, "putKey", { key, query, ...text("v") });
      return { query: `value=true&since=${id}` };
    }],
    400: [unknown, { query: "value=1" }, { query: "prefix=a&match=b" }],
  },
  exportKeys: {
    200: [async (s) => {
      await call(s, "importKeys", ndjson({ key: "h", type: "hash", append: true, value: ["f", "v"], field_expire_at: [33177117420000] }));
      return { query: "prefix=h" };
    }, {}, { query: "prefix=l" }, { query: "match=*&cursor=1" }],
    400: [unknown, { query: "cursor=x" }, { query: "prefix=a&match=b" }],
  },
  importKeys: {
    200: [ndjson({ key: "none", type: "hash", value: ["f", "v", "g", "w"], field_expire_at: [33177117420000, 0] }), ndjson({ key: "none", type: "list", value: ["a"] }), { query: "on-conflict=skip", ...ndjson({ key: "k", type: "string", value: "" }) },
      { query: "on-conflict=fail", ...ndjson({ key: "k", type: "string", value: "" }, {}, "x") }, ndjson()],
    400: [{ query: "on-conflict=x", ...ndjson() }, { ...unknown, ...ndjson() }],
    411: [noLength],
    413: [{ body: ["x".repeat(40000), "x".repeat(40000)] }],
    415: [gzip],
  },
  upstashCommand: {
    200: [json(["get", "k"]), json(["SET", "k", 1.5, "EX", 10, "nx"]), { body: '["hgetall","none"]', headers: { "upstash-encoding": "base64" } },
      { body: '["get","k"]', headers: { "upstash-response-format": "resp2" } }],
    400: [json([]), json({}), json(["nothing"]), json(["incr", "k"]), json(["get", null]), text(""), noLength,
      { body: '["get","k"]', headers: { "upstash-encoding": "base64", "upstash-response-format": "resp2" } }],
  },
  upstashPipeline: {
    200: [json([]), json([["get", "k"], ["incr", "k"]]), { body: '[["ping"]]', headers: { "upstash-response-format": "resp2" } }],
    400: [json([["get"], []]), json(["get", "k"]), text("x")],
  },
  upstashTransaction: {
    200: [json([]), json([["get", "k"], ["incr", "k"]])],
    400: [json([["get"]]), json([["nothing"]]), { body: '[["ping"]]', headers: { "upstash-response-format": "resp2" } }],
  },
  upstashGetCommand: { 200: [{ command: "dbsize" }], 400: [{}, { command: "multi" }, { command: "%zz" }] },
  upstashPostCommand: { 200: [text("k"), { command: "PING" }], 400: [{}] },
  upstashPutCommand: { 200: [text("k")], 400: [{}] },
  upstashGetPath: { 200: [{}, { command: "set", query: "v&EX=100&_token=secret" }, { args: "none" }], 400: [{ args: "l" }, { args: "k/%zz/x" }] },
  upstashPostPath: { 200: [{ command: "set", args: "none/v/EX/100" }, { command: "set", ...text("value") }], 400: [{ args: "k/too/many" }] },
  upstashPutPath: { 200: [{ command: "append", ...text("value") }], 400: [{ args: "k/too/many" }] },
  ...collection("Hash", "h", "setHashFields", { name: "Ada", age: 36 }, { f: "\u0000" }, [[], {}, { a: null }, '{"a":1,"a":2}']),
  ...collection("Set", "s", "addSetMembers", ["a", "b"], ["c"], [{}, [], [1], "["]),
  ...collection("Zset", "z", "addZsetMembers", { a: 1.5, b: -2 }, { c: 1e300 }, [[], {}, { a: "1" }, '{"a":1,"a":2}']),
  ...member("HashField", "h", "f", { 200: [{}] }, "value", []),
  ...member("SetMember", "s", "a", { 204: [{}] }, undefined, []),
  ...member("ZsetMember", "z", "a", { 200: [{}] }, "-1e3", ["", "x", "nan"]),
  listKeys: {
    200: [{}, { query: "prefix=k" }, { query: "match=*&limit=1" }, { query: "cursor=0&limit=10000" }],
    400: [unknown, { query: "cursor=x" }, { query: "limit=0" }, { query: "prefix=a&match=b" }, { query: "limit=1&limit=2" }],
  },
  getKey: {
    206: [{ headers: { range: "bytes=1-2" } }, { key: "e", headers: { range: "bytes=-1" } },
      async (s) => ({ headers: { range: "bytes=0-", "if-range": await tagOf(s, "k") } })],
    416: [{ headers: { range: "bytes=5-" } }, { headers: { range: "bytes=-0" } }],
    200: [{}, { accept: "application/json" }, { key: "e" }, { key: "e", accept: "application/json" }, { key: "l" },
      { headers: { "if-match": "*" } }, { query: "wait=5" }, { key: "l", query: "wait=100ms", headers: { "if-none-match": '"x"' } }],
    304: [{ headers: { "if-none-match": "*" } },
      async (s) => ({ headers: { "if-none-match": `"x", W/${await tagOf(s, "k")}` } }),
      async (s) => ({ query: "wait=20ms", headers: { "if-none-match": await tagOf(s, "k") } })],
    400: [unknown, { headers: { "if-match": "hello" } }, { key: "%zz" }, { query: "wait=forever" }, { query: "wait=301s" }],
    404: [{ key: "none" }, { key: "none", query: "wait=20ms" }],
    412: [{ headers: { "if-match": '"0000000000000000"' } }, { key: "l", headers: { "if-match": '"0000000000000000"' } }],
  },
  putKey: {
    200: [text("x", { prefer: "return=representation" })],
    201: [{ key: "none", ...text("x") }, { key: "none", query: "nx&ttl_ms=5000", ...text("x") },
      { key: "none", ...text("x", { "if-none-match": "*" }) }, { key: "none", body: ["chunk", "ed"] },
      { key: "none", ...text("") }],
    204: [text("x"), { query: "xx&keepttl", ...text("x") }, { key: "l", ...text("x") },
      async (s) => text("x", { "if-match": await tagOf(s, "k") })],
    400: [{ ...unknown, ...text("x") }, { query: "ttl=0", ...text("x") }, { query: "ttl=1&ttl_ms=1", ...text("x") },
      { query: "nx&xx", ...text("x") }, { query: "nx=perhaps", ...text("x") }, { query: "keepttl=2", ...text("x") }, text("x", { "if-match": "hello" }), text("x", { "content-range": "bytes 0-0/2" })],
    411: [noLength],
    412: [{ query: "nx", ...text("x") }, { key: "none", query: "xx", ...text("x") },
      text("x", { "if-match": '"0000000000000000"' }), { key: "none", ...text("x", { "if-match": "*" }) }],
    413: [text(big), { body: [big, big] }],
    415: [gzip, text("x", { "content-type": "text/" + "x".repeat(300) })],
  },
  deleteKey: {
    204: [{}, { key: "l" }, async (s) => ({ headers: { "if-match": await tagOf(s, "k") } })],
    400: [unknown, { headers: { "if-match": "hello" } }],
    404: [{ key: "none" }],
    412: [{ headers: { "if-match": '"0000000000000000"' } }, { headers: { "if-none-match": "*" } }],
  },
  incrKey: {
    200: [{ key: "n" }, { key: "n", query: "by=-50" }, { key: "none" }],
    400: [unknown, { key: "n", query: "by=1.5" }, { key: "n", query: "by=" }],
    409: [{}, { key: "l" }, { key: "n", query: "by=9223372036854775807" }],
  },
  appendKey: {
    200: [text(" world"), { key: "none", ...text("x") }, { key: "e", ...text("x".repeat(5000)) }],
    400: [{ ...unknown, ...text("x") }],
    409: [{ key: "l", ...text("x") }],
    411: [noLength],
    413: [text(big), text(big.slice(1))],
    415: [gzip],
  },
  expireKey: {
    204: [{ query: "ttl=5" }, { query: "ttl_ms=5000" }, { key: "l", query: "ttl=5" }],
    400: [{}, { query: "ttl=0" }, { query: "ttl=x" }, { query: "ttl=1&ttl_ms=1" }, { query: "ttl=9223372036854775807" }],
    404: [{ key: "none", query: "ttl=5" }],
  },
  persistKey: { 204: [{ key: "e" }], 400: [unknown], 404: [{}, { key: "none" }] },
  getList: {
    304: [async (s) => ({ key: "l", headers: { "if-none-match": (await call(s, "getList", { key: "l" })).headers.etag } })],
    412: [{ key: "l", ...stale }],
    200: [{ key: "l" }, { key: "l", query: "start=-1" }, { key: "l", query: "start=5&stop=9" }],
    400: [{ key: "l", ...unknown }, { key: "l", query: "start=x" }],
    404: [{ key: "none" }],
    409: [{}],
  },
  pushList: {
    412: [{ key: "l", ...text("x", stale.headers) }],
    200: [{ key: "l", ...json(["x", ""]) }, { key: "l", query: "end=left", ...text("raw") }, { key: "none", ...json(["é\0"]) }],
    400: [{ key: "l", ...json([]) }, { key: "l", ...json({}) }, { key: "l", ...json([1]) },
      { key: "l", ...text("[", { "content-type": "application/json" }) }, { key: "l", query: "end=top", ...text("x") }],
    409: [text("x")],
    411: [{ key: "l", ...noLength }],
    413: [{ key: "l", ...text(big) }],
    415: [{ key: "l", ...gzip }],
  },
  deleteList: { 412: [{ key: "l", ...stale }], 204: [{ key: "l" }], 400: [{ key: "l", ...unknown }], 404: [{ key: "none" }], 409: [{}] },
  popList: {
    412: [{ key: "l", ...stale }],
    200: [{ key: "l" }, { key: "l", query: "end=right&count=2" }, { key: "l", query: "count=99" }],
    400: [{ key: "l", ...unknown }, { key: "l", query: "count=0" }, { key: "l", query: "end=top" }],
    404: [{ key: "none" }],
    409: [{}],
  },
  trimList: {
    412: [{ key: "l", query: "start=1", ...stale }],
    204: [{ key: "l", query: "start=1&stop=1" }, { key: "l", query: "start=5" }, { key: "none" }],
    400: [{ key: "l", ...unknown }, { key: "l", query: "stop=x" }],
    409: [{}],
  },
  setListItem: {
    412: [{ key: "l", ...text("x", stale.headers) }],
    204: [{ key: "l", ...text("x") }, { key: "l", index: "-1", ...text("x") }],
    400: [{ key: "l", ...unknown, ...text("x") }, { key: "l", index: "one", ...text("x") }],
    404: [{ key: "none", ...text("x") }, { key: "l", index: "3", ...text("x") }],
    409: [text("x")],
    411: [{ key: "l", ...noLength }],
    413: [{ key: "l", ...text(big) }],
    415: [{ key: "l", ...gzip }],
  },
};
// Driven by tests of their own, with other servers: unauthorized, forbidden, loading.
const elsewhere = (id, status) => ["default", "401", "403"].includes(status) || `${id} ${status}` === "getReady 503";

// ---- tests ---------------------------------------------------------------------------------------------------------

function lint() {
  const got = spawnSync(here("node_modules/.bin/redocly"), ["lint", "--max-problems=100", yamlFile],
    { encoding: "utf8", env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" } });
  const said = `${got.stdout}${got.stderr}`;
  assert(got.status === 0 && !/\bwarning/i.test(said), said);
}

async function sameEverywhere(server) {
  assert.equal(committedJson(), asJson(doc), "openapi/flashkv.json is stale: run node tests/node/openapi.mjs");
  assert.deepEqual(JSON.parse((await call(server, "getOpenapi")).body), JSON.parse(asJson(doc)));
}

function sameAsRoutes() {
  const source = readFileSync(here("../../src/http/routes.c"), "utf8");
  const rows = [...source.matchAll(
    /\{"([A-Z]+)",\s*"([^"]+)",\s*"(\w+)",\s*(http_\w+),\s*(BODY_\w+),\s*"([^"]*)",\s*(ACCESS_\w+)\}/g)];
  assert.equal(rows.length, source.match(/\bhttp_\w+,/g).length, "rows of the route table that could not be read");
  const routes = rows.map(([, method, path, id, , body, parameters]) =>
    ({ method, path, id, body: body !== "BODY_NONE", parameters: parameters === "*" ? ["_token"] : parameters.replaceAll("*", "").split(" ").filter(Boolean).sort() }));
  const documented = operations.map((o) =>
    ({ method: o.method, path: o.path, id: o.operationId, body: !!o.requestBody, parameters: queryNames(o) }));
  const order = (a, b) => (a.id < b.id ? -1 : 1);
  assert.deepEqual(documented.sort(order), routes.sort(order));
}

async function everyStatus(server) {
  for (const o of operations)
    for (const status of Object.keys(o.responses).filter((s) => !elsewhere(o.operationId, s)))
      assert(drivers[o.operationId]?.[status], `nothing drives ${o.operationId} to ${status}`);
  for (const [id, statuses] of Object.entries(drivers))
    for (const [status, requests] of Object.entries(statuses)) {
      assert(operation[id]?.responses[status], `${id} is driven to ${status}, which is not documented`);
      for (let r of requests) {
        await seed(server);
        if (typeof r === "function") r = await r(server);
        const got = await call(server, id, r);
        assert.equal(got.status, Number(status), `${id} ${JSON.stringify(r).slice(0, 200)}: ${got.body.subarray(0, 300)}`);
      }
    }
}

// What nobody may do without the password; and the driver of 401.
async function unauthorized() {
  const server = await startServer("--requirepass=s3cret");
  try {
    for (const o of operations) {
      const open = o.security?.length === 0, key = keyOf(o);
      const sent = { key, ...(o.requestBody ? text("1") : {}) };
      assert.equal((await call(server, o.operationId, sent)).status === 401, !open, o.operationId);
      const headers = { ...sent.headers, authorization: "Bearer s3cret" };
      assert.notEqual((await call(server, o.operationId, { ...sent, headers })).status, 401, o.operationId);
      assert.equal(o.responses[401] === undefined, open, o.operationId);
    }
  } finally {
    assert.equal(await server.stop(), 0, "exit status");
  }
}

// What a token that may read keys of one prefix may not do; and the driver of 403.
async function forbidden() {
  const folder = mkdtempSync(join(tmpdir(), "flashkv-")), file = join(folder, "tokens.json");
  writeFileSync(file, JSON.stringify([{ name: "reader", secret: "s3cret", scopes: ["read"], prefixes: ["web:"] }]));
  const server = await startServer(`--tokens-file=${file}`);
  try {
    for (const o of operations) {
      const found = Object.entries(drivers[o.operationId]).find(([status]) => status < 300)[1];
      // One that all of it is refused of: an array of operations has a status for each.
      const r = o.operationId === "batch" ? { query: "atomic=true", ...json([{ op: "get", key: "k" }]) }
        : found.find((each) => typeof each !== "function") ?? {};
      const got = await call(server, o.operationId, { ...r, headers: { ...r.headers, authorization: "Bearer s3cret" } });
      assert.equal(got.status === 403, o.responses[403] !== undefined, `${o.operationId}: ${got.status} ${got.body}`);
    }
  } finally {
    assert.equal(await server.stop(), 0, "exit status");
    rmSync(folder, { recursive: true });
  }
}

// While the data are loaded /readyz is 503, and so is what needs a key. The log is a FIFO, so that whoever reads it waits for a
// writer, who says nothing: a log that ends in its header.
async function loading() {
  const data = mkdtempSync(join(tmpdir(), "flashkv-")), log = join(data, `log-${"0".repeat(20)}.fkl`), port = await freePort();
  assert.equal(spawnSync("mkfifo", [log]).status, 0);
  const child = spawn(process.env.FLASHKV ?? "./flashkv", [`--http-port=${port}`, "--resp-port=0", `--data-dir=${data}`], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  try {
    let got;
    while (got === undefined && child.exitCode === null) got = await call({ http: port }, "getReady").catch((e) => assert.equal(e.code, "ECONNREFUSED"));
    assert.equal(got.status, 503);
    assert.equal((await call({ http: port }, "getKey")).status, 503);
    assert.equal((await call({ http: port }, "getHealth")).status, 200);
    while (got.status === 503) {
      try {
        closeSync(openSync(log, constants.O_WRONLY | constants.O_NONBLOCK));
      } catch (e) {
        assert(["ENXIO", "ENOENT"].includes(e.code), e); // it is not being read just now, or given up already
      }
      got = await call({ http: port }, "getReady");
    }
    assert.equal(got.status, 200);
    child.kill("SIGTERM");
    assert.equal(await ended, 0, "exit status");
  } finally {
    child.kill("SIGKILL");
    rmSync(data, { recursive: true });
  }
}

async function methods(server) {
  await seed(server);
  for (const path of Object.keys(doc.paths)) {
    const real = fill(path);
    const own = operations.filter((o) => o.path === path);
    const allowed = [...own.flatMap((o) => (o.method === "GET" ? ["GET", "HEAD"] : [o.method])), "OPTIONS"].sort();
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "TRACE", "BREW"]) {
      if (allowed.includes(method)) continue;
      const got = await request(server.http, method, real, method === "TRACE" ? {} : { body: "" });
      assert.equal(got.status, 405, `${method} ${real}`);
      assert.deepEqual(got.headers.allow.split(", ").sort(), allowed, `${method} ${real}`);
      if (method !== "HEAD") conforms(own[0], got, `${method} ${real}`);
    }
    const options = await request(server.http, "OPTIONS", real);
    assert.deepEqual([options.status, options.headers.allow?.split(", ").sort()], [204, allowed], real);
  }
}

async function heads(server) {
  await seed(server);
  for (const o of operations.filter((each) => each.method === "GET")) {
    const path = fill(o.path, { key: keyOf(o) });
    const get = await request(server.http, "GET", path), head = await request(server.http, "HEAD", path);
    conforms(o, { ...head, body: get.body }, `HEAD ${path}`, true);
    assert.deepEqual([head.status, head.body.length], [get.status, 0]);
    for (const name of ["content-type", "etag"]) assert.equal(head.headers[name], get.headers[name], `${path}: ${name}`);
    if (!["getStats", "getMetrics", "exportKeys"].includes(o.operationId) && o.tags[0] !== "events") assert.equal(head.headers["content-length"], get.headers["content-length"], path);
  }
}

async function badParameters(server) {
  for (const o of operations)
    for (const p of o.parameters.filter((each) => each.in === "query" && (each.schema.type === "integer" || each.schema.enum))) {
      const bad = p.schema.enum ? ["", "LEFT", "x"].filter((value) => !p.schema.enum.includes(value)) : ["", "x", "1.5", "+1", " 1", "01", "1e3", "0x1", "9223372036854775808"];
      if (p.schema.minimum !== undefined) bad.push(`${BigInt(p.schema.minimum) - 1n}`);
      for (const value of bad) {
        await seed(server);
        const key = o.tags[0] === "keys" ? "n" : keyOf(o);
        const got = await call(server, o.operationId,
          { key, query: `${p.name}=${encodeURIComponent(value)}`, ...(o.requestBody ? text("x") : {}) });
        assert.equal(got.status, 400, `${o.operationId} ${p.name}=${value}`);
        assert(JSON.parse(got.body).detail.includes(p.name), `${got.body} does not name ${p.name}`);
      }
    }
}

const anyBytes = (max) => fc.uint8Array({ maxLength: max }).map((bytes) => Buffer.from(bytes));
const encode = (bytes) => [...bytes].map((b) => `%${b.toString(16).padStart(2, "0")}`).join("");

async function anyKeyAnyValue(server) {
  await fc.assert(fc.asyncProperty(anyBytes(100), anyBytes(6000), async (key, value) => {
    const path = encode(key);
    assert((await call(server, "putKey", { key: path, body: value })).status < 300);
    assert((await call(server, "getKey", { key: path })).body.equals(value));
    const entry = JSON.parse((await call(server, "getKey", { key: path, accept: "application/json" })).body);
    assert(Buffer.from(entry.value, entry.encoding).equals(value));
    assert(Buffer.from(entry.key, entry.key_encoding).equals(key));
    assert.equal((await call(server, "deleteKey", { key: path })).status, 204);
    assert.equal((await call(server, "getKey", { key: path })).status, 404);
  }), { numRuns: 200 });
}

async function anyQuery(server) {
  const names = [...new Set(operations.flatMap(queryNames)), "unknown"];
  const value = fc.oneof(fc.integer().map(String), fc.bigInt().map(String), fc.string(), fc.constantFrom("left", "0", "-1", ""));
  const pair = fc.tuple(fc.constantFrom(...names), value);
  const accept = fc.constantFrom(undefined, "application/json", "text/html", "*/*", "a;b=\"c", "application/json;q=0");
  await fc.assert(fc.asyncProperty(fc.constantFrom(...operations), fc.array(pair, { maxLength: 4 }), accept,
    fc.constantFrom("k", "l", "n", "none"), async (o, pairs, accepted, key) => {
      const query = pairs.map(([n, v]) => `${n}=${encode(Buffer.from(v))}`).join("&");
      const got = await call(server, o.operationId, { key, query, accept: accepted, ...(o.requestBody ? text("1") : {}) });
      assert(got.status < 500, `${o.operationId} ${query}: ${got.status}`);
    }), { numRuns: 1000 });
}

// ---- TAP ---------------------------------------------------------------------------------------------------------

const tests = {
  "redocly finds nothing in the document": lint,
  "the YAML, its JSON and what the server serves are the same": sameEverywhere,
  "the document and the route table are the same": sameAsRoutes,
  "every documented status of every operation comes, and conforms": everyStatus,
  "without the password every operation that wants it is 401": unauthorized,
  "what a token does not allow is 403": forbidden,
  "while the data are loaded /readyz is 503": loading,
  "405 and OPTIONS tell the documented methods": methods,
  "HEAD is GET without the body": heads,
  "bad query parameters are 400, and named": badParameters,
  "any key and value come back": anyKeyAnyValue,
  "no query breaks an operation": anyQuery,
};

let failed = 0, n = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
  const data = mkdtempSync(join(tmpdir(), "flashkv-"));
  const server = await startServer(`--max-value-bytes=${MAX_VALUE}`, "--max-request-bytes=64kb", "--max-output-bytes=128kb",
    `--data-dir=${data}`, "--fsync=no");
  try {
    await test(server);
    assert.equal(await server.stop(), 0, "exit status");
    console.log(`ok ${++n} - ${name}`);
  } catch (error) {
    failed++;
    await server.stop();
    console.log(`not ok ${++n} - ${name}\n${String(error.stack).replace(/^/gm, "# ")}`);
  } finally {
    rmSync(data, { recursive: true });
  }
}
process.exit(failed > 0 ? 1 : 0);
