/* garbage.h - unlinked objects that are freed in the background. Private to the store. Thread-safe. */
#ifndef FLASHKV_STORE_GARBAGE_H
#define FLASHKV_STORE_GARBAGE_H

#include <flashkv/hints.h>
#include <flashkv/lock.h>

#include "table.h"

/* The role of garbage.mutex (flashkv/thread_safety.h). */
extern struct mutex garbage_role;

/* The table of a shard that was flushed. */
struct garbage_keys {
    struct garbage_keys *next;
    struct table keys;
    uint64_t bytes;
};

struct garbage {
    struct mutex mutex; /* a leaf */
    struct garbage_keys *keys GUARDED_BY(garbage_role);
    struct object *objects GUARDED_BY(garbage_role); /* linked through next_dead */
    size_t backlog GUARDED_BY(garbage_role);         /* the cost of `objects` */
    _Atomic uint64_t bytes;                          /* still to be freed */
    _Atomic bool collected;                          /* a thread calls garbage_collect */
    _Atomic uint64_t pending, freed; /* objects, and keys of tables: left to the collector, and freed by it */
};

void garbage_init(struct garbage *g);
/* Frees all that is left. */
void garbage_destroy(struct garbage *g);
/* Sets whether a thread collects; otherwise everything is freed immediately. */
void garbage_set_collected(struct garbage *g, bool collected);

/* Takes ownership of a chain of unlinked objects: frees small ones, queues large ones. The caller holds no shard. */
NOINLINE void garbage_add_objects(struct garbage *g, struct object *dead);
/* The same for a shard's table with its entries and objects, `bytes` in all. */
void garbage_add_keys(struct garbage *g, struct table *keys, uint64_t bytes);
/* Frees what is queued. */
void garbage_collect(struct garbage *g);

#endif
