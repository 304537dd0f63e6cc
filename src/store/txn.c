/* txn.c - locking: the one place that locks shards, always in ascending order.
 *
 * The set of shards is known only at run time, which clang's analysis cannot follow; so the functions here are
 * exempt from it, and give access to shards through txn_shard_read and txn_shard_write, which assert the lock to the
 * analysis (and, in debug builds, at run time). */
#include <assert.h>
#include <flashkv/hints.h>

#include "store_impl.h"

static unsigned lowest_bit(uint64_t bits) {
    return (unsigned)__builtin_ctzll(bits);
}

/* Field by field: gcc clears a struct of this size by `rep stos`, whose start-up takes longer than locking a shard. */
static inline void init(struct txn *t, struct store *s, int64_t now_ms, uint64_t shards, enum txn_mode mode) {
    t->store = s;
    t->now_ms = now_ms;
    t->shards = shards;
    t->mode = mode;
    t->dead = NULL;
    t->changes = 0;
    t->wanted = 0;
    t->no_touch = false;
    t->ready = (struct ready_keys){NULL, NULL};
    t->journal = NULL;
    t->effects = NULL;
}

HOT void txn_begin(struct txn *t, struct store *s, int64_t now_ms, uint64_t shards,
                   enum txn_mode mode) NO_THREAD_SAFETY_ANALYSIS {
    init(t, s, now_ms, shards, mode);
    for (uint64_t left = shards; left != 0; left &= left - 1) {
        struct shard *sh = &s->shards[lowest_bit(left)];

        if (mode == TXN_WRITE) {
            shard_wrlock(sh);
            t->wanted |= sh->watches != NULL ? UINT32_MAX : 0;
        } else {
            shard_rdlock(sh);
        }
    }
    /* After locking: a listener that was added before is thus sure to get all events of these shards from now on. */
    t->wanted |= atomic_load_explicit(&s->wanted, memory_order_relaxed);
}

/* The ready keys were not served: they become ready again with the next change. */
static COLD void drop_ready(struct txn *t) {
    struct watched_key *k;

    while ((k = ready_keys_pop(&t->ready)) != NULL)
        watched_key_release(t, k);
}

HOT void txn_end(struct txn *t) NO_THREAD_SAFETY_ANALYSIS {
    if (t->ready.first != NULL)
        drop_ready(t);
    for (uint64_t left = t->shards; left != 0; left &= left - 1) {
        struct shard *sh = &t->store->shards[lowest_bit(left)];

        if (t->mode == TXN_WRITE)
            shard_wrunlock(sh);
        else
            shard_rdunlock(sh);
    }
    t->shards = 0;
    if (t->dead != NULL)
        garbage_add_objects(&t->store->garbage, t->dead);
    t->dead = NULL;
}

struct shard *txn_shard_read(struct txn *t, const struct key *k) NO_THREAD_SAFETY_ANALYSIS {
    struct shard *sh = &t->store->shards[key_shard(k)];

    assert(t->shards & key_shard_bit(k));
    rwlock_assert_held_shared(&sh->lock);
    return sh;
}

struct shard *txn_shard_write(struct txn *t, const struct key *k) NO_THREAD_SAFETY_ANALYSIS {
    struct shard *sh = &t->store->shards[key_shard(k)];

    assert(t->mode == TXN_WRITE && (t->shards & key_shard_bit(k)));
    rwlock_assert_held(&sh->lock);
    return sh;
}

static bool holds(const struct txn *t, unsigned i) {
    return (t->shards >> i & 1) != 0;
}

struct shard *txn_visit_read(struct txn *t, unsigned i) NO_THREAD_SAFETY_ANALYSIS {
    if (!holds(t, i))
        shard_rdlock(&t->store->shards[i]);
    return &t->store->shards[i];
}

void txn_leave_read(struct txn *t, unsigned i) NO_THREAD_SAFETY_ANALYSIS {
    if (!holds(t, i))
        shard_rdunlock(&t->store->shards[i]);
}

struct shard *txn_visit_write(struct txn *t, unsigned i) NO_THREAD_SAFETY_ANALYSIS {
    assert(!holds(t, i) || t->mode == TXN_WRITE);
    if (!holds(t, i))
        shard_wrlock(&t->store->shards[i]);
    return &t->store->shards[i];
}

void txn_leave_write(struct txn *t, unsigned i) NO_THREAD_SAFETY_ANALYSIS {
    if (!holds(t, i))
        shard_wrunlock(&t->store->shards[i]);
}

/* ---- the log's position ------------------------------------------------------------------------------------- */

uint64_t store_logged(const struct txn *t) {
    uint64_t most = 0;

    for (uint64_t left = t->shards; left != 0; left &= left - 1) {
        const struct shard *sh = &t->store->shards[lowest_bit(left)];
        uint64_t logged = atomic_load_explicit(&sh->logged, memory_order_relaxed);

        most = logged > most ? logged : most;
    }
    return most;
}

void store_note_logged(struct store *s, uint64_t shards, uint64_t position) {
    for (uint64_t left = shards; left != 0; left &= left - 1)
        atomic_store_explicit(&s->shards[lowest_bit(left)].logged, position, memory_order_relaxed);
}
