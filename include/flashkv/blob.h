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

/* The first member of every value that lives outside its entry. */
struct object {
    union {
        struct object *next_dead; /* while unlinked: the next object that the transaction will free */
        struct view *view;        /* while in the store and `viewed` */
    };
    uint8_t type; /* enum value_type */
    bool viewed;  /* a view reads it as it was (view.h): elements are copied to it before they change */
};

/* Bytes from which, and whole reads after which, a paged copy is made. */
enum { PAGED_LEAST = 128 * 1024, PAGED_AFTER = 2 };

struct blob {
    struct object object;
    _Atomic uint32_t refs;
    bool paged;              /* see blob_paged */
    _Atomic uint8_t sent;    /* how often it was sent whole; counts up to PAGED_AFTER */
    _Atomic uint64_t digest; /* XXH3-64 of the bytes; 0: not computed yet */
    size_t len;              /* bytes in use */
    size_t cap;              /* bytes allocated for data */
    char data[];
};

/* A blob of `len` undefined bytes with room for `cap` (>= len), one reference, the caller's. NULL: no memory. */
struct blob *blob_new(size_t len, size_t cap);
/* A blob with a copy of the bytes; one reference, the caller's. NULL: no memory. */
struct blob *blob_copy(struct slice bytes);
/* Grows the capacity to at least `cap`; the blob may move. The caller holds the only reference. NULL: no memory, and `b` is
 * unchanged and still the caller's. */
struct blob *blob_grow(struct blob *b, size_t cap);
/* Shrinks the allocation when that saves enough; the blob may move. The caller holds the only reference. Never fails. */
struct blob *blob_trim(struct blob *b);
/* One more reference; returns `b`. */
struct blob *blob_ref(struct blob *b);
/* Drops one; the last frees. NULL is ignored. Thread-safe. */
void blob_unref(struct blob *b);
static inline bool blob_shared(const struct blob *b) {
    return b->paged || atomic_load_explicit(&b->refs, memory_order_acquire) > 1;
}
/* May its bytes be passed to the kernel by reference (splicer.h)? True of a blob in pages of its own, which are never written
 * again, nor reused while the kernel refers to them. */
static inline bool blob_paged(const struct blob *b) {
    return b->paged;
}
/* To be called each time a blob that is not paged is sent whole. True: it is large and has been sent often enough for a paged
 * copy to pay. Thread-safe. */
bool blob_wants_pages(struct blob *b);
/* A paged copy, one reference, the caller's. NULL: no memory, or MEM_MAPS_MAX is reached (mem.h). */
struct blob *blob_paged_copy(const struct blob *b);
static inline struct slice blob_slice(const struct blob *b) {
    return slice_of(b->data, b->len);
}
/* The digest of the bytes (store.h, store_digest), computed once. Thread-safe. */
uint64_t blob_digest(struct blob *b);

#endif
