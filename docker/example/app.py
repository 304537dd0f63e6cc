#!/usr/bin/env python3
"""The example application: counts visits with a Redis client, keeps a page over HTTP, and shows both.

    GET /          {"visits": N, "page": "...", "etag": "..."}
    PUT /page      replaces the page, unless somebody else did since it was read (If-Match is passed on)
"""
import http.client
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

HOST = os.environ.get("FLASHKV_HOST", "flashkv")
with open(os.environ["FLASHKV_PASSWORD_FILE"], encoding="utf-8") as f:
    PASSWORD = f.read().strip()
COUNTERS = redis.Redis(host=HOST, port=6379, password=PASSWORD, decode_responses=True)


def rest(method, path, body=None, headers=None):
    """One request to FlashKV's HTTP port: (status, headers, body)."""
    c = http.client.HTTPConnection(HOST, 8080, timeout=5)
    try:
        c.request(method, path, body, {"Authorization": f"Bearer {PASSWORD}", **(headers or {})})
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


class App(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path != "/":
            self.answer(404, {"error": "only / and /page"})
            return
        status, headers, body = rest("GET", "/keys/page")
        self.answer(200, {"visits": COUNTERS.incr("visits"), "page": body.decode() if status == 200 else None,
                          "etag": headers.get("ETag")})

    def do_PUT(self):
        length = int(self.headers.get("Content-Length", 0))
        condition = {"If-Match": self.headers["If-Match"]} if "If-Match" in self.headers else {}
        status, headers, _ = rest("PUT", "/keys/page", self.rfile.read(length), {"Content-Type": "text/plain", **condition})
        self.answer(status, {"etag": headers.get("ETag")})


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), App).serve_forever()
