/* clock.c - wall and monotonic time. */
#include <flashkv/clock.h>
#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t shift_us; /* tests only */

int64_t clock_wall_us(void) {
    struct timespec ts;
    int64_t us;

    clock_gettime(CLOCK_REALTIME, &ts);
    us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 +
         atomic_load_explicit(&shift_us, memory_order_relaxed);
    return us < 1000 ? 1000 : us;
}

int64_t clock_wall_ms(void) {
    return clock_wall_us() / 1000;
}

int64_t clock_mono_ns(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void clock_shift_ms(int64_t delta) {
    atomic_fetch_add_explicit(&shift_us, delta * 1000, memory_order_relaxed);
}
