/* hash.h - a hash, fields with values, as pure data: no lock, no clock, no keyspace.
 *
 * Small ones are one packed run of field, value, field, value ("listpack" to OBJECT ENCODING), searched from the
 * front; larger ones (encoding.h) a table of entries ("hashtable"). Layer: store. The shard's lock guards a hash
 * that is in the store. */
#ifndef FLASHKV_HASH_H
#define FLASHKV_HASH_H

#include <flashkv/blob.h>
#include <flashkv/need.h>
#include <flashkv/slice.h>

struct hash;

/* An empty hash. `secret` (TABLE_SECRET_SIZE bytes, borrowed for its life) keys the table. NULL: no memory. */
struct hash *hash_new(const unsigned char *secret);
void hash_free(struct hash *h);
/* A deep copy; NULL: no memory. O(n). */
struct hash *hash_copy(const struct hash *h);
/* The number of fields, including expired ones that are not swept yet; the bytes allocated. O(1). */
size_t hash_len(const struct hash *h);
size_t hash_bytes(const struct hash *h);
/* An upper bound of what the edits allocate (need.h). O(1). */
size_t hash_need(const struct hash *h, const struct edits *e);
/* "listpack" or "hashtable". Static. */
const char *hash_encoding(const struct hash *h);

/* A field may have an expiry (wall ms, NO_EXPIRY: none); the first one converts the hash to a table. Functions that take
 * `now` ignore fields that expire at or before it; HASH_ALL is before all expiries. */
enum { HASH_ALL = 0 };

/* The number of live fields. O(1); O(fields with an expiry) while some have expired and are not swept. */
size_t hash_live(const struct hash *h, int64_t now);

enum hash_result { HASH_ADDED, HASH_REPLACED, HASH_NO_MEMORY, HASH_TOO_LONG };

/* Sets a field; hash_set clears its expiry, hash_update keeps it. On failure the hash is unchanged. HASH_TOO_LONG: the field
 * name is longer than ENTRY_KEY_MAX (entry.h). */
enum hash_result hash_set(struct hash *h, struct slice field, struct slice value, int64_t now);
enum hash_result hash_update(struct hash *h, struct slice field, struct slice value, int64_t now);
/* False: no such field. *value is valid until the hash changes. */
bool hash_get(const struct hash *h, struct slice field, int64_t now, struct slice *value);
/* False: no such field; an expired one is left to the sweep. */
bool hash_remove(struct hash *h, struct slice field, int64_t now);

/* A handle of a field, valid until the hash changes. Different fields have different handles. */
typedef const void *hash_place;
struct slice hash_field(const struct hash *h, hash_place at);
struct slice hash_value(const struct hash *h, hash_place at);
int64_t hash_expires_at(const struct hash *h, hash_place at);
/* A live field, chosen uniformly at random; there must be one. O(1); O(n) when packed, or while most unswept fields have
 * expired. */
hash_place hash_random(const struct hash *h, int64_t now);

/* Visits about `count` live fields (SIZE_MAX: all) from `cursor` on (0 starts) and returns the next cursor, 0 at the end. A
 * field that exists from the first call to the last is visited, whatever changes between the calls. */
typedef void hash_visit(void *ctx, hash_place at);
uint64_t hash_scan(const struct hash *h, uint64_t cursor, size_t count, int64_t now, hash_visit *visit,
                   void *ctx);

/* ---- fields that expire (hash_expiry.c) ------------------------------------------------------------------------- */

/* Sets *at to when a field expires, or NO_EXPIRY; false: no such field. */
bool hash_expiry(const struct hash *h, struct slice field, int64_t now, int64_t *at);
/* Sets the expiry of a live field (NO_EXPIRY clears it). False, nothing changed: no memory. */
bool hash_expire(struct hash *h, struct slice field, int64_t now, int64_t at);
/* Has any field an expiry? */
bool hash_is_volatile(const struct hash *h);
/* Has every field expired? O(1), except while some have expired and are not swept. */
bool hash_is_dead(const struct hash *h, int64_t now);
/* No field expires before this; INT64_MAX: none ever. May be too low. */
int64_t hash_due_at(const struct hash *h);
/* Checks up to `want` fields with an expiry, continuing where the last call ended, and removes those that have expired,
 * calling `expired` for each before. Returns how many were removed. */
size_t hash_sweep(struct hash *h, int64_t now, size_t want, void (*expired)(void *ctx, struct slice field),
                  void *ctx);

#endif
