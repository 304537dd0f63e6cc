/* lock.c - the ranked mutex and reader-writer lock over pthreads.
 *
 * This is the one place that chooses glibc's kind of reader-writer lock: the default prefers readers, and a
 * stream of them would starve writers (pthread_rwlockattr_setkind_np(3)). */
#include <config.h>
#include <flashkv/lock.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- which locks this thread holds, in debug builds ------------------------------------------------------- */

#ifdef FK_DEBUG

enum { HELD_MAX = 128 };

struct held {
    const void *lock;
    unsigned rank;
    bool exclusive;
};

static _Thread_local struct held held[HELD_MAX];
static _Thread_local int held_count;

static void held_check(unsigned rank) {
    for (int i = 0; i < held_count; i++)
        if (held[i].rank >= rank) {
            fprintf(stderr, "lock rank %u taken while rank %u is held\n", rank, held[i].rank);
            abort();
        }
}

static void held_push(const void *lock, unsigned rank, bool exclusive) {
    if (held_count == HELD_MAX) {
        fprintf(stderr, "more than %d locks held\n", HELD_MAX);
        abort();
    }
    held[held_count++] = (struct held){lock, rank, exclusive};
}

static void held_pop(const void *lock) {
    int i = held_count - 1;

    while (i >= 0 && held[i].lock != lock)
        i--;
    if (i < 0) {
        fprintf(stderr, "a lock is released that this thread does not hold\n");
        abort();
    }
    held[i] = held[--held_count];
}

static void held_assert(const void *lock, bool exclusive) {
    for (int i = 0; i < held_count; i++)
        if (held[i].lock == lock && held[i].exclusive >= exclusive)
            return;
    fprintf(stderr, "a lock is not held%s where it has to be\n", exclusive ? " exclusively" : "");
    abort();
}

void rwlock_assert_held(const struct rwlock *l) {
    held_assert(l, true);
}

void rwlock_assert_held_shared(const struct rwlock *l) {
    held_assert(l, false);
}

#else

static void held_check(unsigned rank) {
    (void)rank;
}

static void held_push(const void *lock, unsigned rank, bool exclusive) {
    (void)lock, (void)rank, (void)exclusive;
}

static void held_pop(const void *lock) {
    (void)lock;
}

void rwlock_assert_held(const struct rwlock *l) {
    (void)l;
}

void rwlock_assert_held_shared(const struct rwlock *l) {
    (void)l;
}

#endif

/* ---- mutex ------------------------------------------------------------------------------------------------ */

void mutex_init(struct mutex *m, unsigned rank) {
    pthread_mutex_init(&m->impl, NULL);
    m->rank = rank;
}

void mutex_destroy(struct mutex *m) {
    pthread_mutex_destroy(&m->impl);
}

void mutex_lock(struct mutex *m) NO_THREAD_SAFETY_ANALYSIS {
    held_check(m->rank);
    pthread_mutex_lock(&m->impl);
    held_push(m, m->rank, true);
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY_ANALYSIS {
    held_pop(m);
    pthread_mutex_unlock(&m->impl);
}

/* ---- reader-writer lock ----------------------------------------------------------------------------------- */

static void count(_Atomic uint64_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* For counters that only the exclusive holder writes. */
static void count_alone(_Atomic uint64_t *counter) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void rwlock_init(struct rwlock *l, unsigned rank) {
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&l->impl, &attr);
    pthread_rwlockattr_destroy(&attr);
    l->rank = rank;
    atomic_init(&l->readers, 0);
    atomic_init(&l->writer, false);
    atomic_init(&l->read_locks, 0);
    atomic_init(&l->write_locks, 0);
    atomic_init(&l->contended, 0);
}

void rwlock_destroy(struct rwlock *l) {
    pthread_rwlock_destroy(&l->impl);
}

void rwlock_rdlock(struct rwlock *l) NO_THREAD_SAFETY_ANALYSIS {
    held_check(l->rank);
    if (pthread_rwlock_tryrdlock(&l->impl) != 0) {
        count(&l->contended);
        pthread_rwlock_rdlock(&l->impl);
    }
    count(&l->read_locks);
    atomic_fetch_add_explicit(&l->readers, 1, memory_order_relaxed);
    held_push(l, l->rank, false);
}

void rwlock_rdunlock(struct rwlock *l) NO_THREAD_SAFETY_ANALYSIS {
    held_pop(l);
    atomic_fetch_sub_explicit(&l->readers, 1, memory_order_relaxed);
    pthread_rwlock_unlock(&l->impl);
}

void rwlock_wrlock(struct rwlock *l) NO_THREAD_SAFETY_ANALYSIS {
    held_check(l->rank);
    if (pthread_rwlock_trywrlock(&l->impl) != 0) {
        count(&l->contended);
        pthread_rwlock_wrlock(&l->impl);
    }
    count_alone(&l->write_locks);
    atomic_store_explicit(&l->writer, true, memory_order_relaxed);
    held_push(l, l->rank, true);
}

void rwlock_wrunlock(struct rwlock *l) NO_THREAD_SAFETY_ANALYSIS {
    held_pop(l);
    atomic_store_explicit(&l->writer, false, memory_order_relaxed);
    pthread_rwlock_unlock(&l->impl);
}

struct rwlock_stats rwlock_stats(const struct rwlock *l) {
    return (struct rwlock_stats){
        .read_locks = atomic_load_explicit(&l->read_locks, memory_order_relaxed),
        .write_locks = atomic_load_explicit(&l->write_locks, memory_order_relaxed),
        .contended = atomic_load_explicit(&l->contended, memory_order_relaxed),
        .readers = atomic_load_explicit(&l->readers, memory_order_relaxed),
        .writer = atomic_load_explicit(&l->writer, memory_order_relaxed),
    };
}

void rwlock_stats_reset(struct rwlock *l) {
    atomic_store_explicit(&l->read_locks, 0, memory_order_relaxed);
    atomic_store_explicit(&l->write_locks, 0, memory_order_relaxed);
    atomic_store_explicit(&l->contended, 0, memory_order_relaxed);
}
