/* store.c - operations of a transaction on one key. */
#include <assert.h>
#include <flashkv/clock.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <sys/random.h>

#include "access.h"
#include "store_impl.h"

struct store *store_create(const struct store_config *config) {
    struct store *s = mem_aligned(_Alignof(struct shard), sizeof(*s));

    if (s == NULL)
        return NULL;
    memset(s, 0, sizeof(*s));
    if (config->secret != NULL)
        memcpy(s->secret, config->secret, sizeof(s->secret));
    if ((config->secret == NULL &&
         getrandom(s->secret, sizeof(s->secret), 0) != (ssize_t)sizeof(s->secret)) ||
        getrandom(&s->random_state, sizeof(s->random_state), 0) != (ssize_t)sizeof(s->random_state)) {
        mem_free(s);
        return NULL;
    }
    for (unsigned i = 0; i < STORE_SHARDS; i++)
        shard_init(&s->shards[i], i, s->secret, &s->bytes);
    s->max_value = config->max_value;
    s->made_ms = clock_wall_ms();
    store_set_access(s, (struct access_rules){.log_factor = 10, .decay_minutes = 1});
    garbage_init(&s->garbage);
    eviction_pool_init(&s->pool);
    return s;
}

void store_destroy(struct store *s) {
    if (s == NULL)
        return;
    for (unsigned i = 0; i < STORE_SHARDS; i++)
        shard_destroy(&s->shards[i]);
    eviction_pool_destroy(&s->pool);
    garbage_destroy(&s->garbage);
    mem_free(s);
}

struct key store_key(const struct store *s, struct slice name) {
    return (struct key){name, table_hash(s->secret, name)};
}

/* ---- reading -------------------------------------------------------------------------------------------- */

const struct entry *store_peek(struct txn *t, const struct key *k) {
    struct shard *sh = txn_shard_read(t, k);
    const struct entry *e = shard_find(sh, k);

    return e != NULL && !entry_expired(e, t->now_ms) ? e : NULL;
}

uint64_t store_footprint(struct txn *t, const struct key *k) {
    const struct entry *e = store_peek(t, k);

    return e != NULL ? entry_footprint(e) : 0;
}

static const struct entry *count_look_up(struct txn *t, struct shard *sh, const struct key *k,
                                         const struct entry *e) REQUIRES_SHARED(shard_role) {
    shard_count_shared(sh, e != NULL ? COUNT_HITS : COUNT_MISSES);
    if (e == NULL)
        txn_notice(t, k, EVENT_MISS, "keymiss");
    return e;
}

/* The slow path of a read: renews the access stamp. NULL: the entry has expired. */
static NOINLINE struct entry *use(const struct txn *t, struct entry *e) {
    if (entry_expired(e, t->now_ms))
        return NULL;
    access_renew(t, e);
    return e;
}

HOT const struct entry *store_get(struct txn *t, const struct key *k) {
    struct shard *sh = txn_shard_read(t, k);
    struct entry *e = shard_find(sh, k);

    if (e != NULL && !access_is_settled(t, e))
        e = use(t, e);
    return count_look_up(t, sh, k, e);
}

const struct entry *store_inspect(struct txn *t, const struct key *k) {
    return count_look_up(t, txn_shard_read(t, k), k, store_peek(t, k));
}

enum store_result store_read_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o) {
    struct shard *sh = txn_shard_read(t, k);
    const struct entry *e = store_get(t, k);

    if (e != NULL && entry_type(e) != type)
        return STORE_WRONG_TYPE;
    if (type == TYPE_LIST)
        shard_count_shared(sh, COUNT_LIST_OPS);
    *o = e != NULL ? entry_object(e) : NULL;
    return STORE_OK;
}

enum store_result store_peek_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o) {
    const struct entry *e = store_peek(t, k);

