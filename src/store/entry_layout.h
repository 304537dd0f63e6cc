/* entry_layout.h - one key with its value, packed into one allocation. Private to the store.
 *
 *      0        4        8
 *     +--------+--------+-----------+----------+- - - - -+- - - - - - - - -+- - - - - -+
 *     |  lens  |  meta  | expire_at | object * | key ... | n, content type | value ... |
 *     +--------+--------+-----------+----------+- - - - -+- - - - - - - - -+- - - - - -+
 *                        E_EXPIRES   E_OBJECT              E_CONTENT_TYPE    no E_OBJECT
 *
 *     lens: key length 17 bits, length of a value in the entry 15 bits
 *     meta: type 3 bits, E_ flags 5 bits, access stamp 24 bits (access.h). Readers who share the shard set the stamp, so it
 *           is an atomic; type and flags change only under the exclusive lock.
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
    E_FIELDS = 1 << 7, /* a hash that may have fields with an expiry */
    E_VOLATILE = E_EXPIRES | E_FIELDS,
    E_ALL = 0xff /* type and flags; the rest is the stamp */
};
enum { ENTRY_STAMP_SHIFT = 8, ENTRY_STAMP_MAX = (1 << 24) - 1 };

struct entry {
    uint32_t lens;
    _Atomic uint32_t meta;
    char body[];
};

/* The contents of an entry: either `object`, which it will point to, or `value`, which is copied (undefined bytes if its ptr
 * is NULL). */
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
/* Writes an entry over memory that has room for it; the key's bytes may already be in their place there. */
void entry_write(struct entry *e, const struct entry_spec *spec);
/* The contents of `e`; borrows its bytes. */
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
/* The bytes of a value that is stored in the entry, for writing. */
char *entry_inline_value(struct entry *e);
/* Can entry_rewrite store a value of this length? */
bool entry_can_rewrite(const struct entry *e, size_t len);
/* Overwrites the value of a string that is stored in the entry, without expiry or content type, by one of the same length.
 * False, nothing changed: another kind of entry, or another length. */
bool entry_rewrite(struct entry *e, struct slice value);
/* Bytes accounted to the entry and its object, allocator's rounding included. */
size_t entry_footprint(const struct entry *e);

static inline uint32_t entry_meta(const struct entry *e) {
    return atomic_load_explicit(&e->meta, memory_order_relaxed);
}

static inline bool entry_has(const struct entry *e, enum entry_flag flag) {
    return (entry_meta(e) & flag) != 0;
}

/* The access stamp, which may be set under a shared lock. Of two concurrent writes one wins. */
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

/* Is this the entry's key? On the path of every look-up, so keys of common lengths are compared without a call, as two
 * overlapping words. */
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

/* Has the key or field expired, or (E_FIELDS) have all fields of the hash? */
bool entry_is_expired(const struct entry *e, int64_t now_ms);
static inline bool entry_expired(const struct entry *e, int64_t now_ms) {
    return entry_has(e, E_VOLATILE) && entry_is_expired(e, now_ms);
}
/* A lower bound of when the key, or one of the hash's fields, expires. */
int64_t entry_due_at(const struct entry *e);
/* Sets or clears E_FIELDS. */
void entry_set_fields(struct entry *e, bool may_expire);

/* ---- objects, of any type (object.c) ------------------------------------------------------------------------ */

/* An empty collection of a type that is not TYPE_STRING, whose tables are keyed by `secret` (TABLE_SECRET_SIZE bytes,
 * borrowed). NULL: no memory. */
struct object *object_new(enum value_type type, const unsigned char *secret);
/* Drops an object: a blob's reference, or a whole collection. NULL is ignored. */
void object_free(struct object *o);
/* A deep copy; of a blob another reference. NULL: no memory. */
struct object *object_copy(const struct object *o);
/* Elements of a collection, bytes of a blob. O(1). */
size_t object_len(const struct object *o);
/* Bytes an object takes, allocator's rounding included. */
size_t object_footprint(const struct object *o);

#endif
