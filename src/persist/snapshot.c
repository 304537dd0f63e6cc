/* snapshot.c - the thread that writes snapshots, while the store is used.
 *
 * Goal: no stall, no second copy of the data. A shard is walked in the order of its points, a page at a time under its
 * read lock; the page is copied to a buffer (large strings by reference), together with the position of the log at that
 * moment, and written after the lock is gone. So a snapshot is not of one moment: each page knows which part of the log
 * it has seen, and the rest is done again when it is loaded (record.h).
 *
 * It counts once it has its name. Before that, the log is made durable up to where the pages have seen it; after that,
 * what lies before it is removed. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <unistd.h>

#include "persist_impl.h"

enum {
    PAGE_ENTRIES = 256,
    WRITE_AT = 1 << 20, /* bytes gathered before they are written */
    LOOK_MS = 1000,     /* how often the thread looks whether a snapshot is due */
};
static const char unfinished[] = "snapshot.new";

struct snapshot {
    struct persist *p;
    int fd;
    uint64_t position; /* where the log goes on */
    uint64_t offset;   /* in the file */
    uint64_t seen, entries;
    int64_t longest_ns; /* that a page kept a shard from those who write */
    struct chain out;
};

static bool stopping(struct persist *p) {
    bool stop;

    pthread_mutex_lock(&p->mutex);
    stop = p->stop;
    pthread_mutex_unlock(&p->mutex);
    return stop;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* False: errno. */
static bool flush(struct snapshot *s) {
    struct chain_walk walk = {0};
    struct slice part;

    if (s->out.failed) {
        errno = ENOMEM;
        return false;
    }
    record_seal(&s->out, s->offset);
    while (chain_next(&s->out, &walk, &part)) {
        if (!files_write(s->fd, part, s->offset))
            return false;
        s->offset += part.len;
    }
    chain_clear(&s->out, 2 * WRITE_AT);
    return true;
}

static void put_entry(void *ctx, const struct entry *e) {
    struct snapshot *s = ctx;

    record_put_entry(&s->out, entry_key(e), e);
    s->entries++;
}

struct cursor {
    unsigned shard;
    uint64_t from, flushes;
};

/* One page as a block, or word that the shard was flushed since the last one. False: the shard is through. */
static bool put_page(struct snapshot *s, struct cursor *at) {
    struct record_block b = {.kind = BLOCK_ENTRIES, .shard = at->shard, .from = at->from};
    size_t begun = record_begin_frame(&s->out), head = s->out.bytes.len;
    int64_t held_ns;
    uint64_t flushes;
    struct txn t;

    txn_begin(&t, s->p->store, clock_wall_ms(), UINT64_C(1) << at->shard, TXN_READ);
    held_ns = clock_mono_ns();
    flushes = store_flushes(s->p->store, at->shard);
    b.position = journal_appended(s->p->journal);
    if (at->from > 0 && flushes != at->flushes)
        b = (struct record_block){.kind = BLOCK_RESTART, .shard = at->shard};
    record_put_block(&s->out, &b);
    if (b.kind == BLOCK_ENTRIES)
        b.to = store_walk(&t, at->shard, at->from, PAGE_ENTRIES, put_entry, s);
    txn_end(&t);
    held_ns = clock_mono_ns() - held_ns;
    s->longest_ns = held_ns > s->longest_ns ? held_ns : s->longest_ns;
    if (b.kind == BLOCK_ENTRIES && !s->out.failed) /* where it ends is known now */
        memcpy(s->out.bytes.data + head + BLOCK_TO_AT, &b.to, sizeof(b.to));
    record_end_frame(&s->out, begun);
    s->seen = b.position > s->seen ? b.position : s->seen;
    *at = (struct cursor){at->shard, b.to, flushes};
    return b.kind == BLOCK_RESTART || b.to != 0;
}

static bool put_shard(struct snapshot *s, unsigned shard) {
    struct cursor at = {shard, 0, 0};
    bool more = true;

    while (more) {
        more = put_page(s, &at);
        if (stopping(s->p) || (chain_len(&s->out) >= WRITE_AT && !flush(s)))
            return false;
    }
    return true;
}

static bool put_end(struct snapshot *s) {
    size_t begun = record_begin_frame(&s->out);

    record_put_block(&s->out, &(struct record_block){.kind = BLOCK_END, .position = s->entries});
    record_end_frame(&s->out, begun);
    return flush(s);
}

static bool put_header(struct snapshot *s) {
    struct record_header h = {s->p->files.secret_id, s->position, clock_wall_ms(), false};
    char header[RECORD_HEADER];

    record_put_header(header, RECORD_SNAPSHOT, &h);
    s->offset = sizeof(header);
    return files_write(s->fd, slice_of(header, sizeof(header)), 0);
}

static bool write_all(struct snapshot *s) {
    if (!put_header(s))
        return false;
    for (unsigned shard = 0; shard < STORE_SHARDS; shard++)
        if (!put_shard(s, shard))
            return false;
    return put_end(s) && fsync(s->fd) == 0;
}

/* Gives it its name. */
static bool publish(struct snapshot *s) {
    struct files *f = &s->p->files;
    char name[FILES_NAME];

    if (!journal_sync_to(s->p->journal, s->seen)) {
        errno = EIO;
        return false;
    }
    files_name(name, RECORD_SNAPSHOT, s->position);
    return renameat(f->dir, unfinished, f->dir, name) == 0 && files_sync(f);
}

/* ---- one snapshot -------------------------------------------------------------------------------------------------- */

static bool make(struct snapshot *s) {
    struct files *f = &s->p->files;
    bool ok;

    unlinkat(f->dir, unfinished, 0);
    s->fd = files_create(f, unfinished);
    if (s->fd < 0)
        return false;
    ok = write_all(s);
    ok = close(s->fd) == 0 && ok && publish(s);
    if (!ok) {
        int error = errno;

        unlinkat(f->dir, unfinished, 0);
        errno = error;
    }
    return ok;
}

static bool run_snapshot(struct persist *p) {
    struct snapshot s = {.p = p, .out = chain_make()};
    int64_t begun = clock_mono_ns();
    uint64_t frames = journal_stats(p->journal).frames;
    bool ok = journal_rotate(p->journal, &s.position);

    errno = ok ? 0 : EIO;
    ok = ok && make(&s);
    if (ok) {
        journal_renewed(p->journal);
        files_remove_below(&p->files, RECORD_SNAPSHOT, s.position);
        files_remove_below(&p->files, RECORD_LOG, s.position);
    } else if (!stopping(p)) {
        log_error("snapshot: %s", strerrordesc_np(errno));
    }
    pthread_mutex_lock(&p->mutex);
    p->stats.snapshot_failed = !ok;
    p->stats.snapshot_duration_ms = (uint64_t)(clock_mono_ns() - begun) / 1000000;
    if (ok) {
        p->snapshot_position = s.position;
        p->stats.snapshots++;
        p->stats.snapshot_frames = frames;
        p->snapshot_ns = clock_mono_ns();
        p->stats.snapshot_wall_ms = clock_wall_ms();
        p->stats.snapshot_entries = s.entries;
        p->stats.snapshot_bytes = s.offset;
        p->stats.snapshot_hold_us = (uint64_t)s.longest_ns / 1000;
    }
    pthread_mutex_unlock(&p->mutex);
    chain_free(&s.out);
    if (ok)
        log_info("snapshot: %llu entries, %llu bytes, no shard held longer than %lld us",
                 (unsigned long long)s.entries, (unsigned long long)s.offset, (long long)s.longest_ns / 1000);
    return ok;
}

/* ---- the thread ----------------------------------------------------------------------------------------------------- */

/* Is one due, without anybody asking? */
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

/* After one that failed, the next is not begun at once. */
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

/* ---- asking --------------------------------------------------------------------------------------------------------- */

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
    until = p->runs + 1 + p->running; /* one under way may have passed what the caller means */
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
