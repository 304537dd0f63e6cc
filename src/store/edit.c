/* edit.c - editing values in place: the bytes of strings, the objects of collections. */
#include <assert.h>
#include <flashkv/mem.h>

#include "access.h"
#include "store_impl.h"

/* ---- strings --------------------------------------------------------------------------------------------- */

/* The capacity for a string of `len` bytes that has grown, and will probably grow again: double it up to 1 MiB, then add
 * 1 MiB at a time (as Redis's sds). */
static size_t roomy(size_t len) {
    enum { STEP = 1 << 20 };

    return len < STEP ? 2 * len : len + STEP;
}

/* A blob of `len` bytes: `old`, then zeroes. NULL: no memory. */
static struct blob *blob_from(struct slice old, size_t len, size_t cap) {
    struct blob *b = blob_new(len, cap);
    size_t keep = old.len < len ? old.len : len;

    if (b == NULL)
        return NULL;
    if (keep > 0)
        memcpy(b->data, old.ptr, keep);
    memset(b->data + keep, 0, len - keep);
    return b;
}

/* Resizes a blob with only one reference; it may move. NULL: no memory, and the blob is unchanged. */
static struct blob *blob_resize(struct blob *b, size_t len) {
    size_t old = b->len;

    if (len > b->cap && (b = blob_grow(b, roomy(len))) == NULL)
        return NULL;
    if (len > old)
        memset(b->data + old, 0, len - old);
    b->len = len;
    atomic_store_explicit(&b->digest, 0, memory_order_relaxed);
    return b;
}

/* Resizes to a string of `len` bytes that is kept in the entry. */
static enum store_result edit_inline(struct txn *t, struct shard *sh, const struct key *k, struct entry *e,
                                     struct entry_spec *spec, size_t len) REQUIRES(shard_role) {
    size_t old = spec->value.len, keep = old < len ? old : len;
    struct slice bytes = spec->value;
    struct entry *fresh;

    spec->value = slice_of(NULL, len);
    if (e != NULL && fits_in_place(e, spec)) {
        overwrite(sh, e, spec);
        memset(entry_inline_value(e) + keep, 0, len - keep);
        return STORE_OK;
    }
    fresh = entry_new(spec);
    if (fresh == NULL)
        return STORE_NO_MEMORY;
    if (keep > 0)
        memcpy(entry_inline_value(fresh), bytes.ptr, keep);
    memset(entry_inline_value(fresh) + keep, 0, len - keep);
    if (!shard_link(sh, k->hash, e, fresh, &t->dead)) {
        entry_free(fresh);
        return STORE_NO_MEMORY;
    }
    if (e == NULL)
        note_new(t, k);
    return STORE_OK;
}

/* Resizes to a string of `len` bytes in a blob of its own. */
static enum store_result edit_blob(struct txn *t, struct shard *sh, const struct key *k, struct entry *e,
                                   struct entry_spec *spec, size_t len) REQUIRES(shard_role) {
    struct blob *b = (struct blob *)spec->object;

    if (b != NULL && !blob_shared(b)) {
        size_t before = entry_footprint(e);

        if ((b = blob_resize(b, len)) == NULL)
            return STORE_NO_MEMORY;
        entry_set_object(e, &b->object);
        shard_resized(sh, before, entry_footprint(e));
        return STORE_OK;
    }
    b = blob_from(b != NULL ? blob_slice(b) : spec->value, len, e != NULL ? roomy(len) : len);
    if (b == NULL)
        return STORE_NO_MEMORY;
    spec->object = &b->object;
    if (put(t, sh, k, e, spec) == STORE_OK)
        return STORE_OK;
    blob_unref(b);
    return STORE_NO_MEMORY;
}

enum store_result store_edit_string(struct txn *t, const struct key *k, size_t len, bool raw, char **bytes) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);
    struct entry_spec spec = {.type = TYPE_STRING, .key = k->name};
    enum store_result result;

    if (e != NULL && entry_type(e) != TYPE_STRING)
        return STORE_WRONG_TYPE;
    if (len > t->store->max_value)
        return STORE_TOO_LARGE;
    if (e != NULL)
        spec = entry_spec_of(e);
    else
        spec.stamp = access_stamp(t, NULL);
    spec.raw = raw;
    if (spec.object == NULL && len <= STRING_INLINE_MAX)
        result = edit_inline(t, sh, k, e, &spec, len);
    else
        result = edit_blob(t, sh, k, e, &spec, len);
    if (result != STORE_OK)
        return result;
    shard_count(sh, COUNT_SETS);
    e = shard_find(sh, k);
    *bytes = entry_object(e) != NULL ? entry_blob(e)->data : entry_inline_value(e);
    return STORE_OK;
}

/* ---- collections ----------------------------------------------------------------------------------------- */

enum store_result store_edit_object(struct txn *t, const struct key *k, enum value_type type, bool create,
                                    struct object **o) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);
    struct entry_spec spec = {.type = type, .key = k->name};

    *o = NULL;
    if (e != NULL && entry_type(e) != type)
        return STORE_WRONG_TYPE;
    if (e == NULL && create) {
        spec.stamp = access_stamp(t, NULL);
        spec.object = object_new(type, t->store->secret);
        if (spec.object == NULL)
            return STORE_NO_MEMORY;
        if (put(t, sh, k, NULL, &spec) != STORE_OK) {
            object_free(spec.object);
            return STORE_NO_MEMORY;
        }
        e = shard_find(sh, k);
    }
    if (e != NULL) {
        *o = entry_object(e);
        shard_resized(sh, object_footprint(*o), 0); /* store_object_done adds the new size */
    }
    return STORE_OK;
}

enum store_result store_fields_expire(struct txn *t, const struct key *k) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);

    return e == NULL || shard_fields_expire(sh, k->hash, e, true) ? STORE_OK : STORE_NO_MEMORY;
}

/* An edit may have set expiries of fields, or removed the last one. */
static void note_fields(struct shard *sh, const struct key *k, struct entry *e) REQUIRES(shard_role) {
    (void)shard_fields_expire(sh, k->hash, e, hash_is_volatile(entry_hash(e))); /* removing it cannot fail */
    shard_note_expiry(sh, entry_due_at(e));
}

bool store_object_done(struct txn *t, const struct key *k) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = shard_find(sh, k);

    assert(e != NULL && entry_type(e) != TYPE_STRING);
    shard_resized(sh, 0, object_footprint(entry_object(e)));
    if (entry_type(e) == TYPE_LIST)
        shard_count(sh, COUNT_LIST_OPS);
    if (object_len(entry_object(e)) > 0 && !entry_expired(e, t->now_ms)) {
        if (entry_has(e, E_FIELDS))
            note_fields(sh, k, e);
        return true;
    }
    if (object_len(entry_object(e)) >
        0) /* all remaining fields have expired: that is for the sweeper, not for this edit */
        txn_removed(t, k, slice_of(NULL, 0));
    shard_unlink(sh, k->hash, e, &t->dead);
    return false;
}

struct object *store_new_object(const struct store *s, enum value_type type) {
    return object_new(type, s->secret);
}

void store_free_object(struct object *o) {
    object_free(o);
}

enum store_result store_set_object(struct txn *t, const struct key *k, struct object *o) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry_spec spec = {.type = (enum value_type)o->type, .key = k->name, .object = o};
    struct entry *stale;

    if (object_len(o) == 0) {
        (void)store_delete(t, k);
        object_free(o);
        return STORE_OK;
    }
    stale = find_live(t, sh, k);
    spec.stamp = access_stamp(t, stale);
    return put(t, sh, k, stale, &spec);
}
