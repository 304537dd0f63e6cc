/* members.h - the members of a collection too large for a compact encoding: a table of entries, the same as for the keys
 * of a shard. The member is the entry's key; the value of a hash's field is the entry's string. So
 * members share the table's properties: 8 bytes a slot, incremental resizing, cursors that remain valid.
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

/* Keeps a pointer to the secret. */
void members_init(struct members *m, const unsigned char *secret);
void members_free(struct members *m);
/* Copies all members to `copy`, which is initialised and empty. False: no memory, and `copy` has to be freed. */
bool members_copy(const struct members *m, struct members *copy);
static inline size_t members_count(const struct members *m) {
    return m->table.used;
}
/* Bytes of the entries, their blobs and the table's slots. */
size_t members_bytes(const struct members *m);

/* NULL: no such member. Valid until the members change. */
struct entry *members_find(const struct members *m, struct slice name);
/* The functions that change members take the view of the collection (object_view; NULL: none).
 *
 * Adds the member or replaces its value. On failure nothing changed; a name may have ENTRY_KEY_MAX bytes. */
enum member_result members_put(struct members *m, struct view *v, struct slice name, struct slice value);
/* Adds a member that does not exist yet, and sets *e to it. Never returns MEMBER_REPLACED. On failure nothing changed. */
enum member_result members_add(struct members *m, struct view *v, struct slice name, struct slice value,
                               struct entry **e);
/* A new entry for a member, not in the table yet; NULL: no memory. */
struct entry *members_make(struct slice name, struct slice value, int64_t expire_at);
/* Replaces `stale` by `fresh`, which has the same name, and frees `stale` and its object, unless `fresh` has the same
 * object. */
void members_swap(struct members *m, struct view *v, struct entry *stale, struct entry *fresh);
/* False: no such member. */
bool members_remove(struct members *m, struct view *v, struct slice name);
/* To be called before a member's value or expiry is overwritten in place. */
void members_change(const struct members *m, struct view *v, struct entry *e);
/* Visits about `count` members (entries) from `cursor` on and returns the next cursor, 0 at the end; cursors have
 * 53 bits, as those of store_scan, for clients that store them in a double. A member may repeat, none is missed. */
typedef void members_visit(void *ctx, const void *entry);
uint64_t members_scan(const struct members *m, uint64_t cursor, size_t count, members_visit *visit,
                      void *ctx);
/* The members of a collection; NULL: it has a compact encoding. */
const struct members *hash_members(const struct hash *h);
const struct members *set_members(const struct set *s);
const struct members *zset_members(const struct zset *z);
/* A member, chosen uniformly at random; there must be one. */
struct entry *members_random(const struct members *m);

#endif
