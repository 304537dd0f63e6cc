/* keyhash.c - the only user of xxHash: the keyed hash of keys and the plain one of values. */
#include <config.h>
#include <flashkv/store.h>

#include "table.h"

#define XXH_INLINE_ALL
#ifdef FK_DEBUG
#define XXH_NO_INLINE_HINTS 1 /* gcc -Og refuses to inline what xxHash insists on */
#endif
#include <xxhash.h>

uint64_t table_hash(const unsigned char *secret, struct slice key) {
    return XXH3_64bits_withSecret(key.ptr, key.len, secret, TABLE_SECRET_SIZE);
}

uint64_t store_digest(struct slice bytes) {
    return XXH3_64bits(bytes.ptr, bytes.len);
}
