/* blob.c - reference-counted bytes. */
#include <flashkv/blob.h>
#include <flashkv/entry.h>
#include <flashkv/mem.h>
#include <flashkv/store.h>

static void init(struct blob *b, size_t len, size_t cap) {
    b->object = (struct object){.type = TYPE_STRING};
    atomic_init(&b->refs, 1);
    b->paged = false;
    atomic_init(&b->sent, 0);
    atomic_init(&b->digest, 0);
    b->len = len;
    b->cap = cap;
}

struct blob *blob_new(size_t len, size_t cap) {
    struct blob *b = mem_alloc(sizeof(*b) + cap);

    if (b != NULL)
        init(b, len, cap);
    return b;
}

bool blob_wants_pages(struct blob *b) {
    if (b->paged || b->len < PAGED_LEAST)
        return false;
    if (atomic_load_explicit(&b->sent, memory_order_relaxed) + 1 >= PAGED_AFTER)
        return true;
    atomic_fetch_add_explicit(&b->sent, 1, memory_order_relaxed);
    return false;
}

struct blob *blob_paged_copy(const struct blob *b) {
    struct blob *copy = mem_map(sizeof(*copy) + b->len);

    if (copy == NULL)
        return NULL;
    init(copy, b->len, b->len);
    copy->paged = true;
    atomic_init(&copy->digest, atomic_load_explicit(&b->digest, memory_order_relaxed));
    memcpy(copy->data, b->data, b->len);
    return copy;
}

struct blob *blob_copy(struct slice bytes) {
    struct blob *b = blob_new(bytes.len, bytes.len);

    if (b != NULL && bytes.len > 0)
        memcpy(b->data, bytes.ptr, bytes.len);
    return b;
}

struct blob *blob_grow(struct blob *b, size_t cap) {
    struct blob *moved;

    if (cap <= b->cap)
        return b;
    moved = mem_realloc(b, sizeof(*b) + cap); /* large blocks are remapped, not copied */
    if (moved != NULL)
        moved->cap = cap;
    return moved;
}

struct blob *blob_trim(struct blob *b) {
    struct blob *moved;

    if (b->cap - b->len <= b->len / 8)
        return b;
    moved = mem_realloc(b, sizeof(*b) + b->len);
    if (moved == NULL)
        return b;
    moved->cap = moved->len;
    return moved;
}

struct blob *blob_ref(struct blob *b) {
    /* Relaxed: the caller already has a reference, or the shard's lock, which orders it. */
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void blob_unref(struct blob *b) {
    /* Release: this holder's accesses happen before the free; acquire: the last holder sees those of all others. */
    if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (b->paged)
        mem_unmap(b, sizeof(*b) + b->cap);
    else
        mem_free(b);
}

uint64_t blob_digest(struct blob *b) {
    uint64_t digest = atomic_load_explicit(&b->digest, memory_order_relaxed);

    /* Two readers may compute it at once: both store the same number. */
    if (digest == 0) {
        digest = store_digest(blob_slice(b));
        atomic_store_explicit(&b->digest, digest, memory_order_relaxed);
    }
    return digest;
}
