/* entry.h - one key with its value, to read.
 *
 * An entry belongs to its shard; every pointer got from here is valid until the end of the transaction that found the entry,
 * or until that transaction changes the key. Small strings live in the entry's own allocation; larger ones are blobs, which
 * can be held by reference. Layer: store. */
#ifndef FLASHKV_ENTRY_H
#define FLASHKV_ENTRY_H

#include <flashkv/blob.h>
#include <flashkv/hash.h>
#include <flashkv/list.h>
#include <flashkv/set.h>
#include <flashkv/slice.h>
#include <flashkv/zset.h>
#include <stdint.h>

enum value_type { TYPE_STRING, TYPE_LIST, TYPE_HASH, TYPE_SET, TYPE_ZSET };

/* The expiry time of a key without one. All others are wall milliseconds since 1970. */
enum { NO_EXPIRY = 0 };

struct entry;

/* The maximum length of a key, field or member, in bytes. */
enum { ENTRY_KEY_BITS = 17, ENTRY_KEY_MAX = (1 << ENTRY_KEY_BITS) - 1 };

enum value_type entry_type(const struct entry *e);
/* "string", "list" and so on: the words of TYPE. Static. */
const char *value_type_name(enum value_type type);
struct slice entry_key(const struct entry *e);
/* Wall milliseconds, or NO_EXPIRY. */
int64_t entry_expire_at(const struct entry *e);
/* The value's bytes (TYPE_STRING only). */
struct slice entry_string(const struct entry *e);
/* The blob behind a large string, to be held with blob_ref; NULL if the value lives in the entry. */
struct blob *entry_blob(const struct entry *e);
/* Was the string edited in place (store_edit_string)? OBJECT ENCODING then reports "raw". */
bool entry_is_raw(const struct entry *e);
/* Digest of the string's bytes (store_digest); cached for blobs. */
uint64_t entry_digest(const struct entry *e);
/* The media type stored with a string; empty if none was. At most ENTRY_CONTENT_TYPE_MAX bytes. */
struct slice entry_content_type(const struct entry *e);
enum { ENTRY_CONTENT_TYPE_MAX = 255 };
/* A longer string is kept in a blob: copying it while a lock is held would cost more than taking a reference. */
enum { STRING_INLINE_MAX = 4096 };
/* The collection, to read; each for its own type only. */
const struct list *entry_list(const struct entry *e);
const struct hash *entry_hash(const struct entry *e);
const struct set *entry_set(const struct entry *e);
const struct zset *entry_zset(const struct entry *e);
/* Bytes this key takes in all: entry, value, table slots. */
size_t entry_bytes(const struct entry *e);

#endif
