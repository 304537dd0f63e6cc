/* lock.h - the two locks of FlashKV: a mutex and a writer-preferring reader-writer lock, both ranked.
 *
 * Rank: a thread may only acquire a lock whose rank is higher than every rank it holds, so a cycle, hence a
 * deadlock, cannot form. Builds with FK_DEBUG check it at run time and abort with both ranks; other builds
 * pay nothing. Neither lock is recursive: not even a read lock may be nested on itself, since a waiting
 * writer blocks new readers.
 *
 * Ranks, lowest (outermost) first:
 *     LOCK_RANK_SHARD + i  shard i of the store (ascending order is the multi-key protocol)
 *     LOCK_RANK_SESSIONS   the list of connected clients; commands read it while their transaction holds shards
 *     LOCK_RANK_OPTIONS    values of options that CONFIG SET can change
 *     LOCK_RANK_LISTENERS  subscriptions, monitors, followers of the change feed
 *     LOCK_RANK_STREAMS    the list of open HTTP streams
 *     LOCK_RANK_LEAF       held for a few instructions; no lock is acquired under it
 * Layer: base. All functions are thread-safe but for init and destroy. */
#ifndef FLASHKV_LOCK_H
#define FLASHKV_LOCK_H

#include <flashkv/hints.h>
#include <flashkv/thread_safety.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
    LOCK_RANK_SHARD = 1000,
    LOCK_RANK_SESSIONS = 2000,
    LOCK_RANK_OPTIONS = 3000,
    LOCK_RANK_LISTENERS = 8000,
    LOCK_RANK_STREAMS = 8500,
    LOCK_RANK_LEAF = 9000,
};

/* ---- checks of debug builds: nothing in others -------------------------------------------------------- */

#ifdef FK_DEBUG
void lock_rank_check(unsigned rank); /* aborts if this thread holds a lock of the same rank or a higher one */
struct rwlock;
void rwlock_taken(const struct rwlock *l, bool exclusive); /* records that this thread holds it */
void rwlock_dropped(const struct rwlock *l);               /* records that it does not any more */
#else
#define lock_rank_check(rank) ((void)(rank))
#define rwlock_taken(l, exclusive) ((void)(l))
#define rwlock_dropped(l) ((void)(l))
#endif

/* ---- mutex -------------------------------------------------------------------------------------------- */

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t impl;
    unsigned rank;
};

void mutex_init(struct mutex *m, unsigned rank);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRE(m);
void mutex_unlock(struct mutex *m) RELEASE(m);

/* ---- reader-writer lock ------------------------------------------------------------------------------- */

/* The whole state is one word: a reader pays one atomic addition to lock and one to unlock, a writer one
 * compare-and-swap and one subtraction; the count of shared acquisitions costs nothing extra.
 *
 *      63                                20   17   16   15          0
 *     +------------------------------------+---+---+---+-------------+
 *     |  shared acquisitions so far        |   | W | S | readers now |
 *     +------------------------------------+---+---+---+-------------+
 *      W  a writer is inside, or waits for the readers to leave
 *      S  a thread sleeps on `turn` until W is cleared or the last reader has left
 *
 *     reader  adds itself; if W is set: subtracts itself again, waits until W is clear, retries
 *     writer  sets W (after waiting for another writer's W to be cleared), then waits for the readers to leave
 *
 * So a waiting writer blocks new readers. A reader that finds W set never enters, but is counted among the readers for
 * that instant.
 *
 * Waiting spins RWLOCK_SPINS times, then sleeps on the futex `turn`, an event count: it is read before S is
 * set, and incremented by the thread that clears S before it wakes, so a thread that set S too late does not sleep.
 * All sleepers are woken: few threads wait for one shard, and they compete again.
 * Sources: U. Drepper, "Futexes Are Tricky" (2011); D. Vyukov's eventcount. */
