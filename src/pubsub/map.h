/* map.h - a hash map of nodes that live in their owners' structures. Private to pubsub.
 *
 * Chained, between one and two nodes a bucket; it knows hashes only, so the owner compares. Whoever changes it has it
 * for itself. */
#ifndef FLASHKV_PUBSUB_MAP_H
#define FLASHKV_PUBSUB_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

struct map {
    struct map_node **buckets; /* a power of two of them; NULL: none yet */
    size_t capacity, count;
};

void map_free(struct map *m);
/* Adds a node whose hash is set. False: no memory. */
bool map_add(struct map *m, struct map_node *n);
void map_remove(struct map *m, struct map_node *n);
/* The first node of this hash, and the next one of the same; NULL: none. */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *n);
/* All nodes: the one after `n`, in no order; NULL starts, NULL is the end. */
struct map_node *map_walk(const struct map *m, const struct map_node *n);

#endif
