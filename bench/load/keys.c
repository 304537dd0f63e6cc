/* keys.c - uniform, Zipf and sequential key numbers. */
#include "keys.h"

#include <math.h>

#define THETA 0.99 /* the skew that YCSB made customary */

/* "Quickly Generating Billion-Record Synthetic Databases", Gray et al., SIGMOD 1994. */
static void zipf_init(struct keys *k) {
    double zeta2 = 1 + pow(0.5, THETA);

    k->zeta = 0;
    for (uint64_t i = 1; i <= k->count; i++)
        k->zeta += 1 / pow((double)i, THETA);
    k->alpha = 1 / (1 - THETA);
    k->half_pow = zeta2;
    k->eta = (1 - pow(2.0 / (double)k->count, 1 - THETA)) / (1 - zeta2 / k->zeta);
}

static uint64_t zipf_rank(struct keys *k) {
    double u = (double)(keys_random(k) >> 11) * 0x1p-53, uz = u * k->zeta;

    if (uz < 1)
        return 0;
    if (uz < k->half_pow)
        return 1;
    return (uint64_t)((double)k->count * pow(k->eta * u - k->eta + 1, k->alpha)) % k->count;
}

void keys_init(struct keys *k, enum keys_order order, uint64_t count, unsigned thread, unsigned threads) {
    *k = (struct keys){.order = order, .count = count, .next = thread, .step = threads};
    k->random = UINT64_C(0x9e3779b97f4a7c15) * (thread + 1);
    if (order == KEYS_ZIPF)
        zipf_init(k);
}

uint64_t keys_next(struct keys *k) {
    uint64_t number;

    switch (k->order) {
    case KEYS_UNIFORM:
        return (uint64_t)(((unsigned __int128)keys_random(k) * k->count) >> 64);
    case KEYS_ZIPF: /* hot keys spread over the range: a prime multiplier permutes it */
        return zipf_rank(k) * UINT64_C(2654435761) % k->count;
    case KEYS_SEQUENTIAL:
        break;
    }
    number = k->next % k->count;
    k->next += k->step;
    return number;
}