    if (e != NULL && entry_type(e) != type)
        return STORE_WRONG_TYPE;
    *o = e != NULL ? entry_object(e) : NULL;
    return STORE_OK;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static COLD void drop_expired(struct txn *t, struct shard *sh, const struct key *k, struct entry *e)
    REQUIRES(shard_role) {
    txn_expired(t, k, e);
    shard_unlink(sh, k->hash, e, &t->dead);
    shard_count(sh, COUNT_EXPIRED);
}

HOT struct entry *find_live(struct txn *t, struct shard *sh, const struct key *k) {
    struct entry *e = shard_find(sh, k);

    if (e == NULL || access_is_settled(t, e) || use(t, e) != NULL)
        return e;
    drop_expired(t, sh, k, e);
    return NULL;
}

enum store_result place(struct txn *t, struct shard *sh, uint64_t hash, struct entry *stale,
                        const struct entry_spec *spec) {
    struct entry *fresh = entry_new(spec);

    if (fresh == NULL)
        return STORE_NO_MEMORY;
    if (!shard_link(sh, hash, stale, fresh, &t->dead)) {
        entry_free(fresh);
        return STORE_NO_MEMORY;
    }
    return STORE_OK;
}

void note_new(struct txn *t, const struct key *k) {
    txn_notice(t, k, EVENT_NEW, "new");
}

enum store_result put(struct txn *t, struct shard *sh, const struct key *k, struct entry *stale,
                      const struct entry_spec *spec) {
    enum store_result result = place(t, sh, k->hash, stale, spec);

    if (result == STORE_OK && stale == NULL)
        note_new(t, k);
    return result;
}

bool fits_in_place(const struct entry *e, const struct entry_spec *spec) {
    size_t had = entry_size(e), need = entry_spec_size(spec);

    return entry_object(e) == NULL && spec->object == NULL &&
           entry_has(e, E_EXPIRES) == (spec->expire_at != NO_EXPIRY) &&
           (had == need || mem_good_size(had) == mem_good_size(need));
}

void overwrite(struct shard *sh, struct entry *e, const struct entry_spec *spec) {
    struct entry_spec in_place = *spec;

    in_place.key = entry_key(e);
    in_place.stamp = entry_stamp(e);
    entry_write(e, &in_place);
    if (spec->expire_at != NO_EXPIRY)
        shard_note_expiry(sh, spec->expire_at);
}

struct object *string_object(const struct string_value *v) {
    struct blob *b = v->blob != NULL ? blob_ref(v->blob) : blob_copy(v->bytes);

    return b != NULL ? &b->object : NULL;
}

/* The slow path of a set: the new value differs from `e` (may be NULL) in length, type, expiry or content type. */
static NOINLINE enum store_result set_anew(struct txn *t, struct shard *sh, const struct key *k,
                                           struct entry *e, const struct string_value *v)
    REQUIRES(shard_role) {
    struct entry_spec spec = {.type = TYPE_STRING, .key = k->name, .content_type = v->content_type};
    enum store_result result;

    spec.value = v->blob != NULL ? blob_slice(v->blob) : v->bytes;
    spec.expire_at = v->expire_at;
    spec.stamp = access_stamp(t, e);
    if (spec.value.len > t->store->max_value)
        return STORE_TOO_LARGE;
    if (v->expire_at != NO_EXPIRY && v->expire_at <= t->now_ms) {
        if (e != NULL)
            shard_unlink(sh, k->hash, e, &t->dead);
        shard_count(sh, COUNT_SETS);
        return STORE_OK;
    }
    if (spec.value.len > STRING_INLINE_MAX && (spec.object = string_object(v)) == NULL)
        return STORE_NO_MEMORY;
    if (e != NULL && fits_in_place(e, &spec)) {
        overwrite(sh, e, &spec);
        result = STORE_OK;
    } else {
        result = put(t, sh, k, e, &spec);
    }
    if (result == STORE_OK)
        shard_count(sh, COUNT_SETS);
    else
        object_free(spec.object);
    return result;
}

/* The fast path of a set: only the value's bytes change. False: it does not apply. */
static bool rewrite_value(struct entry *e, const struct string_value *v) {
    return v->blob == NULL && v->expire_at == NO_EXPIRY && v->content_type.len == 0 &&
           entry_rewrite(e, v->bytes);
}

HOT enum store_result store_set_string(struct txn *t, const struct key *k, const struct string_value *v) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);

    if (e == NULL || !rewrite_value(e, v))
        return set_anew(t, sh, k, e, v);
    shard_count(sh, COUNT_SETS);
    return STORE_OK;
}

