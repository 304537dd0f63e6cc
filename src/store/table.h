/* table.h - the hash index of a shard: open addressing, 8 bytes a slot, grows a little at a time. Private to
 * the store.
 *
 *     slot   63      56 55         48 47                                0
 *           +----------+-------------+-----------------------------------+
 *           |   tag    |   distance  |  address of the entry; 0: empty   |
 *           +----------+-------------+-----------------------------------+
 *
 * A key's point is its hash without the shard's 6 bits. Its home slot is point * capacity / 2^64, so homes are in
 * the order of points at every capacity, and any capacity will do. Entries lie in the order of their homes
 * (linear probing, Robin Hood): `distance` is how far an entry lies from its home, and a look-up ends at the
 * first slot whose distance is smaller than its own would be. Distance and tag together (16 bits) are compared
 * before an entry is touched, so a look-up reads one entry, its own. Deleting shifts the followers back: there
 * are no tombstones.
 *
 * Growing and shrinking: goal, no operation ever pays for a whole rehash. A second slot array is allocated, and
 * every insertion and removal moves the entries of a few more homes over, lowest first. `moved` is the frontier:
 * homes below it (by the old capacity) live in the new array, the others in the old, so a look-up reads one array
 * and one only. It stops when the frontier has crossed the old array. Cost: each entry is moved about four
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
    size_t moved;          /* homes of `old` that live in `now` */
    size_t old_next;       /* first slot of `old` that still holds what it held */
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
/* The two steps by which a look-up's memory is brought near, ahead of it: the slot at the key's home, then, once that
 * has come, the entry that the slot names. Nothing waits; what is not there is brought for nothing. */
void table_near_slot(const struct table *t, uint64_t hash);
void table_near_entry(const struct table *t, uint64_t hash);
/* `e` itself, if it is there under this hash; NULL: it is not, and may be no entry any more. */
struct entry *table_holds(const struct table *t, uint64_t hash, const struct entry *e);
/* Adds an entry whose key is not there. False, nothing changed: no memory. */
bool table_insert(struct table *t, uint64_t hash, struct entry *e);
/* Puts `fresh` in the place of `stale`, which is there and has the same key. */
void table_replace(struct table *t, uint64_t hash, const struct entry *stale, struct entry *fresh);
/* The most that `n` more entries take of the allocator (need.h), but for themselves. */
size_t table_need(const struct table *t, size_t n);
/* Takes an entry out that is there. */
void table_remove(struct table *t, uint64_t hash, const struct entry *e);

/* Does a growth still have entries to move? Moves those of up to `slots` more slots. */
static inline bool table_moving(const struct table *t) {
    return t->old.at != NULL;
}
void table_move(struct table *t, size_t slots);

/* Bytes of the slots, allocator's rounding included. */
size_t table_bytes(const struct table *t);

/* Visits, in the order of homes (of one home in any), about `want` entries whose points are >= `from`, and all of those up
 * to the point returned: the next `from`, or 0 at the end of the table. The visitor must not change the table (it may free
 * the entries of one that is about to be freed). */
#define TABLE_ALL (SIZE_MAX / 64) /* as `want`: no end before the table's */
typedef void table_visit(void *ctx, struct entry *e);
uint64_t table_walk(const struct table *t, uint64_t from, size_t want, table_visit *visit, void *ctx);

/* An entry picked at random, each with the same chance; NULL: the table is empty. Tries slots until one is taken,
 * so the cost is one over the share of slots that are (8 on average at the thinnest). */
struct entry *table_random(const struct table *t);

#endif
