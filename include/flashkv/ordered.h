/* ordered.h - an ordered index: items in an order that the caller defines, found by that order or by rank.
 *
 * A B+tree whose inner nodes count the items below each child. The caller inserts an item at a rank, which it finds by a
 * search with a predicate; so the index compares nothing itself. An item takes 17 to 25 bytes in all. Layer: base.
 * Not thread-safe. */
#ifndef FLASHKV_ORDERED_H
#define FLASHKV_ORDERED_H

#include <stdbool.h>
#include <stddef.h>

/* The score is kept next to the pointer so that most comparisons read nothing else. */
struct ordered_item {
    double score;
    void *ptr;
};

/* Zeroed: empty, nothing allocated. */
struct ordered {
    struct ordered_node *root;
    unsigned height; /* levels of inner nodes above the leaves */
    size_t count;    /* items */
    size_t bytes;    /* of all nodes, allocator's rounding included */
};

/* Frees the nodes; the index is empty and usable again. */
void ordered_free(struct ordered *o);

/* Does the item come before the place sought? True of the first items and false of all after them. */
typedef bool ordered_before(const void *ctx, const struct ordered_item *item);
/* The rank of the place sought: how many items come before it. O(log n). */
size_t ordered_rank(const struct ordered *o, ordered_before *before, const void *ctx);

/* Inserts an item at `rank` (at most count). False, nothing changed: no memory. O(log n). */
bool ordered_insert(struct ordered *o, size_t rank, struct ordered_item item);
/* An upper bound of what `n` more items allocate (need.h of the store). */
size_t ordered_need(const struct ordered *o, size_t n);
/* Removes and returns the item at `rank` (less than count). O(log n). */
struct ordered_item ordered_remove(struct ordered *o, size_t rank);
/* Replaces the item at `rank`. O(log n). */
void ordered_replace(struct ordered *o, size_t rank, struct ordered_item item);

/* Visits `count` items from `rank` on, upwards or downwards; they must be there. O(log n + count). */
typedef void ordered_visit(void *ctx, const struct ordered_item *item);
void ordered_walk(const struct ordered *o, size_t rank, size_t count, bool down, ordered_visit *visit,
                  void *ctx);

#endif
