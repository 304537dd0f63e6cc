/* mem_reserve.h - what mem.c asks of the reserves (flashkv/mem.h tells what they are for). Private to base. */
#ifndef FLASHKV_BASE_MEM_RESERVE_H
#define FLASHKV_BASE_MEM_RESERVE_H

#include <flashkv/hints.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `size` bytes of the calling thread's reserve, when the allocator has none. NULL: no reserve, or it is used up. */
COLD void *reserve_take(size_t size);

/* Bytes of all reserves that are open: set aside and not in use. What is in use of them is too little to be told apart. */
extern _Atomic size_t reserve_open_bytes;

/* No block of any reserve lies below: while none has given anything, the highest of addresses. */
extern _Atomic uintptr_t reserve_lowest;

/* May the block be of a reserve? False of nearly all, at the price of a comparison; then the allocator has it. */
static inline bool reserve_may_have(const void *ptr) {
    return (uintptr_t)ptr >= atomic_load_explicit(&reserve_lowest, memory_order_relaxed);
}
/* Gives a block back; false: it is the allocator's. */
COLD bool reserve_free(void *ptr);
/* As realloc, for a block of a reserve, into `*moved`; false: it is the allocator's. */
COLD bool reserve_realloc(void *ptr, size_t size, void **moved);

#endif
