/* hash.h - a hash, fields with values, as pure data: no lock, no clock, no keyspace.
 *
 * Small ones are one packed run of field, value, field, value ("listpack" to OBJECT ENCODING), searched from the
 * front; larger ones (encoding.h) a table of entries ("hashtable"). Layer: store. The shard's lock guards a hash
 * that is in the store. */
#ifndef FLASHKV_HASH_H
#define FLASHKV_HASH_H

#include <flashkv/blob.h>
#include <flashkv/slice.h>

struct hash;

/* An empty hash. `secret` (TABLE_SECRET_SIZE bytes, borrowed for its life) keys the table. NULL: no memory. */
struct hash *hash_new(const unsigned char *secret);
void hash_free(struct hash *h);
/* Another one of the same content; NULL: no memory. O(n). */
struct hash *hash_copy(const struct hash *h);
/* Fields; bytes allocated in all. O(1). */
size_t hash_len(const struct hash *h);
size_t hash_bytes(const struct hash *h);
/* "listpack" or "hashtable". Static. */
const char *hash_encoding(const struct hash *h);

enum hash_result { HASH_ADDED, HASH_REPLACED, HASH_NO_MEMORY, HASH_TOO_LONG };

/* Sets a field. On failure the hash is as it was. Too long: a field of more than 131071 bytes. */
enum hash_result hash_set(struct hash *h, struct slice field, struct slice value);
/* False: it is not there. *value is valid until the hash changes. */
bool hash_get(const struct hash *h, struct slice field, struct slice *value);
/* False: it was not there. */
bool hash_remove(struct hash *h, struct slice field);

/* A field's place, valid until the hash changes. Different fields have different places. */
typedef const void *hash_place;
struct slice hash_field(const struct hash *h, hash_place at);
struct slice hash_value(const struct hash *h, hash_place at);
/* A field at random, each with the same chance; the hash must not be empty. O(1), O(n) when packed. */
hash_place hash_random(const struct hash *h);

/* Visits about `count` fields from `cursor` on (0 starts, SIZE_MAX: all) and returns the next cursor, 0 at the
 * end. Every field that is there throughout is visited, whatever changes between the calls. */
typedef void hash_visit(void *ctx, hash_place at);
uint64_t hash_scan(const struct hash *h, uint64_t cursor, size_t count, hash_visit *visit, void *ctx);

#endif
