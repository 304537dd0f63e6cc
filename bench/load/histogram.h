/* histogram.h - latencies in nanoseconds, counted in buckets at most 1/64 wide of what they hold.
 *
 *   value   0 .. 63   64 .. 127   128, 130 .. 254   256, 260 .. 508   ...
 *   index   0 .. 63   64 .. 127   128 ..      191   192 ..      255   ...
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 59 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t count[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *h, uint64_t ns) {
    unsigned shift = ns < HISTOGRAM_STEPS ? 0 : (unsigned)(63 - __builtin_clzll(ns)) - 6;

    h->count[shift * HISTOGRAM_STEPS + (ns >> shift)]++;
}

static inline void histogram_merge(struct histogram *into, const struct histogram *from) {
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->count[i] += from->count[i];
}

/* The least bucket that `part` (0 to 1) of all counted are not above; 0 if nothing was counted. */
static inline uint64_t histogram_quantile(const struct histogram *h, double part) {
    uint64_t total = 0, seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        total += h->count[i];
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->count[i];
        if (h->count[i] > 0 && (double)seen >= part * (double)total) {
            unsigned shift = i < 2 * HISTOGRAM_STEPS ? 0 : i / HISTOGRAM_STEPS - 1;
            return (uint64_t)(i - shift * HISTOGRAM_STEPS) << shift;
        }
    }
    return 0;
}

#endif
