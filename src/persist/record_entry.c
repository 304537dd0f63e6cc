/* record_entry.c - encodes and decodes keys with their values, of every type. */
#include "record_parts.h"

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put_string(struct chain *c, const struct entry *e) {
    if (entry_blob(e) != NULL)
        put_blob(c, entry_blob(e));
    else
        put_bytes(c, entry_string(e));
}

static void put_list(struct chain *c, const struct list *l) {
    struct list_iter it = list_iter_at(l, 0, LIST_HEAD);
    struct slice element;

    put_count(c, list_len(l));
    while (list_iter_next(&it, &element))
        put_bytes(c, element);
}

struct items {
    struct chain *c;
    const void *of;
};

static void put_field(void *ctx, hash_place at) {
    const struct items *i = ctx;
    int64_t expire_at = hash_expires_at(i->of, at);

    put_bytes(i->c, hash_field(i->of, at));
    put_bytes(i->c, hash_value(i->of, at));
    if (hash_is_volatile(i->of))
        put_bytes(i->c, slice_of(&expire_at, sizeof(expire_at)));
}

static void put_member(void *ctx, set_place at) {
    const struct items *i = ctx;
    char room[SET_ROOM];

    put_bytes(i->c, set_member(i->of, at, room));
}

static void put_scored(void *ctx, zset_place at) {
    const struct items *i = ctx;
    double score = zset_score(i->of, at);

    put_bytes(i->c, zset_member(i->of, at));
    put_bytes(i->c, slice_of(&score, sizeof(score)));
}

static void put_value(struct chain *c, const struct entry *e) {
    struct items items = {c, NULL};

    switch (entry_type(e)) {
    case TYPE_STRING:
        put_string(c, e);
        break;
    case TYPE_LIST:
        put_list(c, entry_list(e));
        break;
    case TYPE_HASH:
        items.of = entry_hash(e);
        put_count(c, hash_len(items.of));
        hash_scan(items.of, 0, SIZE_MAX, HASH_ALL, put_field, &items);
        break;
    case TYPE_SET:
        items.of = entry_set(e);
        put_count(c, set_len(items.of));
        set_scan(items.of, 0, SIZE_MAX, put_member, &items);
        break;
    case TYPE_ZSET:
        items.of = entry_zset(e);
        put_count(c, zset_len(items.of));
        zset_walk(items.of, 0, zset_len(items.of), false, put_scored, &items);
        break;
    }
}

static char type_byte(const struct entry *e) {
    if (e == NULL)
        return (char)GONE;
    if (entry_type(e) == TYPE_HASH && hash_is_volatile(entry_hash(e)))
        return (char)EXPIRING_FIELDS;
    return (char)entry_type(e);
}

static void put_head(struct chain *c, struct slice key, const struct entry *e) {
    char type = type_byte(e);
    int64_t expire_at = e != NULL ? entry_expire_at(e) : NO_EXPIRY;

    put_bytes(c, key);
    chain_add(c, slice_of(&type, 1));
    chain_add(c, slice_of(&expire_at, sizeof(expire_at)));
    put_bytes(c, e != NULL && entry_type(e) == TYPE_STRING ? entry_content_type(e) : slice_of("", 0));
}

void record_put_entry(struct chain *c, struct slice key, const struct entry *e) {
    put_head(c, key, e);
    if (e != NULL)
        put_value(c, e);
}

static uint64_t items_of(const struct entry *e) {
    switch (entry_type(e)) {
    case TYPE_STRING:
        break;
    case TYPE_LIST:
        return list_len(entry_list(e));
    case TYPE_HASH:
        return hash_len(entry_hash(e));
    case TYPE_SET:
        return set_len(entry_set(e));
    case TYPE_ZSET:
        return zset_len(entry_zset(e));
    }
    return 0;
}

void record_put_large(struct chain *c, const struct entry *e) {
    put_head(c, entry_key(e), e);
    put_count(c, items_of(e));
}

struct record_shape record_shape_of(const struct entry *e) {
    return (struct record_shape){entry_type(e), type_byte(e) == (char)EXPIRING_FIELDS};
}

void record_put_item(struct chain *c, const struct record_shape *shape, const struct view_item *item) {
    put_bytes(c, item->name);
    if (shape->type != TYPE_HASH && shape->type != TYPE_ZSET)
        return;
    if (item->blob != NULL)
        put_blob(c, item->blob);
    else
        put_bytes(c, item->value);
    if (shape->expiring_fields)
        put_bytes(c, slice_of(&item->expire_at, sizeof(item->expire_at)));
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

uint64_t record_get_count(struct record_reader *r) {
    uint64_t n = 0;
    unsigned shift = 0, byte;

    do {
        byte = get_u8(r);
        if (shift > 63 || (shift == 63 && byte > 1))
            r->bad = true;
        n |= r->bad ? 0 : (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (!r->bad && (byte & 0x80));
    return r->bad ? 0 : n;
}

struct slice record_get_bytes(struct record_reader *r) {
    return get_run(r, record_get_count(r));
}

unsigned record_item_parts(const struct record_entry *e) {
    switch (e->type) {
    case TYPE_STRING:
        break;
    case TYPE_LIST:
    case TYPE_SET:
        return 1;
    case TYPE_HASH:
        return e->expiring_fields ? 3 : 2;
    case TYPE_ZSET:
        return 2;
    }
    return 0;
}

/* Reads an entry up to its items. */
static void get_entry(struct record_reader *r, struct record_entry *e) {
    unsigned type;

    *e = (struct record_entry){.key = record_get_bytes(r)};
    type = get_u8(r);
    e->expire_at = (int64_t)get_u64(r);
    e->content_type = record_get_bytes(r);
    e->gone = type == GONE;
    e->expiring_fields = type == EXPIRING_FIELDS;
    e->type = e->expiring_fields ? TYPE_HASH : (enum value_type)type;
    if (e->gone || r->bad)
        return;
    if (e->content_type.len > ENTRY_CONTENT_TYPE_MAX || e->expire_at < 0)
        r->bad = true;
    if (e->type == TYPE_STRING)
        e->string = record_get_bytes(r);
    else if (record_item_parts(e) > 0)
        e->items = record_get_count(r);
    else
        r->bad = true;
}

bool record_next_entry(struct record_reader *r, struct record_entry *e) {
    if (r->bad || r->at == r->end)
        return false;
    get_entry(r, e);
    if (e->items > (uint64_t)(r->end - r->at)) /* an item takes at least one byte */
        r->bad = true;
    return !r->bad;
}

bool record_get_large(struct record_reader *r, struct record_entry *e) {
    get_entry(r, e);
    if (e->gone || e->type == TYPE_STRING || r->at != r->end)
        r->bad = true;
    return !r->bad;
}

void record_skip_item(struct record_reader *r, const struct record_entry *e) {
    for (unsigned part = 0; part < record_item_parts(e); part++)
        record_get_bytes(r);
}

void record_skip_items(struct record_reader *r, const struct record_entry *e) {
    if (e->gone)
        return;
    for (uint64_t i = 0; i < e->items && !r->bad; i++)
        record_skip_item(r, e);
}
