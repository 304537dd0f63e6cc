/* ordered.h - an ordered index: items in the order of the caller, found by that order or by rank.
 *
 * A B+tree whose inner nodes count the items below each child. The caller says where an item belongs by its rank, which
 * a search by a predicate gives; so the index compares nothing itself. An item takes 17 to 25 bytes in all. Layer: base.
 * Not thread-safe. */
#ifndef FLASHKV_ORDERED_H
#define FLASHKV_ORDERED_H

#include <stdbool.h>
#include <stddef.h>

/* What is ordered: a number, kept beside the pointer so that most comparisons read nothing else. */
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

/* Puts an item in, to have `rank` (at most count) from then on. False, nothing changed: no memory. O(log n). */
bool ordered_insert(struct ordered *o, size_t rank, struct ordered_item item);
/* The most that `n` more items take of the allocator (need.h). */
size_t ordered_need(const struct ordered *o, size_t n);
/* Takes the item of that rank (less than count) out. O(log n). */
struct ordered_item ordered_remove(struct ordered *o, size_t rank);
/* Puts another item in the place of one. O(log n). */
void ordered_replace(struct ordered *o, size_t rank, struct ordered_item item);

/* Visits `count` items from `rank` on, upwards or downwards; they must be there. O(log n + count). */
typedef void ordered_visit(void *ctx, const struct ordered_item *item);
void ordered_walk(const struct ordered *o, size_t rank, size_t count, bool down, ordered_visit *visit,
                  void *ctx);

#endif
