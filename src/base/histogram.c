/* histogram.c - reading histograms. */
#include <flashkv/histogram.h>

static uint64_t count_of(const struct histogram *h, size_t bucket) {
    return atomic_load_explicit(&h->counts[bucket], memory_order_relaxed);
}

uint64_t histogram_highest(size_t bucket) {
    enum { STEPS = 1 << HISTOGRAM_STEP_BITS };
    size_t shift = bucket / STEPS - (bucket >= STEPS);

    return bucket < STEPS ? bucket : ((uint64_t)(STEPS + bucket % STEPS + 1) << shift) - 1;
}

uint64_t histogram_total(const struct histogram *h) {
    return histogram_up_to(h, UINT64_MAX);
}

uint64_t histogram_up_to(const struct histogram *h, uint64_t ns) {
    uint64_t n = 0;
    size_t last = histogram_bucket(ns);

    for (size_t i = 0; i <= last; i++)
        n += count_of(h, i);
    return n;
}

uint64_t histogram_percentile(const struct histogram *h, double percent) {
    uint64_t total = histogram_total(h), seen = 0, rank;
    double exact = percent / 100 * (double)total;
    size_t i = 0;

    if (total == 0)
        return 0;
    rank = (uint64_t)exact;
    rank += rank < 1 || (double)rank < exact;
    for (; i + 1 < HISTOGRAM_BUCKETS; i++)
        if ((seen += count_of(h, i)) >= rank)
            break;
    return histogram_highest(i);
}

void histogram_merge(struct histogram *to, const struct histogram *from) {
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        atomic_store_explicit(&to->counts[i], count_of(to, i) + count_of(from, i), memory_order_relaxed);
}

void histogram_subtract(struct histogram *to, const struct histogram *from) {
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        atomic_store_explicit(&to->counts[i], count_of(to, i) - count_of(from, i), memory_order_relaxed);
}
