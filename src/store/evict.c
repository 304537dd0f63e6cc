/* evict.c - evicts keys by sampling, as maxmemory-policy says.
 *
 * Goal: evict about what an exact LRU, LFU or TTL would, without a list that reads would have to keep in order. For each
 * eviction a few keys are sampled, from adjacent slots after a random point of a random shard (slots are in the
 * order of hashes, so neighbours are unrelated). If shards are small, the sample is filled up from the next shards, so that
 * small keyspaces are sampled as well as large ones. The best candidates seen so far are kept in a pool, as in Redis:
 * it brings samples of five close to the exact order.
 * Stop rule: one key is evicted, or every shard was sampled without finding any; the caller decides how often to call.
 * Cost: one shared lock of a shard for some slots and their entries, one exclusive lock for the deletion: 1 to 2 us.
 *
 * The pool has its own mutex, a leaf, which guards only the pool. A candidate is a slot's content (hash
 * and address), not a reference: the entry may be gone when it is chosen, or another may be at its address. So under
 * the exclusive lock the table is searched for this very entry, and its score is computed again: if it was used
 * meanwhile, it stays. Threads that evict concurrently take different candidates from the pool. */
#include <flashkv/random.h>

#include "access.h"
#include "evict.h"
#include "store_impl.h"

struct mutex pool_role;

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

/* ---- candidates ---------------------------------------------------------------------------------------------------- */

bool candidates_add(struct candidates *all, struct candidate c) {
    unsigned at = 0, had = all->count;
    bool fresh;

    for (unsigned i = 0; i < all->count; i++)
        if (all->at[i].entry == c.entry) {
            memmove(&all->at[i], &all->at[i + 1], (--all->count - i) * sizeof(c));
            break;
        }
    fresh = all->count == had;
    while (at < all->count && all->at[at].score < c.score)
        at++;
    if (all->count < CANDIDATES_MAX) {
        memmove(&all->at[at + 1], &all->at[at], (all->count - at) * sizeof(c));
        all->at[at] = c;
        all->count++;
    } else if (at > 0) { /* drop the worst */
        memmove(&all->at[0], &all->at[1], (at - 1) * sizeof(c));
        all->at[at - 1] = c;
    }
    return fresh;
}

bool candidates_take(struct candidates *all, struct candidate *best) {
    if (all->count == 0)
        return false;
    *best = all->at[--all->count];
    return true;
}

/* The higher, the sooner it is evicted. Scores of the same policy are comparable, whenever they were computed. */
static uint64_t score_of(const struct txn *t, const struct eviction_policy *policy, const struct entry *e) {
    if (entry_expired(e, t->now_ms))
        return UINT64_MAX;
    switch (policy->order) {
    case EVICT_IDLEST:
        return (uint64_t)(INT64_MAX - (t->now_ms - store_idle_ms(t, e)) / ACCESS_TICK_MS);
    case EVICT_RAREST:
        return UINT8_MAX - store_frequency(t, e);
    case EVICT_SOONEST:
        return (uint64_t)(INT64_MAX - entry_expire_at(e));
    case EVICT_AT_RANDOM:
    case EVICT_NONE:
        break;
    }
    return 0;
}

/* ---- sampling ------------------------------------------------------------------------------------------------------ */

struct sample {
    const struct txn *t;
    const struct eviction_policy *policy;
    const unsigned char *secret;
    struct candidates found;
    unsigned seen, want;
};

static void sample_visit(void *ctx, struct entry *e) {
    struct sample *s = ctx;

    if (s->seen >= s->want || (s->policy->volatile_only && !entry_has(e, E_EXPIRES)))
        return;
    s->seen += candidates_add(
        &s->found, (struct candidate){table_hash(s->secret, entry_key(e)), e, score_of(s->t, s->policy, e)});
}

/* Samples from a random point of the shard on, wrapping at its end. In a thinly filled table a walk may end before it has found
 * enough entries. */
static void sample_shard(struct sample *s, struct shard *sh) REQUIRES_SHARED(shard_role) {
    enum { WALKS = 32 };
    const struct table *keys = s->policy->volatile_only ? &sh->volatile_keys : &sh->keys;
    uint64_t from = random_u64();
    unsigned ends = 0;

    for (int i = 0; i < WALKS && s->seen < s->want && ends < 2; i++) {
        from = table_walk(keys, from, s->want - s->seen, sample_visit, s);
        ends += from == 0;
    }
}

static bool has_any(const struct shard *sh, bool volatile_only) {
    return atomic_load_explicit(volatile_only ? &sh->volatile_count : &sh->key_count, memory_order_relaxed) >
           0;
}

