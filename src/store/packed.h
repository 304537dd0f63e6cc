/* packed.h - byte strings one after the other in one allocation. Private to the store.
 *
 *     +------+-----+-----------+-----------+-----------+
 *     | used | cap | element 0 | element 1 | ...       |      used: bytes of elements; cap: room for them
 *     +------+-----+-----------+-----------+-----------+
 *
 *     element   +--------+-----------+----------+
 *               | length | bytes ... | back     |
 *               +--------+-----------+----------+
 *
 * length: 7 bits a byte, low bits first, the top bit set if more follow. back: the size of length and bytes
 * together, encoded the same way but to be read backwards, so that the elements can be walked from either end.
 * An element of 16 bytes takes 18. Positions are byte offsets; the end is `used`.
 *
 * Functions that may move the allocation take and return it; on failure they return NULL and leave the old one
 * unchanged. Not thread-safe. */
#ifndef FLASHKV_STORE_PACKED_H
#define FLASHKV_STORE_PACKED_H

#include <flashkv/need.h>
#include <flashkv/slice.h>
#include <stdint.h>

struct packed {
    uint32_t used;
    uint32_t words : 31; /* cap in words of 8 bytes: allocators' size classes are multiples of those */
    uint32_t viewed : 1; /* a chunk of a list that a view has not visited yet (view_impl.h) */
    unsigned char data[];
};

/* An empty run with room for `cap` bytes of elements. NULL: no memory. */
struct packed *packed_new(size_t cap);
/* A copy without spare room. NULL: no memory. */
struct packed *packed_copy(const struct packed *p);
/* Bytes that an element of `len` bytes takes. */
size_t packed_size(size_t len);
/* Bytes allocated in all. */
size_t packed_footprint(const struct packed *p);

/* The element at `at` (< used); *next is the position after it. */
struct slice packed_get(const struct packed *p, size_t at, size_t *next);
/* The position of the element that ends at `at` (> 0). */
size_t packed_prev(const struct packed *p, size_t at);

/* Inserts an element at `at`. */
struct packed *packed_insert(struct packed *p, size_t at, struct slice element)
    __attribute__((warn_unused_result));
/* Inserts elements that are already encoded. */
struct packed *packed_insert_raw(struct packed *p, size_t at, const unsigned char *bytes, size_t len)
    __attribute__((warn_unused_result));
/* Removes the elements between two positions, and shrinks the allocation when much of it is unused. Never fails. */
struct packed *packed_erase(struct packed *p, size_t from, size_t to) __attribute__((warn_unused_result));

/* An upper bound of what edits allocate while the run has at most `elements` elements of `longest` bytes each (need.h). */
size_t packed_need(const struct packed *p, const struct edits *e, size_t elements, size_t longest);

#endif
