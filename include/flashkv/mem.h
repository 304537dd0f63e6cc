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

/* As malloc, calloc, realloc and free; size 0 is allowed and gives a pointer to be freed. To make a block smaller does not fail. */
void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_zalloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_realloc(void *ptr, size_t size) __attribute__((warn_unused_result));
void mem_free(void *ptr);
/* `size` bytes aligned to `align`, a power of two; free with mem_free. */
void *mem_aligned(size_t align, size_t size) __attribute__((malloc, warn_unused_result));
/* A copy of `len` bytes. */
void *mem_dup(const void *ptr, size_t len) __attribute__((malloc, warn_unused_result));

/* Room for one element more in `array`, a pointer from here or NULL, which has `count` of them and room for `cap`, a size_t:
 * when it is full both change, to twice as many, or to `first` of the first. False, and nothing changed: no memory. */
#define mem_room(array, count, cap, first)                                                                   \
    ((count) < (cap) || mem_grow_array(&(array), &(cap), sizeof(*(array)), (first)))
/* Private to mem_room; `array` is the address of the pointer. */
COLD bool mem_grow_array(void *array, size_t *cap, size_t size, size_t first);

/* ---- a reserve: what is done in several steps, all of them or none ------------------------------------------------------
 *
 *     mem_reserve_begin(most that it may take)      the one step that can fail, before anything has changed
 *     ...                                           allocations, which the reserve serves when the allocator does not
 *     mem_reserve_end()
 *
 * The reserve is the calling thread's. It is counted in bytes, and each allocation, or reallocation that makes a block larger,
 * takes MEM_RESERVE_BLOCK more of it at most; what is freed does not come back to it. Those of mem_aligned and mem_map are not
 * served. While the allocator has memory, nothing is taken. */
enum { MEM_RESERVE_BLOCK = 32 };
/* False, nothing begun: no memory. Within a reserve that was begun already: true, and that one has to do; each begin has its
 * end. */
bool mem_reserve_begin(size_t bytes);
void mem_reserve_end(void);
/* While paused, the reserve serves nothing: for what may fail without harm, so that nothing is left out of account. Returns
 * whether it was; in no reserve, nothing of importance. */
bool mem_reserve_pause(bool paused);

/* Pages of their own for `size` bytes, outside the allocator: once they are unmapped, nothing of this process comes to lie in
 * them while the kernel still holds some (vmsplice(2)). At most MEM_MAPS_MAX at a time, since the kernel bounds the
 * mappings of a process (vm.max_map_count, 65530). NULL: no memory, or too many. */
enum { MEM_MAPS_MAX = 16384 };
void *mem_map(size_t size) __attribute__((warn_unused_result));
void mem_unmap(void *ptr, size_t size);

/* The bytes that the allocator really gives for a request of `size`: what accounting adds up. */
size_t mem_good_size(size_t size);

/* The allocator's name and version, e.g. "jemalloc-5.3.0". Static. */
const char *mem_allocator(void);
/* Bytes of this process in RAM now (VmRSS), and at most so far (VmHWM); 0 if unknown. */
uint64_t mem_resident(void);
uint64_t mem_resident_peak(void);
/* Bytes handed out by the allocator and not yet freed, where it tells (jemalloc, glibc), those that it needs to know that
 * (jemalloc, since it was first asked), and those mapped, but for open reserves; else mem_resident. */
uint64_t mem_allocated(void);
/* Does the allocator tell what it has handed out? */
bool mem_tells(void);
/* Has the allocator give unused pages back to the system, where it can be asked to. */
void mem_purge(void);

#endif
