/* restore.c - sets keys of the store from entries of a file. */
#include <flashkv/mem.h>
#include <math.h>

#include "load.h"

static bool add_item(struct object *o, enum value_type type, struct slice item, struct slice value) {
    enum hash_result h;
    enum set_result s;
    double score;

    switch (type) {
    case TYPE_STRING:
        break;
    case TYPE_LIST:
        return list_push((struct list *)o, LIST_TAIL, item);
    case TYPE_HASH:
        h = hash_set((struct hash *)o, item, value, HASH_ALL);
        return h == HASH_ADDED || h == HASH_REPLACED;
    case TYPE_SET:
        s = set_add((struct set *)o, item);
        return s == SET_ADDED || s == SET_WAS_THERE;
    case TYPE_ZSET:
        if (value.len != sizeof(score))
            return false;
        memcpy(&score, value.ptr, sizeof(score));
        return !isnan(score) && zset_add((struct zset *)o, item, score) == ZSET_ADDED;
    }
    return false;
}

static bool set_field_expiry(struct hash *h, struct slice field, struct slice bytes) {
    int64_t at;

    if (bytes.len != sizeof(at))
        return false;
    memcpy(&at, bytes.ptr, sizeof(at));
    return at >= 0 && hash_expire(h, field, HASH_ALL, at);
}

/* Reads and adds the next item of a collection. */
static bool get_item(struct object *o, const struct record_entry *e, struct record_reader *r) {
    struct slice item = record_get_bytes(r);
    struct slice value = record_item_parts(e) >= 2 ? record_get_bytes(r) : slice_of("", 0);

    if (r->bad || !add_item(o, e->type, item, value))
        return false;
    return !e->expiring_fields || set_field_expiry((struct hash *)o, item, record_get_bytes(r));
}

/* Takes ownership of the object: it becomes the store's, or is freed on failure. */
static bool place(struct txn *t, const struct key *k, const struct record_entry *e, struct object *o) {
    bool existed;

    if (store_set_object(t, k, o) == STORE_OK)
        return store_set_expiry(t, k, e->expire_at, &existed) == STORE_OK;
    store_free_object(o);
    return false;
}

static bool restore_collection(struct txn *t, const struct key *k, const struct record_entry *e,
                               struct record_reader *r) {
    struct object *o = store_new_object(t->store, e->type);
    bool ok = o != NULL;

    for (uint64_t i = 0; i < e->items && ok; i++)
        ok = get_item(o, e, r);
    if (ok)
        return place(t, k, e, o);
    if (o != NULL)
        store_free_object(o);
    return false;
}

bool load_entry(struct txn *t, const struct record_entry *e, struct record_reader *r) {
    struct key k = store_key(t->store, e->key);
    struct string_value v = {e->string, NULL, e->expire_at, e->content_type};

    if (!(t->shards & key_shard_bit(&k)))
        return false;
    if (e->gone) {
        store_delete(t, &k);
        return true;
    }
    return e->type == TYPE_STRING ? store_set_string(t, &k, &v) == STORE_OK : restore_collection(t, &k, e, r);
}

/* ---- large ones ---------------------------------------------------------------------------------------------------- */

struct building {
    struct building *next;
    struct record_entry head;
    struct object *object;
    uint64_t left; /* items still to come */
};

bool larges_begin(struct larges *all, const struct store *s, struct record_reader *r) {
    struct building *l = mem_zalloc(sizeof(*l));

    if (l == NULL)
        return false;
    if (!record_get_large(r, &l->head) || (l->object = store_new_object(s, l->head.type)) == NULL) {
        mem_free(l);
        return false;
    }
    l->left = l->head.items;
    l->next = all->last;
    all->last = l;
    return true;
}

bool larges_add(struct larges *all, struct record_reader *r) {
    struct building *l = all->last;

    for (; r->at != r->end; l->left--)
        if (l == NULL || l->left == 0 || !get_item(l->object, &l->head, r))
            return false;
    return true;
}

bool larges_commit(struct larges *all, struct txn *t) {
    bool ok = true;

    while (ok && all->last != NULL) {
        struct building *l = all->last;
        struct key k = store_key(t->store, l->head.key);

        if (l->left > 0 || !(t->shards & key_shard_bit(&k)))
            return false;
        ok = place(t, &k, &l->head, l->object);
        all->last = l->next;
        mem_free(l);
    }
    return ok;
}

void larges_drop(struct larges *all) {
    for (struct building *next; all->last != NULL; all->last = next) {
        next = all->last->next;
        store_free_object(all->last->object);
        mem_free(all->last);
    }
}
