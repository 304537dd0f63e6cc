/* entry_layout.h - one key with its value, packed into one allocation. Private to the store.
 *
 *      0        4        8
 *     +--------+--------+-----------+----------+- - - - -+- - - - - - - - -+- - - - - -+
 *     |  lens  |  meta  | expire_at | object * | key ... | n, content type | value ... |
 *     +--------+--------+-----------+----------+- - - - -+- - - - - - - - -+- - - - - -+
 *                        E_EXPIRES   E_OBJECT              E_CONTENT_TYPE    no E_OBJECT
 *
 *     lens: key length 17 bits, length of a value in the entry 15 bits
 *     meta: type 3 bits, E_ flags 5 bits, access stamp 24 bits (access.h). Readers who share the shard may stamp, so it
 *           is an atomic; type and flags change under the exclusive lock only.
 *
 * A key of 16 bytes with a value of 64 thus takes 88 bytes, 96 with an expiry: one 96-byte class of the usual
 * allocators either way. A value of more than STRING_INLINE_MAX bytes, or of another type, is an object behind
 * a pointer. */
#ifndef FLASHKV_STORE_ENTRY_LAYOUT_H
#define FLASHKV_STORE_ENTRY_LAYOUT_H

#include <flashkv/entry.h>
#include <stdatomic.h>

enum entry_flag {
    E_TYPE = 7,
    E_EXPIRES = 1 << 3,
    E_OBJECT = 1 << 4,
    E_CONTENT_TYPE = 1 << 5,
    E_RAW = 1 << 6,    /* a string that was edited */
    E_FIELDS = 1 << 7, /* a hash some of whose fields may expire */
    E_VOLATILE = E_EXPIRES | E_FIELDS,
    E_ALL = 0xff /* type and flags; the rest is the stamp */
};
enum { ENTRY_STAMP_SHIFT = 8, ENTRY_STAMP_MAX = (1 << 24) - 1 };

struct entry {
    uint32_t lens;
    _Atomic uint32_t meta;
    char body[];
};

/* What an entry is made from. `value` is copied in, undefined bytes if its ptr is NULL; or else `object` is
 * pointed to. */
struct entry_spec {
    enum value_type type;
    struct slice key, content_type, value;
    int64_t expire_at;
    struct object *object;
    uint32_t stamp; /* of the last access (access.h) */
    bool raw;       /* a string that was edited: see entry_is_raw */
};

/* Exact bytes of an entry made from `spec`. */
size_t entry_spec_size(const struct entry_spec *spec);
/* A new entry; NULL: no memory. The object's reference moves into it. */
struct entry *entry_new(const struct entry_spec *spec);
/* Writes the entry's fields over memory that has room for them; the key may lie in that very memory, at the
 * place where it stays. */
void entry_write(struct entry *e, const struct entry_spec *spec);
/* What `e` was made from; borrows its bytes. */
struct entry_spec entry_spec_of(const struct entry *e);
/* Frees the entry alone, not its object. */
void entry_free(struct entry *e);
/* Exact bytes of the entry itself. */
size_t entry_size(const struct entry *e);
/* Changes the expiry of an entry that has one. */
void entry_set_expire_at(struct entry *e, int64_t expire_at);
/* The object, or NULL. */
struct object *entry_object(const struct entry *e);
void entry_set_object(struct entry *e, struct object *o);
/* The bytes of a value that lives in the entry, to write. */
char *entry_inline_value(struct entry *e);
/* Would entry_rewrite do for a value of this length? */
bool entry_can_rewrite(const struct entry *e, size_t len);
/* Copies another value of the same length over the one of a string that lives in the entry, without expiry or content
 * type; false, nothing done: the entry is another, or the length. */
bool entry_rewrite(struct entry *e, struct slice value);
/* Bytes accounted to the entry and its object, allocator's rounding included. */
size_t entry_footprint(const struct entry *e);

static inline uint32_t entry_meta(const struct entry *e) {
    return atomic_load_explicit(&e->meta, memory_order_relaxed);
}

static inline bool entry_has(const struct entry *e, enum entry_flag flag) {
    return (entry_meta(e) & flag) != 0;
}

/* The stamp; to set it a shared lock will do. Of two that are set at once, one stays. */
static inline uint32_t entry_stamp(const struct entry *e) {
    return entry_meta(e) >> ENTRY_STAMP_SHIFT;
}
static inline void entry_set_stamp(struct entry *e, uint32_t stamp) {
    atomic_store_explicit(&e->meta, (entry_meta(e) & E_ALL) | stamp << ENTRY_STAMP_SHIFT,
                          memory_order_relaxed);
}

static inline size_t entry_key_length(const struct entry *e) {
    return e->lens & ENTRY_KEY_MAX;
}
/* Where the key begins in the body of an entry with this meta. */
static inline size_t entry_key_offset(uint32_t meta) {
    return (meta & E_EXPIRES ? sizeof(int64_t) : 0) + (meta & E_OBJECT ? sizeof(struct object *) : 0);
}

/* Is this the entry's key? Every look-up asks, so keys of the usual lengths are compared without a call: as two words,
 * which overlap. */
static inline bool entry_key_is(const struct entry *e, struct slice key) {
    const char *own = e->body + entry_key_offset(entry_meta(e));
    uint64_t a[2], b[2];

    if (entry_key_length(e) != key.len)
        return false;
    if (key.len < sizeof(*a) || key.len > sizeof(a))
        return slice_eq(slice_of(own, key.len), key);
    memcpy(&a[0], own, sizeof(*a));
    memcpy(&a[1], own + key.len - sizeof(*a), sizeof(*a));
    memcpy(&b[0], key.ptr, sizeof(*b));
    memcpy(&b[1], key.ptr + key.len - sizeof(*b), sizeof(*b));
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

/* Is it a key, or a field, whose time is up, or (E_FIELDS) a hash all of whose fields are such? */
bool entry_is_expired(const struct entry *e, int64_t now_ms);
static inline bool entry_expired(const struct entry *e, int64_t now_ms) {
    return entry_has(e, E_VOLATILE) && entry_is_expired(e, now_ms);
}
/* The key, or one of a hash's fields, expires no earlier. */
int64_t entry_due_at(const struct entry *e);
/* A hash's fields may expire from now on, or no longer. */
void entry_set_fields(struct entry *e, bool may_expire);

/* ---- objects, of any type (object.c) ------------------------------------------------------------------------ */

/* An empty collection of a type that is not TYPE_STRING, whose tables are keyed by `secret` (TABLE_SECRET_SIZE bytes,
 * borrowed). NULL: no memory. */
struct object *object_new(enum value_type type, const unsigned char *secret);
/* Drops an object: a blob's reference, or a whole collection. NULL is ignored. */
void object_free(struct object *o);
/* Another object of the same content; a blob is shared. NULL: no memory. */
struct object *object_copy(const struct object *o);
/* Elements of a collection, bytes of a blob. O(1). */
size_t object_len(const struct object *o);
/* Bytes an object takes, allocator's rounding included. */
size_t object_footprint(const struct object *o);

#endif
