#!/usr/bin/env node
// The console in a real Chromium: what a person does with it, by mouse and by keyboard. FLASHKV_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { createClient } from "redis";
import { openBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

const server = await startServer();
const base = `http://127.0.0.1:${server.http}`;
const client = createClient({ socket: { port: server.resp } });
await client.connect();
// A command that answers an error is status 400, which Chromium reports too.
const browser = await openBrowser(base, /status of 400/);
const { page, outside, errors, shot, see } = browser;
const text = (selector) => page.locator(selector).innerText();
const open = (view) => page.goto(`${base}/ui#${view}`).then(() => page.reload());

async function fill() {
  await client.flushAll();
  await client.set("greeting", "hello");
  await client.set("<img src=x onerror=alert(1)>", "<script>document.title='owned'</script>");
  await client.hSet("user:1", { name: "Ada", born: "1815" });
  await client.rPush("jobs", ["one", "two", "three"]);
  await client.sAdd("tags", ["red", "green"]);
  await client.zAdd("board", [{ value: "ada", score: 10 }, { value: "bob", score: 7 }]);
  await client.set("session", "x", { EX: 5000 });
}

const tests = {
  async "the overview shows figures, graphs and 64 shards"() {
    await open("overview");
    await see("#figures dd", "7");
    assert.equal(await page.locator("#shards button").count(), 64);
    await page.waitForFunction(() => document.querySelector("#graph-memory path.a")?.getAttribute("d").includes("L"));
    assert.match(await page.locator("#shards button").first().getAttribute("title"), /^shard 0: \d+ keys/);
    await shot("overview");
  },

  async "keys of every type are found, shown and changed"() {
    await open("keys");
    await see("#key-list li", "greeting");
    assert.equal(await page.locator("#key-list li").count(), 7);
    await page.getByRole("option", { name: "greeting" }).click();
    await page.evaluate(() => (document.getElementById("status").textContent = ""));
    await page.getByLabel("Value").fill("changed");
    await page.getByRole("button", { name: "Save" }).click();
    await see("#status", "saved");
    assert.equal(await client.get("greeting"), "changed");
    for (const [key, words] of [["jobs", "3 of 3"], ["tags", "2 of 2"], ["board", "2 of 2"], ["user:1", "2 of 2"]]) {
      await page.getByRole("option", { name: key, exact: true }).click();
      await see("#key-view h2", key);
      await see("#key-view", words);
    }
    await shot("keys");
    await page.getByPlaceholder("field").fill("died");
    await page.getByPlaceholder("value").fill("1852");
    await page.getByRole("button", { name: "Add" }).click();
    await see("#key-view", "3 of 3");
    assert.equal(await client.hGet("user:1", "died"), "1852");
  },

  async "what was chosen last is shown, though it is answered first"() {
    const isSlow = (r) => (r.postData() ?? "").startsWith('["LRANGE","jobs"');
    let release;
    const released = new Promise((resolve) => (release = resolve));
    await page.route((url) => url.pathname === "/upstash", async (route) => {
      if (isSlow(route.request())) await released;
      await route.continue();
    });
    await open("keys");
    const asked = page.waitForRequest(isSlow), answered = page.waitForResponse((r) => isSlow(r.request()));
    await page.getByRole("option", { name: "jobs" }).click();
    await asked;
    await page.getByRole("option", { name: "tags" }).click();
    await see("#key-view h2", "tags");
    release();
    await (await answered).finished();
    await page.evaluate(() => new Promise((later) => setTimeout(later, 100))); // it would have been shown
    assert.equal(await text("#key-view h2"), "tags");
    await page.unrouteAll({ behavior: "wait" });
  },

  async "a key of each type is created, with an expiry if there is to be one"() {
    await open("keys");
    await see("#key-list li", "greeting"); // the search is over, and says no more
    for (const [type, name, fields, check] of [
      ["string", "s", { value: "v" }, async () => assert.equal(await client.get("s"), "v")],
      ["list", "l", { element: "one" }, async () => assert.deepEqual(await client.lRange("l", 0, -1), ["one"])],
      ["hash", "h", { field: "f", value: "v" }, async () => assert.deepEqual({ ...await client.hGetAll("h") }, { f: "v" })],
      ["set", "m", { member: "a" }, async () => assert.deepEqual(await client.sMembers("m"), ["a"])],
      ["zset", "z", { member: "a", score: "2.5" }, async () => assert.equal(await client.zScore("z", "a"), 2.5)],
    ]) {
      await page.getByRole("button", { name: "New key" }).click();
      await page.getByLabel("Key", { exact: true }).fill(name);
      await page.getByLabel("of type").selectOption(type);
      for (const [field, value] of Object.entries(fields)) await page.locator(".fields").getByLabel(field).fill(value);
      if (type === "hash") await page.getByLabel("Seconds to live").fill("5000");
      if (type === "hash") await shot("new-key");
      await page.getByRole("button", { name: "Create" }).click();
      await see("#status", `${name} created`);
      await see("#key-list li[aria-selected=true]", name);
      assert.equal(await client.type(name), type);
      await check();
    }
    assert.ok(await client.ttl("h") > 4000);
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Key", { exact: true }).fill("jobs");
    await page.getByRole("button", { name: "Create" }).click();
    await see("#status.bad", "jobs exists already");
    assert.equal(await client.type("jobs"), "list");
  },

  async "a key that another client creates at the same time is left alone"() {
    await open("keys");
    await page.route("**/upstash/multi-exec", async (route) => { // what creates it is on its way
      await client.rPush("raced", "theirs");
      await route.continue();
    });
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Key", { exact: true }).fill("raced");
    await page.getByLabel("of type").selectOption("list");
    await page.locator(".fields").getByLabel("element").fill("ours");
    await page.getByRole("button", { name: "Create" }).click();
    await see("#status.bad", "raced exists already");
    await page.unroute("**/upstash/multi-exec");
    assert.deepEqual(await client.lRange("raced", 0, -1), ["theirs"]);
    assert.deepEqual(await client.keys("raced*"), ["raced"]);
    await client.del("raced");
  },

  async "elements, fields, members and scores are added, changed and removed"() {
    const cell = (n) => page.locator("#key-view tbody input").nth(n);
    const change = async (n, value) => {
      await page.evaluate(() => (document.getElementById("status").textContent = "")); // what the last change said
      await cell(n).fill(value);
      await cell(n).press("Tab");
      await see("#status", "saved");
    };
    const choose = (key) => page.getByRole("option", { name: key, exact: true }).click();
    await open("keys");
    await choose("jobs");
    await change(1, "TWO");
    await page.getByPlaceholder("element").fill("zero");
    await page.getByRole("button", { name: "Add at the front" }).click();
    await see("#key-view", "4 of 4");
    await page.getByPlaceholder("element").fill("four");
    await page.getByPlaceholder("element").press("Enter");
    await see("#key-view", "5 of 5");
    await page.getByRole("button", { name: "Remove 1", exact: true }).click();
    await see("#key-view", "4 of 4");
    assert.deepEqual(await client.lRange("jobs", 0, -1), ["zero", "TWO", "three", "four"]);
    await shot("list");
    await choose("tags");
    await see("#key-view", "2 of 2");
    await page.getByRole("button", { name: "Remove red" }).click();
    await see("#key-view", "1 of 1");
    await change(0, "blue");
    assert.deepEqual(await client.sMembers("tags"), ["blue"]);
    await choose("board");
    await see("#key-view td", "bob");
    await change(0, "12");
    await page.getByPlaceholder("member").fill("cy");
    await page.getByPlaceholder("score").fill("1e3");
    await page.getByRole("button", { name: "Add" }).click();
    await see("#key-view", "3 of 3");
    assert.deepEqual(await client.zRangeWithScores("board", 0, -1), [["ada", 10], ["bob", 12], ["cy", 1000]].map(([value, score]) => ({ value, score })));
    await choose("user:1");
    await see("#key-view", "hash");
    await change(0, "Ada King");
    await page.getByRole("button", { name: "Remove born" }).click();
    await see("#key-view", "1 of 1");
    assert.deepEqual({ ...await client.hGetAll("user:1") }, { name: "Ada King" });
    await page.getByRole("button", { name: "Remove name" }).click();
    await see("#key-view", "user:1 is gone");
  },

  async "bytes that are no text are shown, found again and not spoilt; long collections come in pages"() {
    await client.flushAll();
    await client.set(Buffer.from([0x6b, 0xff]), Buffer.from([0xfe, 0x5c]));
    await client.hSet("bytes", { f: Buffer.from([0x80]) });
    await client.rPush("long", Array.from({ length: 250 }, (_, i) => `element ${i}`));
    await open("keys");
    await page.getByRole("option", { name: "k\\xff" }).click();
    await see("#key-view", "Not text");
    assert.equal(await page.getByLabel("Value").inputValue(), "\\xfe\\x5c");
    assert.equal(await page.getByRole("button", { name: "Save" }).count(), 0);
    await page.getByLabel("Seconds to live").fill("500");
    await page.getByRole("button", { name: "Set TTL" }).click();
    await see("#key-view", "expires in");
    assert.ok(await client.ttl(Buffer.from([0x6b, 0xff])) > 400);
    await page.getByRole("option", { name: "bytes" }).click();
    await see("#key-view td", "\\x80");
    assert.equal(await page.locator("#key-view tbody input").count(), 0);
    await page.getByRole("option", { name: "long" }).click();
    await see("#key-view", "100 of 250");
    await page.getByRole("button", { name: "More rows" }).click();
    await see("#key-view", "200 of 250");
    await page.getByRole("button", { name: "More rows" }).click();
    await see("#key-view", "250 of 250");
    assert.equal(await page.getByRole("button", { name: "More rows" }).isVisible(), false);
  },

  async "by keyboard alone: a key is created, edited and deleted"() {
    await open("overview");
    await page.locator("#figures dd").first().waitFor();
    await page.keyboard.press("n");
    await see("#key-list li", "greeting"); // the search is over, and says no more
    await page.keyboard.type("typed");
    await page.keyboard.press("Tab");
    await page.keyboard.type("hash");
    await page.keyboard.press("Tab");
    await page.keyboard.type("f");
    await page.keyboard.press("Tab");
    await page.keyboard.type("v");
    await page.keyboard.press("Enter");
    await see("#status", "typed created");
    await page.locator("#key-list").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("changed");
    await page.keyboard.press("Tab");
    await see("#status", "saved");
    assert.equal(await client.hGet("typed", "f"), "changed");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Delete");
    await see("#key-view", "Deleted");
    assert.equal(await client.exists("typed"), 0);
  },

  async "an expiry is shown, set and taken away; a key is deleted"() {
    await open("keys");
    await page.getByRole("option", { name: "session" }).click();
    await see("#key-view", "expires in");
    await page.getByLabel("Seconds to live").fill("");
    await page.getByRole("button", { name: "Set TTL" }).click();
    await see("#key-view", "never expires");
    assert.equal(await client.ttl("session"), -1);
    await page.getByRole("button", { name: "Delete key" }).click();
    await see("#key-view", "Deleted");
    assert.equal(await client.exists("session"), 0);
  },

  async "a pattern and a type narrow the search"() {
    await open("keys");
    await page.getByLabel("Pattern").first().fill("*s*");
    await page.getByLabel("Type").selectOption("set");
    await page.getByRole("button", { name: "Search" }).click();
    await see("#status", "1 keys");
    assert.equal(await text("#key-list"), "tags");
  },

  async "what is stored never runs"() {
    await open("keys");
    await page.locator("#key-list li", { hasText: "<img" }).click();
    await see("#key-view h2", "<img");
    assert.equal(await page.locator("#key-view img").count(), 0);
    assert.equal(await page.title(), "FlashKV console");
  },

  async "by keyboard alone: views, search, list"() {
    await open("overview");
    await page.locator("#figures dd").first().waitFor();
    await page.keyboard.press("2");
    await see("#key-list li", "greeting");
    await page.keyboard.press("/");
    await page.keyboard.type("greet*");
    await page.keyboard.press("Enter");
    await see("#status", "1 keys");
    await page.locator("#key-list").focus();
    await page.keyboard.press("ArrowDown");
    await see("#key-view h2", "greeting");
  },

  async "the command line runs commands, tells errors and remembers"() {
    await open("command");
    await page.locator("#line").fill('set "two words" "a\\nb"');
    await page.keyboard.press("Enter");
    await see("#transcript", "OK");
    assert.equal(await client.get("two words"), "a\nb");
    await page.locator("#line").fill("lrange jobs 0 -1");
    await page.keyboard.press("Enter");
    await see("#transcript", '3) "three"');
    await page.locator("#line").fill("incr jobs");
    await page.keyboard.press("Enter");
    await see("#transcript .error", "WRONGTYPE");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.locator("#line").inputValue(), "incr jobs");
    await shot("command");
  },

  async "the watch shows changes as they happen"() {
    await open("watch");
    await page.locator("#watch-pattern").fill("w*");
    await page.keyboard.press("Enter");
    await see("#watch-state", /^watching$/); // "not watching" has the word, too
    await client.set("w1", "one");
    await client.set("other", "not shown");
    await client.rPush("w2", "x");
    await client.expire("w1", 1000);
    await client.del("w2");
    await client.set(Buffer.from([0x77, 0xff]), "binary");
    await see("#watch-rows tr.set", "w\\xff");
    assert.deepEqual(await page.locator("#watch-rows tr td:nth-child(2)").allInnerTexts(), ["set", "delete", "ttl", "set", "set"]);
    await see("#watch-rows tr.set", "one");
    await see("#watch-rows tr.ttl", "expires");
    await shot("watch");
    await page.emulateMedia({ colorScheme: "dark" });
    await shot("watch-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByRole("button", { name: "w1" }).first().click();
    await see("#key-view h2", "w1");
    await page.keyboard.press("Escape");
    await page.getByRole("tab", { name: "Watch" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await see("#watch-state", "not watching");
    await client.set("w3", "unseen");
    assert.equal(await page.locator("#watch-rows tr").count(), 5);
  },

  async "the slow log shows what was slow"() {
    await client.configSet("slowlog-log-slower-than", "0");
    await client.get("a-slow-one");
    await client.configSet("slowlog-log-slower-than", "10000");
    await open("slowlog");
    await see("#slowlog-rows", "a-slow-one");
    await shot("slowlog");
  },

  async "dark and light"() {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    const light = await paper();
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await paper(), light);
    await open("keys");
    await page.getByRole("option", { name: "board" }).click();
    await see("#key-view", "2 of 2");
    await shot("keys-dark");
    await open("overview");
    await see("#figures dd", "7");
    await shot("dark");
    await page.emulateMedia({ colorScheme: "light" });
  },

  async "it works offline: nothing is asked of anybody else, and no script failed"() {
    assert.deepEqual(outside, []);
    assert.deepEqual(errors, []);
  },
};

page.setDefaultTimeout(20000);
let failed = 0, n = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
  n++;
  try {
    await fill();
    await test();
    console.log(`ok ${n} - ${name}`);
  } catch (e) {
    failed++;
    console.log(`not ok ${n} - ${name}\n${String(e.stack).replace(/^/gm, "# ")}`);
  }
}
await browser.close();
await client.quit();
const status = await server.stop();
process.exit(failed > 0 || status !== 0 ? 1 : 0);
