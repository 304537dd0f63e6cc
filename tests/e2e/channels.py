#!/usr/bin/env python3
"""POST /publish/{channel}, and /subscribe/{channel} and /psubscribe/{pattern} as server-sent events."""
import base64
import json
import socket
import threading

from fk import Events, run, same


def publish(server, channel, message):
    status, headers, body = server.request("POST", f"/publish/{channel}", message)
    same((status, headers["content-type"]), (200, "application/json"))
    return json.loads(body)["receivers"]


def test_channel(server):
    """a channel: what is published on either port comes, and nothing else"""
    same(publish(server, "news", "nobody hears it"), 0)
    with Events(server, "/subscribe/news") as events, server.client() as c:
        same(events.next(), ("subscribe", {"channel": "news", "subscriptions": 1}))
        same(publish(server, "news", "hello\nworld"), 1)
        same(c("PUBLISH", "news", "from Redis"), 1)
        same(c("PUBLISH", "other", "not for it"), 0)
        same(publish(server, "news", ""), 1)
        same(events.take(3), [("message", {"channel": "news", "message": m}) for m in ("hello\nworld", "from Redis", "")])
        same(c("PUBSUB", "NUMSUB", "news"), [b"news", 1])


def test_several(server):
    """several channels and patterns on one stream"""
    with Events(server, "/subscribe/a?channel=b%2Fc&pattern=p*&pattern=%5Bxy%5D") as events:
        same(events.take(4), [("subscribe", {"channel": "a", "subscriptions": 1}), ("subscribe", {"channel": "b/c", "subscriptions": 2}),
                              ("subscribe", {"pattern": "p*", "subscriptions": 3}), ("subscribe", {"pattern": "[xy]", "subscriptions": 4})])
        for channel in ("b%2Fc", "pop", "x", "z"):
            publish(server, channel, channel)
        same([d["channel"] for _, d in events.take(3)], ["b/c", "pop", "x"])
    with Events(server, "/psubscribe/n%2A?channel=a") as events:
        same([d.get("channel", d.get("pattern")) for _, d in events.take(2)], ["a", "n*"])
        publish(server, "news", "m")
        same(events.next(), ("message", {"pattern": "n*", "channel": "news", "message": "m"}))
    same(server.request("GET", "/subscribe/a?" + "&".join(["channel=c"] * 9))[0], 400, "over the limit of a query")
    same(server.request("GET", "/subscribe/a?other=1")[0], 400)


def test_bytes(server):
    """bytes that are not UTF-8 come as base64"""
    with Events(server, "/subscribe/%FF") as events:
        name = base64.b64encode(b"\xff").decode()
        same(events.next()[1], {"channel": name, "channel_encoding": "base64", "subscriptions": 1})
        publish(server, "%FF", b"\x00\xfe")
        same(events.next()[1], {"channel": name, "channel_encoding": "base64",
                                "message": base64.b64encode(b"\x00\xfe").decode(), "message_encoding": "base64"})


def test_confirmed_first(server):
    """the confirmation comes before what is published meanwhile"""
    stop = threading.Event()

    def flood():
        with server.client() as c:
            while not stop.is_set():
                c("PUBLISH", "busy", "m")

    threads = [threading.Thread(target=flood) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for path in ["/subscribe/busy"] * 40 + ["/subscribe/busy?pattern=bus*"] * 40:
            with Events(server, path) as events:
                names = [name for name, _ in events.take(4)]
                confirmations = 1 + ("pattern" in path)
                same(names[:confirmations], ["subscribe"] * confirmations)
                same(set(names[confirmations:]), {"message"})
    finally:
        stop.set()
        for t in threads:
            t.join()


def test_left(server):
    """who leaves is unsubscribed"""
    with server.client() as c:
        for _ in range(20):
            with Events(server, "/subscribe/a?pattern=*") as events:
                events.take(2)
        publish(server, "a", "x" * 100)
        while c("PUBSUB", "NUMSUB", "a") != [b"a", 0] or c("PUBSUB", "NUMPAT") != 0:
            publish(server, "a", "x" * 100)


STREAMS, LATER = 400, 20


def subscribe_raw(server, query):
    """A socket whose next bytes are the first chunk behind the confirmations."""
    c = socket.create_connection(("127.0.0.1", server.http))
    c.sendall(f"GET /subscribe/{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    got = b""
    while got.count(b"event: subscribe") < 2 or not got.endswith(b"\r\n"):
        got += c.recv(4096)
    return c


def next_chunk(c):
    with c.makefile("rb", buffering=0) as f:
        return f.read(int(f.readline(), 16))


def test_turns(server):
    """a message to many streams does not keep their thread: others are served before the last of them has it"""
    streams = [subscribe_raw(server, "news?channel=later") for _ in range(STREAMS)]
    one = b"POST /publish/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nm"
    with socket.create_connection(("127.0.0.1", server.http)) as c:
        c.sendall(one % b"news" + LATER * (one % b"later"))  # the thread answers one of them at a turn
        chunks = [next_chunk(s) for s in streams]
    for s in streams:
        s.close()
    same([chunk.count(b'"channel":"news"') for chunk in chunks], [1] * STREAMS)
    served = [chunk.count(b'"channel":"later"') for chunk in chunks]
    assert max(served) >= LATER // 2, f"{max(served)} requests were served while {STREAMS} streams got their message"


if __name__ == "__main__":
    run([test_channel, test_several, test_bytes, test_confirmed_first, test_left, (test_turns, "--http-threads=1")])
