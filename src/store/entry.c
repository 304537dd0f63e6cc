/* entry.c - reading and writing the packed entry; entry_layout.h draws it. */
#include "entry_layout.h"

#include <assert.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/store.h>

static size_t inline_length(const struct entry *e) {
    return e->lens >> ENTRY_KEY_BITS;
}

static size_t object_offset(uint32_t meta) {
    return meta & E_EXPIRES ? sizeof(int64_t) : 0;
}

/* The offset of the content type's length byte, or of the value if there is no content type. */
static inline size_t tail_offset(const struct entry *e) {
    return entry_key_offset(entry_meta(e)) + entry_key_length(e);
}

static inline size_t value_offset(const struct entry *e) {
    size_t at = tail_offset(e);

    return entry_has(e, E_CONTENT_TYPE) ? at + 1 + (unsigned char)e->body[at] : at;
}

enum value_type entry_type(const struct entry *e) {
    return (enum value_type)(entry_meta(e) & E_TYPE);
}

const char *value_type_name(enum value_type type) {
    switch (type) {
    case TYPE_STRING:
        return "string";
    case TYPE_LIST:
        return "list";
    case TYPE_HASH:
        return "hash";
    case TYPE_SET:
        return "set";
    case TYPE_ZSET:
        return "zset";
    }
    return "none";
}

struct slice entry_key(const struct entry *e) {
    return slice_of(e->body + entry_key_offset(entry_meta(e)), entry_key_length(e));
}

int64_t entry_expire_at(const struct entry *e) {
    int64_t at = NO_EXPIRY;

    if (entry_has(e, E_EXPIRES))
        memcpy(&at, e->body, sizeof(at));
    return at;
}

void entry_set_expire_at(struct entry *e, int64_t expire_at) {
    assert(entry_has(e, E_EXPIRES));
    memcpy(e->body, &expire_at, sizeof(expire_at));
}

bool entry_is_expired(const struct entry *e, int64_t now_ms) {
    return (entry_has(e, E_EXPIRES) && entry_expire_at(e) <= now_ms) ||
           (entry_has(e, E_FIELDS) && hash_is_dead(entry_hash(e), now_ms));
}

int64_t entry_due_at(const struct entry *e) {
    int64_t at = entry_has(e, E_EXPIRES) ? entry_expire_at(e) : INT64_MAX;
    int64_t field_at = entry_has(e, E_FIELDS) ? hash_due_at(entry_hash(e)) : INT64_MAX;

    return field_at < at ? field_at : at;
}

void entry_set_fields(struct entry *e, bool may_expire) {
    uint32_t meta = entry_meta(e);

    atomic_store_explicit(&e->meta, may_expire ? meta | E_FIELDS : meta & ~(uint32_t)E_FIELDS,
                          memory_order_relaxed);
}

struct object *entry_object(const struct entry *e) {
    struct object *o = NULL;

    if (entry_has(e, E_OBJECT))
        memcpy(&o, e->body + object_offset(entry_meta(e)), sizeof(o));
    return o;
}

void entry_set_object(struct entry *e, struct object *o) {
    assert(entry_has(e, E_OBJECT));
    memcpy(e->body + object_offset(entry_meta(e)), &o, sizeof(struct object *));
}

struct blob *entry_blob(const struct entry *e) {
    assert(entry_type(e) == TYPE_STRING);
    return (struct blob *)entry_object(e);
}

const struct list *entry_list(const struct entry *e) {
    assert(entry_type(e) == TYPE_LIST);
    return (const struct list *)entry_object(e);
}

const struct hash *entry_hash(const struct entry *e) {
    assert(entry_type(e) == TYPE_HASH);
    return (const struct hash *)entry_object(e);
}

const struct set *entry_set(const struct entry *e) {
    assert(entry_type(e) == TYPE_SET);
    return (const struct set *)entry_object(e);
}

const struct zset *entry_zset(const struct entry *e) {
    assert(entry_type(e) == TYPE_ZSET);
    return (const struct zset *)entry_object(e);
}

char *entry_inline_value(struct entry *e) {
    return e->body + value_offset(e);
}

bool entry_can_rewrite(const struct entry *e, size_t len) {
    return (entry_meta(e) & (E_TYPE | E_EXPIRES | E_OBJECT | E_CONTENT_TYPE | E_RAW)) == 0 &&
           inline_length(e) == len;
}

