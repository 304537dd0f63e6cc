/* list.h - a list of byte strings as pure data: no lock, no clock, no keyspace.
 *
 * A deque of chunks, many elements to an allocation. The ring of chunk descriptors holds each chunk's
 * element count, so an index is found by walking counts that lie side by side, never by chasing pointers;
 * both ends are O(1). An element too large for a chunk has one of its own.
 * Layer: store. The shard's lock guards a list that is in the store. */
#ifndef FLASHKV_LIST_H
#define FLASHKV_LIST_H

#include <flashkv/blob.h>
#include <flashkv/need.h>
#include <flashkv/slice.h>

struct list;

enum list_end { LIST_HEAD, LIST_TAIL };

/* An empty list; NULL: no memory. */
struct list *list_new(void);
void list_free(struct list *l);
/* A deep copy; NULL: no memory. O(n). */
struct list *list_copy(const struct list *l);
/* The number of elements; the bytes allocated. O(1). */
size_t list_len(const struct list *l);
size_t list_bytes(const struct list *l);
/* An upper bound of what the edits allocate (need.h). O(1). */
size_t list_need(const struct list *l, const struct edits *e);

/* Adds one element; false, list unchanged: no memory. O(1) amortised. */
bool list_push(struct list *l, enum list_end end, struct slice element);
/* The element at either end; *out valid until the list changes. False: empty. */
bool list_peek(const struct list *l, enum list_end end, struct slice *out);
/* Drops `n` elements from an end, at most all. Never fails. */
void list_drop(struct list *l, enum list_end end, size_t n);
/* The element at `index`, 0 <= index < list_len; *out valid until the list changes. */
struct slice list_at(const struct list *l, size_t index);
/* Replaces the element at `index` (in range); false, unchanged: no memory. */
bool list_set(struct list *l, size_t index, struct slice element);
/* Inserts before `index`, 0 <= index <= list_len; false, unchanged: no memory. */
bool list_insert(struct list *l, size_t index, struct slice element);
/* Removes `n` elements from `index` on (the range is within the list). Never fails. */
void list_erase(struct list *l, size_t index, size_t n);

/* An iterator in either direction. Valid until the list changes, except by its own list_iter_erase. */
struct list_iter {
    const struct list *list;
    size_t chunk;  /* logical number of the chunk, from the head */
    size_t offset; /* of the next element within its bytes */
    enum list_end from;
};
/* Starts at `index`, walking from `from` towards the other end; index == list_len is the end. */
struct list_iter list_iter_at(const struct list *l, size_t index, enum list_end from);
/* The next element; false at the end. */
bool list_iter_next(struct list_iter *it, struct slice *out);
/* Removes the element that list_iter_next returned last from `l`, the iterator's list; the iterator stays valid. */
void list_iter_erase(struct list *l, struct list_iter *it);

#endif
