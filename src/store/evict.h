/* evict.h - the candidates for eviction. Private to the store. */
#ifndef FLASHKV_STORE_EVICT_H
#define FLASHKV_STORE_EVICT_H

#include <flashkv/eviction.h>
#include <flashkv/lock.h>

#include "entry_layout.h"

/* What was seen in a slot: not a reference, the entry may go at any time. */
struct candidate {
    uint64_t hash;
    const struct entry *entry;
    uint64_t score; /* the higher, the sooner it goes */
};

/* The best seen, ascending. */
enum { CANDIDATES_MAX = 16 };
struct candidates {
    unsigned count;
    struct candidate at[CANDIDATES_MAX];
};
/* One more, or (false) a new score for one that is there; the worst goes if there is no room. */
bool candidates_add(struct candidates *all, struct candidate c);
/* Takes the best out; false: there is none. */
bool candidates_take(struct candidates *all, struct candidate *best);

/* The role of eviction_pool.mutex (flashkv/thread_safety.h). */
extern struct mutex pool_role;

/* What is left of earlier samples. Thread-safe. */
struct eviction_pool {
    struct mutex mutex;                                         /* a leaf */
    const struct eviction_policy *policy GUARDED_BY(pool_role); /* that the scores are of */
    struct candidates all GUARDED_BY(pool_role);
};
void eviction_pool_init(struct eviction_pool *p);
void eviction_pool_destroy(struct eviction_pool *p);

#endif
