/* keyspace.c - operations over all shards, one at a time: counting, scanning, flushing, statistics. */
#include "store_impl.h"

/* ---- counting ------------------------------------------------------------------------------------------- */

struct expired_count {
    int64_t now_ms;
    uint64_t n;
};

static void count_expired(void *ctx, struct entry *e) {
    struct expired_count *c = ctx;

    c->n += entry_expired(e, c->now_ms);
}

static uint64_t shard_live_keys(struct shard *sh, int64_t now_ms) REQUIRES_SHARED(shard_role) {
    struct expired_count c = {now_ms, 0};

    if (sh->expiry_floor <= now_ms)
        table_walk(&sh->volatile_keys, 0, TABLE_ALL, count_expired, &c);
    return sh->keys.used - c.n;
}

uint64_t store_count(struct txn *t) {
    uint64_t n = 0;

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        struct shard *sh = txn_visit_read(t, i);

        n += shard_live_keys(sh, t->now_ms);
        txn_leave_read(t, i);
    }
    return n;
}

/* ---- scanning -------------------------------------------------------------------------------------------- */

/* A cursor is a shard (6 bits) and the upper 47 bits of a point: 53 in all, exact in a double. */
enum { CURSOR_POINT_BITS = 47, CURSOR_DROPPED = 64 - CURSOR_POINT_BITS };

struct scan {
    int64_t now_ms;
    size_t visited; /* entries, including expired ones, which cost time too */
    store_visit *visit;
    void *ctx;
};

static void scan_visit(void *ctx, struct entry *e) {
    struct scan *s = ctx;

    s->visited++;
    if (!entry_expired(e, s->now_ms))
        s->visit(s->ctx, e);
}

uint64_t store_scan(struct txn *t, uint64_t cursor, size_t count, store_visit *visit, void *ctx) {
    struct scan s = {t->now_ms, 0, visit, ctx};
    uint64_t shard = cursor >> CURSOR_POINT_BITS, from = cursor << CURSOR_DROPPED;

    for (; shard < STORE_SHARDS && s.visited < count; shard++, from = 0) {
        struct shard *sh = txn_visit_read(t, (unsigned)shard);

        from = table_walk(&sh->keys, from, count - s.visited, scan_visit, &s);
        txn_leave_read(t, (unsigned)shard);
        if (from != 0)
            return shard << CURSOR_POINT_BITS | from >> CURSOR_DROPPED;
    }
    return shard < STORE_SHARDS ? shard << CURSOR_POINT_BITS : 0;
}

struct walk {
    store_visit *visit;
    void *ctx;
};

static void walk_visit(void *ctx, struct entry *e) {
    const struct walk *w = ctx;

    w->visit(w->ctx, e);
}

uint64_t store_walk(struct txn *t, unsigned shard, uint64_t from, size_t count, store_visit *visit,
                    void *ctx) {
    struct shard *sh = txn_visit_read(t, shard);
    struct walk w = {visit, ctx};
    uint64_t next = table_walk(&sh->keys, from, count, walk_visit, &w);

    txn_leave_read(t, shard);
    return next;
}

uint64_t store_flushes(const struct store *s, unsigned shard) {
    return atomic_load_explicit(&s->shards[shard].flushes, memory_order_relaxed);
}

/* A random number: a counter from a random start, hashed under the store's secret. */
static uint64_t store_random_number(struct store *s) {
    uint64_t n = atomic_fetch_add_explicit(&s->random_state, 1, memory_order_relaxed);

    return table_hash(s->secret, slice_of(&n, sizeof(n)));
}

/* Goal: about the same probability for every key. The first key after a random point would favour keys after wide
 * gaps, so one of the next few is picked (reservoir sampling: the n-th replaces the pick with
 * probability 1/n). */
enum { RANDOM_SAMPLE = 16 };

struct random_pick {
    int64_t now_ms;
    struct store *store;
    unsigned seen;
    const struct entry *pick;
};

static void random_visit(void *ctx, struct entry *e) {
    struct random_pick *r = ctx;

    if (entry_expired(e, r->now_ms))
        return;
    r->seen++;
    if (store_random_number(r->store) % r->seen == 0)
        r->pick = e;
}

bool store_random(struct txn *t, store_visit *visit, void *ctx) {
    struct random_pick r = {t->now_ms, t->store, 0, NULL};
    uint64_t start = store_random_number(t->store);

    for (unsigned i = 0; i <= STORE_SHARDS;
         i++) { /* the first shard twice: at last the part before the point */
        unsigned shard = (unsigned)((start >> 58) + i) % STORE_SHARDS;
        struct shard *sh = txn_visit_read(t, shard);
        uint64_t from = i == 0 ? start << 6 : 0;

        do
            from = table_walk(&sh->keys, from, RANDOM_SAMPLE, random_visit, &r);
        while (from != 0 && r.pick == NULL);
        if (r.pick != NULL)
            visit(ctx, r.pick);
        txn_leave_read(t, shard);
        if (r.pick != NULL)
            return true;
    }
    return false;
}

