/* journal_thread.c - the thread that writes the log to the disk.
 *
 * Goal: group commit, one write and one fsync for all frames that were appended meanwhile. The first frame in an empty buffer
 * wakes the thread; with FSYNC_ALWAYS it writes at once, and the frames appended during its fsync are the next group; otherwise
 * it waits for more, up to GATHER_MS: some dozen writes a second under low load. Under high load it writes once there is enough
 * for a direct write; or, where the data are copied to the page cache, while they are still in the processor's cache, which
 * halves the cost. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal_impl.h"

enum {
    GATHER_MS = 20,
    GATHERED = 128 << 10,      /* for the page cache */
    GATHERED_DIRECT = 2 << 20, /* bypassing it: few and large writes */
    RETRY_MS = 200,            /* between retries of a failed write */
    IDLE_MS = 10000,
    SYNC_MS = 900, /* FSYNC_EVERYSEC: with the gathering, below a second */
};
static const int64_t NS_PER_MS = 1000000;

static struct timespec time_in(int64_t ms) {
    int64_t at = clock_mono_ns() + ms * NS_PER_MS;

    return (struct timespec){at / 1000000000, at % 1000000000};
}

/* The requests to the thread besides writing the buffer. */
struct wishes {
    bool stop, rotate;
    uint64_t sync_to; /* 0: not requested */
};

/* ---- the thread ----------------------------------------------------------------------------------------------------- */

static void lost(struct journal *j, const char *what, int error) {
    log_error_repeated(&j->losses, clock_mono_ns(),
                       "log: %s: %s; no changes are taken until a snapshot of everything is written", what,
                       strerrordesc_np(error));
    journal_lock(j);
    journal_lose(j, error);
    journal_unlock(j);
}

/* Swaps the buffers, once everything fetched before is written. */
static void take(struct journal *j) {
    struct chain empty = j->writing;
    bool unsealed;
    uint64_t end;

    if (chain_len(&empty) > 0)
        return;
    journal_lock(j);
    end = atomic_load_explicit(&j->appended, memory_order_relaxed);
    chain_set_lead(&empty, segment_place(&j->segment, end));
    j->writing = j->filling;
    j->filling = empty;
    unsealed = j->unsealed;
    j->unsealed = false;
    j->idle = chain_len(&j->writing) == 0;
    j->tell_at = j->idle ? 0 : j->gather;
    journal_unlock(j);
    j->done = 0;
    if (unsealed)
        record_seal(&j->writing, FRAMES_SHORT, end - chain_len(&j->writing) + j->salt);
}

/* Writes the rest of `writing`, from where an earlier attempt stopped. False: errno. */
static bool write_parts(struct journal *j) {
    uint64_t position = atomic_load_explicit(&j->written, memory_order_relaxed);
    struct chain_walk walk = {0};
    struct slice part;
    size_t at = 0;

    while (chain_next(&j->writing, &walk, &part)) {
        if (at + part.len > j->done) {
            if (!segment_write(&j->segment, part, position + at))
                return false;
            j->done = at + part.len;
        }
        at += part.len;
    }
    return true;
}

static void write_out(struct journal *j) {
    uint64_t end = atomic_load_explicit(&j->written, memory_order_relaxed) + chain_len(&j->writing);

    if (chain_len(&j->writing) == 0)
        return;
    if (!write_parts(j)) {
        int error = errno;

        if (journal_state(j) != JOURNAL_BLOCKED)
            log_error("log: write: %s; no changes are taken until it succeeds", strerrordesc_np(error));
        journal_block(j, error);
        return;
    }
    if (segment_is_deleted(&j->segment)) {
        lost(j, "the file was deleted", ENOENT);
        return;
    }
    chain_clear(&j->writing, JOURNAL_KEEP_ROOM);
    atomic_store_explicit(&j->written, end, memory_order_release);
    if (journal_state(j) == JOURNAL_BLOCKED && journal_unblock(j))
        log_info("log: written again");
}

/* Is there something to sync, and a reason to do it now? */
static bool sync_due(const struct journal *j, const struct wishes *w) {
    uint64_t synced = atomic_load_explicit(&j->synced, memory_order_relaxed);

    return synced != atomic_load_explicit(&j->written, memory_order_relaxed) &&
           (w->stop || w->rotate || w->sync_to > synced || j->mode == FSYNC_ALWAYS ||
            (j->mode == FSYNC_EVERYSEC && clock_mono_ns() - j->synced_ns >= SYNC_MS * NS_PER_MS));
}

static void announce(struct journal *j) {
    if (!atomic_load_explicit(&j->renewing, memory_order_acquire)) {
        atomic_store(
            &j->durable,
            atomic_load_explicit(&j->synced, memory_order_acquire)); /* before the listeners are called */
        journal_tell_listeners(j);
    }
    pthread_mutex_lock(&j->wake_mutex);
    pthread_cond_broadcast(&j->progress);
    pthread_mutex_unlock(&j->wake_mutex);
}

