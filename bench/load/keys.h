/* keys.h - which key comes next. A thread's own; not shared. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include <stdint.h>

enum keys_order { KEYS_UNIFORM, KEYS_ZIPF, KEYS_SEQUENTIAL };

struct keys {
    enum keys_order order;
    uint64_t count;                    /* key numbers are 0 to count - 1 */
    uint64_t next, step;               /* KEYS_SEQUENTIAL: next, next + step, ... */
    uint64_t random;                   /* state of xorshift64 */
    double alpha, zeta, eta, half_pow; /* KEYS_ZIPF */
};

/* Thread `thread` of `threads` draws from `count` keys. Every run draws the same. */
void keys_init(struct keys *k, enum keys_order order, uint64_t count, unsigned thread, unsigned threads);

uint64_t keys_next(struct keys *k);

static inline uint64_t keys_random(struct keys *k) {
    k->random ^= k->random << 13;
    k->random ^= k->random >> 7;
    k->random ^= k->random << 17;
    return k->random;
}

#endif
