/* eviction.h - maxmemory-policy: which keys are evicted when memory is short. Layer: store. */
#ifndef FLASHKV_EVICTION_H
#define FLASHKV_EVICTION_H

#include <flashkv/store.h>

/* Which keys are evicted first. */
enum eviction_order {
    EVICT_NONE,    /* no key is evicted */
    EVICT_IDLEST,  /* LRU: least recently used */
    EVICT_RAREST,  /* LFU: least frequently used */
    EVICT_SOONEST, /* TTL: next to expire */
    EVICT_AT_RANDOM,
};

/* A policy of Redis's: https://redis.io/docs/reference/eviction */
struct eviction_policy {
    const char *name; /* "allkeys-lru" */
    enum eviction_order order;
    bool volatile_only; /* only keys that have an expiry are evicted */
};
extern const struct eviction_policy eviction_policies[];
extern const size_t eviction_policy_count;
/* By name; NULL: unknown. */
const struct eviction_policy *eviction_policy_find(struct slice name);

/* Evicts the best candidate among `samples` keys and the pool that earlier calls filled, in a transaction of its own, which
 * emits "evicted" (event.h). Returns the bytes freed; 0: no key may be evicted, or none is wanted any more. `wanted` is also
 * asked under the lock of the key's shard, so that a key written after it became false stays; it takes no lock. The caller
 * holds no shard. Thread-safe. */
uint64_t store_evict(struct store *s, int64_t now_ms, const struct eviction_policy *policy, unsigned samples,
                     bool (*wanted)(void *ctx), void *ctx);

#endif