static void sync_out(struct journal *j) {
    int64_t ns;
    int failed;

    j->synced_ns = clock_mono_ns();
    failed = fdatasync(j->segment.fd) != 0 ? errno : 0;
    ns = clock_mono_ns() - j->synced_ns;
    atomic_fetch_add_explicit(&j->syncs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&j->sync_ns, (uint64_t)ns, memory_order_relaxed);
    histogram_add(&j->sync_times, (uint64_t)ns);
    if (failed != 0) {
        lost(j, "fsync", failed);
        return;
    }
    atomic_store_explicit(&j->synced, atomic_load_explicit(&j->written, memory_order_relaxed),
                          memory_order_release);
    announce(j);
}

static bool begin_segment(struct journal *j, uint64_t position, bool renewed) {
    /* With FSYNC_NO the page cache absorbs a burst. */
    return segment_begin(&j->segment, j->files, position, renewed, j->mode != FSYNC_NO);
}

/* Begins a segment after the loss. What was fetched and not written is lost too. False: errno. */
static bool renew(struct journal *j) {
    uint64_t position = atomic_load_explicit(&j->lost_at, memory_order_acquire);

    if (!files_remake(j->files) || !begin_segment(j, position, true))
        return false;
    chain_clear(&j->writing, JOURNAL_KEEP_ROOM);
    j->idle = false;
    atomic_store_explicit(&j->renewing, true, memory_order_release);
    atomic_store_explicit(&j->written, position, memory_order_release);
    atomic_store_explicit(&j->synced, position, memory_order_relaxed);
    journal_lock(j); /* to see whether more was lost meanwhile */
    if (atomic_load_explicit(&j->lost_at, memory_order_relaxed) == position)
        atomic_store_explicit(&j->state, JOURNAL_OK, memory_order_release);
    journal_unlock(j);
    return true;
}

/* Begins a segment at the end of everything fetched so far, which is durable then. False: not possible now. */
static bool next_segment(struct journal *j) {
    uint64_t position = atomic_load_explicit(&j->written, memory_order_relaxed);

    if (journal_state(j) == JOURNAL_LOST)
        return renew(j);
    if (journal_state(j) != JOURNAL_OK) {
        errno = atomic_load_explicit(&j->error, memory_order_relaxed);
        return false;
    }
    if (position != atomic_load_explicit(&j->synced, memory_order_relaxed)) {
        errno = EAGAIN;
        return false;
    }
    return position == j->segment.position || /* the present segment is empty: use it */
           begin_segment(j, position, atomic_load_explicit(&j->renewing, memory_order_relaxed));
}

/* Answers journal_rotate. */
static void rotate(struct journal *j) {
    int error = next_segment(j) ? 0 : errno;

    if (error == 0)
        j->rotations_failed = (struct log_repeated){.suppressed = 0};
    else
        log_error_repeated(&j->rotations_failed, clock_mono_ns(), "log: cannot begin a segment: %s",
                           error == EAGAIN ? "what was logged before is not on disk yet"
                                           : strerrordesc_np(error));
    pthread_mutex_lock(&j->wake_mutex);
    j->rotate = false;
    j->rotation_error = error;
    j->rotations++;
    pthread_cond_broadcast(&j->progress);
    pthread_mutex_unlock(&j->wake_mutex);
}

/* One round: writes what has been appended, and serves the requests. */
static void work(struct journal *j, const struct wishes *w) {
    if (journal_state(j) != JOURNAL_LOST) {
        take(j);
        write_out(j);
        if (journal_state(j) == JOURNAL_OK && sync_due(j, w))
            sync_out(j);
    }
    if (w->rotate)
        rotate(j);
}

/* How long to sleep if nothing is appended. */
static int64_t rest_ms(const struct journal *j) {
    if (journal_state(j) == JOURNAL_BLOCKED)
        return RETRY_MS;
    return j->mode == FSYNC_EVERYSEC && atomic_load_explicit(&j->synced, memory_order_relaxed) !=
                                            atomic_load_explicit(&j->written, memory_order_relaxed)
               ? SYNC_MS
               : IDLE_MS;
}

/* Sleeps until there is something to do. */
static struct wishes await(struct journal *j) {
    bool blocked = journal_state(j) == JOURNAL_BLOCKED, rests = j->idle || journal_state(j) != JOURNAL_OK;
    struct timespec until = time_in(rest_ms(j));
    struct wishes w;

