/* prefetch.c - fetches what several look-ups will read into the processor's cache, in parallel.
 *
 * In a keyspace larger than the caches a look-up waits for memory twice, for the slot and for the entry, some 100 ns each. For
 * commands that have arrived together, first all slots are prefetched, then all entries, so that their latencies overlap. */
#include "store_impl.h"

enum { PREFETCH_MIN_BYTES = 256 * 1024 }; /* of keys and values: fewer fit in the cache anyway */

bool store_exceeds_cache(const struct store *s) {
    return atomic_load_explicit(&s->bytes, memory_order_relaxed) > PREFETCH_MIN_BYTES;
}

void store_prefetch_shard(const struct store *s, const struct key *k) {
    const struct shard *sh = &s->shards[key_shard(k)];

    __builtin_prefetch(sh, 1); /* for writing: the lock */
    __builtin_prefetch(&sh->keys);
    __builtin_prefetch(&sh->expiry_floor);
}

void store_prefetch_slot(struct store *s, const struct key *k) {
    struct shard *sh = &s->shards[key_shard(k)];

    shard_rdlock(sh);
    table_prefetch_slot(&sh->keys, k->hash);
    shard_rdunlock(sh);
}

void store_prefetch_entry(struct store *s, const struct key *k) {
    struct shard *sh = &s->shards[key_shard(k)];

    shard_rdlock(sh);
    table_prefetch_entry(&sh->keys, k->hash);
    shard_rdunlock(sh);
}

void store_prefetch(struct store *s, const struct slice *names, size_t n) {
    struct key keys[STORE_PREFETCH_MAX];

    for (size_t i = 0; i < n; i++) {
        keys[i] = store_key(s, names[i]);
        store_prefetch_slot(s, &keys[i]);
    }
    for (size_t i = 0; i < n; i++)
        store_prefetch_entry(s, &keys[i]);
}
