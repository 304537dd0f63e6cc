/* need.c - upper bounds of what the edits of a key allocate (flashkv/need.h). */
#include <flashkv/mem.h>

#include "store_impl.h"

size_t store_object_need(const struct object *o, const struct edits *e) {
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
        break; /* string_need */
    case TYPE_LIST:
        return list_need((const struct list *)o, e);
    case TYPE_HASH:
        return hash_need((const struct hash *)o, e);
    case TYPE_SET:
        return set_need((const struct set *)o, e);
    case TYPE_ZSET:
        return zset_need((const struct zset *)o, e);
    }
    return 0;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* `len`: the length of the present string. Each command may allocate a new entry; a long string is copied with spare capacity
 * (roomy) when it has none left, and also when another reference to it exists. */
static size_t string_need(size_t len, const struct edits *e) {
    enum { STEP = 1 << 20, KEPT = 2 * ENTRY_CONTENT_TYPE_MAX };
    size_t all = len + e->bytes, inside = least(all, STRING_INLINE_MAX);
    size_t need = e->commands * (inside + inside / 4 + KEPT) + need_entries(e->commands, e->bytes);
    size_t copies = e->shared ? e->appends : least(e->appends, 3 + e->bytes / STEP);

    return all > STRING_INLINE_MAX ? need + copies * (all + least(all, STEP) + NEED_ENTRY) : need;
}

/* A collection that does not exist yet, of whatever type. */
static size_t fresh_need(const struct edits *e) {
    enum { EACH = 256, FEW = 255, OF_FEW = 16 << 10, OF_MANY = 128 << 10, LARGEST = 32 << 10 };
    size_t small = least(2 * e->bytes + 32 * e->elements, LARGEST) + 2 * NEED_ENTRY;

    return 3 * e->commands * small + 2 * need_entries(e->elements, e->bytes) + EACH * e->elements +
           (e->elements < FEW ? OF_FEW : OF_MANY);
}

size_t store_need(struct txn *t, const struct key *k, const struct edits *e) {
    const struct entry *there = store_peek(t, k);
    bool string = there != NULL && entry_type(there) == TYPE_STRING;
    size_t need = string_need(string ? entry_string(there).len : 0, e);

    if (there != NULL && !string)
        need += store_object_need(entry_object(there), e);
    return need + (e->collection ? fresh_need(e) : 0);
}

size_t store_keys_need(const struct txn *t, const uint32_t added[STORE_SHARDS]) NO_THREAD_SAFETY_ANALYSIS {
    size_t need = 0;

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        const struct shard *sh = &t->store->shards[i];

        if (added[i] > 0)
            need += table_need(&sh->keys, added[i]) + table_need(&sh->volatile_keys, added[i]) +
                    2 * MEM_RESERVE_BLOCK;
    }
    return need;
}

/* Made element by element as a large sorted set, the type that takes most; plus the elements gathered before that. */
size_t store_copy_need(struct txn *t, const struct key *k) {
    enum { EACH = 512, BESIDE = 64 << 10 };
    const struct entry *e = store_peek(t, k);
    size_t len;

    if (e == NULL)
        return 0;
    len = entry_object(e) != NULL && entry_type(e) != TYPE_STRING ? object_len(entry_object(e)) : 0;
    return BESIDE + EACH * len + 4 * entry_footprint(e);
}
