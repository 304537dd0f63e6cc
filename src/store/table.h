/* table.h - the hash table of a shard: open addressing, 8 bytes a slot, resized incrementally. Private to
 * the store.
 *
 *     slot   63      56 55         48 47                                0
 *           +----------+-------------+-----------------------------------+
 *           |   tag    |   distance  |  address of the entry; 0: empty   |
 *           +----------+-------------+-----------------------------------+
 *
 * A key's point is its hash without the shard's 6 bits. Its home slot is point * capacity / 2^64, so homes are in
 * the order of points at every capacity, and the capacity can be any number. Entries are in the order of their homes
 * (linear probing, Robin Hood): `distance` is the distance of an entry from its home, and a look-up ends at the
 * first slot whose distance is smaller than the key's would be. Distance and tag together (16 bits) are compared
 * before an entry is read, so a look-up reads one entry, its own. A removal shifts the followers back: there
 * are no tombstones.
 *
 * Growing and shrinking: goal, no operation ever pays for a whole rehash. A second slot array is allocated, and
 * every insertion and removal moves the entries of a few more homes to it, lowest first. `moved` is the frontier:
 * homes below it (by the old capacity) are in the new array, the others in the old one, so a look-up reads exactly one
 * array. It ends when the frontier has crossed the old array. Cost: each entry is moved about four
 * times in the life of a growing table (capacity grows by a quarter, so that slots are 70 to 87 % full); both arrays
 * take memory meanwhile.
 *
 * Not thread-safe: the shard's lock guards it. */
#ifndef FLASHKV_STORE_TABLE_H
#define FLASHKV_STORE_TABLE_H

#include <flashkv/store.h>

#include "entry_layout.h"

/* One slot array. */
struct slots {
    uint64_t *at; /* capacity + tail slots; the last is always empty */
    size_t capacity;
    size_t bytes; /* of all slots, as the allocator counts them */
};

struct table {
    struct slots now, old; /* old.at is NULL unless entries are being moved over */
    size_t moved;          /* the frontier: homes of `old` below it are in `now` */
    size_t old_next;       /* first slot of `old` that is still valid */
    size_t used;           /* entries in all */
    const unsigned char *secret;
};

enum { TABLE_SECRET_SIZE = STORE_SECRET_SIZE }; /* bytes, as XXH3 wants */

/* An empty table allocates nothing. The secret is borrowed. */
void table_init(struct table *t, const unsigned char *secret);
/* Frees the slots, not the entries. */
void table_free(struct table *t);

/* The hash of a key under a secret: top 6 bits the shard, the rest the point. */
uint64_t table_hash(const unsigned char *secret, struct slice key);

static inline uint64_t table_point(uint64_t hash) {
    return hash << 6;
}

/* The entry of a key, or NULL. */
struct entry *table_find(const struct table *t, uint64_t hash, struct slice key);
/* Prefetches the memory that a look-up will read, in two steps: the slot at the key's home; then, once that has arrived, the
 * entry that the slot points to. Neither waits; for a missing key they are useless but harmless. */
void table_prefetch_slot(const struct table *t, uint64_t hash);
void table_prefetch_entry(const struct table *t, uint64_t hash);
/* `e`, if the table contains this very entry under this hash; NULL: it does not, and `e` may be dangling. */
struct entry *table_holds(const struct table *t, uint64_t hash, const struct entry *e);
/* Adds an entry whose key is not in the table. False, nothing changed: no memory. */
bool table_insert(struct table *t, uint64_t hash, struct entry *e);
/* Replaces `stale`, which is in the table, by `fresh`, which has the same key. */
void table_replace(struct table *t, uint64_t hash, const struct entry *stale, struct entry *fresh);
/* An upper bound of what the table allocates for `n` more entries (need.h), without the entries. */
size_t table_need(const struct table *t, size_t n);
/* Removes an entry that is in the table. */
void table_remove(struct table *t, uint64_t hash, const struct entry *e);

/* Is the table being resized? Continues that by up to `slots` slots. */
static inline bool table_moving(const struct table *t) {
    return t->old.at != NULL;
}
void table_move(struct table *t, size_t slots);

/* Bytes of the slots, allocator's rounding included. */
size_t table_bytes(const struct table *t);

/* Visits, in the order of homes (of one home in any), about `want` entries whose points are >= `from`, and all of those up
 * to the point returned: the next `from`, or 0 at the end of the table. The visitor must not change the table (it may free
 * the entries of one that is about to be freed). */
#define TABLE_ALL (SIZE_MAX / 64) /* as `want`: all entries */
typedef void table_visit(void *ctx, struct entry *e);
uint64_t table_walk(const struct table *t, uint64_t from, size_t want, table_visit *visit, void *ctx);

/* An entry, chosen uniformly at random; NULL: the table is empty. Probes random slots until one is in use: the expected
 * number of probes is the reciprocal of the load (at most 8). */
struct entry *table_random(const struct table *t);

#endif
