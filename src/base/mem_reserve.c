/* mem_reserve.c - memory reserved for operations that must not fail half-way.
 *
 *     region   header | size, block | size, block | ...     at          end
 *                                                  |  free  |
 *
 * A reserve is one allocation, its region. Blocks are taken from front to end, and freed blocks are not reused, except the
 * last one. Mostly no block is taken at all, since the allocator has memory, and the region is freed
 * untouched. Otherwise its blocks may live long, as parts of values: the region is freed with the last
 * of them. Until then it is in a list, which mem_free searches; the bounds of all such regions exclude most blocks
 * without a search. */
#include "mem_reserve.h"

#include <flashkv/mem.h>
#include <pthread.h>
#include <string.h>

enum { ALIGN = 16 };

struct block {
    _Alignas(ALIGN) size_t size; /* of the bytes that follow */
};

struct region {
    struct region *next;   /* in the list of regions that blocks were taken from */
    _Atomic size_t blocks; /* taken and not freed, plus one while its thread may take more */
    char *at, *end;
    struct block *last; /* the one taken last; NULL: it was freed */
    bool listed;
};

_Static_assert(sizeof(struct block) == MEM_RESERVE_BLOCK - ALIGN,
               "what a block takes beside its bytes, at most");

/* As global as the allocator's own state. */
static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct region *regions;
static _Atomic uintptr_t reserve_highest;
_Atomic uintptr_t reserve_lowest = UINTPTR_MAX;
_Atomic size_t reserve_open_bytes;

static _Thread_local struct {
    struct region *region; /* NULL: none */
    unsigned depth;        /* nested begins */
    size_t bytes;          /* allocated for it */
    bool paused;
} mine;

/* ---- regions that blocks were taken from --------------------------------------------------------------------------- */

static struct block *first_block(struct region *r) {
    return (struct block *)(((uintptr_t)(r + 1) + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
}

static void list(struct region *r) {
    uintptr_t begin = (uintptr_t)r, end = (uintptr_t)r->end;

    pthread_mutex_lock(&regions_mutex);
    r->listed = true;
    r->next = regions;
    regions = r;
    /* A thread that frees a block sees these bounds, or later, wider ones, since it got the block from this thread. */
    if (begin < atomic_load_explicit(&reserve_lowest, memory_order_relaxed))
        atomic_store_explicit(&reserve_lowest, begin, memory_order_relaxed);
    if (end > atomic_load_explicit(&reserve_highest, memory_order_relaxed))
        atomic_store_explicit(&reserve_highest, end, memory_order_relaxed);
    pthread_mutex_unlock(&regions_mutex);
}

static void unlist(struct region *r) {
    struct region **at = &regions;

    pthread_mutex_lock(&regions_mutex);
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (regions == NULL) {
        atomic_store_explicit(&reserve_lowest, UINTPTR_MAX, memory_order_relaxed);
        atomic_store_explicit(&reserve_highest, 0, memory_order_relaxed);
    }
    pthread_mutex_unlock(&regions_mutex);
}

/* The region of a block; NULL: none. It exists at least as long as the block. */
static struct region *region_of(const void *ptr) {
    uintptr_t at = (uintptr_t)ptr;
    struct region *r;

    if (at >= atomic_load_explicit(&reserve_highest, memory_order_relaxed))
        return NULL;
    pthread_mutex_lock(&regions_mutex);
    for (r = regions; r != NULL && (at < (uintptr_t)r || at >= (uintptr_t)r->end);)
        r = r->next;
    pthread_mutex_unlock(&regions_mutex);
    return r;
}

/* Drops the reference of a block, or of the region's thread. */
static void leave(struct region *r) {
    if (atomic_fetch_sub_explicit(&r->blocks, 1, memory_order_acq_rel) != 1)
        return;
    if (r->listed)
        unlist(r);
    mem_free(r);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* The size of a block with its header and padding. */
static size_t rounded(size_t size) {
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct block *block_of(void *ptr) {
    return (struct block *)ptr - 1;
}

/* Is it the last block that this thread has taken, which can be resized in place or freed? */
static bool is_last(const struct region *r, const struct block *b) {
    return r == mine.region && r->last == b;
}

void *reserve_take(size_t size) {
    struct region *r = mine.region;
    struct block *b;

    if (r == NULL || mine.paused || size > (size_t)(r->end - r->at) ||
        rounded(size) + sizeof(*b) > (size_t)(r->end - r->at))
        return NULL;
    if (!r->listed)
        list(r);
    b = (struct block *)(void *)r->at;
    b->size = rounded(size);
    r->at += sizeof(*b) + b->size;
    r->last = b;
    atomic_fetch_add_explicit(&r->blocks, 1, memory_order_relaxed);
    return b + 1;
}

bool reserve_free(void *ptr) {
    struct region *r = region_of(ptr);
    struct block *b = block_of(ptr);

    if (r == NULL)
        return false;
    if (is_last(r, b)) {
        r->at = (char *)b;
        r->last = NULL;
    }
    leave(r);
    return true;
}

bool reserve_realloc(void *ptr, size_t size, void **moved) {
    struct region *r = region_of(ptr);
    struct block *b = block_of(ptr);

    if (r == NULL)
        return false;
    if (size > b->size && is_last(r, b) && !mine.paused && size <= (size_t)(r->end - (char *)ptr)) {
        b->size = rounded(size);
        r->at = (char *)ptr + b->size;
    }
    *moved = size <= b->size ? ptr : mem_alloc(size);
    if (*moved != ptr && *moved != NULL) {
        memcpy(*moved, ptr, b->size);
        (void)reserve_free(ptr);
    }
    return true;
}

/* ---- a thread's reserve ------------------------------------------------------------------------------------------------ */

/* It is counted in reserve_open_bytes before it is allocated and until it is freed, so that the memory in use is never
 * overestimated, which would evict keys. */
static struct region *region_new(size_t bytes) {
    struct region *r;

    atomic_fetch_add_explicit(&reserve_open_bytes, mem_good_size(bytes), memory_order_relaxed);
    if ((r = mem_alloc(bytes)) == NULL)
        atomic_fetch_sub_explicit(&reserve_open_bytes, mem_good_size(bytes), memory_order_relaxed);
    return r;
}

bool mem_reserve_begin(size_t bytes) {
    struct region *r = mine.region;
    size_t all = sizeof(*r) + ALIGN + rounded(bytes);

    if (r != NULL) {
        mine.depth++;
        return true;
    }
    if (bytes > PTRDIFF_MAX || (r = region_new(all)) == NULL)
        return false;
    *r = (struct region){.at = (char *)first_block(r)};
    r->end = r->at + rounded(bytes);
    atomic_init(&r->blocks, 1);
    mine.region = r;
    mine.depth = 1;
    mine.bytes = mem_good_size(all);
    mine.paused = false;
    return true;
}

void mem_reserve_end(void) {
    struct region *r = mine.region;

    if (--mine.depth > 0)
        return;
    mine.region = NULL;
    leave(r);
    atomic_fetch_sub_explicit(&reserve_open_bytes, mine.bytes, memory_order_relaxed);
}

bool mem_reserve_pause(bool paused) {
    bool was = mine.paused;

    mine.paused = paused;
    return was;
}
