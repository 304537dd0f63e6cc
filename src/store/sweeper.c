/* sweeper.c - removes expired keys in the background, at a pace that adapts to their share.
 *
 * Goal: expired keys do not pile up, and a store where nothing expires pays next to nothing. A round samples
 * each shard's volatile keys, in turn by the shard's own cursor; keys without an expiry are never
 * visited. If over 25 % of a round's sample had expired, there are more: the next round starts in 10 ms. If under
 * 1 % had, there are few: the interval doubles, up to 1 s. Otherwise it is 100 ms.
 * Stop rule: a shard is left when 25 % or less of a batch had expired, or after its share of batches.
 * Cost: a lock is held for one batch of 32 keys (some microseconds, far below the limit of 1 ms), and
 * a round samples at most 64 shards x 16 batches x 32 keys. After four batches the thread sleeps for
 * about twice as long: a thread that serves requests on the same processor then runs immediately, instead of after the
 * scheduler's time slice of some milliseconds, and gets two thirds of the time. That allows some 400 000 keys a second. */
#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <pthread.h>
#include <time.h>

#include "store_impl.h"

enum {
    BATCH = 32,
    BATCHES_PER_SHARD = 16,
    MOVE_SLOTS = 512, /* slots of a growing table moved at a time */
    STRETCH = 4,      /* batches, or moves, between rests: some 100 us */
    REST_NS = 150000, /* the kernel adds some 50 us */
    PAUSE_MIN_MS = 10,
    PAUSE_BASE_MS = 100,
    PAUSE_MAX_MS = 1000,
    CHORE_MS = 1, /* interval while the chore has more to do */
};

struct sweeper {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mutex; /* with `wake`, a condition, which the ranked mutex does not offer */
    pthread_cond_t wake;
    bool stop, woken; /* guarded by `mutex` */
    sweeper_chore *chore;
    void *ctx;
    _Atomic unsigned pause_ms;
    _Atomic bool idle;       /* sweeper_set_active: turned off by a test */
    _Atomic int64_t hold_ns; /* sweeper_hold */
};

static bool mostly_expired(struct sweep_result r) {
    return r.expired * 4 > r.looked;
}

/* One batch under one lock; unlinked objects are freed after it. */
static struct sweep_result sweep_batch(struct store *s, unsigned shard, int64_t now_ms) {
    struct sweep_result r;
    struct txn t;

    txn_begin(&t, s, now_ms, UINT64_C(1) << shard, TXN_WRITE);
    r = shard_sweep(txn_visit_write(&t, shard), &t, BATCH);
    txn_leave_write(&t, shard);
    txn_end(&t);
    return r;
}

static bool is_to_stop(struct sweeper *sw) {
    bool stop;

    pthread_mutex_lock(&sw->mutex);
    stop = sw->stop;
    pthread_mutex_unlock(&sw->mutex);
    return stop;
}

/* To be called after each batch or move: rests if it is time to. True: the thread shall stop. `sw` NULL (tests): neither. */
static bool rest_or_stop(struct sweeper *sw, unsigned *worked) {
    if (sw == NULL || ++*worked % STRETCH != 0)
        return false;
    nanosleep(&(struct timespec){0, REST_NS}, NULL);
    return is_to_stop(sw);
}

static void add(struct sweep_result *sum, struct sweep_result r) {
    sum->looked += r.looked;
    sum->expired += r.expired;
}

/* A round; `sw` (may be NULL): rests between batches, and ends early when the thread shall stop. */
static struct sweep_result sweep_round(struct store *s, struct sweeper *sw, int64_t now_ms) {
    struct sweep_result sum = {0, 0};
    unsigned worked = 0;

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        for (int batch = 0; batch < BATCHES_PER_SHARD; batch++) {
            struct sweep_result r;

            if (atomic_load_explicit(&s->shards[i].volatile_count, memory_order_relaxed) == 0)
                break;
            r = sweep_batch(s, i, now_ms);
            add(&sum, r);
            if (rest_or_stop(sw, &worked))
                return sum;
            if (!mostly_expired(r))
                break;
        }
    }
    return sum;
}

struct sweep_result store_sweep(struct store *s, int64_t now_ms) {
    return sweep_round(s, NULL, now_ms);
}

/* Writes advance the resizing of a table; this finishes it when there are no more of them, so that the old slot array is
 * freed. */
