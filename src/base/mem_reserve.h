/* mem_reserve.h - the interface of reserves (flashkv/mem.h explains them) to mem.c. Private to base. */
#ifndef FLASHKV_BASE_MEM_RESERVE_H
#define FLASHKV_BASE_MEM_RESERVE_H

#include <flashkv/hints.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Allocates `size` bytes of the calling thread's reserve. NULL: no reserve, or it is used up. */
COLD void *reserve_take(size_t size);

/* Bytes of all open reserves: allocated but not in use. The little that is in use is not subtracted. */
extern _Atomic size_t reserve_open_bytes;

/* A lower bound of the addresses of all reserves' blocks; the highest address while there are none. */
extern _Atomic uintptr_t reserve_lowest;

/* May the block belong to a reserve? One comparison, false for nearly all blocks. */
static inline bool reserve_may_have(const void *ptr) {
    return (uintptr_t)ptr >= atomic_load_explicit(&reserve_lowest, memory_order_relaxed);
}
/* Frees a block; false: it belongs to the allocator. */
COLD bool reserve_free(void *ptr);
/* As realloc, for a block of a reserve, into `*moved`; false: it belongs to the allocator. */
COLD bool reserve_realloc(void *ptr, size_t size, void **moved);

#endif
