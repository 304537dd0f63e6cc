/* failing_mem.c - mem.h over malloc, refusing on demand. It defines all that structures use, so that the linker takes
 * nothing from mem.c. */
#include "failing_mem.h"

#include <stdlib.h>
#include <string.h>

static size_t left = SIZE_MAX;

void mem_fail_after(size_t n) {
    left = n;
}

static int refused(void) {
    if (left == 0)
        return 1;
    left -= left < SIZE_MAX;
    return 0;
}

void *mem_alloc(size_t size) {
    return refused() ? NULL : malloc(size > 0 ? size : 1);
}

void *mem_zalloc(size_t size) {
    return refused() ? NULL : calloc(1, size > 0 ? size : 1);
}

void *mem_realloc(void *ptr, size_t size) {
    return refused() ? NULL : realloc(ptr, size > 0 ? size : 1);
}

void *mem_aligned(size_t align, size_t size) {
    void *ptr;

    return !refused() && posix_memalign(&ptr, align, size > 0 ? size : 1) == 0 ? ptr : NULL;
}

void *mem_dup(const void *ptr, size_t len) {
    void *copy = mem_alloc(len);

    if (copy != NULL && len > 0)
        memcpy(copy, ptr, len);
    return copy;
}

void mem_free(void *ptr) {
    free(ptr);
}

void *mem_map(size_t size) {
    return mem_zalloc(size);
}

void mem_unmap(void *ptr, size_t size) {
    (void)size;
    free(ptr);
}

size_t mem_good_size(size_t size) {
    return (size + 15) & ~(size_t)15;
}
