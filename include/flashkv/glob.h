/* glob.h - Redis's glob patterns (KEYS, SCAN MATCH): * ? [abc] [a-z] [^a] and backslash.
 * Source: https://redis.io/commands/keys. Layer: base. Pure. */
#ifndef FLASHKV_GLOB_H
#define FLASHKV_GLOB_H

#include <flashkv/slice.h>

/* Does the whole of `text` match? Byte-wise. Time is bounded by pattern length times text length for every
 * pattern: no exponential backtracking, no recursion. */
bool glob_match(struct slice pattern, struct slice text);
/* The literal bytes a match must begin with, written to `out` (at least pattern.len bytes); their count. */
size_t glob_literal_prefix(struct slice pattern, char *out);

#endif
