#!/usr/bin/env node
// A client that a stock generator (@hey-api/openapi-ts) makes of the OpenAPI document: it is generated, type-checked with the
// program that uses it (generated.ts), and run against a server.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@hey-api/openapi-ts";
import { startServer } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "flashkv-generated-"));

function run(...args) {
  const got = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });
  assert.equal(got.status, 0, `${args.join(" ")}:\n${got.stdout}${got.stderr}`);
  return got.stdout;
}

async function generate() {
  await createClient({ input: here("../../openapi/flashkv.json"), output: join(folder, "client"), plugins: ["@hey-api/client-fetch"], logs: { level: "silent" } });
}

function check() {
  copyFileSync(here("generated.ts"), join(folder, "use.ts"));
  writeFileSync(join(folder, "package.json"), '{"type":"commonjs"}');
  const compilerOptions = { strict: true, target: "es2022", module: "node16", lib: ["es2023", "dom", "dom.iterable"], types: [], outDir: "built" };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  run(here("node_modules/typescript/lib/tsc.js"), "-p", ".");
}

async function use() {
  const server = await startServer("--requirepass=s3cret");
  try {
    assert.match(run("built/use.js", `http://127.0.0.1:${server.http}`, "s3cret"), /^done\n$/);
  } finally {
    assert.equal(await server.stop(), 0, "exit status");
  }
}

const tests = {
  "the generator takes the document": generate,
  "a program passes the type checker with the client": check,
  "keys, lists, batches, pages and statistics by the client": use,
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
rmSync(folder, { recursive: true });
process.exit(failed > 0 ? 1 : 0);