    pthread_mutex_lock(&j->wake_mutex);
    while (rests && (blocked || !j->kicked) && !j->stop &&
           pthread_cond_timedwait(&j->wake, &j->wake_mutex, &until) != ETIMEDOUT)
        continue;
    until = time_in(GATHER_MS);
    while (j->mode != FSYNC_ALWAYS && !blocked && !j->stop && !j->rotate && !j->hurried && j->sync_to == 0 &&
           pthread_cond_timedwait(&j->wake, &j->wake_mutex, &until) != ETIMEDOUT)
        continue;
    w = (struct wishes){j->stop, j->rotate, j->sync_to};
    j->kicked = j->hurried = false;
    pthread_mutex_unlock(&j->wake_mutex);
    return w;
}

static void *journal_run(void *arg) {
    struct journal *j = arg;
    struct wishes w;

    do {
        w = await(j);
        work(j, &w);
    } while (!w.stop);
    work(j, &w); /* frames appended during the first round */
    return NULL;
}

/* ---- for snapshots ---------------------------------------------------------------------------------------------------- */

bool journal_rotate(struct journal *j, uint64_t *position) {
    uint64_t before;
    int error;

    pthread_mutex_lock(&j->wake_mutex);
    before = j->rotations;
    j->rotate = j->kicked = true;
    pthread_cond_signal(&j->wake);
    while (j->rotations == before && !j->stop)
        pthread_cond_wait(&j->progress, &j->wake_mutex);
    error = j->rotations != before ? j->rotation_error : ECANCELED;
    *position = j->segment.position;
    pthread_mutex_unlock(&j->wake_mutex);
    errno = error;
    return error == 0;
}

bool journal_sync_to(struct journal *j, uint64_t position) {
    bool ok;

    pthread_mutex_lock(&j->wake_mutex);
    while (!(ok = position <= atomic_load_explicit(&j->synced, memory_order_acquire)) &&
           journal_state(j) == JOURNAL_OK && !j->stop) {
        struct timespec until = time_in(RETRY_MS);

        j->sync_to = position;
        j->kicked = true;
        pthread_cond_signal(&j->wake);
        pthread_cond_timedwait(&j->progress, &j->wake_mutex, &until);
    }
    j->sync_to = 0;
    pthread_mutex_unlock(&j->wake_mutex);
    return ok;
}

void journal_renewed(struct journal *j) {
    if (!atomic_load_explicit(&j->renewing, memory_order_relaxed))
        return;
    log_info("log: begun anew; changes are taken again");
    files_note_newest(j->files, j->segment.position);
    atomic_store_explicit(&j->renewing, false, memory_order_release);
    announce(j);
}

/* ---- starting and stopping ---------------------------------------------------------------------------------------------- */

static void init_conditions(struct journal *j) {
    pthread_condattr_t attr;

    pthread_mutex_init(&j->wake_mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&j->wake, &attr);
    pthread_cond_init(&j->progress, &attr);
    pthread_condattr_destroy(&attr);
}

static void destroy(struct journal *j) NO_THREAD_SAFETY_ANALYSIS {
    chain_free(&j->filling);
    chain_free(&j->writing);
    pthread_cond_destroy(&j->wake);
    pthread_cond_destroy(&j->progress);
    pthread_mutex_destroy(&j->wake_mutex);
    rwlock_destroy(&j->lock);
    mutex_destroy(&j->listeners_mutex);
    segment_close(&j->segment);
    mem_free(j);
}

struct journal *journal_start(struct files *f, const struct persist_config *config, uint64_t position,
                              char *why, size_t cap) NO_THREAD_SAFETY_ANALYSIS {
    struct journal *j = mem_zalloc(sizeof(*j));

    snprintf(why, cap, "out of memory");
    if (j == NULL)
        return NULL;
    j->files = f;
    j->mode = config->fsync;
    j->salt = f->secret_id;
    j->buffer_max = config->buffer_max;
    j->filling = j->writing = chain_make();
    j->segment = segment_none();
    atomic_init(&j->appended, position);
    atomic_init(&j->written, position);
    atomic_init(&j->synced, position);
    atomic_init(&j->durable, position);
    rwlock_init(&j->lock, LOCK_RANK_LEAF);
    mutex_init(&j->listeners_mutex, LOCK_RANK_LEAF - 2);
    init_conditions(j);
    if (!begin_segment(j, position, false))
        snprintf(why, cap, "%s: %s", f->path, strerror(errno));
    j->gather = j->segment.direct >= 0 ? GATHERED_DIRECT : GATHERED;
    if (j->segment.fd >= 0 && pthread_create(&j->thread, NULL, journal_run, j) == 0)
        return j;
    destroy(j);
    return NULL;
}

void journal_stop(struct journal *j) {
    if (j == NULL)
        return;
    pthread_mutex_lock(&j->wake_mutex);
    j->stop = true;
    pthread_cond_broadcast(&j->wake);
    pthread_cond_broadcast(&j->progress);
    pthread_mutex_unlock(&j->wake_mutex);
    pthread_join(j->thread, NULL);
    if (atomic_load(&j->durable) != journal_appended(j))
        log_error("log: stopped without having written all of it: %s", journal_trouble(j));
    destroy(j);
}
