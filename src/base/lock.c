/* lock.c - which locks a thread holds, in debug builds; and the ranked mutex. */
#include <flashkv/lock.h>
#include <stdio.h>
#include <stdlib.h>

/* Helgrind knows the locks of pthreads; other locks need annotations. */
#if defined(FK_DEBUG) && __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#else
#define ANNOTATE_RWLOCK_ACQUIRED(lock, exclusive) ((void)(lock))
#define ANNOTATE_RWLOCK_RELEASED(lock, exclusive) ((void)(lock))
#endif

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

void lock_rank_check(unsigned rank) {
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

/* Removes the lock from the list; returns whether it was held exclusively. */
static bool held_pop(const void *lock) {
    int i = held_count - 1;
    bool exclusive;

    while (i >= 0 && held[i].lock != lock)
        i--;
    if (i < 0) {
        fprintf(stderr, "a lock is released that this thread does not hold\n");
        abort();
    }
    exclusive = held[i].exclusive;
    held[i] = held[--held_count];
    return exclusive;
}

void rwlock_taken(const struct rwlock *l, bool exclusive) {
    held_push(l, l->rank, exclusive);
    ANNOTATE_RWLOCK_ACQUIRED(l, exclusive);
}

void rwlock_dropped(const struct rwlock *l) {
    bool exclusive = held_pop(l);

    ANNOTATE_RWLOCK_RELEASED(l, exclusive);
    (void)exclusive;
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
    lock_rank_check(m->rank);
    pthread_mutex_lock(&m->impl);
    held_push(m, m->rank, true);
}

void mutex_unlock(struct mutex *m) NO_THREAD_SAFETY_ANALYSIS {
    held_pop(m);
    pthread_mutex_unlock(&m->impl);
}
