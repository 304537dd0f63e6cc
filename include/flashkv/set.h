/* set.h - a set of byte strings as pure data: no lock, no clock, no keyspace.
 *
 * Few members that are all integers are a sorted array ("intset" to OBJECT ENCODING), searched by halves; others
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
/* Another one of the same content; NULL: no memory. O(n). */
struct set *set_copy(const struct set *s);
/* Members; bytes allocated in all. O(1). */
size_t set_len(const struct set *s);
size_t set_bytes(const struct set *s);
/* The most that edits of it take of the allocator (need.h). O(1). */
size_t set_need(const struct set *s, const struct edits *e);
/* "intset" or "hashtable". Static. */
const char *set_encoding(const struct set *s);

enum set_result { SET_ADDED, SET_WAS_THERE, SET_NO_MEMORY, SET_TOO_LONG };

/* On failure the set is as it was. Too long: a member of more than 131071 bytes. */
enum set_result set_add(struct set *s, struct slice member);
bool set_has(const struct set *s, struct slice member);
/* False: it was not there. */
bool set_remove(struct set *s, struct slice member);

/* A member's place, valid until the set changes. Different members have different places. */
typedef const void *set_place;
enum { SET_ROOM = 21 };
/* The member's bytes: its own, or written into `room`. */
struct slice set_member(const struct set *s, set_place at, char room[SET_ROOM]);
/* A member at random, each with the same chance; the set must not be empty. O(1). */
set_place set_random(const struct set *s);

/* Visits about `count` members from `cursor` on (0 starts, SIZE_MAX: all) and returns the next cursor, 0 at the
 * end. Every member that is there throughout is visited, whatever changes between the calls. */
typedef void set_visit(void *ctx, set_place at);
uint64_t set_scan(const struct set *s, uint64_t cursor, size_t count, set_visit *visit, void *ctx);

#endif
