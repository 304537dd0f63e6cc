#!/usr/bin/env node
// Upstash's own client, unchanged, against /upstash and against a port of its own; and what it cannot show, by hand.
import assert from "node:assert/strict";
import net from "node:net";
import { Redis } from "@upstash/redis";
import { freePort, request, startServer } from "./server.mjs";

// One test a row; `redis` is a client, its database emptied before.
const sdk = {
  "strings, numbers, objects": async (redis) => {
    assert.equal(await redis.set("k", "v"), "OK");
    assert.equal(await redis.get("k"), "v");
    assert.equal(await redis.get("none"), null);
    await redis.set("object", { a: [1, { b: "é" }], c: null });
    assert.deepEqual(await redis.get("object"), { a: [1, { b: "é" }], c: null });
    await redis.set("number", 0.1);
    assert.equal(await redis.get("number"), 0.1);
    assert.equal(await redis.incrby("n", 41), 41);
    assert.equal(await redis.incrbyfloat("f", 0.5), 0.5);
    assert.deepEqual(await redis.mget("k", "none", "n"), ["v", null, 41]);
    assert.equal(await redis.append("k", "é€😀"), 10);
    assert.equal(await redis.get("k"), "vé€😀");
  },
  "values that look like base64, or like OK": async (redis) => {
    for (const value of ["abcd", "T0s=", "OK", "", "null", "true", "\u0000\u0001", "a\nb"]) {
      await redis.set("k", value);
      const want = value === "null" ? null : value === "true" ? true : value;
      assert.deepEqual(await redis.get("k"), want, value);
      assert.deepEqual(await redis.mget("k", "k"), [want, want], value);
      await redis.del("l");
      await redis.rpush("l", value, "x");
      assert.deepEqual(await redis.lrange("l", 0, -1), [want, "x"], value);
    }
  },
  "options: keepTtl, nx, get, px": async (redis) => {
    await redis.set("k", 1, { ex: 100 });
    await redis.set("k", 2, { keepTtl: true });
    assert.ok((await redis.ttl("k")) > 90);
    assert.equal(await redis.set("k", 3, { nx: true }), null);
    assert.equal(await redis.set("k", 4, { xx: true, get: true, px: 5000 }), 2);
    assert.ok((await redis.pttl("k")) <= 5000);
  },
  "hashes": async (redis) => {
    assert.equal(await redis.hset("h", { name: "Ada", born: 1815, more: { deep: true } }), 3);
    assert.deepEqual(await redis.hgetall("h"), { name: "Ada", born: 1815, more: { deep: true } });
    assert.equal(await redis.hgetall("none"), null);
    assert.deepEqual(await redis.hmget("h", "name", "none"), { name: "Ada", none: null });
    assert.equal(await redis.hincrby("h", "born", 1), 1816);
    assert.deepEqual(await redis.hkeys("h"), ["name", "born", "more"]);
  },
  "lists and sets": async (redis) => {
    assert.equal(await redis.rpush("l", 1, "two", { three: 3 }), 3);
    assert.deepEqual(await redis.lrange("l", 0, -1), [1, "two", { three: 3 }]);
    assert.equal(await redis.lpop("l"), 1);
    assert.equal(await redis.sadd("s", "a", "b"), 2);
    assert.deepEqual((await redis.smembers("s")).sort(), ["a", "b"]);
    assert.equal(await redis.sismember("s", "a"), 1);
  },
  "scans": async (redis) => {
    for (let i = 0; i < 300; i++) redis.set(`k${i}`, i);
    await redis.sadd("set", 1);
    const seen = new Set();
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, { match: "k*", count: 50 });
      for (const key of keys) seen.add(key);
      cursor = next;
    } while (cursor !== "0");
    assert.equal(seen.size, 300);
    const [, typed] = await redis.scan("0", { count: 1000, withType: true, match: "set" });
    assert.deepEqual(typed, [{ key: "set", type: "set" }]);
    assert.equal(await redis.dbsize(), 301);
  },
  "automatic pipelining": async (redis) => {
    const results = await Promise.all([...Array(500).keys()].flatMap((i) => [redis.set(`k${i}`, i), redis.incr(`k${i}`)]));
    assert.deepEqual(results, [...Array(500).keys()].flatMap((i) => ["OK", i + 1]));
  },
  "pipelines and their errors": async (redis) => {
    const p = redis.pipeline().set("k", "v").get("k").incr("k").hset("h", { a: 1 });
    const got = await p.exec({ keepErrors: true });
    assert.deepEqual([got[0].result, got[1].result, got[3].result], ["OK", "v", 1]);
    assert.match(got[2].error, /not an integer/);
  },
  "transactions": async (redis) => {
    assert.deepEqual(await redis.multi().set("k", 1).incr("k").get("k").exec(), ["OK", 2, 2]);
    await assert.rejects(redis.multi().set("k", 9).incr("k").lpush("k", "x").exec(), /WRONGTYPE/);
    assert.equal(await redis.get("k"), 10); // what did not fail was run
  },
  "errors": async (redis) => {
    await redis.set("k", "v");
    await assert.rejects(redis.lpush("k", "x"), /WRONGTYPE/);
    await assert.rejects(redis.incr("k"), /not an integer/);
    await assert.rejects(redis.createScript("return 1").exec([], []), /ERR/);
  },
  "subscriptions": async (redis) => {
    const got = [], subscriber = redis.subscribe("news"), pattern = redis.psubscribe("ne*");
    const received = new Promise((resolve) => {
      const one = (x) => { got.push(x.message); if (got.length === 4) resolve(); };
      subscriber.on("message", one);
      pattern.on("pmessage", one);
    });
    await Promise.all([new Promise((r) => subscriber.on("subscribe", r)), new Promise((r) => pattern.on("psubscribe", r))]);
    assert.equal(await redis.publish("news", { hello: 1 }), 2);
    assert.equal(await redis.publish("news", 7), 2); // (the client makes an error of a pattern's message that is no JSON)
    await received;
    assert.equal(got.filter((m) => m.hello === 1).length, 2);
    assert.equal(got.filter((m) => m === 7).length, 2);
    await Promise.all([subscriber.unsubscribe(), pattern.unsubscribe()]);
    for (let left = 1; left > 0;) left = await redis.publish("news", 0); // who left is forgotten
  },
};