static void finish_moves(struct sweeper *sw) {
    unsigned worked = 0;

    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        struct shard *sh = &sw->store->shards[i];

        while (atomic_load_explicit(&sh->moving, memory_order_relaxed)) {
            shard_wrlock(sh);
            shard_move(sh, MOVE_SLOTS);
            shard_wrunlock(sh);
            if (rest_or_stop(sw, &worked))
                return;
        }
    }
}

static unsigned next_pause(unsigned pause_ms, struct sweep_result r) {
    if (r.looked > 0 && mostly_expired(r))
        return PAUSE_MIN_MS;
    if (r.expired * 100 >= r.looked && r.looked > 0)
        return PAUSE_BASE_MS;
    if (pause_ms < PAUSE_BASE_MS)
        return PAUSE_BASE_MS;
    return 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
}

/* Waits until `until` (monotonic), or until woken; true: the thread shall stop. */
static bool wait_or_stop(struct sweeper *sw, int64_t until) {
    struct timespec ts = {until / 1000000000, until % 1000000000};
    bool stop;

    pthread_mutex_lock(&sw->mutex);
    while (!sw->stop && !sw->woken && pthread_cond_timedwait(&sw->wake, &sw->mutex, &ts) != ETIMEDOUT)
        continue;
    stop = sw->stop;
    sw->woken = false;
    pthread_mutex_unlock(&sw->mutex);
    return stop;
}

static bool may_sweep(const struct sweeper *sw) {
    return !atomic_load_explicit(&sw->idle, memory_order_relaxed) &&
           atomic_load_explicit(&sw->hold_ns, memory_order_relaxed) <= clock_mono_ns();
}

static int64_t in_ms(unsigned ms) {
    return clock_mono_ns() + (int64_t)ms * 1000000;
}

static void *sweeper_run(void *arg) {
    struct sweeper *sw = arg;
    unsigned pause = PAUSE_BASE_MS;
    int64_t due = in_ms(pause);
    bool more = false;

    while (!wait_or_stop(sw, more ? in_ms(CHORE_MS) : due)) {
        more = sw->chore != NULL && sw->chore(sw->ctx);
        garbage_collect(&sw->store->garbage);
        if (clock_mono_ns() < due)
            continue;
        if (may_sweep(sw))
            pause = next_pause(pause, sweep_round(sw->store, sw, clock_wall_ms()));
        finish_moves(sw);
        atomic_store_explicit(&sw->pause_ms, pause, memory_order_relaxed);
        due = in_ms(pause);
    }
    return NULL;
}

struct sweeper *sweeper_start(struct store *s, sweeper_chore *chore, void *ctx) {
    struct sweeper *sw = mem_zalloc(sizeof(*sw));
    pthread_condattr_t attr;

    if (sw == NULL)
        return NULL;
    sw->store = s;
    sw->chore = chore;
    sw->ctx = ctx;
    atomic_store_explicit(&sw->pause_ms, PAUSE_BASE_MS, memory_order_relaxed);
    pthread_mutex_init(&sw->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sw->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&sw->thread, NULL, sweeper_run, sw) == 0) {
        garbage_set_collected(&s->garbage, true);
        return sw;
    }
    pthread_cond_destroy(&sw->wake);
    pthread_mutex_destroy(&sw->mutex);
    mem_free(sw);
    return NULL;
}

void sweeper_stop(struct sweeper *sw) {
    if (sw == NULL)
        return;
    pthread_mutex_lock(&sw->mutex);
    sw->stop = true;
    pthread_cond_signal(&sw->wake);
    pthread_mutex_unlock(&sw->mutex);
    pthread_join(sw->thread, NULL);
    garbage_set_collected(&sw->store->garbage, false);
    pthread_cond_destroy(&sw->wake);
    pthread_mutex_destroy(&sw->mutex);
    mem_free(sw);
}

void sweeper_wake(struct sweeper *sw) {
    pthread_mutex_lock(&sw->mutex);
    sw->woken = true;
    pthread_cond_signal(&sw->wake);
    pthread_mutex_unlock(&sw->mutex);
}

unsigned sweeper_interval_ms(const struct sweeper *sw) {
    return atomic_load_explicit(&sw->pause_ms, memory_order_relaxed);
}

void sweeper_set_active(struct sweeper *sw, bool active) {
    atomic_store_explicit(&sw->idle, !active, memory_order_relaxed);
}

void sweeper_hold(struct sweeper *sw, int64_t until_ns) {
    atomic_store_explicit(&sw->hold_ns, until_ns, memory_order_relaxed);
}
