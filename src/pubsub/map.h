/* map.h - an intrusive hash map. Private to pubsub.
 *
 * Chained, between one and two nodes a bucket; it stores hashes only, so the owner compares keys. Not thread-safe: a change
 * needs exclusive access. */
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
    struct map_node **buckets; /* their number is a power of two; NULL: none yet */
    size_t capacity, count;
};

void map_free(struct map *m);
/* Adds a node whose hash is set. False: no memory. */
bool map_add(struct map *m, struct map_node *n);
void map_remove(struct map *m, struct map_node *n);
/* The first node with this hash, and the next one with the same; NULL: none. */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *n);
/* Iterates over all nodes, in no order: the one after `n` (NULL: the first); NULL: the end. */
struct map_node *map_walk(const struct map *m, const struct map_node *n);

#endif
