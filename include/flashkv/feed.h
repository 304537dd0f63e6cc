/* feed.h - the change feed: the last changes of the keyspace, numbered, and who follows them.
 *
 *     a write, under its shard's lock -> the ring -> the feed's thread -> followers that wait -> wake
 *                                           \------- feed_read, by each follower in its own time
 *
 * A change is a struct that all followers share by reference. Writers only put it into the ring, O(1) except for the copy of
 * the key and of a value that lives in its entry; the feed's thread matches changes with followers. A follower reads at its
 * own pace, so a slow one delays nobody: changes that left the ring before it read them are reported to it as a gap. So is
 * everything that cannot be reported change by change (a flush, a change that there was no memory for).
 *
 * Numbers grow by one with each change. The changes of a key are in the order in which they happened. The feed is kept from
 * the first follower on until FEED_LINGER_MS after the last has left, so that one who reconnects finds what it missed; outside
 * that time a write pays nothing. When the feed starts again a number is skipped, which is a gap.
 *
 * Locks: `followers_mutex` (LOCK_RANK_LISTENERS), under which followers are woken, and the ring's `mutex` (a leaf).
 * Layer: pubsub. Thread-safe but for init and destroy; a follower's own calls come from one thread at a time. */
#ifndef FLASHKV_FEED_H
#define FLASHKV_FEED_H

#include <flashkv/blob.h>
#include <flashkv/event.h>
#include <flashkv/lock.h>
#include <flashkv/slice.h>

enum { FEED_LINGER_MS = 300000, CHANGE_VALUE_MAX = 64 * 1024 };

struct store;

/* The roles of feed.mutex and feed.followers_mutex (thread_safety.h). */
extern struct mutex feed_role, followers_role;

enum change_kind {
    CHANGE_SET, /* the key has a value, or its collection other elements, or it was copied or renamed to this name */
    CHANGE_TTL,    /* only the key's expiry changed */
    CHANGE_DELETE, /* deleted, renamed away, or its collection became empty */
    CHANGE_EXPIRE, /* expired */
    CHANGE_EVICT,  /* evicted */
};

/* Read-only once it is in the feed. */
struct change {
    _Atomic uint32_t refs;
    uint8_t kind;    /* enum change_kind */
    uint8_t type;    /* enum value_type, of SET and TTL */
    bool has_digest; /* of SET of a string: `digest` is set; else it is that of the value below */
    bool has_value;  /* of SET of a string of up to CHANGE_VALUE_MAX bytes */
    uint64_t number;
    int64_t expire_at; /* wall ms, or NO_EXPIRY; of SET and TTL */
    uint64_t digest;
    struct blob *blob;   /* holds the value, if it is not in `bytes` */
    struct change *next; /* private */
    size_t cost;         /* private: bytes that it holds */
    struct slice key, value;
    char bytes[];
};

/* Sets *c to the change that an event stands for, with one reference, the caller's; NULL: no memory. False: it stands for none
 * (a later event of the same command does). Under the event's locks. */
bool change_of_event(const struct event *ev, struct change **c);
/* Drops a reference; the last frees. NULL is ignored. */
void change_unref(struct change *c);

struct follower {
    struct slice prefix; /* of the keys whose changes it reads; the bytes are its owner's */
    /* Called when there is something to read, under the followers' mutex: takes only leaf locks, never blocks. */
    void (*wake)(struct follower *f);
    /* private */
    uint64_t next GUARDED_BY(followers_role); /* the number that it reads next */
    bool waits GUARDED_BY(followers_role);
    struct follower *before GUARDED_BY(followers_role);
    struct follower *behind GUARDED_BY(followers_role);
};

struct feed {
    struct store *store;
    unsigned sink;
    int64_t linger_ms; /* FEED_LINGER_MS; shorter in tests */
    size_t max;        /* bytes */
    struct mutex followers_mutex;
    struct follower *followers GUARDED_BY(followers_role);
    struct mutex mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool running GUARDED_BY(feed_role); /* the thread */
    bool sleeps GUARDED_BY(feed_role);  /* the thread */
    bool stop GUARDED_BY(feed_role);
    bool open GUARDED_BY(feed_role); /* there is a ring */
    /* Change `number` is at number & (slots - 1); NULL is a gap. */
    struct change **ring GUARDED_BY(feed_role);
    size_t slots GUARDED_BY(feed_role), bytes GUARDED_BY(feed_role);
    uint64_t first GUARDED_BY(feed_role), next GUARDED_BY(feed_role); /* it has the numbers [first, next) */
    uint64_t notified GUARDED_BY(feed_role); /* waiting followers were woken for all numbers below */
    size_t follower_count GUARDED_BY(feed_role);
    int64_t left_ns GUARDED_BY(feed_role); /* when the last follower left */
};

/* Before any transaction. The ring, of at most `max` bytes of changes, and the thread begin with the first follower. */
void feed_init(struct feed *f, struct store *store, size_t max);
/* All followers have left. */
void feed_destroy(struct feed *f);

/* Follows from number `from` on; 0: from the next change on. Numbers that the ring no longer has, or not yet, are a gap.
 * False: no memory, or no thread. The caller sets the first two members of `f` and zeroes the others. */
bool feed_follow(struct feed *feed, struct follower *f, uint64_t from);
/* Afterwards the follower may be freed. */
void feed_leave(struct feed *feed, struct follower *f);

enum feed_state {
    FEED_CHANGES, /* `n` of them, in order, a reference of each the caller's; 0: only of other keys, call again */
    FEED_GAP,     /* changes before feed_position were lost */
    FEED_IDLE, /* nothing to read: `wake` will be called */
};
/* Reads what comes next, up to `max` changes and about `bytes` of them. */
enum feed_state feed_read(struct feed *feed, struct follower *f, struct change *out[], size_t max,
                          size_t bytes, size_t *n);
/* The number of the last change that the follower has read, or passed over. */
uint64_t feed_position(struct feed *feed, const struct follower *f);
/* The least number that the ring has. */
uint64_t feed_first(struct feed *feed);

/* Records a gap: something happened that changes do not describe (a flush). */
void feed_gap(struct feed *feed);

#endif
