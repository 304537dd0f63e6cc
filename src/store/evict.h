/* evict.h - the candidates for eviction. Private to the store. */
#ifndef FLASHKV_STORE_EVICT_H
#define FLASHKV_STORE_EVICT_H

#include <flashkv/eviction.h>
#include <flashkv/lock.h>

#include "entry_layout.h"

/* The content of a slot when it was sampled. Not a reference: the entry may be freed at any time. */
struct candidate {
    uint64_t hash;
    const struct entry *entry;
    uint64_t score; /* the higher, the sooner it is evicted */
};

/* The best candidates, by ascending score. */
enum { CANDIDATES_MAX = 16 };
struct candidates {
    unsigned count;
    struct candidate at[CANDIDATES_MAX];
};
/* Adds a candidate, dropping the worst if there is no room; false: it was in the list, and its score was updated. */
bool candidates_add(struct candidates *all, struct candidate c);
/* Removes the best; false: there is none. */
bool candidates_take(struct candidates *all, struct candidate *best);

/* The role of eviction_pool.mutex (flashkv/thread_safety.h). */
extern struct mutex pool_role;

/* The best candidates of earlier samples. Thread-safe. */
struct eviction_pool {
    struct mutex mutex;                                         /* a leaf */
    const struct eviction_policy *policy GUARDED_BY(pool_role); /* of the scores */
    struct candidates all GUARDED_BY(pool_role);
};
void eviction_pool_init(struct eviction_pool *p);
void eviction_pool_destroy(struct eviction_pool *p);

#endif
