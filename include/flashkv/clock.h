/* clock.h - the two clocks: wall time in milliseconds for expiry, monotonic nanoseconds for durations.
 * Layer: base. Thread-safe. */
#ifndef FLASHKV_CLOCK_H
#define FLASHKV_CLOCK_H

#include <stdint.h>

/* Milliseconds, microseconds since 1970-01-01 UTC. Never before 1. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
/* Nanoseconds since an arbitrary start, never going back. */
int64_t clock_mono_ns(void);
/* Tests move wall time by this many milliseconds (cumulative); 0 by default. */
void clock_shift_ms(int64_t delta);

#endif
