/* histogram.h - a histogram of durations, exact to 6 %: 16 buckets for each power of two of nanoseconds, up to 17 seconds;
 * longer durations are counted in the last bucket.
 *
 * Counts are relaxed atomics with one writer (histogram_add); any thread may read. Layer: base. */
#ifndef FLASHKV_HISTOGRAM_H
#define FLASHKV_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 4,
    HISTOGRAM_TOP_BITS = 34,
    HISTOGRAM_BUCKETS = (HISTOGRAM_TOP_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS,
};

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

static inline size_t histogram_bucket(uint64_t ns) {
    unsigned top;

    if (ns < 1u << HISTOGRAM_STEP_BITS)
        return (size_t)ns;
    if (ns >> HISTOGRAM_TOP_BITS != 0)
        return HISTOGRAM_BUCKETS - 1;
    top = 63 - (unsigned)__builtin_clzll(ns);
    return ((size_t)(top - HISTOGRAM_STEP_BITS) << HISTOGRAM_STEP_BITS) +
           (size_t)(ns >> (top - HISTOGRAM_STEP_BITS));
}

static inline void histogram_add(struct histogram *h, uint64_t ns) {
    _Atomic uint64_t *count = &h->counts[histogram_bucket(ns)];

    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* The highest value that falls into a bucket. */
uint64_t histogram_highest(size_t bucket);
uint64_t histogram_total(const struct histogram *h);
/* How many values are at most `ns`, counting whole buckets: exact if ns + 1 is a power of two. */
uint64_t histogram_up_to(const struct histogram *h, uint64_t ns);
/* The value that `percent` per cent of all values do not exceed; 0 if there are none. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
/* Adds the counts of another histogram, or subtracts them. `to` has no other writer. */
void histogram_merge(struct histogram *to, const struct histogram *from);
void histogram_subtract(struct histogram *to, const struct histogram *from);

#endif
