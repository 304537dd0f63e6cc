/* garbage.c - lazy freeing: unlinked objects that take long to free are left to the sweeper, so that no connection waits.
 *
 * Objects are linked through their next_dead, so queueing one costs no memory. If no sweeper runs, or it has
 * fallen behind by BACKLOG_MAX, they are freed immediately: a client that creates large values faster than they can be freed
 * does the freeing itself. */
#include <flashkv/mem.h>

#include "store_impl.h"

enum {
    SLOW_ELEMENTS = 512,    /* of a collection: freeing that many takes some 20 us */
    SLOW_BYTES = 1 << 20,   /* of a string: its pages are returned to the system */
    BACKLOG_MAX = 16 << 20, /* elements, or KiB of strings */
};

struct mutex garbage_role;

static void garbage_lock(struct garbage *g) ACQUIRE(garbage_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&g->mutex);
}

static void garbage_unlock(struct garbage *g) RELEASE(garbage_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&g->mutex);
}

void garbage_init(struct garbage *g) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&g->mutex, LOCK_RANK_LEAF);
}

void garbage_destroy(struct garbage *g) {
    garbage_collect(g);
    mutex_destroy(&g->mutex);
}

void garbage_set_collected(struct garbage *g, bool collected) {
    atomic_store_explicit(&g->collected, collected, memory_order_relaxed);
}

static bool is_collected(const struct garbage *g) {
    return atomic_load_explicit(&g->collected, memory_order_relaxed);
}

/* The cost of freeing an object, in the unit of BACKLOG_MAX; 0: cheap enough to do it now. */
static size_t cost_of(const struct object *o) {
    size_t len = object_len(o);

    if (o->type == TYPE_STRING)
        return len > SLOW_BYTES ? len / 1024 : 0;
    return len > SLOW_ELEMENTS ? len : 0;
}

/* False: the backlog is too long. */
static bool leave(struct garbage *g, struct object *o, size_t cost) {
    bool left;

    garbage_lock(g);
    left = g->backlog < BACKLOG_MAX;
    if (left) {
        o->next_dead = g->objects;
        g->objects = o;
        g->backlog += cost;
        atomic_fetch_add_explicit(&g->pending, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&g->bytes, object_footprint(o), memory_order_relaxed);
    }
    garbage_unlock(g);
    return left;
}

void garbage_add_objects(struct garbage *g, struct object *dead) {
    while (dead != NULL) {
        struct object *o = dead;
        size_t cost = cost_of(o);

        dead = o->next_dead;
        if (cost == 0 || !is_collected(g) || !leave(g, o, cost))
            object_free(o);
    }
}

void garbage_add_keys(struct garbage *g, struct table *keys, uint64_t bytes) {
    struct garbage_keys *note = is_collected(g) && keys->used > 0 ? mem_alloc(sizeof(*note)) : NULL;

    if (note == NULL) {
        entries_destroy(keys);
        return;
    }
    note->keys = *keys;
    note->bytes = bytes;
    atomic_fetch_add_explicit(&g->bytes, bytes, memory_order_relaxed);
    garbage_lock(g);
    note->next = g->keys;
    g->keys = note;
    atomic_fetch_add_explicit(&g->pending, keys->used, memory_order_relaxed);
    garbage_unlock(g);
}

static void freed(struct garbage *g, uint64_t bytes) {
    atomic_fetch_sub_explicit(&g->bytes, bytes, memory_order_relaxed);
}

static void free_objects(struct garbage *g, struct object *o) {
    while (o != NULL) {
        struct object *next = o->next_dead;
        size_t bytes = object_footprint(o);

        object_free(o);
        freed(g, bytes);
        o = next;
    }
}

void garbage_collect(struct garbage *g) {
    struct garbage_keys *keys;
    struct object *objects;
    uint64_t pending;

    garbage_lock(g);
    keys = g->keys;
    objects = g->objects;
    g->keys = NULL;
    g->objects = NULL;
    g->backlog = 0;
    pending = atomic_load_explicit(&g->pending, memory_order_relaxed);
    garbage_unlock(g);
    free_objects(g, objects);
    while (keys != NULL) {
        struct garbage_keys *next = keys->next;

        entries_destroy(&keys->keys);
        freed(g, keys->bytes);
        mem_free(keys);
        keys = next;
    }
    atomic_fetch_add_explicit(&g->freed, pending, memory_order_relaxed);
    atomic_fetch_sub_explicit(&g->pending, pending, memory_order_relaxed);
}
