/* zset.h - a sorted set, members with scores, as pure data: no lock, no clock, no keyspace.
 *
 * Members are in the order of their scores, those with the same score in the order of their bytes. Ranks count from 0.
 * Small ones are one packed run in that order ("listpack" to OBJECT ENCODING); larger ones (encoding.h) a table of
 * entries beside an ordered index ("skiplist", Redis's name for its own). Layer: store. The shard's lock guards a
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
/* The same members and scores. NULL: no memory. */
struct zset *zset_copy(const struct zset *z);
/* Members; bytes allocated in all. O(1). */
size_t zset_len(const struct zset *z);
size_t zset_bytes(const struct zset *z);
/* The most that edits of it take of the allocator (need.h). O(1). */
size_t zset_need(const struct zset *z, const struct edits *e);
/* "listpack" or "skiplist". Static. */
const char *zset_encoding(const struct zset *z);

/* A member's place, valid until the sorted set changes. Different members have different places. */
typedef const void *zset_place;
/* NULL: it is not there. */
zset_place zset_find(const struct zset *z, struct slice member);
struct slice zset_member(const struct zset *z, zset_place at);
double zset_score(const struct zset *z, zset_place at);
size_t zset_rank(const struct zset *z, zset_place at);
/* A member at random, each with the same chance; the sorted set must not be empty. O(1), O(n) when packed. */
zset_place zset_random(const struct zset *z);

enum zset_result { ZSET_ADDED, ZSET_NO_MEMORY, ZSET_TOO_LONG };

/* Adds a member that is not there; no score is NaN. On failure the sorted set is as it was. Too long: a member of more
 * than 131071 bytes. O(log n). */
enum zset_result zset_add(struct zset *z, struct slice member, double score);
/* For a sorted set that is made from others: so many members are to come. Leaves the packed encoding now if they would not
 * stay in it (SIZE_MAX: in any case). False, nothing changed: no memory. */
bool zset_expect(struct zset *z, size_t members);
/* Goes back to the packed encoding if there is no more than that takes, and memory. */
void zset_pack(struct zset *z);
/* Gives a member another score. False, nothing changed: no memory. O(log n). */
bool zset_move(struct zset *z, zset_place at, double score);
/* False: it was not there. O(log n). */
bool zset_remove(struct zset *z, struct slice member);
/* Removes `count` members, those from rank `from` on. O(count log n). */
void zset_remove_ranks(struct zset *z, size_t from, size_t count);

/* Bounds as ranks: how many members have less than that score, or as much if `or_equal`. O(log n). */
size_t zset_below_score(const struct zset *z, double score, bool or_equal);
/* The same by the bytes of members; tells something only if all scores are the same. O(log n). */
size_t zset_below_member(const struct zset *z, struct slice member, bool or_equal);

typedef void zset_visit(void *ctx, zset_place at);
/* Visits `count` members from `rank` on, upwards or downwards; they must be there. O(log n + count). */
void zset_walk(const struct zset *z, size_t rank, size_t count, bool down, zset_visit *visit, void *ctx);
/* Visits about `count` members from `cursor` on (0 starts), in no order, and returns the next cursor, 0 at the end.
 * Every member that is there throughout is visited, whatever changes between the calls. */
uint64_t zset_scan(const struct zset *z, uint64_t cursor, size_t count, zset_visit *visit, void *ctx);

#endif
