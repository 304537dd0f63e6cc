/* notify.h - keyspace notifications: change events of the store as messages of pub/sub.
 *
 *     __keyspace@0__:KEY   says EVENT    (letter K)
 *     __keyevent@0__:EVENT says KEY      (letter E)
 *
 * Off, they cost nothing: the store does not tell of its changes then. Layer: pubsub. Thread-safe but for init.
 * Source: https://redis.io/docs/manual/keyspace-notifications */
#ifndef FLASHKV_NOTIFY_H
#define FLASHKV_NOTIFY_H

#include <flashkv/event.h>
#include <flashkv/pubsub.h>

struct notify {
    struct pubsub *pubsub;
    struct store *store;
    unsigned sink;          /* of the store */
    _Atomic uint32_t kinds; /* which of the two messages are wanted */
};

/* Before any transaction; off at first. Both outlive it. */
void notify_init(struct notify *n, struct store *store, struct pubsub *ps);
/* What notify-keyspace-events says, its letters known to be right; commands that begin from now on are told so. */
void notify_set(struct notify *n, struct slice letters);

#endif
