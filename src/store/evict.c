/* evict.c - makes room by deleting the keys that are likely to be missed least. */
#include <flashkv/eviction.h>

const struct eviction_policy eviction_policies[] = {
    {"noeviction", EVICT_NONE, false},          {"allkeys-lru", EVICT_IDLEST, false},
    {"volatile-lru", EVICT_IDLEST, true},       {"allkeys-lfu", EVICT_RAREST, false},
    {"volatile-lfu", EVICT_RAREST, true},       {"allkeys-random", EVICT_AT_RANDOM, false},
    {"volatile-random", EVICT_AT_RANDOM, true}, {"volatile-ttl", EVICT_SOONEST, true},
};
const size_t eviction_policy_count = sizeof(eviction_policies) / sizeof(*eviction_policies);

const struct eviction_policy *eviction_policy_find(struct slice name) {
    for (size_t i = 0; i < eviction_policy_count; i++)
        if (slice_eq(name, slice_str(eviction_policies[i].name)))
            return &eviction_policies[i];
    return NULL;
}