struct CAPABILITY("rwlock") rwlock {
    _Atomic uint64_t state;
    _Atomic uint32_t turn;
    unsigned rank;
    _Atomic uint64_t write_locks, contended;
};

#define RWLOCK_READER UINT64_C(1)
#define RWLOCK_READERS UINT64_C(0xffff)
#define RWLOCK_SLEEPERS (UINT64_C(1) << 16)
#define RWLOCK_WRITER (UINT64_C(1) << 17)
#define RWLOCK_READ (UINT64_C(1) << 20) /* the count wraps at 2^44 */

void rwlock_init(struct rwlock *l, unsigned rank);
void rwlock_destroy(struct rwlock *l);

/* The slow paths: private to the functions below. */
COLD void rwlock_rdlock_wait(struct rwlock *l);
COLD void rwlock_wrlock_wait(struct rwlock *l);
COLD void rwlock_wake(struct rwlock *l);

static inline void rwlock_rdlock(struct rwlock *l) ACQUIRE_SHARED(l) NO_THREAD_SAFETY_ANALYSIS {
    lock_rank_check(l->rank);
    if (atomic_fetch_add_explicit(&l->state, RWLOCK_READ + RWLOCK_READER, memory_order_acquire) &
        RWLOCK_WRITER)
        rwlock_rdlock_wait(l);
    rwlock_taken(l, false);
}

/* Subtracts a reader, and wakes the sleepers if it was the last. */
static inline void rwlock_leave(struct rwlock *l) {
    uint64_t was = atomic_fetch_sub_explicit(&l->state, RWLOCK_READER, memory_order_release);

    if ((was & (RWLOCK_READERS | RWLOCK_SLEEPERS)) == (RWLOCK_READER | RWLOCK_SLEEPERS))
        rwlock_wake(l);
}

static inline void rwlock_rdunlock(struct rwlock *l) RELEASE_SHARED(l) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_dropped(l);
    rwlock_leave(l);
}

static inline void rwlock_wrlock(struct rwlock *l) ACQUIRE(l) NO_THREAD_SAFETY_ANALYSIS {
    uint64_t was = atomic_load_explicit(&l->state, memory_order_relaxed);

    lock_rank_check(l->rank);
    if ((was & (RWLOCK_WRITER | RWLOCK_READERS)) != 0 ||
        !atomic_compare_exchange_strong_explicit(&l->state, &was, was | RWLOCK_WRITER, memory_order_acquire,
                                                 memory_order_relaxed))
        rwlock_wrlock_wait(l);
    /* only the exclusive holder writes it: no read-modify-write */
    atomic_store_explicit(&l->write_locks, atomic_load_explicit(&l->write_locks, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    rwlock_taken(l, true);
}

static inline void rwlock_wrunlock(struct rwlock *l) RELEASE(l) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_dropped(l);
    if (atomic_fetch_sub_explicit(&l->state, RWLOCK_WRITER, memory_order_release) & RWLOCK_SLEEPERS)
        rwlock_wake(l);
}

/* Statistics of a reader-writer lock; each is a relaxed atomic, exact when nobody holds the lock. */
struct rwlock_stats {
    uint64_t read_locks;  /* shared acquisitions */
    uint64_t write_locks; /* exclusive acquisitions */
    uint64_t contended;   /* acquisitions that had to wait */
    uint32_t readers;     /* holders now, shared */
    bool writer;          /* held exclusively now, or about to be */
};

/* A snapshot of the counters; takes no lock. */
struct rwlock_stats rwlock_stats(const struct rwlock *l);
/* Zeroes the cumulative counters, not readers and writer. */
void rwlock_stats_reset(struct rwlock *l);

/* Debug builds abort unless this thread holds the lock (exclusively, for the first); others do nothing.
 * For the analyser they are the proof that the caller holds it. */
void rwlock_assert_held(const struct rwlock *l) ASSERT_HELD(l);
void rwlock_assert_held_shared(const struct rwlock *l) ASSERT_HELD_SHARED(l);

#endif
