#!/usr/bin/env node
// The two Redis clients of Node, as their users drive them: node-redis over RESP2 and RESP3, and ioredis.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import Ioredis from "ioredis";
import { createClient, RESP_TYPES, WatchError } from "redis";
import { startServer } from "./server.mjs";

const megabyte = Buffer.alloc(1 << 20, "0123456789abcde");
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const many = Array.from({ length: 1000 }, (_, i) => i);

const ends = (client) => new Promise((resolve) => client.once("end", resolve));

// Polls until `clients` of them wait for a key.
async function blocked(c, clients) {
  while (!String(await c.info("clients")).includes(`\r\nblocked_clients:${clients}\r\n`)) await setTimeout(5);
}

// Keeps what a subscription brings; `take(n)` is the next n of it, once they are there.
function inbox() {
  const messages = [];
  let arrived = () => {};
  return {
    put: (...message) => (messages.push(message), arrived()),
    take: async (count) => {
      while (messages.length < count) await new Promise((resolve) => { arrived = resolve; });
      return messages.splice(0, count);
    },
  };
}

// Runs `use` with one more client like `c`.
async function withAnother(c, use) {
  const other = c.duplicate();
  other.on("error", () => {});
  await other.connect();
  try {
    await use(other);
  } finally {
    (other.destroy ?? other.disconnect).call(other);
  }
}

// One test a row; `c` is a connected client, each with a database emptied before.
const nodeRedis = {
  "strings": async (c) => {
    assert.equal(await c.set("k", "v"), "OK");
    assert.equal(await c.get("k"), "v");
    assert.equal(await c.get("none"), null);
    assert.equal(await c.set("k", "w", { NX: true }), null);
    assert.deepEqual(await c.mGet(["k", "none"]), ["v", null]);
    assert.equal(await c.incrBy("n", 41), 41);
    assert.equal(await c.del(["k", "n", "none"]), 2);
  },
  "binary and large values": async (c) => {
    const raw = c.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    for (const value of [everyByte, megabyte, Buffer.alloc(0)]) {
      await c.set(everyByte, value);
      assert.ok(value.equals(await raw.get(everyByte)));
    }
  },
  "a pipeline": async (c) => {
    assert.deepEqual(await c.multi().set("k", "1").incr("k").get("k").execAsPipeline(), ["OK", 2, "2"]);
  },
  "lists": async (c) => {
    assert.equal(await c.rPush("l", ["a", "b", "c"]), 3);
    assert.equal(await c.lPush("l", "z"), 4);
    assert.deepEqual(await c.lRange("l", 0, -1), ["z", "a", "b", "c"]);
    assert.equal(await c.lPop("l"), "z");
    assert.equal(await c.lLen("l"), 3);
  },
  "expiry": async (c) => {
    await c.set("k", "v", { EX: 100 });
    const left = await c.ttl("k");
    assert.ok(left > 0 && left <= 100);
    assert.equal(await c.persist("k"), 1);
    assert.equal(await c.ttl("k"), -1);
    assert.equal(await c.pExpireAt("k", 1), 1);
    assert.equal(await c.exists("k"), 0);
  },
  "the scan iterator": async (c) => {
    await Promise.all(many.map((i) => c.set(`s:${i}`, "")));
    await c.set("other", "");
    const seen = new Set();
    for await (const keys of c.scanIterator({ MATCH: "s:*", COUNT: 100 })) keys.forEach((key) => seen.add(key));
    assert.equal(seen.size, many.length);
  },
  "errors": async (c) => {
    await c.set("k", "v");
    await assert.rejects(c.lPush("k", "x"), /^\S*Error: WRONGTYPE Operation against a key/);
    await assert.rejects(c.incr("k"), /ERR value is not an integer or out of range/);
    await assert.rejects(c.sendCommand(["NOSUCH"]), /ERR unknown command 'NOSUCH'/);
    assert.equal(await c.ping(), "PONG");
  },
  "transactions": async (c) => {
    assert.deepEqual(await c.multi().set("k", "1").incr("k").rPush("l", ["a", "b"]).exec(), ["OK", 2, 2]);
    const [set, failed, get] = await c.multi().set("k", "v").incr("k").get("k").exec().catch((error) => error.replies);
    assert.equal(set, "OK");
    assert.match(failed.message, /ERR value is not an integer or out of range/);
    assert.equal(get, "v");
    await assert.rejects(c.multi().addCommand(["NOSUCH"]).set("k", "w").exec(), /unknown command|EXECABORT/);
    assert.equal(await c.get("k"), "v");
  },
  "transactions with WATCH": async (c) => withAnother(c, async (other) => {
    await c.watch("k");
    assert.deepEqual(await c.multi().set("k", "mine").exec(), ["OK"]);
    await c.watch("k");
    await other.set("k", "theirs");
    await assert.rejects(c.multi().set("k", "mine").exec(), WatchError);
    assert.equal(await c.get("k"), "theirs");
    await c.watch("k");
    await other.del("k");
    await c.unwatch();
    assert.deepEqual(await c.multi().set("k", "mine").exec(), ["OK"]);
  }),
  "blocking": async (c) => withAnother(c, async (other) => {
    const popped = other.blPop(["none", "l"], 0);
    await blocked(c, 1);
    assert.equal(await c.rPush("l", ["a", "b"]), 2);
    assert.deepEqual(await popped, { key: "l", element: "a" });
    const moved = other.multi().blMove("l", "m", "LEFT", "RIGHT", 0).blPop("none", 0).exec();
    assert.deepEqual(await moved, ["b", null]);
    const least = other.bzPopMin("z", 0);
    await blocked(c, 1);
    await c.zAdd("z", [{ score: 2.5, value: "y" }, { score: 1.5, value: "x" }]);
    assert.deepEqual(await least, { key: "z", value: "x", score: 1.5 });
    assert.equal(await other.brPop("none", 0.02), null);
  }),
  "subscriptions": async (c) => withAnother(c, async (other) => {
    const got = inbox();
    await other.subscribe(["news", "weather"], got.put);
    await other.pSubscribe("n*", got.put);
    await other.sSubscribe("shard", got.put);
    assert.equal(await c.publish("news", "one"), 2);
    assert.deepEqual(await got.take(2), [["one", "news"], ["one", "news"]]);
    assert.equal(await c.publish("weather", "two"), 1);
    assert.equal(await c.sPublish("shard", "three"), 1);
    assert.deepEqual(await got.take(2), [["two", "weather"], ["three", "shard"]]);
    await other.unsubscribe("news"); // node-redis 5.12 waits for ever after an unsubscribe() from all, with Redis too
    await other.unsubscribe("weather");
    assert.equal(await c.publish("news", "four"), 1);
    assert.deepEqual(await got.take(1), [["four", "news"]]);
    await other.pUnsubscribe("n*");
    await other.sUnsubscribe("shard");
    assert.equal(await c.publish("news", "five"), 0);
    assert.equal(String(await other.ping()), "PONG"); // over RESP2, node-redis makes a Buffer of it
  }),
  "many commands at once": async (c) => {
    const counts = await Promise.all(many.map(() => c.incr("n")));
    assert.deepEqual(counts, many.map((i) => i + 1));
  },
};

