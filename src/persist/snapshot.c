/* snapshot.c - the snapshot thread, and requests to it; snapshot_write.c writes the file.
 *
 * A snapshot begins a new segment of the log. After it is renamed to its final name, the older segments are removed. */
#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>

#include "persist_impl.h"

enum { LOOK_MS = 1000 }; /* interval at which the thread checks whether a snapshot is due */

bool snapshots_stopping(struct persist *p) {
    bool stop;

    pthread_mutex_lock(&p->mutex);
    stop = p->stop;
    pthread_mutex_unlock(&p->mutex);
    return stop;
}

static bool run_snapshot(struct persist *p) {
    struct snapshot_written w;
    int64_t begun = clock_mono_ns();
    uint64_t frames = journal_stats(p->journal).frames, position;
    bool ok = journal_rotate(p->journal, &position) && snapshot_write(p, position, &w);

    if (ok) {
        p->failures = (struct log_repeated){.suppressed = 0};
        journal_renewed(p->journal);
        files_remove_below(&p->files, RECORD_SNAPSHOT, position);
        files_remove_below(&p->files, RECORD_LOG, position);
    } else if (!snapshots_stopping(p)) {
        log_error_repeated(&p->failures, clock_mono_ns(), "snapshot: %s", strerrordesc_np(errno));
    }
    pthread_mutex_lock(&p->mutex);
    p->stats.snapshot_failed = !ok;
    p->stats.snapshot_duration_ms = (uint64_t)(clock_mono_ns() - begun) / 1000000;
    if (ok) {
        p->snapshot_position = position;
        p->stats.snapshots++;
        p->stats.snapshot_frames = frames;
        p->snapshot_ns = clock_mono_ns();
        p->stats.snapshot_wall_ms = clock_wall_ms();
        p->stats.snapshot_entries = w.entries;
        p->stats.snapshot_bytes = w.bytes;
        p->stats.snapshot_hold_us = (uint64_t)w.longest_ns / 1000;
    }
    pthread_mutex_unlock(&p->mutex);
    if (ok)
        log_info("snapshot: %llu entries, %llu bytes, no shard held longer than %lld us",
                 (unsigned long long)w.entries, (unsigned long long)w.bytes, (long long)w.longest_ns / 1000);
    return ok;
}

/* ---- the thread ----------------------------------------------------------------------------------------------------- */

/* Is one due by the configuration? */
static bool due(struct persist *p) {
    uint64_t grown = journal_appended(p->journal) - p->snapshot_position;
    const struct persist_config *c = &p->config;

    return journal_needs_snapshot(p->journal) || (c->snapshot_bytes > 0 && grown >= c->snapshot_bytes) ||
           (c->snapshot_ms > 0 && grown > 0 &&
            clock_mono_ns() - p->snapshot_ns >= (int64_t)c->snapshot_ms * 1000000);
}

/* False: stop. */
static bool await(struct persist *p) {
    bool go;

    pthread_mutex_lock(&p->mutex);
    while (!p->stop && !p->wanted && !due(p)) {
        int64_t at = clock_mono_ns() + (int64_t)LOOK_MS * 1000000;
        struct timespec until = {at / 1000000000, at % 1000000000};

        pthread_cond_timedwait(&p->wake, &p->mutex, &until);
    }
    go = !p->stop;
    p->wanted = false;
    p->running = go;
    pthread_mutex_unlock(&p->mutex);
    return go;
}

/* After a failure, the next one does not begin at once. */
static void rest(struct persist *p) {
    int64_t at = clock_mono_ns() + (int64_t)LOOK_MS * 1000000;
    struct timespec until = {at / 1000000000, at % 1000000000};

    pthread_mutex_lock(&p->mutex);
    while (!p->stop && !p->wanted && pthread_cond_timedwait(&p->wake, &p->mutex, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&p->mutex);
}

static void *snapshots_run(void *arg) {
    struct persist *p = arg;

    while (await(p)) {
        bool ok = run_snapshot(p);

        pthread_mutex_lock(&p->mutex);
        p->running = false;
        p->runs++;
        pthread_cond_broadcast(&p->finished);
        pthread_mutex_unlock(&p->mutex);
        if (!ok)
            rest(p);
    }
    return NULL;
}

void snapshots_init(struct persist *p) {
    pthread_condattr_t attr;

    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wake, &attr);
    pthread_cond_init(&p->finished, &attr);
    pthread_condattr_destroy(&attr);
}

void snapshots_destroy(struct persist *p) {
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->finished);
    pthread_mutex_destroy(&p->mutex);
}

bool snapshots_start(struct persist *p) {
    bool ok = pthread_create(&p->thread, NULL, snapshots_run, p) == 0;

    pthread_mutex_lock(&p->mutex);
    p->started = ok;
    pthread_mutex_unlock(&p->mutex);
    return ok;
}

void snapshots_stop(struct persist *p) {
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_cond_broadcast(&p->finished);
    pthread_mutex_unlock(&p->mutex);
    pthread_join(p->thread, NULL);
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

bool persist_snapshot(struct persist *p) {
    bool idle;

    pthread_mutex_lock(&p->mutex);
    idle = p->started && !p->running && !p->wanted;
    p->wanted |= idle;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->mutex);
    return idle;
}

bool persist_snapshot_now(struct persist *p) {
    uint64_t until;
    bool ok;

    pthread_mutex_lock(&p->mutex);
    until = p->runs + 1 + p->running; /* one in progress may have passed the caller's changes already */
    p->wanted = true;
    pthread_cond_signal(&p->wake);
    while (p->started && p->runs < until && !p->stop)
        pthread_cond_wait(&p->finished, &p->mutex);
    ok = p->runs >= until && !p->stats.snapshot_failed;
    pthread_mutex_unlock(&p->mutex);
    return ok;
}

struct persist_stats persist_stats(struct persist *p) {
    struct persist_stats s;

    pthread_mutex_lock(&p->mutex);
    s = p->stats;
    s.snapshotting = p->running || p->wanted;
    if (p->started) {
        s.log_bytes = journal_appended(p->journal) - p->snapshot_position;
        s.journal = journal_stats(p->journal);
    }
    pthread_mutex_unlock(&p->mutex);
    return s;
}