static void sample_shards(struct store *store, struct txn *t, struct sample *s) {
    unsigned start = (unsigned)random_below(STORE_SHARDS);

    for (unsigned i = 0; i < STORE_SHARDS && s->seen < s->want; i++) {
        unsigned n = (start + i) % STORE_SHARDS;

        if (!has_any(&store->shards[n], s->policy->volatile_only))
            continue;
        sample_shard(s, txn_visit_read(t, n));
        txn_leave_read(t, n);
    }
}

/* ---- the pool ------------------------------------------------------------------------------------------------------ */

static void pool_lock(struct eviction_pool *p) ACQUIRE(pool_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&p->mutex);
}

static void pool_unlock(struct eviction_pool *p) RELEASE(pool_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&p->mutex);
}

void eviction_pool_init(struct eviction_pool *p) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&p->mutex, LOCK_RANK_LEAF);
}

void eviction_pool_destroy(struct eviction_pool *p) {
    mutex_destroy(&p->mutex);
}

/* Adds the sample to the pool and takes the best candidate. False: there is none. */
static bool pool_exchange(struct eviction_pool *p, const struct sample *s, struct candidate *best) {
    bool any;

    pool_lock(p);
    if (p->policy != s->policy) /* scores of different policies are not comparable */
        p->all.count = 0;
    p->policy = s->policy;
    for (unsigned i = 0; i < s->found.count; i++)
        candidates_add(&p->all, s->found.at[i]);
    any = candidates_take(&p->all, best);
    pool_unlock(p);
    return any;
}

/* ---- evicting ------------------------------------------------------------------------------------------------------ */

/* Deletes the entry, if it still exists and has not been used since it became a candidate. Returns the bytes freed. */
static uint64_t evict(struct shard *sh, struct txn *t, const struct eviction_policy *policy,
                      const struct candidate *c) REQUIRES(shard_role) {
    struct entry *e = table_holds(&sh->keys, c->hash, c->entry);
    struct key k;
    uint64_t bytes;

    if (e == NULL || (policy->volatile_only && !entry_has(e, E_EXPIRES)) || score_of(t, policy, e) < c->score)
        return 0;
    k = (struct key){entry_key(e), c->hash};
    bytes = entry_bytes(e);
    if (entry_expired(e, t->now_ms)) {
        txn_expired(t, &k, e);
        shard_unlink(sh, k.hash, e, &t->dead);
        shard_count(sh, COUNT_EXPIRED);
        return bytes;
    }
    shard_take(sh, k.hash, e, &t->dead);
    shard_count(sh, COUNT_EVICTED);
    store_changed(t, &k, EVENT_EVICTED,
                  "evicted"); /* before the entry, which holds the key's name, is freed */
    entry_free(e);
    return bytes;
}

static uint64_t try_candidate(struct store *s, int64_t now_ms, const struct eviction_policy *policy,
                              const struct candidate *c, bool (*wanted)(void *ctx), void *ctx) {
    unsigned shard = (unsigned)(c->hash >> 58);
    struct shard *sh;
    struct txn t;
    uint64_t bytes;

    txn_begin(&t, s, now_ms, UINT64_C(1) << shard, TXN_WRITE);
    sh = txn_visit_write(&t, shard);
    bytes = wanted(ctx) ? evict(sh, &t, policy, c) : 0;
    txn_leave_write(&t, shard);
    txn_end(&t);
    return bytes;
}

uint64_t store_evict(struct store *s, int64_t now_ms, const struct eviction_policy *policy, unsigned samples,
                     bool (*wanted)(void *ctx), void *ctx) {
    enum { TRIES = 32, SAMPLES_MAX = 256 };
    unsigned want = samples < SAMPLES_MAX ? samples : SAMPLES_MAX;

    if (policy->order == EVICT_NONE)
        return 0;
    for (int i = 0; i < TRIES && wanted(ctx); i++) { /* candidates may have been deleted or used meanwhile */
        struct sample sample = {.policy = policy, .secret = s->secret};
        struct candidate best;
        struct txn t;
        uint64_t bytes;

        sample.want = policy->order == EVICT_AT_RANDOM ? 1 : want;
        sample.t = &t;
        txn_begin(&t, s, now_ms, 0, TXN_READ);
        sample_shards(s, &t, &sample);
        txn_end(&t);
        if (!pool_exchange(&s->pool, &sample, &best))
            return 0;
        bytes = try_candidate(s, now_ms, policy, &best, wanted, ctx);
        if (bytes > 0)
            return bytes;
    }
    return 0;
}
