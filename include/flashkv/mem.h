/* mem.h - memory from the allocator chosen at configure time (--with-allocator).
 *
 * Failure is a NULL, never an exit: a request too large for the machine is that client's error. Layer:
 * base. Thread-safe. */
#ifndef FLASHKV_MEM_H
#define FLASHKV_MEM_H

#include <flashkv/hints.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As malloc, calloc, realloc and free; size 0 is allowed and gives a pointer to be freed. Shrinking a block does not fail. */
void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_zalloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_realloc(void *ptr, size_t size) __attribute__((warn_unused_result));
void mem_free(void *ptr);
/* `size` bytes aligned to `align`, a power of two; free with mem_free. */
void *mem_aligned(size_t align, size_t size) __attribute__((malloc, warn_unused_result));
/* A copy of `len` bytes. */
void *mem_dup(const void *ptr, size_t len) __attribute__((malloc, warn_unused_result));

/* Makes room for one more element in `array` (NULL, or allocated here), which has `count` elements and a capacity of `cap`, a
 * size_t variable. When it is full, array and cap are updated: the capacity doubles, or becomes `first` if it was 0. False,
 * nothing changed: no memory. */
#define mem_room(array, count, cap, first)                                                                   \
    ((count) < (cap) || mem_grow_array(&(array), &(cap), sizeof(*(array)), (first)))
/* Private to mem_room; `array` is the address of the pointer. */
COLD bool mem_grow_array(void *array, size_t *cap, size_t size, size_t first);

/* ---- a reserve: memory for an operation of several steps that is done whole or not at all --------------------------------
 *
 *     mem_reserve_begin(upper bound)      the one step that can fail, before anything has changed
 *     ...                                 allocations, served by the reserve when the allocator fails
 *     mem_reserve_end()
 *
 * The reserve belongs to the calling thread. Each allocation, or reallocation that grows a block, takes up to
 * MEM_RESERVE_BLOCK bytes more of it than its size; freed memory does not return to it. mem_aligned and mem_map are not
 * served. While the allocator has memory, the reserve is not touched. */
enum { MEM_RESERVE_BLOCK = 32 };
/* False, nothing begun: no memory. Nested calls return true and use the outer reserve; every begin needs its own end. */
bool mem_reserve_begin(size_t bytes);
void mem_reserve_end(void);
/* While paused, the reserve serves nothing: for allocations that may fail without harm, which the upper bound therefore does
 * not include. Returns whether it was paused before; without a reserve, either. */
bool mem_reserve_pause(bool paused);

/* A mapping of `size` bytes outside the allocator: its pages are not reused by this process while the kernel still refers to
 * them (vmsplice(2)), even after mem_unmap. At most MEM_MAPS_MAX at a time, since the kernel limits the mappings of a process
 * (vm.max_map_count, 65530). NULL: no memory, or too many. */
enum { MEM_MAPS_MAX = 16384 };
void *mem_map(size_t size) __attribute__((warn_unused_result));
void mem_unmap(void *ptr, size_t size);

/* The size of the allocator's size class for a request of `size`: what memory accounting adds up. */
size_t mem_good_size(size_t size);

/* The allocator's name and version, e.g. "jemalloc-5.3.0". Static. */
const char *mem_allocator(void);
/* The resident set size of this process (VmRSS) and its peak (VmHWM), in bytes; 0 if unknown. */
uint64_t mem_resident(void);
uint64_t mem_resident_peak(void);
/* Bytes allocated and not yet freed, where the allocator counts them (jemalloc with its statistics' own memory, glibc), plus
 * those of mem_map, without open reserves. Otherwise mem_resident. */
uint64_t mem_allocated(void);
/* Does the allocator count the bytes that are allocated? */
bool mem_counts_allocated(void);
/* Has the allocator return unused pages to the system, where it supports that. */
void mem_purge(void);

#endif