/* ---- flushing -------------------------------------------------------------------------------------------- */

static void mark_live(void *ctx, const struct key *k, bool *marked) {
    *marked = store_peek(ctx, k) != NULL;
}

/* Empties a shard that `t` visits, and notifies the watches of its live keys. Returns the bytes of the shard. */
static uint64_t flush_shard(struct txn *t, struct shard *sh, unsigned i, struct table *keys)
    REQUIRES(shard_role) {
    uint64_t held = t->shards, bytes;

    t->shards |= UINT64_C(1) << i; /* while it is visited: watches may peek at their keys */
    if (sh->watches != NULL)
        watches_each(sh->watches, mark_live, t);
    bytes = shard_empty(sh, keys);
    if (sh->watches != NULL)
        watches_notify_marked(&sh->watches, t);
    t->shards = held;
    return bytes;
}

void store_flush_shard(struct txn *t, unsigned shard, store_flushed *told) {
    struct shard *sh = txn_visit_write(t, shard);
    struct table keys;
    uint64_t bytes = flush_shard(t, sh, shard, &keys);

    if (told != NULL)
        told(t, shard);
    txn_leave_write(t, shard);
    garbage_add_keys(&t->store->garbage, &keys, bytes);
}

void store_flush(struct txn *t, store_flushed *told) {
    for (unsigned i = 0; i < STORE_SHARDS; i++)
        store_flush_shard(t, i, told);
}

/* ---- statistics ------------------------------------------------------------------------------------------ */

static struct shard_stats shard_stats(const struct shard *sh) {
    struct rwlock_stats lock = rwlock_stats(&sh->lock);
    uint64_t n[COUNTERS];

    for (int c = 0; c < COUNTERS; c++)
        n[c] = atomic_load_explicit(&sh->counters[c], memory_order_relaxed);
    return (struct shard_stats){
        .keys = atomic_load_explicit(&sh->key_count, memory_order_relaxed),
        .volatile_keys = atomic_load_explicit(&sh->volatile_count, memory_order_relaxed),
        .bytes = atomic_load_explicit(&sh->bytes, memory_order_relaxed),
        .gets = n[COUNT_HITS] + n[COUNT_MISSES],
        .hits = n[COUNT_HITS],
        .misses = n[COUNT_MISSES],
        .sets = n[COUNT_SETS],
        .deletes = n[COUNT_DELETES],
        .expired = n[COUNT_EXPIRED],
        .evicted = n[COUNT_EVICTED],
        .list_ops = n[COUNT_LIST_OPS],
        .read_locks = lock.read_locks,
        .write_locks = lock.write_locks,
        .contended = lock.contended,
        .readers = lock.readers,
        .writer = lock.writer,
    };
}

static void stats_add(struct shard_stats *sum, const struct shard_stats *s) {
    sum->keys += s->keys;
    sum->volatile_keys += s->volatile_keys;
    sum->bytes += s->bytes;
    sum->gets += s->gets;
    sum->hits += s->hits;
    sum->misses += s->misses;
    sum->sets += s->sets;
    sum->deletes += s->deletes;
    sum->expired += s->expired;
    sum->evicted += s->evicted;
    sum->list_ops += s->list_ops;
    sum->read_locks += s->read_locks;
    sum->write_locks += s->write_locks;
    sum->contended += s->contended;
    sum->readers += s->readers;
    sum->writer |= s->writer;
}

void store_stats(const struct store *s, struct shard_stats *total, struct shard_stats *shards) {
    struct shard_stats sum = {0};

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        struct shard_stats one = shard_stats(&s->shards[i]);

        stats_add(&sum, &one);
        if (shards != NULL)
            shards[i] = one;
    }
    if (total != NULL)
        *total = sum;
}

uint64_t store_bytes(const struct store *s) {
    return atomic_load_explicit(&s->bytes, memory_order_relaxed);
}

uint64_t store_garbage_bytes(const struct store *s) {
    return atomic_load_explicit(&s->garbage.bytes, memory_order_relaxed);
}

void store_stats_reset(struct store *s) {
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        for (int c = 0; c < COUNTERS; c++)
            atomic_store_explicit(&s->shards[i].counters[c], 0, memory_order_relaxed);
        rwlock_stats_reset(&s->shards[i].lock);
    }
    atomic_store_explicit(&s->garbage.freed, 0, memory_order_relaxed);
}

struct lazyfree_stats store_lazyfree(const struct store *s) {
    return (struct lazyfree_stats){atomic_load_explicit(&s->garbage.pending, memory_order_relaxed),
                                   atomic_load_explicit(&s->garbage.freed, memory_order_relaxed)};
}
