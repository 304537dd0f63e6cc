/* pubsub.h - channels, patterns and shard channels: who is subscribed, and delivery to them.
 *
 *     publisher, any thread -> pubsub_publish -> the subscribers of the channel -> those of every pattern that matches
 *
 * A subscriber is a callback: a RESP session, an HTTP stream. The subscribers of one channel all see its messages in the
 * same order; those of one publisher keep their order everywhere.
 *
 * Locks: one reader-writer lock (LOCK_RANK_LISTENERS), shared to publish and exclusive to subscribe; and, while a topic
 * is delivered, its own mutex. Layer: pubsub. Thread-safe but for create and destroy; a subscriber's own calls
 * (subscribe, unsubscribe, leave) come from one thread at a time.
 * Source: https://redis.io/docs/manual/pubsub */
#ifndef FLASHKV_PUBSUB_H
#define FLASHKV_PUBSUB_H

#include <flashkv/slice.h>
#include <stdatomic.h>
#include <stdint.h>

enum pubsub_kind { PUBSUB_CHANNEL, PUBSUB_PATTERN, PUBSUB_SHARD, PUBSUB_KINDS };

struct blob;
struct pubsub;
struct store;
struct subscription;

/* The forms that clients are sent a message in. */
enum message_form { MESSAGE_RESP2, MESSAGE_RESP3, MESSAGE_UPSTASH, MESSAGE_JSON, MESSAGE_FORMS };

/* One message on its way to the subscribers of one topic. Borrowed for the length of a delivery. */
struct message {
    enum pubsub_kind kind;
    struct slice pattern; /* PUBSUB_PATTERN: the one that matched */
    struct slice channel, payload;
    /* What subscribers make of it for their clients, so that it is made once: whoever finds NULL where his form belongs puts it
     * there with the reference it was born with. pubsub_publish drops them. */
    struct blob *wire[MESSAGE_FORMS];
};

struct subscriber {
    /* Called under both locks, so for one topic by one thread at a time, for several by several: it copies to memory,
     * takes no lock but leaves, never blocks, and calls nothing of this header. */
    void (*deliver)(struct subscriber *s, struct message *m);
    struct subscription *first[PUBSUB_KINDS], *last[PUBSUB_KINDS]; /* private: in the order they came */
    _Atomic uint32_t counts[PUBSUB_KINDS]; /* of its subscriptions; any thread may read */
};

/* `store` lends its key hash. NULL: no memory. */
struct pubsub *pubsub_create(const struct store *store);
/* All subscribers have left. NULL is ignored. */
void pubsub_destroy(struct pubsub *ps);

enum pubsub_result { PUBSUB_DONE, PUBSUB_ALREADY, PUBSUB_NO_MEMORY };
/* To a channel, a pattern (glob.h) or a shard channel. Every message published after it returns is delivered. The
 * subscriber begins zeroed but for `deliver`. */
enum pubsub_result pubsub_subscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind,
                                    struct slice name);
/* False: it was not subscribed. After it returns nothing of that topic is delivered. */
bool pubsub_unsubscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind, struct slice name);
/* From everything: afterwards the subscriber may be freed. */
void pubsub_leave(struct pubsub *ps, struct subscriber *s);

/* Delivers to the subscribers of the channel and of the patterns that match it, or of the shard channel (kind
 * PUBSUB_CHANNEL or PUBSUB_SHARD); returns to how many. Under any lock below LOCK_RANK_LISTENERS; costs one load when
 * nobody is subscribed to anything. */
uint64_t pubsub_publish(struct pubsub *ps, enum pubsub_kind kind, struct slice channel, struct slice payload);

/* Channels, patterns or shard channels that somebody is subscribed to. Takes no lock. */
uint64_t pubsub_topics(const struct pubsub *ps, enum pubsub_kind kind);
/* Subscribers of one. */
uint64_t pubsub_subscribers(struct pubsub *ps, enum pubsub_kind kind, struct slice name);
/* Visits the names of all topics of a kind, or of one subscriber's, under the shared lock: copy, do not block. */
typedef void pubsub_visit(void *ctx, struct slice name);
void pubsub_each(struct pubsub *ps, enum pubsub_kind kind, pubsub_visit *visit, void *ctx);
void pubsub_each_of(struct pubsub *ps, const struct subscriber *s, enum pubsub_kind kind, pubsub_visit *visit,
                    void *ctx);

#endif
