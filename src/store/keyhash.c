/* keyhash.c - the only user of xxHash: the keyed hash of keys and the plain one of values. */
#include <config.h>
#include <flashkv/hints.h>
#include <flashkv/store.h>

#include "table.h"

#define XXH_INLINE_ALL
#ifdef FK_DEBUG
#define XXH_NO_INLINE_HINTS 1 /* gcc -Og refuses to inline what xxHash insists on */
#endif
#include <xxhash.h>

enum { KEY_SHORT = 16 }; /* the longest key on XXH3's first code path */

static NOINLINE uint64_t hash_long(const unsigned char *secret, struct slice key) {
    return XXH3_64bits_withSecret(key.ptr, key.len, secret, TABLE_SECRET_SIZE);
}

/* Most keys are short. XXH3's code for longer ones is not inlined here, to save its stack frame. */
HOT __attribute__((flatten)) uint64_t table_hash(const unsigned char *secret, struct slice key) {
    if (key.len > KEY_SHORT)
        return hash_long(secret, key);
    return XXH3_64bits_withSecret(key.ptr, key.len, secret, TABLE_SECRET_SIZE);
}

uint64_t store_digest(struct slice bytes) {
    return XXH3_64bits(bytes.ptr, bytes.len);
}
