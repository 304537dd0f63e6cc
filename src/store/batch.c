/* batch.c - setting several keys, all or none.
 *
 * What can fail comes first: missing keys are added, and removed again if a later step fails; for existing keys the
 * replacing entry is allocated and set aside. Then those replace the old entries, which cannot fail, since an
 * entry without an expiry takes over the slot of the old one. */
#include <assert.h>
#include <flashkv/mem.h>

#include "access.h"
#include "store_impl.h"

/* One key of the batch. */
struct pending {
    enum { ADDED, REPLACES, REWRITES } how;
    struct entry *fresh; /* REPLACES */
};

enum { PENDING_ON_STACK = 8 };

static enum store_result spec_of(struct txn *t, const struct key *k, const struct string_value *v,
                                 struct entry_spec *spec) {
    assert(v->expire_at == NO_EXPIRY);
    *spec = (struct entry_spec){.type = TYPE_STRING, .key = k->name, .content_type = v->content_type};
    spec->value = v->blob != NULL ? blob_slice(v->blob) : v->bytes;
    if (spec->value.len > t->store->max_value)
        return STORE_TOO_LARGE;
    if (spec->value.len > STRING_INLINE_MAX && (spec->object = string_object(v)) == NULL)
        return STORE_NO_MEMORY;
    return STORE_OK;
}

/* `replacing`: the shards in which an earlier key of the batch will replace an entry, so that the present entries of those
 * shards must not be relied on. */
static enum store_result prepare(struct txn *t, const struct key *k, const struct string_value *v,
                                 uint64_t *replacing, struct pending *p) {
    struct shard *sh = txn_shard_write(t, k);
    struct entry *e = find_live(t, sh, k);
    struct entry_spec spec;
    enum store_result result;

    if (e != NULL && v->blob == NULL && v->content_type.len == 0 && !(*replacing & key_shard_bit(k)) &&
        entry_can_rewrite(e, v->bytes.len)) {
        p->how = REWRITES;
        return STORE_OK;
    }
    result = spec_of(t, k, v, &spec);
    if (result != STORE_OK)
        return result;
    spec.stamp = access_stamp(t, e);
    p->how = e == NULL ? ADDED : REPLACES;
    if (e == NULL) {
        result = place(t, sh, k->hash, NULL, &spec);
    } else {
        *replacing |= key_shard_bit(k);
        p->fresh = entry_new(&spec);
        result = p->fresh != NULL ? STORE_OK : STORE_NO_MEMORY;
    }
    if (result != STORE_OK)
        object_free(spec.object);
    return result;
}

static void undo(struct txn *t, const struct key *k, struct pending *p) {
    struct shard *sh = txn_shard_write(t, k);

    if (p->how == ADDED) {
        shard_unlink(sh, k->hash, shard_find(sh, k), &t->dead);
    } else if (p->how == REPLACES) {
        object_free(entry_object(p->fresh));
        entry_free(p->fresh);
    }
}

static void commit(struct txn *t, const struct key *k, const struct string_value *v, struct pending *p) {
    struct shard *sh = txn_shard_write(t, k);
    bool done = true;

    if (p->how == ADDED)
        txn_notice(t, k, EVENT_NEW, "new");
    else if (p->how == REPLACES)
        done = shard_link(sh, k->hash, shard_find(sh, k), p->fresh, &t->dead);
    else if (p->how == REWRITES)
        done = entry_rewrite(shard_find(sh, k), v->bytes);
    assert(done);
    (void)done;
    shard_count(sh, COUNT_SETS);
}

enum store_result store_set_strings(struct txn *t, size_t n, const struct key *keys,
                                    const struct string_value *values, store_stored *stored, void *ctx) {
    struct pending room[PENDING_ON_STACK], *pending = room;
    enum store_result result = STORE_OK;
    uint64_t replacing = 0;
    size_t i;

    if (n > PENDING_ON_STACK && (pending = mem_alloc(n * sizeof(*pending))) == NULL)
        return STORE_NO_MEMORY;
    for (i = 0; i < n && result == STORE_OK; i++)
        result = prepare(t, &keys[i], &values[i], &replacing, &pending[i]);
    if (result == STORE_OK)
        for (i = 0; i < n; i++) {
            commit(t, &keys[i], &values[i], &pending[i]);
            if (stored != NULL)
                stored(ctx, i);
        }
    else
        for (i--; i-- > 0;) /* the last was not prepared */
            undo(t, &keys[i], &pending[i]);
    if (pending != room)
        mem_free(pending);
    return result;
}
