/* eviction.h - maxmemory-policy: which keys go when memory is short. Layer: store. */
#ifndef FLASHKV_EVICTION_H
#define FLASHKV_EVICTION_H

#include <flashkv/store.h>

/* Which go first. */
enum eviction_order {
    EVICT_NONE,    /* none goes */
    EVICT_IDLEST,  /* LRU: not used for longest */
    EVICT_RAREST,  /* LFU: used least often */
    EVICT_SOONEST, /* TTL: due to expire first */
    EVICT_AT_RANDOM,
};

/* A policy of Redis's: https://redis.io/docs/reference/eviction */
struct eviction_policy {
    const char *name; /* "allkeys-lru" */
    enum eviction_order order;
    bool volatile_only; /* only keys that have an expiry go */
};
extern const struct eviction_policy eviction_policies[];
extern const size_t eviction_policy_count;
/* By name; NULL: unknown. */
const struct eviction_policy *eviction_policy_find(struct slice name);

/* Deletes the key that the policy says should go first, as well as `samples` keys, and what earlier calls saw, can tell;
 * "evicted" is told (event.h), in a transaction of its own. The bytes that the key took, 0: there is none that may go. The
 * caller holds no shard. Thread-safe. */
uint64_t store_evict(struct store *s, int64_t now_ms, const struct eviction_policy *policy, unsigned samples);

#endif
