/* zset.h - a sorted set, members with scores, as pure data: no lock, no clock, no keyspace.
 *
 * Members are ordered by score, those with the same score by their bytes. Ranks count from 0.
 * Small ones are one packed run in that order ("listpack" to OBJECT ENCODING); larger ones (encoding.h) a table of
 * entries plus an ordered index ("skiplist", the name of Redis's encoding). Layer: store. The shard's lock guards a
 * sorted set that is in the store. */
#ifndef FLASHKV_ZSET_H
#define FLASHKV_ZSET_H

#include <flashkv/blob.h>
#include <flashkv/need.h>
#include <flashkv/slice.h>

struct zset;

/* An empty sorted set. `secret` (TABLE_SECRET_SIZE bytes, borrowed for its life) keys the table. NULL: no memory. */
struct zset *zset_new(const unsigned char *secret);
void zset_free(struct zset *z);
/* A deep copy. NULL: no memory. O(n log n). */
struct zset *zset_copy(const struct zset *z);
/* The number of members; the bytes allocated. O(1). */
size_t zset_len(const struct zset *z);
size_t zset_bytes(const struct zset *z);
/* An upper bound of what the edits allocate (need.h). O(1). */
size_t zset_need(const struct zset *z, const struct edits *e);
/* "listpack" or "skiplist". Static. */
const char *zset_encoding(const struct zset *z);

/* A handle of a member, valid until the sorted set changes. Different members have different handles. */
typedef const void *zset_place;
/* NULL: no such member. */
zset_place zset_find(const struct zset *z, struct slice member);
struct slice zset_member(const struct zset *z, zset_place at);
double zset_score(const struct zset *z, zset_place at);
size_t zset_rank(const struct zset *z, zset_place at);
/* A member, chosen uniformly at random; the sorted set must not be empty. O(1), O(n) when packed. */
zset_place zset_random(const struct zset *z);

enum zset_result { ZSET_ADDED, ZSET_NO_MEMORY, ZSET_TOO_LONG };

/* Adds a member that does not exist yet; the score is not NaN. On failure the sorted set is unchanged. ZSET_TOO_LONG: the
 * member is longer than ENTRY_KEY_MAX (entry.h). O(log n). */
enum zset_result zset_add(struct zset *z, struct slice member, double score);
/* Prepares for a number of members that will be added: converts to a table now if they exceed the packed encoding (SIZE_MAX:
 * in any case). False, nothing changed: no memory. */
bool zset_expect(struct zset *z, size_t members);
/* Converts back to the packed encoding if the members fit its limits and there is memory. */
void zset_pack(struct zset *z);
/* Changes a member's score. False, nothing changed: no memory. O(log n). */
bool zset_move(struct zset *z, zset_place at, double score);
/* False: no such member. O(log n). */
bool zset_remove(struct zset *z, struct slice member);
/* Removes `count` members from rank `from` on. O(count log n). */
void zset_remove_ranks(struct zset *z, size_t from, size_t count);

/* Bounds as ranks: how many members have a lower score, or an equal one if `or_equal`. O(log n). */
size_t zset_below_score(const struct zset *z, double score, bool or_equal);
/* The same by the bytes of members; meaningful only if all scores are equal. O(log n). */
size_t zset_below_member(const struct zset *z, struct slice member, bool or_equal);

typedef void zset_visit(void *ctx, zset_place at);
/* Visits `count` members from `rank` on, upwards or downwards; the range must exist. O(log n + count). */
void zset_walk(const struct zset *z, size_t rank, size_t count, bool down, zset_visit *visit, void *ctx);
/* Visits about `count` members from `cursor` on (0 starts), in no order, and returns the next cursor, 0 at the end.
 * A member that exists from the first call to the last is visited, whatever changes between the calls. */
uint64_t zset_scan(const struct zset *z, uint64_t cursor, size_t count, zset_visit *visit, void *ctx);

#endif
