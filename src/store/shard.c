/* shard.c - keeps a shard's two tables, footprint and counters in step. */
#include "shard.h"

#include <flashkv/hints.h>
#include <flashkv/mem.h>

#include "store_impl.h"
#include "view_impl.h"

enum { SWEEP_BATCH = 32, COUNT_STEP = 1024 };

void shard_init(struct shard *sh, unsigned index, const unsigned char *secret,
                _Atomic uint64_t *total) NO_THREAD_SAFETY_ANALYSIS {
    memset(sh, 0, sizeof(*sh));
    rwlock_init(&sh->lock, LOCK_RANK_SHARD + index);
    sh->total = total;
    table_init(&sh->keys, secret);
    table_init(&sh->volatile_keys, secret);
    sh->expiry_floor = sh->expiry_floor_next = INT64_MAX;
}

void shard_destroy(struct shard *sh) NO_THREAD_SAFETY_ANALYSIS {
    entries_destroy(&sh->keys);
    table_free(&sh->volatile_keys);
    watches_free(&sh->watches); /* those that their owners did not end */
    rwlock_destroy(&sh->lock);
}

struct entry *shard_find(const struct shard *sh, const struct key *k) {
    return table_find(&sh->keys, k->hash, k->name);
}

/* Adds the change of `bytes` since the last call to the total. */
static NOINLINE void count_bytes(struct shard *sh, uint64_t bytes) REQUIRES(shard_role) {
    atomic_fetch_add_explicit(sh->total, bytes - sh->counted, memory_order_relaxed);
    sh->counted = bytes;
}

/* Publishes the copies that store_stats reads; the total, which all shards share, only when it has changed by enough. */
static void shard_publish(struct shard *sh) REQUIRES(shard_role) {
    uint64_t bytes = sh->footprint + table_bytes(&sh->keys) + table_bytes(&sh->volatile_keys);

    atomic_store_explicit(&sh->key_count, sh->keys.used, memory_order_relaxed);
    atomic_store_explicit(&sh->volatile_count, sh->volatile_keys.used, memory_order_relaxed);
    atomic_store_explicit(&sh->bytes, bytes, memory_order_relaxed);
    atomic_store_explicit(&sh->moving, table_moving(&sh->keys) || table_moving(&sh->volatile_keys),
                          memory_order_relaxed);
    if (bytes - sh->counted + COUNT_STEP > 2 * COUNT_STEP)
        count_bytes(sh, bytes);
}

void shard_resized(struct shard *sh, size_t before, size_t after) {
    sh->footprint += after - before;
    shard_publish(sh);
}

void shard_note_expiry(struct shard *sh, int64_t expire_at) {
    if (expire_at < sh->expiry_floor)
        sh->expiry_floor = expire_at;
    if (expire_at < sh->expiry_floor_next)
        sh->expiry_floor_next = expire_at;
}

static void bury(struct object *o, struct object **dead) {
    if (o != NULL && o->viewed)
        view_lose(o);
    if (o == NULL || dead == NULL)
        return;
    if (o->type == TYPE_STRING && blob_shared((struct blob *)o)) {
        object_free(
            o); /* not the last reference: a blob that two keys share (COPY) can be in only one chain */
        return;
    }
    o->next_dead = *dead;
    *dead = o;
}

bool shard_link(struct shard *sh, uint64_t hash, struct entry *stale, struct entry *fresh,
                struct object **dead) {
    bool was_volatile = stale != NULL && entry_has(stale, E_VOLATILE);
    bool is_volatile = entry_has(fresh, E_VOLATILE);

    if (is_volatile && !was_volatile && !table_insert(&sh->volatile_keys, hash, fresh))
        return false;
    if (stale == NULL && !table_insert(&sh->keys, hash, fresh)) {
        if (is_volatile)
            table_remove(&sh->volatile_keys, hash, fresh);
        return false;
    }
    if (was_volatile && is_volatile)
        table_replace(&sh->volatile_keys, hash, stale, fresh);
    else if (was_volatile)
        table_remove(&sh->volatile_keys, hash, stale);
    sh->footprint += entry_footprint(fresh);
    if (stale != NULL) {
        table_replace(&sh->keys, hash, stale, fresh);
        sh->footprint -= entry_footprint(stale);
        if (entry_object(stale) != entry_object(fresh))
            bury(entry_object(stale), dead);
        entry_free(stale);
    }
    if (is_volatile)
        shard_note_expiry(sh, entry_due_at(fresh));
    shard_publish(sh);
    return true;
}

static void unlink_entry(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead)
    REQUIRES(shard_role) {
    table_remove(&sh->keys, hash, e);
    if (entry_has(e, E_VOLATILE))
        table_remove(&sh->volatile_keys, hash, e);
    sh->footprint -= entry_footprint(e);
    bury(entry_object(e), dead);
}

void shard_unlink(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead) {
    unlink_entry(sh, hash, e, dead);
    entry_free(e);
    shard_publish(sh);
}

