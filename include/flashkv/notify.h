/* notify.h - keyspace notifications: change events of the store as messages of pub/sub.
 *
 *     channel __keyspace@0__:KEY     message EVENT    (letter K)
 *     channel __keyevent@0__:EVENT   message KEY      (letter E)
 *
 * Switched off they cost nothing: the store then emits no events to this sink. Layer: pubsub. Thread-safe except for init.
 * Source: https://redis.io/docs/manual/keyspace-notifications */
#ifndef FLASHKV_NOTIFY_H
#define FLASHKV_NOTIFY_H

#include <flashkv/event.h>
#include <flashkv/pubsub.h>

struct notify {
    struct pubsub *pubsub;
    struct store *store;
    unsigned sink;          /* its number (store_add_sink) */
    _Atomic uint32_t kinds; /* which of the two messages are wanted */
};

/* Before any transaction; initially off. Both must outlive it. */
void notify_init(struct notify *n, struct store *store, struct pubsub *ps);
/* Applies the letters of notify-keyspace-events, which have been validated, to commands that begin from now on. */
void notify_set(struct notify *n, struct slice letters);

#endif
