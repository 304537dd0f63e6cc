/* clock.h - the clocks: wall time in milliseconds for expiry, monotonic nanoseconds for durations, and ticks for
 * durations that are taken millions of times a second.
 * Layer: base. Thread-safe. */
#ifndef FLASHKV_CLOCK_H
#define FLASHKV_CLOCK_H

#include <flashkv/hints.h>
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds, microseconds since 1970-01-01 UTC. Never before 1. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
/* Nanoseconds since an arbitrary start, never going back. */
int64_t clock_mono_ns(void);
/* The deadline `ms` milliseconds after `now_ns`, in whole milliseconds of the monotonic clock. Rounded up, so that a
 * comparison with that clock rounded down is never early. INT64_MAX: never. */
static inline int64_t clock_deadline_ms(int64_t now_ns, int64_t ms) {
    int64_t now_ms = (now_ns + 999999) / 1000000;

    return ms < INT64_MAX - now_ms ? now_ms + ms : INT64_MAX;
}
/* Tests move wall time by this many milliseconds (cumulative); 0 by default. */
void clock_shift_ms(int64_t delta);

/* Ticks: the processor's time stamp counter where it is invariant, a third of the price of clock_mono_ns; else the monotonic
 * clock. Only differences mean anything. A negative one (two cores' counters are a few ticks apart) counts as 0. */
struct clock_scale {
    bool counter;        /* ticks are the processor's; false: a tick is a nanosecond */
    uint32_t multiplier; /* nanoseconds in 2^24 ticks */
};
extern struct clock_scale clock_scale; /* measured before main, never changed after */

/* The slow path of clock_ticks, without that counter. */
NOINLINE int64_t clock_ticks_without(void);

static inline int64_t clock_ticks(void) {
#if defined(__x86_64__)
    if (UNLIKELY(!clock_scale.counter))
        return clock_ticks_without();
    return (int64_t)__builtin_ia32_rdtsc();
#else
    return clock_ticks_without();
#endif
}
static inline uint64_t clock_ticks_ns(int64_t ticks) {
    return ticks > 0 ? (uint64_t)((unsigned __int128)ticks * clock_scale.multiplier >> 24) : 0;
}

#endif
