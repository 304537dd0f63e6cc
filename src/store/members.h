/* members.h - the members of a collection too large for a compact encoding: a table of entries, just as the keys
 * of a shard are. The member is the entry's key; what belongs to it, a hash's value, is the entry's string. So
 * members get the table's properties: 8 bytes of slot, growth a little at a time, cursors that survive it.
 * Private to the store. Not thread-safe: the shard's lock guards it. */
#ifndef FLASHKV_STORE_MEMBERS_H
#define FLASHKV_STORE_MEMBERS_H

#include "table.h"
#include "view_impl.h"

struct members {
    struct table table;
    size_t bytes; /* of all entries and their blobs */
};

enum member_result { MEMBER_ADDED, MEMBER_REPLACED, MEMBER_NO_MEMORY, MEMBER_TOO_LONG };

/* The secret is borrowed. */
void members_init(struct members *m, const unsigned char *secret);
void members_free(struct members *m);
/* Makes `copy`, which is initialised, have the same members. False, `copy` to be freed: no memory. */
bool members_copy(const struct members *m, struct members *copy);
static inline size_t members_count(const struct members *m) {
    return m->table.used;
}
/* Slots included. */
size_t members_bytes(const struct members *m);

/* NULL: not there. Valid until the members change. */
struct entry *members_find(const struct members *m, struct slice name);
/* Those that change members are told who views the collection they belong to (object_view; NULL: nobody).
 *
 * Adds the member or gives it another value. On failure nothing changed; a name may have ENTRY_KEY_MAX bytes. */
enum member_result members_put(struct members *m, struct view *v, struct slice name, struct slice value);
/* Adds a member that is not there, as `*e`; MEMBER_REPLACED does not come of it. On failure nothing changed. */
enum member_result members_add(struct members *m, struct view *v, struct slice name, struct slice value,
                               struct entry **e);
/* An entry for a member, in no table yet; NULL: no memory. */
struct entry *members_make(struct slice name, struct slice value, int64_t expire_at);
/* Puts `fresh` in the place of `stale`, which is there and has the same name, and frees that; its object too, unless
 * `fresh` has it. */
void members_swap(struct members *m, struct view *v, struct entry *stale, struct entry *fresh);
/* False: it was not there. */
bool members_remove(struct members *m, struct view *v, struct slice name);
/* Before a member's value or expiry is written over in place. */
void members_change(const struct members *m, struct view *v, struct entry *e);
/* Visits about `count` members (entries) from `cursor` on and returns the next cursor, 0 at the end; cursors have
 * 53 bits, as those of store_scan, for clients that keep them in a double. Members may repeat, none is missed. */
typedef void members_visit(void *ctx, const void *entry);
uint64_t members_scan(const struct members *m, uint64_t cursor, size_t count, members_visit *visit,
                      void *ctx);
/* Those of a collection; NULL: it is small, and has none. */
const struct members *hash_members(const struct hash *h);
const struct members *set_members(const struct set *s);
const struct members *zset_members(const struct zset *z);
/* One at random, each with the same chance; there must be one. */
struct entry *members_random(const struct members *m);

#endif
