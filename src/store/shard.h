/* shard.h - one 64th of the keyspace: a lock, the tables it guards, the counters. Private to the store.
 *
 * Locking: every function says by its annotation what it needs. Whoever changes entries holds the lock
 * exclusively; whoever reads them, at least shared. Counters are atomics, written relaxed: those that only
 * writers touch by load and store, those that readers share by fetch-and-add.
 *
 * Unlinking: a value that is not in its entry may be large, and freeing it slow, so functions that unlink push
 * it on a `dead` chain, which the caller frees after the lock is gone. */
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
    struct watches *watches GUARDED_BY(shard_role); /* NULL: nobody watches a key */
    _Atomic uint64_t counters[COUNTERS]; /* here, that commands on a key find what they need in two lines */
    struct table keys GUARDED_BY(shard_role);
    struct view *views; /* of collections of the shard: see attach in view.c for who may change it */
    struct table volatile_keys GUARDED_BY(shard_role); /* the same entries, those that have an expiry */
    uint64_t footprint GUARDED_BY(shard_role);         /* bytes of all entries and their objects */
    uint64_t counted GUARDED_BY(shard_role);           /* bytes that are in *total */
    _Atomic uint64_t *total;                           /* of all shards */
    uint64_t sweep_from GUARDED_BY(shard_role);        /* the point where the sweeper goes on */
    /* No volatile key expires before `expiry_floor`: while now is below it, nothing has expired unswept. It may
     * be too low, since keys get deleted. Each pass of the sweeper gathers the next one. */
    int64_t expiry_floor GUARDED_BY(shard_role);
    int64_t expiry_floor_next GUARDED_BY(shard_role);
    _Atomic uint64_t logged;  /* the position of the log behind the last change */
    _Atomic uint64_t flushes; /* so far */
    /* Copies for store_stats, which takes no lock. */
    _Atomic uint64_t key_count, volatile_count, bytes;
    _Atomic bool moving; /* a table is growing or shrinking */
};

/* `total` is where it adds its bytes up. */
void shard_init(struct shard *sh, unsigned index, const unsigned char *secret, _Atomic uint64_t *total);
/* Frees every entry. Nobody else may have it. */
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
/* Puts `fresh` in the place of `stale` (same key), or adds it if `stale` is NULL. False, nothing changed: no
 * memory; `fresh` stays the caller's. On success `stale` is freed, and its object is pushed on *dead unless
 * `fresh` has the same one. */
bool shard_link(struct shard *sh, uint64_t hash, struct entry *stale, struct entry *fresh,
                struct object **dead) REQUIRES(shard_role);
/* Takes an entry out and frees it, pushing its object on *dead, or just dropping the pointer to it if `dead` is
 * NULL. */
void shard_unlink(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead)
    REQUIRES(shard_role);
/* The same, but the entry is the caller's to free (entry_free), and *total is exact for this shard. */
void shard_take(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead) REQUIRES(shard_role);
/* Tells the shard that entry_footprint of one of its entries went from `before` to `after`. */
void shard_resized(struct shard *sh, size_t before, size_t after) REQUIRES(shard_role);
/* Notes that fields of a hash may expire, so that it is swept, or no longer do. False, nothing changed: no memory,
 * which can only be when they may. */
bool shard_fields_expire(struct shard *sh, uint64_t hash, struct entry *e, bool expire) REQUIRES(shard_role);
/* Notes the expiry that an entry got in place. */
void shard_note_expiry(struct shard *sh, int64_t expire_at) REQUIRES(shard_role);
/* Moves growing tables along by some slots. */
void shard_move(struct shard *sh, size_t slots) REQUIRES(shard_role);
/* Looks at up to `want` volatile keys, going round and round, and unlinks those that have expired at t->now_ms. */
struct sweep_result shard_sweep(struct shard *sh, struct txn *t, size_t want) REQUIRES(shard_role);
/* Hands all entries over: `keys` gets the table, the shard is empty. Returns the bytes of it all. */
uint64_t shard_empty(struct shard *sh, struct table *keys) REQUIRES(shard_role);
/* Frees a table with its entries and their objects. */
void entries_destroy(struct table *keys);

/* Frees a chain of unlinked objects. */
void dead_free(struct object *dead);

/* One more, where the caller holds the lock exclusively, or where readers may count at once. */
static inline void shard_count(struct shard *sh, enum shard_counter c) REQUIRES(shard_role) {
    uint64_t n = atomic_load_explicit(&sh->counters[c], memory_order_relaxed);

    atomic_store_explicit(&sh->counters[c], n + 1, memory_order_relaxed);
}
static inline void shard_count_shared(struct shard *sh, enum shard_counter c) REQUIRES_SHARED(shard_role) {
    atomic_fetch_add_explicit(&sh->counters[c], 1, memory_order_relaxed);
}

#endif