const ioredis = {
  "strings": async (c) => {
    assert.equal(await c.set("k", "v"), "OK");
    assert.equal(await c.get("k"), "v");
    assert.equal(await c.get("none"), null);
    assert.deepEqual(await c.mget("k", "none"), ["v", null]);
    assert.equal(await c.del("k", "none"), 1);
  },
  "binary and large values": async (c) => {
    for (const value of [everyByte, megabyte, Buffer.alloc(0)]) {
      await c.set(everyByte, value);
      assert.ok(value.equals(await c.getBuffer(everyByte)));
    }
  },
  "a pipeline": async (c) => {
    const replies = [[null, "OK"], [null, 2], [null, "2"]];
    assert.deepEqual(await c.pipeline().set("k", "1").incr("k").get("k").exec(), replies);
  },
  "lists": async (c) => {
    assert.equal(await c.rpush("l", "a", "b", "c"), 3);
    assert.deepEqual(await c.lrange("l", 0, -1), ["a", "b", "c"]);
    assert.equal(await c.rpop("l"), "c");
  },
  "expiry": async (c) => {
    await c.set("k", "v", "PX", 100000);
    const left = await c.pttl("k");
    assert.ok(left > 0 && left <= 100000);
    assert.equal(await c.pexpireat("k", 1), 1);
    assert.equal(await c.exists("k"), 0);
  },
  "the scan stream": async (c) => {
    await Promise.all(many.map((i) => c.set(`s:${i}`, "")));
    const seen = new Set();
    for await (const keys of c.scanStream({ match: "s:*", count: 100 })) keys.forEach((key) => seen.add(key));
    assert.equal(seen.size, many.length);
  },
  "errors": async (c) => {
    await c.set("k", "v");
    await assert.rejects(c.lpush("k", "x"), /WRONGTYPE Operation against a key/);
    const [[failed], [, pong]] = await c.pipeline().incr("k").ping().exec();
    assert.match(failed.message, /ERR value is not an integer or out of range/);
    assert.equal(pong, "PONG");
  },
  "transactions": async (c) => {
    assert.deepEqual(await c.multi().set("k", "1").incr("k").hgetall("h").exec(), [[null, "OK"], [null, 2], [null, {}]]);
    const [, [failed], last] = await c.multi().set("k", "v").incr("k").get("k").exec();
    assert.match(failed.message, /ERR value is not an integer or out of range/);
    assert.deepEqual(last, [null, "v"]);
    await assert.rejects(c.multi().set("k").exec(), /EXECABORT Transaction discarded because of previous errors/);
    assert.equal(await c.get("k"), "v");
  },
  "transactions with WATCH": async (c) => withAnother(c, async (other) => {
    await c.watch("k");
    assert.deepEqual(await c.multi().set("k", "mine").exec(), [[null, "OK"]]);
    await c.watch("k");
    await other.set("k", "theirs");
    assert.equal(await c.multi().set("k", "mine").exec(), null);
    assert.equal(await c.get("k"), "theirs");
  }),
  "blocking": async (c) => withAnother(c, async (other) => {
    const popped = other.blpop("none", "l", 0);
    await blocked(c, 1);
    assert.equal(await c.rpush("l", "a", "b"), 2);
    assert.deepEqual(await popped, ["l", "a"]);
    assert.equal(await other.blmove("l", "m", "LEFT", "RIGHT", 0), "b");
    const least = other.bzpopmin("z", 0);
    await blocked(c, 1);
    await c.zadd("z", 2.5, "y", 1.5, "x");
    assert.deepEqual(await least, ["z", "x", "1.5"]);
    assert.equal(await other.brpop("none", 0.02), null);
  }),
  "subscriptions": async (c) => withAnother(c, async (other) => {
    const got = inbox();
    other.on("message", got.put);
    other.on("pmessage", got.put);
    assert.equal(await other.subscribe("news", "weather"), 2);
    assert.equal(await other.psubscribe("n*"), 3);
    assert.equal(await c.publish("news", "one"), 2);
    assert.deepEqual(await got.take(2), [["news", "one"], ["n*", "news", "one"]]);
    assert.equal(await c.publish("weather", "two"), 1);
    assert.deepEqual(await got.take(1), [["weather", "two"]]);
    assert.equal(await other.unsubscribe("news", "weather"), 1);
    assert.equal(await other.punsubscribe(), 0);
    assert.equal(await c.publish("news", "three"), 0);
    assert.equal(await other.ping(), "PONG");
  }),
  "many commands at once": async (c) => {
    const counts = await Promise.all(many.map(() => c.incr("n")));
    assert.deepEqual(counts, many.map((i) => i + 1));
  },
};

