// Debian's Chromium on a profile of its own, for tests of the pages that the service serves.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PATIENCE = 60000; // ms until what has to happen must have happened, on the busiest machine: as in tests/e2e/fk.py
const shots = process.env.FLASHKV_SHOTS;

// `outside` has what was asked of others than `base`, `errors` what the page did wrong. A status of `expected` (a RegExp), which
// Chromium reports too, is none. FLASHKV_SHOTS=DIR keeps pictures.
export async function openBrowser(base, expected) {
  const profile = mkdtempSync(join(tmpdir(), "flashkv-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM, args: FLAGS, viewport: { width: 1180, height: 860 }, timeout: PATIENCE,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const outside = [], errors = [];
  page.on("request", (r) => r.url().startsWith(base) || outside.push(r.url()));
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => m.type() === "error" && !expected.test(m.text()) && errors.push(m.text()));
  page.on("dialog", (d) => d.accept());
  return {
    page, outside, errors,
    shot: async (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) }),
    see: (selector, words) => page.locator(selector, { hasText: words }).first().waitFor(),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
