// page.js - what the console's parts share: talking to the server, and pieces of the page. What comes from the store is only ever
// put into the page as text.

export const $ = (id) => document.getElementById(id);

// ---- talking to the server ----------------------------------------------------------------------------------------

const TOKEN = "flashkv-token";
export const headers = () => {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
};
export const signIn = (token) => sessionStorage.setItem(TOKEN, token);

const SAID_MS = 5000;
let saidAt = -SAID_MS;

export function say(text, bad = false) {
  saidAt = performance.now();
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}
// What stands there when nothing else was said lately.
export function sayQuietly(text) {
  if (performance.now() - saidAt < SAID_MS) return;
  $("status").textContent = text;
  $("status").classList.remove("bad");
}

export async function request(path, options = {}) {
  // Without the browser's own credentials, or it would ask for a password itself before this page can.
  const r = await fetch(path, { credentials: "omit", ...options, headers: { ...headers(), ...options.headers } });
  $("login").hidden = r.status !== 401;
  if (r.status === 401) throw new Error("sign in with a token");
  return r;
}

class CommandError extends Error {}

// Bytes that are no UTF-8: shown with escapes, and sent as they are.
export class Binary {
  constructor(bytes) {
    this.bytes = bytes;
  }
  toString() {
    return Array.from(this.bytes, (b) => (b >= 32 && b < 127 && b !== 92 ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, "0")}`)).join("");
  }
}

// Strings come as base64, so that any bytes survive; but OK, which is not, comes as it is.
export function textOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new Binary(bytes);
  }
}
const decode = (x) => (x === "OK" ? x : typeof x === "string" ? textOf(x) : Array.isArray(x) ? x.map(decode) : x);

async function ask(path, body) {
  const r = await request(path, { method: "POST", headers: { "Content-Type": "application/json", "Upstash-Encoding": "base64" }, body });
  const reply = await r.json();
  if (reply.error !== undefined) throw new CommandError(reply.error);
  return reply;
}

// JSON has no bytes, but a path has.
const segment = (arg) => (arg instanceof Binary ? Array.from(arg.bytes, (b) => `%${b.toString(16).padStart(2, "0")}`).join("") : encodeURIComponent(arg));

// Runs one command; the reply with its strings as text, or Binary. The server's error becomes a CommandError.
export async function run(...args) {
  const { result } = args.some((arg) => arg instanceof Binary)
    ? await ask(`/upstash/${args.map(segment).join("/")}`)
    : await ask("/upstash", JSON.stringify(args.map(String)));
  return decode(result);
}

// Runs several, all or none of them, and nobody else's in between: their replies.
export async function runTogether(...commands) {
  if (commands.flat().some((arg) => arg instanceof Binary)) throw new Error("what is not text cannot be changed here");
  const replies = await ask("/upstash/multi-exec", JSON.stringify(commands.map((c) => c.map(String))));
  for (const { error } of replies) if (error !== undefined) throw new CommandError(error);
  return replies.map(({ result }) => decode(result));
}

// ---- pieces of the page -------------------------------------------------------------------------------------------

export function element(name, properties = {}, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}
export const row = (...cells) => element("tr", {}, ...cells.map((c) => element("td", {}, c instanceof Node ? c : String(c))));
export const button = (text, action) => element("button", { type: "button", textContent: text, onclick: () => guard(action) });
export const hint = (text) => element("p", { className: "hint", textContent: text });
export const labelled = (text, field) => element("label", {}, `${text} `, field);
// A form whose fields are `children`; `action` runs when it is sent.
export const form = (action, ...children) => element("form", { onsubmit: (e) => {
  e.preventDefault();
  guard(action);
} }, ...children);

export function number(n) {
  for (const unit of ["", "k", "M", "G"]) {
    if (Math.abs(n) < 1000 || unit === "G") return (unit && Math.abs(n) < 100 ? n.toFixed(1) : Math.round(n)) + unit;
    n /= 1000;
  }
}
export function size(n) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024 || unit === "GiB") return `${unit !== "B" && n < 100 ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1024;
  }
}
// Runs an action of the user's and tells what went wrong.
export async function guard(action) {
  try {
    await action();
  } catch (e) {
    say(e.message, true);
  }
}
