/* rwlock.c - the slow paths of the reader-writer lock: spinning, sleeping, waking (lock.h draws the state word). */
#include <flashkv/lock.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(FK_DEBUG) && __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#else
#define VALGRIND_HG_DISABLE_CHECKING(start, len) ((void)(start))
#endif

/* About as long as a transaction holds a shard; sleeping and being woken costs ten times as much. */
enum { RWLOCK_SPINS = 100 };

static void pause_a_little(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Sleeps unless `turn` has changed. May return early (futex(2)). */
static void sleep_through(struct rwlock *l, uint32_t turn) {
    syscall(SYS_futex, &l->turn, FUTEX_WAIT_PRIVATE, turn, NULL, NULL, 0);
}

void rwlock_wake(struct rwlock *l) {
    atomic_fetch_and_explicit(&l->state, ~RWLOCK_SLEEPERS, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->turn, 1, memory_order_release);
    syscall(SYS_futex, &l->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Until none of the `busy` bits is set. */
static void wait_for(struct rwlock *l, uint64_t busy) {
    for (int i = 0; i < RWLOCK_SPINS; i++) {
        if ((atomic_load_explicit(&l->state, memory_order_acquire) & busy) == 0)
            return;
        pause_a_little();
    }
    for (;;) {
        uint32_t turn = atomic_load_explicit(&l->turn, memory_order_acquire);

        if ((atomic_fetch_or_explicit(&l->state, RWLOCK_SLEEPERS, memory_order_acq_rel) & busy) == 0)
            return; /* S stays set: one wake-up will find no sleeper */
        sleep_through(l, turn);
    }
}

static void count_contended(struct rwlock *l) {
    atomic_fetch_add_explicit(&l->contended, 1, memory_order_relaxed);
}

/* The caller has added itself as a reader and counted the acquisition, which this completes. */
void rwlock_rdlock_wait(struct rwlock *l) {
    count_contended(l);
    do {
        rwlock_leave(l); /* the writer may have seen this reader and wait for it to leave */
        wait_for(l, RWLOCK_WRITER);
    } while (atomic_fetch_add_explicit(&l->state, RWLOCK_READER, memory_order_acquire) & RWLOCK_WRITER);
}

void rwlock_wrlock_wait(struct rwlock *l) {
    count_contended(l);
    while (atomic_fetch_or_explicit(&l->state, RWLOCK_WRITER, memory_order_acquire) & RWLOCK_WRITER)
        wait_for(l, RWLOCK_WRITER);
    wait_for(l, RWLOCK_READERS);
}

void rwlock_init(struct rwlock *l, unsigned rank) {
    l->rank = rank;
    atomic_init(&l->state, 0);
    atomic_init(&l->turn, 0);
    atomic_init(&l->write_locks, 0);
    atomic_init(&l->contended, 0);
    VALGRIND_HG_DISABLE_CHECKING(l, sizeof(*l)); /* all atomics; Helgrind follows rwlock_taken instead */
}

void rwlock_destroy(struct rwlock *l) {
    (void)l;
}

struct rwlock_stats rwlock_stats(const struct rwlock *l) {
    uint64_t state = atomic_load_explicit(&l->state, memory_order_relaxed);

    return (struct rwlock_stats){
        .read_locks = state / RWLOCK_READ,
        .write_locks = atomic_load_explicit(&l->write_locks, memory_order_relaxed),
        .contended = atomic_load_explicit(&l->contended, memory_order_relaxed),
        .readers = (uint32_t)(state & RWLOCK_READERS),
        .writer = (state & RWLOCK_WRITER) != 0,
    };
}

void rwlock_stats_reset(struct rwlock *l) {
    atomic_fetch_and_explicit(&l->state, RWLOCK_READ - 1, memory_order_relaxed);
    atomic_store_explicit(&l->write_locks, 0, memory_order_relaxed);
    atomic_store_explicit(&l->contended, 0, memory_order_relaxed);
}
