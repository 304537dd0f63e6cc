/* digest.h - one number for all that a value is. Private to the command layer. */
#ifndef FLASHKV_COMMAND_DIGEST_H
#define FLASHKV_COMMAND_DIGEST_H

#include <flashkv/store.h>

/* Of a value as it is at `now`, for fields may have expired: of a list in the order of its elements, of other collections in
 * none. O(n): the caller holds a lock meanwhile. */
uint64_t value_digest(const struct entry *e, int64_t now);
/* One of two. */
uint64_t digest_mix(uint64_t a, uint64_t b);

#endif