async function openNodeRedis(port, RESP) {
  const c = createClient({ RESP, socket: { host: "127.0.0.1", port, reconnectStrategy: false } });
  c.on("error", () => {}); // the command that failed says it
  await c.connect();
  return { c, empty: () => c.flushAll(), quit: () => c.close() };
}

async function openIoredis(port, options) {
  const c = new Ioredis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: null, ...options });
  c.on("error", () => {});
  await c.connect();
  const quit = async () => {
    const ended = ends(c);
    assert.equal(await c.quit(), "OK");
    await ended;
  };
  return { c, empty: () => c.flushall(), quit };
}

const clients = [
  ["node-redis, RESP2", nodeRedis, (port) => openNodeRedis(port, 2)],
  ["node-redis, RESP3", nodeRedis, (port) => openNodeRedis(port, 3)],
  ["ioredis", ioredis, (port) => openIoredis(port, {})],
  ["ioredis, auto pipelining", ioredis, (port) => openIoredis(port, { enableAutoPipelining: true })],
];

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

async function checkClient(port, [name, tests, open]) {
  let client;
  await check(`${name}: connect`, async () => { client = await open(port); });
  if (!client) return;
  for (const [what, test] of Object.entries(tests)) {
    await check(`${name}: ${what}`, async () => (await client.empty(), test(client.c)));
  }
  await check(`${name}: quit`, client.quit);
}

const server = await startServer();
globalThis.setTimeout(async () => {
  console.log("Bail out! not done after ten minutes");
  await server.stop();
  process.exit(1);
}, 600000).unref();
for (const client of clients) await checkClient(server.resp, client);
await check("the server ends well", async () => assert.equal(await server.stop(), 0));
console.log(`1..${run}`);
process.exit(failures ? 1 : 0);
