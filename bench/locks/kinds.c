/* kinds.c - see kinds.h. */
#include "kinds.h"

#include <sched.h>

enum { SPINS = 100 };

/* Called again and again while waiting. */
static void wait_a_little(unsigned *turns) {
    if (++*turns < SPINS)
        __builtin_ia32_pause();
    else
        sched_yield();
}

/* ---- none ------------------------------------------------------------------------------------------------ */

static void none_init(union any_lock *l) {
    (void)l;
}

static void none_read(union any_lock *l, unsigned thread) {
    (void)l, (void)thread;
}

const struct lock_kind kind_none = {"none", none_init, none_read, none_read, none_init, none_init};

/* ---- pthreads -------------------------------------------------------------------------------------------- */

static void mutex_kind_init(union any_lock *l) {
    pthread_mutex_init(&l->mutex, NULL);
}

static void mutex_take(union any_lock *l) {
    pthread_mutex_lock(&l->mutex);
}

static void mutex_drop(union any_lock *l) {
    pthread_mutex_unlock(&l->mutex);
}

static void mutex_read_lock(union any_lock *l, unsigned thread) {
    (void)thread;
    mutex_take(l);
}

static void mutex_read_unlock(union any_lock *l, unsigned thread) {
    (void)thread;
    mutex_drop(l);
}

const struct lock_kind kind_mutex = {"mutex",           mutex_kind_init, mutex_read_lock,
                                     mutex_read_unlock, mutex_take,      mutex_drop};

static void rwlock_kind_init(union any_lock *l) {
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&l->rwlock, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static void rwlock_read_lock(union any_lock *l, unsigned thread) {
    (void)thread;
    pthread_rwlock_rdlock(&l->rwlock);
}

static void rwlock_drop(union any_lock *l) {
    pthread_rwlock_unlock(&l->rwlock);
}

static void rwlock_read_unlock(union any_lock *l, unsigned thread) {
    (void)thread;
    rwlock_drop(l);
}

static void rwlock_write_lock(union any_lock *l) {
    pthread_rwlock_wrlock(&l->rwlock);
}

const struct lock_kind kind_rwlock = {"rwlock",           rwlock_kind_init,  rwlock_read_lock,
                                      rwlock_read_unlock, rwlock_write_lock, rwlock_drop};

/* ---- the store's ----------------------------------------------------------------------------------------- */

static void store_init(union any_lock *l) {
    rwlock_init(&l->store, LOCK_RANK_SHARD);
}

static void store_read_lock(union any_lock *l, unsigned thread) NO_THREAD_SAFETY_ANALYSIS {
    (void)thread;
    rwlock_rdlock(&l->store);
}

static void store_read_unlock(union any_lock *l, unsigned thread) NO_THREAD_SAFETY_ANALYSIS {
    (void)thread;
    rwlock_rdunlock(&l->store);
}

static void store_write_lock(union any_lock *l) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrlock(&l->store);
}

static void store_write_unlock(union any_lock *l) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrunlock(&l->store);
}

const struct lock_kind kind_store = {"store's",         store_init,       store_read_lock,
                                     store_read_unlock, store_write_lock, store_write_unlock};

/* ---- spread ---------------------------------------------------------------------------------------------- */

static void spread_init(union any_lock *l) {
    pthread_mutex_init(&l->spread.writers, NULL);
    atomic_init(&l->spread.writer, false);
    for (unsigned i = 0; i < KIND_THREADS_MAX; i++)
        atomic_init(&l->spread.reader[i].in, false);
}

static void spread_read_lock(union any_lock *l, unsigned thread) {
    unsigned turns = 0;

    for (;;) { /* sequentially consistent: of a reader and a writer one sees the other */
        atomic_store(&l->spread.reader[thread].in, true);
        if (!atomic_load(&l->spread.writer))
            return;
        atomic_store_explicit(&l->spread.reader[thread].in, false, memory_order_release);
        while (atomic_load_explicit(&l->spread.writer, memory_order_relaxed))
            wait_a_little(&turns);
    }
}

static void spread_read_unlock(union any_lock *l, unsigned thread) {
    atomic_store_explicit(&l->spread.reader[thread].in, false, memory_order_release);
}

static void spread_write_lock(union any_lock *l) {
    unsigned turns = 0;

    pthread_mutex_lock(&l->spread.writers);
    atomic_store(&l->spread.writer, true);
    for (unsigned i = 0; i < KIND_THREADS_MAX; i++)
        while (atomic_load(&l->spread.reader[i].in))
            wait_a_little(&turns);
}

static void spread_write_unlock(union any_lock *l) {
    atomic_store_explicit(&l->spread.writer, false, memory_order_release);
    pthread_mutex_unlock(&l->spread.writers);
}

const struct lock_kind kind_spread = {"line a thread",    spread_init,       spread_read_lock,
                                      spread_read_unlock, spread_write_lock, spread_write_unlock};