void shard_take(struct shard *sh, uint64_t hash, struct entry *e, struct object **dead) {
    unlink_entry(sh, hash, e, dead);
    shard_publish(sh);
    count_bytes(sh, atomic_load_explicit(&sh->bytes, memory_order_relaxed));
}

/* ---- sweeping ------------------------------------------------------------------------------------------ */

struct sweep {
    int64_t now_ms, earliest; /* earliest expiry of those that stay */
    struct sweep_result seen;
    struct entry *expired[SWEEP_BATCH * 2];
};

static void sweep_look(void *ctx, struct entry *e) {
    struct sweep *s = ctx;
    int64_t at = entry_due_at(e);

    s->seen.looked++;
    if (at <= s->now_ms && s->seen.expired < SWEEP_BATCH * 2)
        s->expired[s->seen.expired++] = e;
    else if (at < s->earliest)
        s->earliest = at;
}

bool shard_fields_expire(struct shard *sh, uint64_t hash, struct entry *e, bool expire) {
    if (entry_has(e, E_FIELDS) == expire)
        return true;
    if (!entry_has(e, E_EXPIRES)) {
        if (!expire)
            table_remove(&sh->volatile_keys, hash, e);
        else if (!table_insert(&sh->volatile_keys, hash, e))
            return false;
    }
    entry_set_fields(e, expire);
    shard_publish(sh);
    return true;
}

struct field_event {
    struct txn *t;
    const struct key *k;
};

static void notify_field(void *ctx, struct slice field) {
    const struct field_event *f = ctx;

    txn_removed(f->t, f->k, field);
}

/* Removes the expired fields of a hash. */
static void sweep_fields(struct shard *sh, struct txn *t, const struct key *k, struct entry *e)
    REQUIRES(shard_role) {
    enum { FIELDS = 64 };
    struct hash *h = (struct hash *)entry_object(e);
    size_t before = entry_footprint(e);

    if (hash_sweep(h, t->now_ms, FIELDS, notify_field, &(struct field_event){t, k}) > 0)
        store_changed(t, k, EVENT_HASH, "hexpired");
    shard_resized(sh, before, entry_footprint(e));
    (void)shard_fields_expire(sh, k->hash, e, hash_is_volatile(h)); /* removing it cannot fail */
    if (entry_has(e, E_VOLATILE))
        shard_note_expiry(sh, entry_due_at(e));
}

/* Emits the event before the entry, which holds the key's name, is freed. */
static void sweep_out(struct shard *sh, struct txn *t, struct entry *e) REQUIRES(shard_role) {
    struct key k = {entry_key(e), table_hash(sh->keys.secret, entry_key(e))};

    if (!entry_expired(e, t->now_ms)) {
        sweep_fields(sh, t, &k, e);
        return;
    }
    txn_expired(t, &k, e);
    shard_unlink(sh, k.hash, e, &t->dead);
    shard_count(sh, COUNT_EXPIRED);
}

struct sweep_result shard_sweep(struct shard *sh, struct txn *t, size_t want) {
    struct sweep s = {.now_ms = t->now_ms, .earliest = INT64_MAX};
    size_t batch = want < SWEEP_BATCH ? want : SWEEP_BATCH;

    if (sh->volatile_keys.used == 0)
        return s.seen;
    sh->sweep_from = table_walk(&sh->volatile_keys, sh->sweep_from, batch, sweep_look, &s);
    for (size_t i = 0; i < s.seen.expired; i++)
        sweep_out(sh, t, s.expired[i]);
    if (s.earliest < sh->expiry_floor_next)
        sh->expiry_floor_next = s.earliest;
    if (sh->sweep_from == 0) { /* a pass is complete */
        sh->expiry_floor = sh->expiry_floor_next;
        sh->expiry_floor_next = INT64_MAX;
    }
    return s.seen;
}

void shard_move(struct shard *sh, size_t slots) {
    table_move(&sh->keys, slots);
    table_move(&sh->volatile_keys, slots);
    shard_publish(sh);
}

/* ---- emptying ------------------------------------------------------------------------------------------ */

uint64_t shard_empty(struct shard *sh, struct table *keys) {
    uint64_t bytes = sh->footprint + table_bytes(&sh->keys);

    view_lose_all(sh->views);
    *keys = sh->keys;
    table_init(&sh->keys, keys->secret);
    table_free(&sh->volatile_keys);
    atomic_fetch_add_explicit(&sh->flushes, 1, memory_order_relaxed);
    sh->footprint = 0;
    sh->sweep_from = 0;
    sh->expiry_floor = sh->expiry_floor_next = INT64_MAX;
    shard_publish(sh);
    return bytes;
}

static void destroy_entry(void *ctx, struct entry *e) {
    (void)ctx;
    object_free(entry_object(e));
    entry_free(e);
}

void entries_destroy(struct table *keys) {
    table_walk(keys, 0, TABLE_ALL, destroy_entry, NULL);
    table_free(keys);
}

void dead_free(struct object *dead) {
    while (dead != NULL) {
        struct object *next = dead->next_dead;

        object_free(dead);
        dead = next;
    }
}
