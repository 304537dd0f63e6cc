/* random.c - splitmix64. */
#include <flashkv/clock.h>
#include <flashkv/random.h>
#include <sys/random.h>

static _Thread_local uint64_t state;

uint64_t random_u64(void) {
    uint64_t z;

    if (state == 0 && getrandom(&state, sizeof(state), GRND_NONBLOCK) != (ssize_t)sizeof(state))
        state = (uint64_t)clock_mono_ns() ^ (uintptr_t)&state;
    z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
