/* event.h - the one change event per mutation: what happened to which key.
 *
 * The code that changes a key emits an event once for each change, after it and while the key's shard is still held
 * exclusively: handlers by call_changed (command.h), the store itself for expiry and eviction. The event is passed to every
 * sink that was added (store_add_sink): keyspace notifications, the HTTP watch, the log. A sink copies to memory: it never
 * blocks, takes only leaf locks and those of rank LOCK_RANK_LISTENERS, and never re-enters the store, except for store_peek of
 * the event's own key. Layer: store. */
#ifndef FLASHKV_EVENT_H
#define FLASHKV_EVENT_H

#include <flashkv/slice.h>

struct txn;
struct key;

/* The classes of notify-keyspace-events, each its letter's bit. https://redis.io/docs/manual/keyspace-notifications */
enum event_class {
    EVENT_GENERIC = 1 << 0, /* g: del, expire, rename_from, ... */
    EVENT_STRING = 1 << 1,  /* $ */
    EVENT_LIST = 1 << 2,    /* l */
    EVENT_SET = 1 << 3,     /* s */
    EVENT_HASH = 1 << 4,    /* h */
    EVENT_ZSET = 1 << 5,    /* z */
    EVENT_EXPIRED = 1 << 6, /* x */
    EVENT_EVICTED = 1 << 7, /* e */
    EVENT_NEW = 1 << 8,     /* n: a key was added; the event of the change itself follows */
    EVENT_MISS = 1 << 9,    /* m: a key was not found; no change, and emitted under a shared lock */
    EVENT_REMOVED =
        1 << 10, /* for the log alone: `field` of the key, or all of it, was removed by no command */
};
enum { EVENT_ALL_CHANGES = EVENT_NEW - 1 }; /* each change once: for watches and the letter A */

struct event {
    struct txn *txn;       /* holds the key's shard; store_peek gives the key's present state */
    const struct key *key; /* borrowed for the length of the call */
    enum event_class class;
    const char *name;   /* Redis's: "set", "lpush", "expired"; static */
    struct slice field; /* of EVENT_REMOVED; ptr NULL: the whole key */
};

typedef void event_sink(void *ctx, const struct event *ev);

#endif
