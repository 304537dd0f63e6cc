/* event.h - the one change event per mutation: what happened to which key.
 *
 * Whoever changes a key says so, once for each change, after it and while the key's shard is still held exclusively:
 * handlers by call_changed (command.h), the store itself for expiry and eviction. The event goes to every sink that main
 * supplied: keyspace notifications, the HTTP watch, the log. A sink copies to memory: it never blocks, takes no lock
 * below LOCK_RANK_LEAF and never re-enters the store, but for store_peek of the event's own key. Layer: store. */
#ifndef FLASHKV_EVENT_H
#define FLASHKV_EVENT_H

#include <flashkv/slice.h>

struct txn;
struct key;

/* The classes of notify-keyspace-events, each its letter's bit. https://redis.io/docs/manual/keyspace-notifications */
enum event_class {
    EVENT_GENERIC = 1 << 0,  /* g: del, expire, rename_from, ... */
    EVENT_STRING = 1 << 1,   /* $ */
    EVENT_LIST = 1 << 2,     /* l */
    EVENT_SET = 1 << 3,      /* s */
    EVENT_HASH = 1 << 4,     /* h */
    EVENT_ZSET = 1 << 5,     /* z */
    EVENT_EXPIRED = 1 << 6,  /* x */
    EVENT_EVICTED = 1 << 7,  /* e */
    EVENT_NEW = 1 << 8,      /* n: a key was added; the change itself is told too, behind it */
    EVENT_MISS = 1 << 9,     /* m: a key was looked for in vain; no change, and told under a shared lock */
    EVENT_REMOVED = 1 << 10, /* for the log alone: `field` of the key, or all of it, went by itself */
};
enum { EVENT_ALL_CHANGES = EVENT_NEW - 1 }; /* each once: what watches and the letter A want */

struct event {
    struct txn *txn;       /* holds the key's shard; store_peek tells what the key is now */
    const struct key *key; /* borrowed for the length of the call */
    enum event_class class;
    const char *name;   /* Redis's: "set", "lpush", "expired"; static */
    struct slice field; /* of EVENT_REMOVED; ptr NULL: the key */
};

typedef void event_sink(void *ctx, const struct event *ev);

#endif