void store_swap_blob(struct txn *t, const struct key *k, const struct blob *old, struct blob *fresh) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);
    struct blob *had = e != NULL && entry_type(e) == TYPE_STRING ? entry_blob(e) : NULL;
    size_t before;

    if (had == NULL || had != old)
        return;
    before = entry_footprint(e);
    entry_set_object(e, &blob_ref(fresh)->object);
    shard_resized(sh, before, entry_footprint(e));
    blob_unref(had); /* not the last reference: the caller has one */
}

bool store_delete(struct txn *t, const struct key *k) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);

    if (e == NULL)
        return false;
    shard_unlink(sh, k->hash, e, &t->dead);
    shard_count(sh, COUNT_DELETES);
    return true;
}

enum store_result store_set_expiry(struct txn *t, const struct key *k, int64_t expire_at, bool *existed) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);
    struct entry_spec spec;
    enum store_result result = STORE_OK;

    *existed = e != NULL;
    if (e == NULL)
        return STORE_OK;
    if (expire_at != NO_EXPIRY && expire_at <= t->now_ms) {
        (void)store_delete(t, k);
        return STORE_OK;
    }
    spec = entry_spec_of(e);
    if (spec.expire_at == expire_at)
        return STORE_OK;
    spec.expire_at = expire_at;
    if (entry_expire_at(e) != NO_EXPIRY && expire_at != NO_EXPIRY) {
        entry_set_expire_at(e, expire_at);
        shard_note_expiry(sh, expire_at);
    } else {
        result = put(t, sh, k, e, &spec);
    }
    return result;
}

/* put() for a value of another key: `stale` may hold the same blob (COPY shares it); then its reference is dropped. */
static enum store_result put_moved(struct txn *t, struct shard *sh, const struct key *k, struct entry *stale,
                                   const struct entry_spec *spec) REQUIRES(shard_role) {
    bool same = stale != NULL && entry_object(stale) == spec->object;
    enum store_result result = put(t, sh, k, stale, spec);

    if (result != STORE_OK)
        return result;
    if (same)
        object_free(spec->object);
    if (stale != NULL)
        note_new(t, k); /* emitted for an existing key too: Redis deletes it first */
    return STORE_OK;
}

enum store_result store_rename(struct txn *t, const struct key *from, const struct key *to) {
    struct shard *src = txn_shard_write(t, from), *dst = txn_shard_write(t, to);
    struct entry *e = find_live(t, src, from);
    struct entry_spec spec;
    enum store_result result;

    assert(e != NULL);
    if (slice_eq(from->name, to->name))
        return STORE_OK;
    spec = entry_spec_of(e);
    spec.key = to->name;
    result = put_moved(t, dst, to, find_live(t, dst, to), &spec);
    if (result == STORE_OK)
        shard_unlink(src, from->hash, e, NULL); /* the object now belongs to the new key */
    return result;
}

enum store_result store_copy(struct txn *t, const struct key *from, const struct key *to) {
    struct shard *src = txn_shard_write(t, from), *dst = txn_shard_write(t, to);
    struct entry *e = find_live(t, src, from), *stale = find_live(t, dst, to);
    struct entry_spec spec;
    enum store_result result;

    assert(e != NULL && e != stale);
    spec = entry_spec_of(e);
    spec.key = to->name;
    spec.stamp = access_stamp(t, NULL);
    if (spec.object != NULL && (spec.object = object_copy(spec.object)) == NULL)
        return STORE_NO_MEMORY;
    result = put_moved(t, dst, to, stale, &spec);
    if (result != STORE_OK)
        object_free(spec.object);
    return result;
}
