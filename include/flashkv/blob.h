/* blob.h - a large string value: reference-counted bytes that a reader can hold after the lock is gone.
 *
 * References are taken under the shard's lock (or by somebody who has one) and dropped anywhere. Bytes of a
 * blob that more than one holder sees never change: a writer that finds blob_shared() clones first.
 * Layer: store. */
#ifndef FLASHKV_BLOB_H
#define FLASHKV_BLOB_H

#include <flashkv/slice.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What all values that live outside their entry begin with. */
struct object {
    union {
        struct object *next_dead; /* links what a transaction unlinked, until it frees it */
        struct view *view;        /* of one that is in the store, if it is `viewed` */
    };
    uint8_t type; /* enum value_type */
    bool viewed;  /* somebody reads it as it was (view.h): elements are kept for him before they change */
};

enum { PAGED_LEAST = 128 * 1024, PAGED_AFTER = 2 };

struct blob {
    struct object object;
    _Atomic uint32_t refs;
    bool paged;              /* see blob_paged */
    _Atomic uint8_t sent;    /* whole, how often; counts to PAGED_AFTER */
    _Atomic uint64_t digest; /* XXH3-64 of the bytes, 0 until somebody asked */
    size_t len;              /* bytes in use */
    size_t cap;              /* bytes there is room for */
    char data[];
};

/* A blob of `len` undefined bytes with room for `cap` (>= len), one reference, the caller's. NULL: no memory.
 */
struct blob *blob_new(size_t len, size_t cap);
/* A blob of just these bytes, copied; one reference, the caller's. NULL: no memory. */
struct blob *blob_copy(struct slice bytes);
/* Grows the room to at least `cap`, maybe moving it. The caller holds the only reference. NULL: no memory,
 * and the old one stands. */
struct blob *blob_grow(struct blob *b, size_t cap);
/* Gives unused room back when that is worth it; only reference, as above. Never fails. */
struct blob *blob_trim(struct blob *b);
/* One more reference; returns `b`. */
struct blob *blob_ref(struct blob *b);
/* Drops one; the last frees. NULL is ignored. Thread-safe. */
void blob_unref(struct blob *b);
static inline bool blob_shared(const struct blob *b) {
    return b->paged || atomic_load_explicit(&b->refs, memory_order_acquire) > 1;
}
/* May the kernel be given its bytes by reference (splicer.h)? It then has pages of its own, which nobody writes to, and
 * which are not used again while the kernel has them. */
static inline bool blob_paged(const struct blob *b) {
    return b->paged;
}
/* To be told when one that is not paged is sent whole: true if it is large, and that was asked for repeatedly, so that a
 * paged copy would pay. Thread-safe. */
bool blob_wants_pages(struct blob *b);
/* A paged copy, one reference, the caller's. NULL: no memory, or there are too many. */
struct blob *blob_paged_copy(const struct blob *b);
static inline struct slice blob_slice(const struct blob *b) {
    return slice_of(b->data, b->len);
}
/* The digest of the bytes (store.h, store_digest), computed once. Thread-safe. */
uint64_t blob_digest(struct blob *b);

#endif
