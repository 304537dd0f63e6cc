/* near.c - keys that will soon be looked up, brought into the processor's cache together.
 *
 * In a keyspace that no cache holds a look-up waits for memory twice, for the slot and for the entry, some 100 ns each. Of
 * commands that have arrived together all slots are asked for before the first is looked at, and all entries then, so
 * that they come at the same time. */
#include "store_impl.h"

enum { NEAR_MIN_BYTES = 256 * 1024 }; /* of keys and values: fewer are in the cache anyway */

bool store_is_far(const struct store *s) {
    return atomic_load_explicit(&s->bytes, memory_order_relaxed) > NEAR_MIN_BYTES;
}

void store_near_shard(const struct store *s, const struct key *k) {
    const struct shard *sh = &s->shards[key_shard(k)];

    __builtin_prefetch(sh, 1); /* the lock is written */
    __builtin_prefetch(&sh->keys);
    __builtin_prefetch(&sh->expiry_floor);
}

void store_near_slot(struct store *s, const struct key *k) {
    struct shard *sh = &s->shards[key_shard(k)];

    shard_rdlock(sh);
    table_near_slot(&sh->keys, k->hash);
    shard_rdunlock(sh);
}

void store_near_entry(struct store *s, const struct key *k) {
    struct shard *sh = &s->shards[key_shard(k)];

    shard_rdlock(sh);
    table_near_entry(&sh->keys, k->hash);
    shard_rdunlock(sh);
}

void store_bring_near(struct store *s, const struct slice *names, size_t n) {
    struct key keys[STORE_NEAR_MAX];

    for (size_t i = 0; i < n; i++) {
        keys[i] = store_key(s, names[i]);
        store_near_slot(s, &keys[i]);
    }
    for (size_t i = 0; i < n; i++)
        store_near_entry(s, &keys[i]);
}