// The wire, where the client shows nothing of it. base: the path that everything is under.
const post = (port, path, body, headers = {}) =>
  request(port, "POST", path, { body: typeof body === "string" ? body : JSON.stringify(body), headers });

const wire = {
  "statuses, errors and the sync token": async (port, base) => {
    const first = await post(port, base || "/", ["set", "k", "v"]);
    assert.deepEqual([first.status, first.body.toString()], [200, '{"result":"OK"}']);
    const second = await post(port, base || "/", ["set", "k", "w"]);
    assert.notEqual(first.headers["upstash-sync-token"], second.headers["upstash-sync-token"]);
    for (const [body, error] of [
      ["", "EOF"], ["{}", "expected JSON array"], ["[]", "ERR empty command"], ["[null]", "ERR null args are not supported"],
      ['["get",["k"]]', "ERR unsupported arg type: array"], ['["get","k"', /^ERR failed to parse/],
      ['["nothing"]', /^ERR unknown command 'nothing'/], ['["get"]', "ERR wrong number of arguments for 'get' command"],
      ['["MULTI"]', /not available/], ['["subscribe","c"]', /not available/]]) {
      const got = await post(port, base || "/", body);
      assert.equal(got.status, 400, body);
      const said = JSON.parse(got.body).error;
      if (typeof error === "string") assert.equal(said, error, body);
      else assert.match(said, error, body);
    }
  },
  "paths, bodies and queries": async (port, base) => {
    const run = async (method, path, body) =>
      JSON.parse((await request(port, method, base + path, body === undefined ? {} : { body })).body).result;
    assert.equal(await run("GET", "/set/a%2Fb/x%20y?EX=100&NX"), "OK");
    assert.equal(await run("GET", "/get/a%2Fb"), "x y");
    assert.equal(await run("GET", "/get/a%2Fb?_token=secret"), "x y");
    assert.equal(await run("POST", "/set/body?PX=50000", "any bytes"), "OK");
    assert.equal(await run("PUT", "/append/body", "!"), 10);
    assert.equal(await run("GET", "/mset/1/one/2/two/3/three"), "OK");
    assert.deepEqual(await run("GET", "/mget/1/2/3/4"), ["one", "two", "three", null]);
    assert.equal(await run("GET", "/set/empty/"), "OK");
    assert.equal(await run("GET", "/strlen/empty"), 0);
    assert.equal((await request(port, "DELETE", `${base}/get/k`, {})).status, 405);
  },
  "base64 and RESP2": async (port, base) => {
    await post(port, base || "/", ["hset", "h", "f", "OK"]);
    const base64 = { "upstash-encoding": "base64" };
    const result = async (command) => JSON.parse((await post(port, base || "/", command, base64)).body).result;
    assert.deepEqual(await result(["hgetall", "h"]), ["Zg==", "T0s="]);
    assert.equal(await result(["set", "k", "v"]), "OK");
    assert.equal(await result(["ping"]), "UE9ORw==");
    assert.deepEqual(JSON.parse((await post(port, `${base}/multi-exec`, [["set", "k", "v"], ["get", "k"]], base64)).body),
      [{ result: "T0s=" }, { result: "dg==" }]);
    const resp2 = { "upstash-response-format": "resp2" };
    const got = await post(port, `${base}/pipeline`, [["hgetall", "h"], ["get", "none"], ["incr", "k"], ["set", "k", 1]], resp2);
    assert.equal(got.headers["content-type"], "application/octet-stream");
    assert.equal(got.body.toString(), "*4\r\n*2\r\n$1\r\nf\r\n$2\r\nOK\r\n$-1\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
    assert.equal((await post(port, `${base}/multi-exec`, [["ping"]], resp2)).status, 400);
    assert.equal((await post(port, base || "/", ["ping"], { ...resp2, ...base64 })).status, 400);
    assert.equal((await post(port, base || "/", ["ping"], { "upstash-response-format": "resp9" })).status, 400);
  },
  "a pipeline that cannot be read does nothing; a transaction is all or nothing": async (port, base) => {
    for (const body of ['[["set","k","new"],["get"', '[["set","k","new"],[]]', '[["set","k","new"],1]'])
      assert.equal((await post(port, `${base}/pipeline`, body)).status, 400);
    for (const name of ["nothing", "multi", "exec", "discard", "watch", "select"]) {
      const got = await post(port, `${base}/multi-exec`, [["set", "k", "new"], [name], ["set", "k", "newer"]]);
      assert.equal(got.status, 400, name);
      assert.match(JSON.parse(got.body).error, /^EXECABORT/);
    }
    assert.equal(JSON.parse((await post(port, base || "/", ["get", "k"])).body).result, null);
  },
  "monitors see commands": async (port, base) => {
    const lines = await new Promise((resolve, reject) => {
      let text = "";
      const c = net.connect(port, "127.0.0.1", () => c.write(`POST ${base}/monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]`));
      c.on("error", reject);
      c.on("data", async (part) => {
        const before = text;
        text += part;
        if (!before.includes('data: "OK"') && text.includes('data: "OK"')) await post(port, base || "/", ["echo", "seen\n"]);
        if (text.includes("seen")) { c.destroy(); resolve(text); }
      });
    });
    assert.match(lines, /Content-Type: text\/event-stream/);
    assert.match(lines, /data: \d+\.\d{6} \[0 [^\]]*\] "echo" "seen\\n"\n\n/);
  },
};

