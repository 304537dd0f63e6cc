/* feed.h - the change feed: the last changes of the keyspace, numbered, and who follows them.
 *
 *     a write, under its shard's lock -> the ring -> the feed's thread -> followers that wait -> wake
 *                                           \------- feed_read, by each follower in its own time
 *
 * A change is a struct that all followers share by reference. Writers only put it into the ring, O(1) but for the copy of
 * the key and of a value that lives in its entry; whom it interests is the feed's thread's to find out. A follower is behind the ring
 * as far as it likes, so a slow one costs nobody anything: what has left the ring before it came to it is a gap, and it is
 * told so. Whatever cannot be told change by change (a flush, a change that there was no memory for) is a gap too.
 *
 * Numbers grow by one with each change. The changes of a key have the order in which they happened; the feed is kept from
 * the first follower on until FEED_LINGER_MS after the last has left, so that one who comes back finds what it missed.
 * Otherwise a write pays nothing. A number is skipped whenever the feed begins anew: that is a gap.
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
    CHANGE_EXPIRE, /* its time was up */
    CHANGE_EVICT,  /* there was too little memory for it */
};

/* Read-only once it is in the feed. */
struct change {
    _Atomic uint32_t refs;
    uint8_t kind;    /* enum change_kind */
    uint8_t type;    /* enum value_type, of SET and TTL */
    bool has_digest; /* of SET of a string: `digest`, else it is that of the value below */
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

/* The change that an event tells of, with one reference, the caller's; NULL in *c: no memory. False: the event tells of none
 * (another behind it does). Under the event's locks. */
bool change_of_event(const struct event *ev, struct change **c);
/* Drops a reference; the last frees. NULL is ignored. */
void change_unref(struct change *c);

struct follower {
    struct slice prefix; /* of the keys whose changes it reads; the bytes are its owner's */
    /* There is something to read. Under the followers' mutex: takes no lock but leaves above LOCK_RANK_LISTENERS. */
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
    int64_t linger_ms; /* FEED_LINGER_MS; tests have less patience */
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
    uint64_t told GUARDED_BY(feed_role); /* followers that wait were woken for what is below */
    size_t follower_count GUARDED_BY(feed_role);
    int64_t left_ns GUARDED_BY(feed_role); /* when the last follower left */
};

/* Before any transaction. Keeps nothing and no thread yet; `max` bytes of changes once somebody follows. */
void feed_init(struct feed *f, struct store *store, size_t max);
/* All followers have left. */
void feed_destroy(struct feed *f);

/* Follows from number `from` on; 0: from the next change on. What the ring does not have any more, or not yet, is a gap.
 * False: no memory, or no thread. `f` begins with its first two members set and else zeroed. */
bool feed_follow(struct feed *feed, struct follower *f, uint64_t from);
/* Afterwards the follower may be freed. */
void feed_leave(struct feed *feed, struct follower *f);

enum feed_state {
    FEED_CHANGES, /* `n` of them, in order, a reference of each the caller's; 0: of other keys so far, call again */
    FEED_GAP,  /* what came before feed_position is not told, in whole or in part */
    FEED_IDLE, /* nothing: it will be woken */
};
/* Reads what comes next, up to `max` changes and about `bytes` of them. */
enum feed_state feed_read(struct feed *feed, struct follower *f, struct change *out[], size_t max,
                          size_t bytes, size_t *n);
/* The number of the last change that the follower has read, or passed over. */
uint64_t feed_position(struct feed *feed, const struct follower *f);
/* The least number that the ring has. */
uint64_t feed_first(struct feed *feed);

/* Something happened that changes do not tell: a flush. */
void feed_gap(struct feed *feed);

#endif
