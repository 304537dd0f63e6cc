// What a user of the generated client writes; generated.mjs type-checks and runs it: use.js BASE PASSWORD.
import * as flashkv from "./client";
import { client } from "./client/client.gen";

declare const process: { argv: string[]; exitCode: number };

function same(got: unknown, want: unknown, what: string) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}

async function keys() {
  const path = { key: "a/b c\u00e9" };
  same((await flashkv.putKey({ path, body: new Blob(["hello"]), query: { ttl: 100 } })).response.status, 201, "PUT");
  const got = await flashkv.getKey({ path });
  same(await (got.data as unknown as Blob).text(), "hello", "GET"); // what it is follows its Content-Type
  same(got.response.headers.get("content-type"), "application/octet-stream", "Content-Type");
  const tag = got.response.headers.get("etag") ?? "";
  same((await flashkv.getKey({ path, headers: { "If-None-Match": tag } })).response.status, 304, "If-None-Match");
  const stale = await flashkv.putKey({ path, body: new Blob(["x"]), headers: { "If-Match": '"0000000000000000"' } });
  same(stale.response.status, 412, "If-Match");
  same((await flashkv.deleteKey({ path })).response.status, 204, "DELETE");
  const gone = await flashkv.getKey({ path });
  same([gone.error?.status, gone.error?.title], [404, "Not Found"], "a problem");
}

async function collections() {
  const path = { key: "l" };
  same((await flashkv.pushList({ path, body: ["a", "b"] })).data?.length, 2, "push");
  same((await flashkv.getList({ path, query: { start: 1 } })).data?.values, ["b"], "a part of a list");
  await flashkv.setHashFields({ path: { key: "h" }, body: { name: "Ada" } });
  same((await flashkv.getHash({ path: { key: "h" } })).data?.fields, { name: "Ada" }, "a hash");
}

async function batches() {
  const { data } = await flashkv.batch({ body: [{ op: "put", key: "n", value: "41" }, { op: "incr", key: "n" }, { op: "get", key: "none" }] });
  same(data?.map((r) => r.status), [201, 200, 404], "a batch");
  const names = (await flashkv.listKeys({ query: { prefix: "n" } })).data?.keys;
  same(names, ["n"], "the keys");
}

async function service() {
  const { data } = await flashkv.getStats();
  same(data?.total.keys, 3, "statistics");
  same((await flashkv.getStats({ auth: () => "wrong" })).error?.status, 401, "a wrong password");
}

async function main() {
  // The document offers Basic too: by bearer is enough.
  client.setConfig({ baseUrl: process.argv[2], auth: ({ scheme }) => (scheme === "bearer" ? process.argv[3] : undefined) });
  await keys();
  await collections();
  await batches();
  await service();
  console.log("done");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
