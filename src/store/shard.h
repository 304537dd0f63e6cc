/* shard.h - one 64th of the keyspace: a lock, the tables it guards, the counters. Private to the store.
 *
 * Locking: the annotation of every function states what it needs: the exclusive lock to change entries, at least the
 * shared one to read them. Counters are relaxed atomics: those that only writers update by load and store, those that
 * readers update too by fetch-and-add.
 *
 * Unlinking: a value outside its entry may be large, and freeing it slow, so functions that unlink push
 * it on a `dead` chain, which the caller frees after it has released the lock. */
#ifndef FLASHKV_STORE_SHARD_H
#define FLASHKV_STORE_SHARD_H

#include <flashkv/hints.h>
#include <flashkv/lock.h>
#include <flashkv/store.h>

#include "table.h"
#include "watches.h"

/* The role of shard.lock (flashkv/thread_safety.h). */
extern struct rwlock shard_role;

enum shard_counter {
    COUNT_HITS,
    COUNT_MISSES,
    COUNT_SETS,
    COUNT_DELETES,
    COUNT_EXPIRED,
    COUNT_EVICTED,
    COUNT_LIST_OPS,
    COUNTERS
};

struct shard {
    _Alignas(2 * CACHE_LINE) struct rwlock lock;
    struct watches *watches GUARDED_BY(shard_role); /* NULL: no key is watched */
    _Atomic uint64_t counters[COUNTERS]; /* here, so that a command on a key touches two cache lines */
    struct table keys GUARDED_BY(shard_role);
    struct view *views; /* of collections of the shard: see attach in view.c for who may change it */
    struct table volatile_keys GUARDED_BY(shard_role); /* the same entries, those that have an expiry */
    uint64_t footprint GUARDED_BY(shard_role);         /* bytes of all entries and their objects */
    uint64_t counted GUARDED_BY(shard_role);           /* the part of it that is in *total */
    _Atomic uint64_t *total;                           /* of all shards */
    uint64_t sweep_from GUARDED_BY(shard_role);        /* the point where the sweeper continues */
    /* A lower bound of all expiries: before it no key has expired unswept. It may be too low, since keys are deleted. Each
     * pass of the sweeper computes the next one. */
    int64_t expiry_floor GUARDED_BY(shard_role);
    int64_t expiry_floor_next GUARDED_BY(shard_role);
    _Atomic uint64_t logged;  /* the position of the log after the last change */
    _Atomic uint64_t flushes; /* how often it was flushed */
    /* Copies for store_stats, which takes no lock. */
    _Atomic uint64_t key_count, volatile_count, bytes;
    _Atomic bool moving; /* a table is growing or shrinking */
};

/* `total` is the sum of all shards' bytes, which this shard updates. */
void shard_init(struct shard *sh, unsigned index, const unsigned char *secret, _Atomic uint64_t *total);
/* Frees every entry. No other thread may use the shard. */
void shard_destroy(struct shard *sh);

/* The lock: these are the only ways to take and release it. */
static inline void shard_rdlock(struct shard *sh) ACQUIRE_SHARED(shard_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&sh->lock);
}
static inline void shard_rdunlock(struct shard *sh) RELEASE_SHARED(shard_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdunlock(&sh->lock);
}
static inline void shard_wrlock(struct shard *sh) ACQUIRE(shard_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrlock(&sh->lock);
}
static inline void shard_wrunlock(struct shard *sh) RELEASE(shard_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrunlock(&sh->lock);
}

/* The entry, expired or not, or NULL. */
struct entry *shard_find(const struct shard *sh, const struct key *k) REQUIRES_SHARED(shard_role);
/* Replaces `stale` by `fresh` (same key), or adds `fresh` if `stale` is NULL. False, nothing changed: no
 * memory; `fresh` stays the caller's. On success `stale` is freed, and its object is pushed on *dead unless
 * `fresh` has the same one. */
bool shard_link(struct shard *sh, uint64_t hash, struct entry *stale, struct entry *fresh,
                struct object **dead) REQUIRES(shard_role);
/* Removes and frees an entry, pushing its object on *dead; if `dead` is NULL, the object becomes the caller's. */
void shard_unlink(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead)
    REQUIRES(shard_role);
/* The same, but the caller frees the entry (entry_free), and *total is exact for this shard afterwards. */
void shard_take(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead) REQUIRES(shard_role);
/* Accounts for a change of the entry_footprint of one of the shard's entries. */
void shard_resized(struct shard *sh, size_t before, size_t after) REQUIRES(shard_role);
/* Registers a hash whose fields may expire for sweeping, or unregisters it. False, nothing changed: no memory;
 * unregistering does not fail. */
bool shard_fields_expire(struct shard *sh, uint64_t hash, struct entry *e, bool expire) REQUIRES(shard_role);
/* Lowers expiry_floor for an expiry that was set in place. */
void shard_note_expiry(struct shard *sh, int64_t expire_at) REQUIRES(shard_role);
/* Continues the resizing of the tables by up to `slots` slots. */
void shard_move(struct shard *sh, size_t slots) REQUIRES(shard_role);
/* Checks up to `want` volatile keys, continuing where the last call ended, and unlinks those that have expired at t->now_ms. */
struct sweep_result shard_sweep(struct shard *sh, struct txn *t, size_t want) REQUIRES(shard_role);
/* Moves the table with all entries to `keys` and leaves the shard empty. Returns the bytes of all that. */
uint64_t shard_empty(struct shard *sh, struct table *keys) REQUIRES(shard_role);
/* Frees a table with its entries and their objects. */
void entries_destroy(struct table *keys);

/* Frees a chain of unlinked objects. */
void dead_free(struct object *dead);

/* Increments a counter: the first under the exclusive lock, the second under the shared one. */
static inline void shard_count(struct shard *sh, enum shard_counter c) REQUIRES(shard_role) {
    uint64_t n = atomic_load_explicit(&sh->counters[c], memory_order_relaxed);

    atomic_store_explicit(&sh->counters[c], n + 1, memory_order_relaxed);
}
static inline void shard_count_shared(struct shard *sh, enum shard_counter c) REQUIRES_SHARED(shard_role) {
    atomic_fetch_add_explicit(&sh->counters[c], 1, memory_order_relaxed);
}

#endif
