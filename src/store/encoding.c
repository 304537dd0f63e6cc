/* encoding.c - the limits, as Redis 7.0 has them by default. */
#include <flashkv/encoding.h>

struct encoding_limits encoding_limits = {
    .hash_entries = 512,
    .hash_value = 64,
    .set_ints = 512,
    .zset_entries = 128,
    .zset_value = 64,
};
