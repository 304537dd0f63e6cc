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
 * length: 7 bits a byte, low bits first, the top bit says that more follow. back: the size of length and bytes
 * together, written the same way but to be read backwards, so that the elements can be walked from either end.
 * An element of 16 bytes takes 18. Places are byte offsets; an end is `used`.
 *
 * Functions that may move the allocation take and return it; on failure they return NULL and the old one
 * stands. Not thread-safe. */
#ifndef FLASHKV_STORE_PACKED_H
#define FLASHKV_STORE_PACKED_H

#include <flashkv/need.h>
#include <flashkv/slice.h>
#include <stdint.h>

struct packed {
    uint32_t used;
    uint32_t words : 31; /* cap in words of 8 bytes, of which all classes of an allocator are multiples */
    uint32_t viewed : 1; /* a chunk of a list: of the view of it (view_impl.h), unchanged so far */
    unsigned char data[];
};

/* An empty one with room for `cap` bytes of elements. NULL: no memory. */
struct packed *packed_new(size_t cap);
/* Another one of the same elements, without room for more. NULL: no memory. */
struct packed *packed_copy(const struct packed *p);
/* Bytes that an element of `len` bytes takes. */
size_t packed_size(size_t len);
/* Bytes allocated in all. */
size_t packed_footprint(const struct packed *p);

/* The element at `at` (< used), and the place after it. */
struct slice packed_get(const struct packed *p, size_t at, size_t *next);
/* The place of the element that ends at `at` (> 0). */
size_t packed_prev(const struct packed *p, size_t at);

/* Makes a gap for and writes an element at `at`. */
struct packed *packed_insert(struct packed *p, size_t at, struct slice element)
    __attribute__((warn_unused_result));
/* Inserts elements that are packed already. */
struct packed *packed_insert_raw(struct packed *p, size_t at, const unsigned char *bytes, size_t len)
    __attribute__((warn_unused_result));
/* Removes what lies in [from, to), two places; gives room back when much of it is unused. Never fails. */
struct packed *packed_erase(struct packed *p, size_t from, size_t to) __attribute__((warn_unused_result));

/* The most that edits take of the allocator while the run has at most `elements` of `longest` bytes each (need.h). */
size_t packed_need(const struct packed *p, const struct edits *e, size_t elements, size_t longest);

#endif
