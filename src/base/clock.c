/* clock.c - wall and monotonic time. */
#include <fcntl.h>
#include <flashkv/clock.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* ---- ticks --------------------------------------------------------------------------------------------------- */

enum { TICKS_SHIFT = 24, CALIBRATION_NS = 1000000, ATTEMPTS = 5, SURE_NS = 2000 };

struct clock_scale clock_scale = {false, 1 << TICKS_SHIFT};

int64_t clock_ticks_without(void) {
    return clock_mono_ns();
}

#if defined(__x86_64__)
/* The kernel uses the counter as its clock source only if it is invariant and synchronised between the cores. */
static bool counter_is_even(void) {
    char source[8] = "";
    int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
    bool even = fd >= 0 && read(fd, source, sizeof(source)) >= 4 && memcmp(source, "tsc\n", 4) == 0;

    if (fd >= 0)
        close(fd);
    return even;
}

/* Reads both clocks at one instant; false: the thread was interrupted between. */
static bool read_both(int64_t *ticks, int64_t *ns) {
    int64_t before = clock_mono_ns();

    *ticks = (int64_t)__builtin_ia32_rdtsc();
    *ns = clock_mono_ns();
    return *ns - before < SURE_NS;
}

/* A calibration of one millisecond is exact to 0.2 % at worst. */
static bool measure_pace(uint32_t *multiplier) {
    int64_t from_ticks, from_ns, to_ticks, to_ns;

    if (!read_both(&from_ticks, &from_ns))
        return false;
    do
        if (!read_both(&to_ticks, &to_ns) && to_ns - from_ns >= CALIBRATION_NS)
            return false;
    while (to_ns - from_ns < CALIBRATION_NS);
    if (to_ticks - from_ticks < (to_ns - from_ns) / 16) /* below 62 MHz: not a plausible counter */
        return false;
    *multiplier = (uint32_t)(((to_ns - from_ns) << TICKS_SHIFT) / (to_ticks - from_ticks));
    return true;
}

__attribute__((constructor)) static void clock_measure(void) {
    if (!counter_is_even())
        return;
    for (int i = 0; i < ATTEMPTS && !clock_scale.counter; i++)
        clock_scale.counter = measure_pace(&clock_scale.multiplier);
}
#endif
