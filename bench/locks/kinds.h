/* kinds.h - the locks that bench/structures tries for a shard, behind one interface. */
#ifndef BENCH_KINDS_H
#define BENCH_KINDS_H

#include <flashkv/lock.h>

enum { KIND_THREADS_MAX = 16, KIND_LINE = 64 };

/* Reader-writer lock with a line for each thread: readers write no shared line, a writer looks at them all. */
struct spread_lock {
    pthread_mutex_t writers;
    _Alignas(KIND_LINE) _Atomic bool writer;
    struct {
        _Alignas(KIND_LINE) _Atomic bool in;
    } reader[KIND_THREADS_MAX];
};

union any_lock {
    _Alignas(2 * KIND_LINE) pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    struct rwlock store;
    struct spread_lock spread;
};

/* `thread` is the caller's number, below KIND_THREADS_MAX. */
struct lock_kind {
    const char *name;
    void (*init)(union any_lock *l);
    void (*read_lock)(union any_lock *l, unsigned thread);
    void (*read_unlock)(union any_lock *l, unsigned thread);
    void (*write_lock)(union any_lock *l);
    void (*write_unlock)(union any_lock *l);
};

extern const struct lock_kind kind_none;   /* for one thread: the bare table */
extern const struct lock_kind kind_mutex;  /* pthread_mutex_t */
extern const struct lock_kind kind_rwlock; /* pthread_rwlock_t, writers preferred */
extern const struct lock_kind kind_store;  /* flashkv/lock.h, what the store uses: one word */
extern const struct lock_kind kind_spread;

#endif
