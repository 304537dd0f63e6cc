/* set.h - a set of byte strings as pure data: no lock, no clock, no keyspace.
 *
 * A small set of integers is a sorted array ("intset" to OBJECT ENCODING) with binary search; others
 * are a table of entries ("hashtable"). Layer: store. The shard's lock guards a set that is in the store. */
#ifndef FLASHKV_SET_H
#define FLASHKV_SET_H

#include <flashkv/blob.h>
#include <flashkv/need.h>
#include <flashkv/slice.h>

struct set;

/* An empty set. `secret` (TABLE_SECRET_SIZE bytes, borrowed for its life) keys the table. NULL: no memory. */
struct set *set_new(const unsigned char *secret);
void set_free(struct set *s);
/* A deep copy; NULL: no memory. O(n). */
struct set *set_copy(const struct set *s);
/* The number of members; the bytes allocated. O(1). */
size_t set_len(const struct set *s);
size_t set_bytes(const struct set *s);
/* An upper bound of what the edits allocate (need.h). O(1). */
size_t set_need(const struct set *s, const struct edits *e);
/* "intset" or "hashtable". Static. */
const char *set_encoding(const struct set *s);

enum set_result { SET_ADDED, SET_WAS_THERE, SET_NO_MEMORY, SET_TOO_LONG };

/* On failure the set is unchanged. SET_TOO_LONG: the member is longer than ENTRY_KEY_MAX (entry.h). */
enum set_result set_add(struct set *s, struct slice member);
bool set_has(const struct set *s, struct slice member);
/* False: no such member. */
bool set_remove(struct set *s, struct slice member);

/* A handle of a member, valid until the set changes. Different members have different handles. */
typedef const void *set_place;
enum { SET_ROOM = 21 };
/* The member's bytes: its own, or written into `room`. */
struct slice set_member(const struct set *s, set_place at, char room[SET_ROOM]);
/* A member, chosen uniformly at random; the set must not be empty. O(1). */
set_place set_random(const struct set *s);

/* Visits about `count` members (SIZE_MAX: all) from `cursor` on (0 starts) and returns the next cursor, 0 at the end. A
 * member that exists from the first call to the last is visited, whatever changes between the calls. */
typedef void set_visit(void *ctx, set_place at);
uint64_t set_scan(const struct set *s, uint64_t cursor, size_t count, set_visit *visit, void *ctx);

#endif
