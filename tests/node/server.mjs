// A flashkv of the test's own on free ports, and requests to it with paths as they are written.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";

// A port that nobody listens on, and that the kernel gives to nobody who asks for just any, as every client does.
export async function freePort() {
  const first = parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"));
  for (;;) {
    const port = Math.floor(first / 2 * (1 + Math.random())), s = net.createServer();
    const free = await new Promise((resolve) => s.on("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!free) continue;
    await new Promise((closed) => s.close(closed));
    return port;
  }
}

export async function startServer(...options) {
  const child = spawn(process.env.FLASHKV ?? "./flashkv", ["--http-port=0", "--resp-port=0", ...options],
    { stdio: ["ignore", "ignore", "pipe"] });
  process.on("exit", () => child.kill("SIGKILL")); // should the test break off
  let log = "";
  const ports = await new Promise((resolve, reject) => {
    child.stderr.on("data", (text) => {
      log += text;
      const found = /ready: http on \S+?:(\d+), resp on \S+?:(\d+),/.exec(log);
      if (found) resolve({ http: Number(found[1]), resp: Number(found[2]) });
    });
    child.on("exit", () => reject(new Error(`flashkv ended:\n${log}`)));
    child.on("error", reject);
  });
  const ended = new Promise((resolve) => child.on("exit", (status) => resolve(status)));
  return { ...ports, stop: () => (child.kill("SIGTERM"), ended) };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

// {status, headers, body} of one request; a body that is an array is sent in chunks. Of an event stream, which does not end,
// the body is what comes at its beginning.
export function request(port, method, path, { body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const r = http.request({ host: "127.0.0.1", port, method, path, headers, agent }, (response) => {
      const parts = [];
      response.on("data", (part) => {
        if (parts.push(part) === 1 && response.headers["content-type"] === "text/event-stream") setTimeout(() => response.destroy(), 50);
      });
      response.on("close", () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(parts),
      }));
      response.on("error", reject);
    });
    r.on("error", reject);
    if (body !== undefined && !Array.isArray(body)) r.setHeader("Content-Length", Buffer.byteLength(body));
    if (body === undefined) for (const name of ["Content-Length", "Transfer-Encoding"]) r.removeHeader(name);
    for (const part of Array.isArray(body) ? body : []) r.write(part);
    r.end(Array.isArray(body) ? undefined : body);
  });
}
