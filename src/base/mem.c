/* mem.c - one interface to the allocator that configure chose. jemalloc and mimalloc replace malloc when linked, so that
 * libraries use them too; their own functions are called only for what malloc's interface lacks. */
#include <config.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem_reserve.h"

#ifdef HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>
#elif defined(HAVE_MIMALLOC)
#include <mimalloc.h>
#endif

void *mem_alloc(size_t size) {
    void *ptr = malloc(size > 0 ? size : 1);

    return ptr != NULL ? ptr : reserve_take(size);
}

void *mem_zalloc(size_t size) {
    void *ptr = calloc(1, size > 0 ? size : 1);

    if (ptr == NULL && (ptr = reserve_take(size)) != NULL)
        memset(ptr, 0, size);
    return ptr;
}

/* The allocator has failed. A block that was to shrink stays as it is. */
static COLD void *realloc_refused(void *ptr, size_t size) {
    size_t had = ptr != NULL ? malloc_usable_size(ptr) : 0;
    void *moved;

    if (ptr != NULL && size <= had)
        return ptr;
    moved = reserve_take(size);
    if (moved != NULL && had > 0) {
        memcpy(moved, ptr, had);
        free(ptr);
    }
    return moved;
}

void *mem_realloc(void *ptr, size_t size) {
    void *moved;

    if (reserve_may_have(ptr) && reserve_realloc(ptr, size, &moved))
        return moved;
    moved = realloc(ptr, size > 0 ? size : 1);
    return moved != NULL ? moved : realloc_refused(ptr, size);
}

void mem_free(void *ptr) {
    if (reserve_may_have(ptr) && reserve_free(ptr))
        return;
    if (ptr != NULL) /* checking here saves 40 instructions of jemalloc */
        free(ptr);
}

void *mem_aligned(size_t align, size_t size) {
    void *ptr;

    return posix_memalign(&ptr, align, size > 0 ? size : 1) == 0 ? ptr : NULL;
}

void *mem_dup(const void *ptr, size_t len) {
    void *copy = mem_alloc(len);

    if (copy != NULL && len > 0)
        memcpy(copy, ptr, len);
    return copy;
}

bool mem_grow_array(void *array, size_t *cap, size_t size, size_t first) {
    size_t more = *cap > 0 ? 2 * *cap : first;
    void *at;

    memcpy(&at, array, sizeof(at)); /* a pointer to any type */
    if (more > SIZE_MAX / size || (at = mem_realloc(at, more * size)) == NULL)
        return false;
    memcpy(array, &at, sizeof(at));
    *cap = more;
    return true;
}

/* ---- mappings: as global as the allocator's own state ------------------------------------------------------------ */

static _Atomic unsigned maps;
static _Atomic size_t mapped_bytes;

void *mem_map(size_t size) {
    void *ptr = MAP_FAILED;

    if (atomic_fetch_add_explicit(&maps, 1, memory_order_relaxed) < MEM_MAPS_MAX)
        ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (ptr != MAP_FAILED) {
        atomic_fetch_add_explicit(&mapped_bytes, size, memory_order_relaxed);
        return ptr;
    }
    atomic_fetch_sub_explicit(&maps, 1, memory_order_relaxed);
    return NULL;
}

void mem_unmap(void *ptr, size_t size) {
    munmap(ptr, size);
    atomic_fetch_sub_explicit(&mapped_bytes, size, memory_order_relaxed);
    atomic_fetch_sub_explicit(&maps, 1, memory_order_relaxed);
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

static __attribute__((unused)) uint64_t
mapped(void) { /* unused with mimalloc, which does not count allocated bytes */
    return atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

/* A field of /proc/self/status in bytes; 0: it is missing. */
static uint64_t status_bytes(const char *field) {
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t kib = 0;

    if (f == NULL)
        return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtoull(line + strlen(field), NULL, 10);
    fclose(f);
    return kib * 1024;
}

uint64_t mem_resident(void) {
    return status_bytes("VmRSS:");
}

uint64_t mem_resident_peak(void) {
    return status_bytes("VmHWM:");
}

#ifdef HAVE_JEMALLOC

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

size_t mem_good_size(size_t size) {
    return size == 0 ? 0 : nallocx(size, 0);
}

const char *mem_allocator(void) {
    return "jemalloc-" TEXT(JEMALLOC_VERSION_MAJOR) "." TEXT(JEMALLOC_VERSION_MINOR) "." TEXT(
        JEMALLOC_VERSION_BUGFIX);
}

/* False: this allocator does not report it. */
static bool statistic(const char *name, size_t *bytes) {
    size_t len = sizeof(*bytes);

    return mallctl(name, bytes, &len, NULL, 0) == 0;
}

/* The growth of jemalloc's metadata since the first call, for `bytes` allocated bytes: initially it is mostly reserved address
 * space without memory. With entries of 128 bytes it is 3 %. More than twice that is address space again: two megabytes when
 * the first page in another gigabyte is mapped, and those of a new arena. */
static uint64_t books(size_t bytes) {
    static _Atomic size_t at_first;
    size_t now = 0, none = 0, most = bytes / 16;

    if (!statistic("stats.metadata", &now))
        return 0;
    if (atomic_compare_exchange_strong(&at_first, &none, now))
        return 0;
    now = now > none ? now - none : 0;
    return now < most ? now : most;
}

/* Freed memory in the threads' caches, which "stats.allocated" includes. */
static uint64_t cached(void) {
    size_t bytes = 0;

    return statistic("stats.arenas." TEXT(MALLCTL_ARENAS_ALL) ".tcache_bytes", &bytes) ? bytes : 0;
}

static uint64_t given(void) {
    uint64_t epoch = 1, freed;
    size_t bytes = 0;

    mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)); /* refreshes the cached statistics */
    if (!statistic("stats.allocated", &bytes))
        return 0;
    freed = cached();
    return (bytes > freed ? bytes - freed : 0) + books(bytes);
}

bool mem_counts_allocated(void) {
    size_t bytes;

    return statistic("stats.allocated", &bytes);
}

void mem_purge(void) {
    mallctl("arena." TEXT(MALLCTL_ARENAS_ALL) ".purge", NULL, NULL, NULL, 0);
}

#elif defined(HAVE_MIMALLOC)

size_t mem_good_size(size_t size) {
    return size == 0 ? 0 : mi_good_size(size);
}

const char *mem_allocator(void) {
    return "mimalloc";
}

void mem_purge(void) {
    mi_collect(true);
}

static uint64_t given(void) {
    return 0;
}

bool mem_counts_allocated(void) {
    return false;
}

#else

/* glibc: 8 bytes of header, rounded up to 16, at least 32; the caller gets all but the header. */
size_t mem_good_size(size_t size) {
    size_t chunk = (size + 8 + 15) & ~(size_t)15;

    if (size == 0)
        return 0;
    return (chunk < 32 ? 32 : chunk) - 8;
}

const char *mem_allocator(void) {
    return "libc";
}

void mem_purge(void) {
    malloc_trim(0);
}

static uint64_t given(void) {
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

bool mem_counts_allocated(void) {
    return given() > 0; /* 0 with a sanitizer's malloc */
}

#endif

uint64_t mem_allocated(void) {
    size_t open = atomic_load_explicit(&reserve_open_bytes, memory_order_relaxed);
    uint64_t bytes = given();

    if (bytes == 0)
        return mem_resident();
    return (bytes > open ? bytes - open : 0) + mapped();
}
