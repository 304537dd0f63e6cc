#!/usr/bin/env node
// The OpenAPI document: openapi/flashkv.yaml is written by hand, openapi/flashkv.json is made of it by running this,
// and goes into the binary. (Building would need a YAML parser otherwise; the contract test sees that they agree.)
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const file = (name) => fileURLToPath(new URL(`../../openapi/${name}`, import.meta.url));

export const yamlFile = file("flashkv.yaml");
export const fromYaml = () => parse(readFileSync(yamlFile, "utf8"), { intAsBigInt: false });
export const committedJson = () => readFileSync(file("flashkv.json"), "utf8");
export const asJson = (doc) => JSON.stringify(doc, null, 1) + "\n";

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file("flashkv.json"), asJson(fromYaml()));
