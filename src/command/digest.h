/* digest.h - digests of values of any type. Private to the command layer. */
#ifndef FLASHKV_COMMAND_DIGEST_H
#define FLASHKV_COMMAND_DIGEST_H

#include <flashkv/store.h>

/* The digest of a value at `now` (expired fields are ignored): depends on the order of a list's elements, not on that of other
 * collections. O(n), under the caller's lock. */
uint64_t value_digest(const struct entry *e, int64_t now);
/* Combines two digests; the order matters. */
uint64_t digest_mix(uint64_t a, uint64_t b);

#endif
