/* lock.h - the two locks of FlashKV: a mutex and a writer-preferring reader-writer lock, both ranked.
 *
 * Rank: a thread may only take a lock whose rank is higher than every rank it holds, so a cycle, hence a
 * deadlock, cannot form. Builds with FK_DEBUG check it at run time and abort with both ranks; other builds
 * pay nothing. Neither lock is recursive: not even a read lock may be nested on itself, since a waiting
 * writer holds new readers off.
 *
 * Ranks, lowest (outermost) first:
 *     LOCK_RANK_SESSIONS   the list of connected clients
 *     LOCK_RANK_OPTIONS    values of options that CONFIG SET can change
 *     LOCK_RANK_SHARD + i  shard i of the store (ascending order is the multi-key protocol)
 *     LOCK_RANK_LEAF       held for a few instructions, nothing is taken inside
 * Layer: base. All functions are thread-safe but for init and destroy. */
#ifndef FLASHKV_LOCK_H
#define FLASHKV_LOCK_H

#include <flashkv/thread_safety.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum lock_rank {
    LOCK_RANK_SESSIONS = 100,
    LOCK_RANK_OPTIONS = 200,
    LOCK_RANK_SHARD = 1000,
    LOCK_RANK_LEAF = 9000,
};

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t impl;
    unsigned rank;
};

void mutex_init(struct mutex *m, unsigned rank);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRE(m);
void mutex_unlock(struct mutex *m) RELEASE(m);

/* What a reader-writer lock has seen; each is a relaxed atomic, exact when nobody holds the lock. */
struct rwlock_stats {
    uint64_t read_locks;  /* shared acquisitions */
    uint64_t write_locks; /* exclusive acquisitions */
    uint64_t contended;   /* acquisitions that had to wait */
    uint32_t readers;     /* holders now, shared */
    bool writer;          /* held exclusively now */
};

struct CAPABILITY("rwlock") rwlock {
    pthread_rwlock_t impl;
    unsigned rank;
    _Atomic uint32_t readers;
    _Atomic bool writer;
    _Atomic uint64_t read_locks, write_locks, contended;
};

void rwlock_init(struct rwlock *l, unsigned rank);
void rwlock_destroy(struct rwlock *l);
void rwlock_rdlock(struct rwlock *l) ACQUIRE_SHARED(l);
void rwlock_rdunlock(struct rwlock *l) RELEASE_SHARED(l);
void rwlock_wrlock(struct rwlock *l) ACQUIRE(l);
void rwlock_wrunlock(struct rwlock *l) RELEASE(l);
/* A snapshot of the counters; takes no lock. */
struct rwlock_stats rwlock_stats(const struct rwlock *l);
/* Zeroes the cumulative counters, not readers and writer. */
void rwlock_stats_reset(struct rwlock *l);

/* Debug builds abort unless this thread holds the lock (exclusively, for the first); others do nothing.
 * For the analyser they are the proof that the caller holds it. */
void rwlock_assert_held(const struct rwlock *l) ASSERT_HELD(l);
void rwlock_assert_held_shared(const struct rwlock *l) ASSERT_HELD_SHARED(l);

#endif
