/* failing_mem.c - mem.c as it is, over an allocator that refuses on demand. It defines all of mem.h, so that the linker takes
 * nothing from the library's own mem.c. */
#include <config.h>

#include "failing_mem.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#ifdef HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

static size_t left = SIZE_MAX, refusals;
static bool once;

void mem_fail_after(size_t n) {
    left = n;
    once = false;
    refusals = 0;
}

void mem_fail_once(size_t n) {
    mem_fail_after(n);
    once = true;
}

size_t mem_failures(void) {
    return refusals;
}

static bool refused(void) {
    if (left > 0) {
        left -= left < SIZE_MAX;
        return false;
    }
    refusals++;
    left = once ? SIZE_MAX : 0;
    return true;
}

static void *refusing_malloc(size_t size) {
    return refused() ? NULL : malloc(size);
}

static void *refusing_calloc(size_t n, size_t size) {
    return refused() ? NULL : calloc(n, size);
}

static void *refusing_realloc(void *ptr, size_t size) {
    return refused() ? NULL : realloc(ptr, size);
}

static int refusing_memalign(void **ptr, size_t align, size_t size) {
    return refused() ? ENOMEM : posix_memalign(ptr, align, size);
}

#define malloc refusing_malloc
#define calloc refusing_calloc
#define realloc refusing_realloc
#define posix_memalign refusing_memalign
#include "../../src/base/mem.c"
