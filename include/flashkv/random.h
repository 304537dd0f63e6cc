/* random.h - pseudo-random numbers for picking members and the like: fast, uniform, not for secrets.
 *
 * splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014), one state for each
 * thread, seeded by the kernel. Layer: base. Thread-safe. */
#ifndef FLASHKV_RANDOM_H
#define FLASHKV_RANDOM_H

#include <stdint.h>

uint64_t random_u64(void);
/* A uniform number below `n` (> 0); the bias is at most n / 2^64. */
static inline uint64_t random_below(uint64_t n) {
    return (uint64_t)(((unsigned __int128)random_u64() * n) >> 64);
}

#endif
