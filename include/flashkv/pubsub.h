/* pubsub.h - channels, patterns and shard channels: who is subscribed, and delivery to them.
 *
 *     publisher, any thread -> pubsub_publish -> the channel's subscribers -> those of every matching pattern
 *
 * A subscriber is a callback: a RESP session, an HTTP stream. The subscribers of one channel all see its messages in the
 * same order; those of one publisher keep their order everywhere.
 *
 * Locks: one reader-writer lock (LOCK_RANK_LISTENERS), shared to publish and exclusive to subscribe; and during delivery the
 * topic's own mutex. Layer: pubsub. Thread-safe except for create and destroy; a subscriber's own calls
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

/* The encodings of a message for clients. */
enum message_form { MESSAGE_RESP2, MESSAGE_RESP3, MESSAGE_UPSTASH, MESSAGE_JSON, MESSAGE_FORMS };

/* One message for the subscribers of one topic. Valid for the length of the delivery. */
struct message {
    enum pubsub_kind kind;
    struct slice pattern; /* PUBSUB_PATTERN: the one that matched */
    struct slice channel, payload;
    /* The encoded message, made once for each form: a subscriber that finds NULL encodes it and stores it here with its
     * reference. pubsub_publish drops the references. */
    struct blob *wire[MESSAGE_FORMS];
};

struct subscriber {
    /* Called under both locks: for one topic by one thread at a time, for different topics concurrently. It copies to memory,
     * takes only leaf locks, never blocks, and calls no function of this header. */
    void (*deliver)(struct subscriber *s, struct message *m);
    struct subscription *first[PUBSUB_KINDS], *last[PUBSUB_KINDS]; /* private: in order of subscription */
    _Atomic uint32_t counts[PUBSUB_KINDS]; /* of its subscriptions; any thread may read */
};

/* Topics are hashed by the store's key hash; `store` must outlive the registry. NULL: no memory. */
struct pubsub *pubsub_create(const struct store *store);
/* All subscribers must have left. NULL is ignored. */
void pubsub_destroy(struct pubsub *ps);

enum pubsub_result { PUBSUB_DONE, PUBSUB_ALREADY, PUBSUB_NO_MEMORY };
/* Subscribes to a channel, a pattern (glob.h) or a shard channel. Every message published after the return is delivered. A new
 * subscriber is zeroed except for `deliver`. */
enum pubsub_result pubsub_subscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind,
                                    struct slice name);
/* False: it was not subscribed. After the return nothing of that topic is delivered. */
bool pubsub_unsubscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind, struct slice name);
/* Unsubscribes from everything: afterwards the subscriber may be freed. */
void pubsub_leave(struct pubsub *ps, struct subscriber *s);

/* Delivers to the subscribers of the channel and of the patterns that match it (PUBSUB_CHANNEL), or of the shard channel
 * (PUBSUB_SHARD); returns the number of receivers. May be called under any lock below LOCK_RANK_LISTENERS; costs one load
 * while there are no subscribers at all. */
uint64_t pubsub_publish(struct pubsub *ps, enum pubsub_kind kind, struct slice channel, struct slice payload);

/* The number of topics of a kind that have subscribers. Takes no lock. */
uint64_t pubsub_topics(const struct pubsub *ps, enum pubsub_kind kind);
/* The number of subscribers of one topic. */
uint64_t pubsub_subscribers(struct pubsub *ps, enum pubsub_kind kind, struct slice name);
/* Visits the names of all topics of a kind, or of one subscriber's, under the shared lock: copy, do not block. */
typedef void pubsub_visit(void *ctx, struct slice name);
void pubsub_each(struct pubsub *ps, enum pubsub_kind kind, pubsub_visit *visit, void *ctx);
void pubsub_each_of(struct pubsub *ps, const struct subscriber *s, enum pubsub_kind kind, pubsub_visit *visit,
                    void *ctx);

#endif