HOT bool entry_rewrite(struct entry *e, struct slice value) {
    if (!entry_can_rewrite(e, value.len))
        return false;
    if (value.len > 0)
        memcpy(entry_inline_value(e), value.ptr, value.len);
    return true;
}

struct slice entry_string(const struct entry *e) {
    const struct blob *b = entry_blob(e);

    return b != NULL ? blob_slice(b) : slice_of(e->body + value_offset(e), inline_length(e));
}

uint64_t entry_digest(const struct entry *e) {
    struct blob *b = entry_blob(e);

    return b != NULL ? blob_digest(b) : store_digest(entry_string(e));
}

bool entry_is_raw(const struct entry *e) {
    return entry_has(e, E_RAW);
}

struct slice entry_content_type(const struct entry *e) {
    size_t at = tail_offset(e);

    if (!entry_has(e, E_CONTENT_TYPE))
        return slice_of("", 0);
    return slice_of(e->body + at + 1, (unsigned char)e->body[at]);
}

size_t entry_size(const struct entry *e) {
    return sizeof(*e) + value_offset(e) + inline_length(e);
}

size_t entry_footprint(const struct entry *e) {
    return mem_good_size(entry_size(e)) + object_footprint(entry_object(e));
}

size_t entry_bytes(const struct entry *e) {
    size_t slots = entry_has(e, E_EXPIRES) ? 2 : 1;

    return entry_footprint(e) + slots * sizeof(uint64_t);
}

static uint32_t spec_meta(const struct entry_spec *spec) {
    return (uint32_t)spec->type | (spec->expire_at != NO_EXPIRY ? E_EXPIRES : 0) |
           (spec->object != NULL ? E_OBJECT : 0) | (spec->content_type.len > 0 ? E_CONTENT_TYPE : 0) |
           (spec->raw ? E_RAW : 0) |
           (spec->type == TYPE_HASH && spec->object != NULL && hash_is_volatile((struct hash *)spec->object)
                ? E_FIELDS
                : 0);
}

size_t entry_spec_size(const struct entry_spec *spec) {
    size_t content_type = spec->content_type.len > 0 ? 1 + spec->content_type.len : 0;
    size_t value = spec->object != NULL ? 0 : spec->value.len;

    return sizeof(struct entry) + entry_key_offset(spec_meta(spec)) + spec->key.len + content_type + value;
}

void entry_write(struct entry *e, const struct entry_spec *spec) {
    size_t value = spec->object != NULL ? 0 : spec->value.len;
    char *at = e->body;

    assert(spec->key.len <= ENTRY_KEY_MAX && value <= STRING_INLINE_MAX);
    assert(spec->content_type.len <= ENTRY_CONTENT_TYPE_MAX);
    e->lens = (uint32_t)(value << ENTRY_KEY_BITS | spec->key.len);
    atomic_store_explicit(&e->meta, spec_meta(spec) | spec->stamp << ENTRY_STAMP_SHIFT, memory_order_relaxed);
    if (spec->expire_at != NO_EXPIRY) {
        memcpy(at, &spec->expire_at, sizeof(spec->expire_at));
        at += sizeof(spec->expire_at);
    }
    if (spec->object != NULL) {
        memcpy(at, &spec->object, sizeof(spec->object));
        at += sizeof(spec->object);
    }
    if (spec->key.len > 0 && at != spec->key.ptr)
        memcpy(at, spec->key.ptr, spec->key.len);
    at += spec->key.len;
    if (spec->content_type.len > 0) {
        *at++ = (char)spec->content_type.len;
        memmove(at, spec->content_type.ptr,
                spec->content_type.len); /* may overlap: it may be in place already */
        at += spec->content_type.len;
    }
    if (value > 0 && spec->value.ptr != NULL)
        memcpy(at, spec->value.ptr, value);
}

struct entry *entry_new(const struct entry_spec *spec) {
    /* The whole size class of the allocator: entry_can_rewrite relies on it. */
    struct entry *e = mem_alloc(mem_good_size(entry_spec_size(spec)));

    if (e != NULL)
        entry_write(e, spec);
    return e;
}

struct entry_spec entry_spec_of(const struct entry *e) {
    struct entry_spec spec = {
        .type = entry_type(e),
        .key = entry_key(e),
        .content_type = entry_content_type(e),
        .expire_at = entry_expire_at(e),
        .object = entry_object(e),
        .stamp = entry_stamp(e),
        .raw = entry_is_raw(e),
    };

    if (spec.object == NULL)
        spec.value = entry_string(e);
    return spec;
}

void entry_free(struct entry *e) {
    mem_free(e);
}
