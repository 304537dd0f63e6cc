#!/usr/bin/env node
// GET /docs in a real Chromium: the page shows all of the OpenAPI document, by itself. FLASHKV_SHOTS=DIR keeps pictures.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { openBrowser } from "./browser.mjs";
import { fromYaml } from "./openapi.mjs";
import { request, startServer } from "./server.mjs";

const doc = fromYaml();
const operations = Object.entries(doc.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => method !== "parameters").map(([method, o]) => ({ path, method, ...o })));
const server = await startServer("--requirepass=s3cret");
const base = `http://127.0.0.1:${server.http}`;
const browser = await openBrowser(base, /status of 401/);
const { page, see, shot, errors, outside } = browser;

async function signIn() {
  await page.goto(`${base}/docs`);
  if (await page.evaluate(() => sessionStorage.getItem("flashkv-token")) === null) {
    await page.getByLabel("Token").fill("s3cret");
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await see("#operations h2", "keys");
}

const tests = {
  async "without a token the page asks for it, and then shows the document"() {
    await page.goto(`${base}/docs`);
    await see("#status", "sign in with a token");
    assert.equal(await page.locator("details").count(), 0);
    await signIn();
    assert.equal(await page.locator("#title").innerText(), `FlashKV ${doc.info.version}`);
    await shot("docs");
  },

  async "every operation is there, with its parameters, statuses and a line of curl"() {
    await signIn();
    assert.equal(await page.locator("details.operation").count(), operations.length);
    for (const o of operations) {
      const block = page.locator(`details#${o.operationId}`), text = await block.evaluate((e) => e.textContent);
      for (const word of [o.path, o.method.toUpperCase(), "curl", ...Object.keys(o.responses)]) assert(text.includes(word), `${o.operationId}: ${word}`);
      for (const p of o.parameters ?? []) if (p.name) assert(text.includes(p.name), `${o.operationId}: ${p.name}`);
      assert.equal(await page.locator(`nav a[href="#${o.operationId}"]`).count(), 1);
    }
    for (const name of Object.keys(doc.components.schemas)) assert.equal(await page.locator(`#schema-${name}`).count(), 1, name);
    const text = await page.locator("main").evaluate((e) => e.textContent);
    for (const bad of ["undefined", "[object"]) assert(!text.includes(bad), bad);
  },

  async "a link opens its operation, and the search finds"() {
    await signIn();
    await page.locator('nav a[href="#putKey"]').click();
    await page.locator("details#putKey[open]").waitFor();
    assert.match(await page.locator("#putKey .curl pre").innerText(), /^curl -X PUT /);
    await shot("docs-operation");
    await page.getByLabel("Find").fill("snapshot");
    await see("#status", "found");
    assert(await page.locator("details#startSnapshot").isVisible());
    assert(!(await page.locator("details#putKey").isVisible()));
    await page.getByLabel("Find").fill("");
    assert(await page.locator("details#putKey").isVisible());
  },

  async "the lines of curl do what they say"() {
    await signIn();
    for (const [id, status] of [["putKey", 201], ["getKey", 200], ["listKeys", 200], ["batch", 200], ["deleteKey", 204], ["getStats", 200]]) {
      const line = await page.locator(`#${id} .curl pre`).evaluate((e) => e.textContent);
      const got = spawnSync("sh", ["-c", `${line.replace("TOKEN", "s3cret")} -s -o /dev/null -w '%{http_code}'`], { encoding: "utf8" });
      assert.equal(got.stdout, String(status), `${line}: ${got.stderr}`);
    }
  },

  async "dark and narrow"() {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 420, height: 800 });
    await signIn();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `the page is ${wide} px too wide`);
    await shot("docs-dark");
  },

  async "nothing was asked of anybody else, and no script failed"() {
    assert.deepEqual([outside, errors], [[], []]);
    const { headers } = await request(server.http, "GET", "/docs");
    assert.match(headers["content-security-policy"], /^default-src 'none'; script-src 'self'/);
    for (const file of ["base.css", "docs.css", "docs.js"]) assert.equal((await request(server.http, "GET", `/docs/${file}`)).status, 200);
  },
};

let failed = 0, n = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests))
  try {
    await test();
    console.log(`ok ${++n} - ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${++n} - ${name}\n${String(error.stack).replace(/^/gm, "# ")}`);
  }
await browser.close();
const status = await server.stop();
process.exit(failed > 0 || status !== 0 ? 1 : 0);