// ---- TAP -----------------------------------------------------------------------------------------------------------

let run = 0, failures = 0;

async function check(name, test) {
  run++;
  try {
    await test();
    console.log(`ok ${run} - ${name}`);
  } catch (error) {
    failures++;
    console.log(`not ok ${run} - ${name}\n${String(error.stack).replace(/^/gm, "# ")}`);
  }
}

const own = await freePort();
const server = await startServer(`--upstash-port=${own}`);
setTimeout(async () => {
  console.log("Bail out! not done after ten minutes");
  await server.stop();
  process.exit(1);
}, 600000).unref();

for (const [where, port, base] of [["/upstash", server.http, "/upstash"], ["its own port", own, ""]]) {
  const redis = new Redis({ url: `http://127.0.0.1:${port}${base}`, token: "any" });
  for (const [what, test] of Object.entries(sdk))
    await check(`${where}: ${what}`, async () => (await redis.flushdb(), test(redis)));
  for (const [what, test] of Object.entries(wire))
    await check(`${where}: ${what}`, async () => (await redis.flushdb(), test(port, base)));
}
await check("the port has nothing else", async () => {
  for (const path of ["/stats", "/healthz", "/openapi.json", "/upstash"])
    assert.match((await request(own, "GET", path)).body.toString(), /unknown command/);
  assert.equal((await request(own, "GET", "http://x/keys")).status, 400);
});
await check("the server ends well, a subscriber still there", async () => {
  const c = net.connect(server.http, "127.0.0.1", () => c.write("POST /upstash/subscribe/c HTTP/1.1\r\nHost: x\r\n\r\n"));
  await new Promise((resolve) => c.once("data", resolve));
  assert.equal(await server.stop(), 0);
});
console.log(`1..${run}`);
process.exit(failures ? 1 : 0);
