/* map.c - buckets and chains. */
#include "map.h"

#include <flashkv/mem.h>

enum { CAPACITY_MIN = 16 };

static struct map_node **bucket(const struct map *m, uint64_t hash) {
    return &m->buckets[hash & (m->capacity - 1)];
}

void map_free(struct map *m) {
    mem_free(m->buckets);
    *m = (struct map){0};
}

/* False, nothing changed: no memory. */
static bool resize(struct map *m, size_t capacity) {
    struct map fresh = {mem_zalloc(capacity * sizeof(struct map_node *)), capacity, m->count};
    struct map_node *n, *next;

    if (fresh.buckets == NULL)
        return false;
    for (size_t i = 0; i < m->capacity; i++)
        for (n = m->buckets[i]; n != NULL; n = next) {
            struct map_node **to = bucket(&fresh, n->hash);

            next = n->next;
            n->next = *to;
            *to = n;
        }
    mem_free(m->buckets);
    *m = fresh;
    return true;
}

bool map_add(struct map *m, struct map_node *n) {
    struct map_node **to;

    if (m->count >= 2 * m->capacity && !resize(m, m->capacity > 0 ? 2 * m->capacity : CAPACITY_MIN) &&
        m->capacity == 0)
        return false; /* a table that cannot grow still works, with longer chains */
    to = bucket(m, n->hash);
    n->next = *to;
    *to = n;
    m->count++;
    return true;
}

void map_remove(struct map *m, struct map_node *n) {
    struct map_node **at = bucket(m, n->hash);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    m->count--;
    if (m->capacity > CAPACITY_MIN && m->count < m->capacity / 4)
        resize(m, m->capacity / 2);
}

struct map_node *map_next(const struct map_node *n) {
    uint64_t hash = n->hash;
    struct map_node *next = n->next;

    while (next != NULL && next->hash != hash)
        next = next->next;
    return next;
}

struct map_node *map_first(const struct map *m, uint64_t hash) {
    struct map_node *n = m->capacity > 0 ? *bucket(m, hash) : NULL;

    while (n != NULL && n->hash != hash)
        n = n->next;
    return n;
}

struct map_node *map_walk(const struct map *m, const struct map_node *n) {
    size_t i = 0;

    if (n != NULL && n->next != NULL)
        return n->next;
    if (n != NULL)
        i = (n->hash & (m->capacity - 1)) + 1;
    while (i < m->capacity && m->buckets[i] == NULL)
        i++;
    return i < m->capacity ? m->buckets[i] : NULL;
}
