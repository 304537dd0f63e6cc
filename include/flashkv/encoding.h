/* encoding.h - the size limits of the compact encodings of collections.
 *
 * One set of limits for the process, under Redis's option names (redis.conf: hash-max-listpack-entries and so
 * on). A collection is converted when it exceeds a limit, and never back. Layer: store. Relaxed atomics: read by
 * every thread, written by CONFIG SET. */
#ifndef FLASHKV_ENCODING_H
#define FLASHKV_ENCODING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct encoding_limits {
    _Atomic uint32_t hash_entries, hash_value; /* fields; bytes of the longest field or value */
    _Atomic uint32_t set_ints;                 /* members, all of them integers */
    _Atomic uint32_t zset_entries, zset_value; /* members; bytes of the longest */
};
extern struct encoding_limits encoding_limits;

static inline size_t encoding_limit(const _Atomic uint32_t *limit) {
    return atomic_load_explicit(limit, memory_order_relaxed);
}

#endif
