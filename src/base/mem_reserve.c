/* mem_reserve.c - memory set aside for what must not fail in its midst.
 *
 *     region   header | size, block | size, block | ...     at          end
 *                                                  |  free  |
 *
 * A reserve is one allocation, its region. Blocks are taken from its front to its end, and none twice: what was given back is
 * not given again, but for the last one. Mostly nothing is taken at all, since the allocator has memory, and the region is
 * freed as it was made. If something was, its blocks may live for long, as parts of values: the region is freed with the last
 * of them. Until then it is in a list, where mem_free looks for it; the bounds of all such regions tell of most blocks that
 * they are in none. */
#include "mem_reserve.h"

#include <flashkv/mem.h>
#include <pthread.h>
#include <string.h>

enum { ALIGN = 16 };

struct block {
    _Alignas(ALIGN) size_t size; /* of its bytes, behind this */
};

struct region {
    struct region *next;   /* of those that blocks were taken from */
    _Atomic size_t blocks; /* taken and not freed, and one more while its thread may take some */
    char *at, *end;
    struct block *last; /* the one taken last; NULL: it was given back */
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
    unsigned depth;        /* how often it was begun */
    size_t bytes;          /* that the allocator gave for it */
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
    /* Whoever has a block sees these bounds, or later ones, which are wider, since it had the block from this thread. */
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

/* The region that a block is of; NULL: none. It stays while the block is there. */
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

/* One block, or its thread, less. */
static void leave(struct region *r) {
    if (atomic_fetch_sub_explicit(&r->blocks, 1, memory_order_acq_rel) != 1)
        return;
    if (r->listed)
        unlist(r);
    mem_free(r);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* Bytes up to the next block. */
static size_t rounded(size_t size) {
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct block *block_of(void *ptr) {
    return (struct block *)ptr - 1;
}

/* Is it the end of what this thread has taken, and may be made longer or given back? */
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

/* In reserve_open_bytes before it is made and until it is freed, so that memory in use is never told too high, which would
 * have keys evicted. */
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
