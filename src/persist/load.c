/* load.c - loads the keys: each thread reads all files, and applies what concerns its own shards.
 *
 * So the effects on a shard are applied in order, and threads need no synchronisation. Skipping the records of other
 * threads' shards is cheap: only their key is read. */
#include "load.h"

#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS_MAX = 16, PROGRESS_NS = 1000000000 };

/* A block of the snapshot that was loaded: it contains all effects of the log before `position`. */
struct range {
    uint64_t to, position;
};
struct ranges {
    struct range *at; /* ascending; the last has `to` 0 */
    size_t count, cap;
};

struct worker {
    const struct scan *scan;
    struct store *store;
    persist_run *run;
    void *ctx;
    unsigned number, of;
    pthread_t thread;
    struct ranges ranges[STORE_SHARDS];
    struct larges larges;
    struct arg *args;
    size_t arg_cap;
    uint64_t done, all; /* bytes of the files */
    int64_t logged_ns;
    bool failed;
    char why[256];
};

static bool mine(const struct worker *w, unsigned shard) {
    return shard % w->of == w->number;
}

static bool fail(struct worker *w, const char *file, uint64_t offset, const char *what) {
    w->failed = true;
    snprintf(w->why, sizeof(w->why), "%s, offset %llu: %s", file, (unsigned long long)offset, what);
    return false;
}

/* The first worker logs the progress for all, which proceed at about the same pace. */
static void progress(struct worker *w, uint64_t bytes) {
    w->done += bytes;
    if (w->number != 0 || clock_mono_ns() - w->logged_ns < PROGRESS_NS)
        return;
    w->logged_ns = clock_mono_ns();
    log_info("loading: %llu %%", (unsigned long long)(100 * w->done / (w->all + 1)));
}

/* ---- the snapshot ------------------------------------------------------------------------------------------------ */

static bool note_range(struct ranges *all, const struct record_block *b) {
    if (!mem_room(all->at, all->count, all->cap, 64))
        return false;
    all->at[all->count++] = (struct range){b->to, b->position};
    return true;
}

/* Loads the keys of a block, and the large collections that precede it. */
static bool restore_entries(struct worker *w, const struct record_block *b, struct record_reader *r) {
    struct record_entry e;
    struct txn t;
    bool ok;

    txn_begin(&t, w->store, 0, UINT64_C(1) << b->shard, TXN_WRITE);
    ok = note_range(&w->ranges[b->shard], b) && larges_commit(&w->larges, &t);
    while (ok && record_next_entry(r, &e))
        ok = load_entry(&t, &e, r);
    txn_end(&t);
    return ok && !r->bad;
}

static void restart(struct worker *w, unsigned shard) {
    struct txn t;

    larges_drop(&w->larges);
    w->ranges[shard].count = 0;
    txn_begin(&t, w->store, 0, UINT64_C(1) << shard, TXN_WRITE);
    store_flush_shard(&t, shard, NULL);
    txn_end(&t);
}

/* False: no memory, or it is malformed. */
static bool restore_block(struct worker *w, const struct record_block *b, struct record_reader *r) {
    switch (b->kind) {
    case BLOCK_ENTRIES:
        return restore_entries(w, b, r);
    case BLOCK_LARGE:
        return larges_begin(&w->larges, w->store, r);
    case BLOCK_ITEMS:
        return larges_add(&w->larges, r);
    case BLOCK_DROP:
        larges_drop(&w->larges);
        break;
    case BLOCK_RESTART:
        restart(w, b->shard);
        break;
    case BLOCK_END:
        break;
    }
    return true;
}

static bool restore_snapshot(struct worker *w) {
    struct slice bytes = w->scan->snapshot.bytes;
    uint64_t at = RECORD_HEADER;

    while (at < bytes.len) {
        struct record_block b;
        struct record_reader r;
        uint64_t length;

        memcpy(&length, bytes.ptr + at, sizeof(length)); /* its crc was verified by scan_directory */
        r = record_read(slice_of(bytes.ptr + at + RECORD_FRAME, length));
        if (!record_get_block(&r, &b) || (mine(w, b.shard) && !restore_block(w, &b, &r)))
            return fail(w, w->scan->snapshot.name, at,
                        "no memory, or a value over the limits of this configuration");
        at += RECORD_FRAME + length;
        progress(w, RECORD_FRAME + length);
    }
    return true;
}

/* ---- the log ------------------------------------------------------------------------------------------------------ */

/* The position up to which the snapshot contains the log's effects on a key with this hash. */
static uint64_t seen_of(const struct worker *w, uint64_t hash) {
    const struct ranges *all = &w->ranges[hash >> 58];
    uint64_t point = hash << 6;
    size_t low = 0, high = all->count;

    while (low < high) { /* the first range that ends after the point */
        size_t middle = (low + high) / 2;

        if (all->at[middle].to != 0 && all->at[middle].to <= point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < all->count ? all->at[low].position : 0;
}

static bool run_command(struct worker *w, const struct record_effect *e) {
    struct record_reader body = record_read(e->body);

    if (e->argc > w->arg_cap) {
        struct arg *more =
            e->argc < SIZE_MAX / sizeof(*more) ? mem_realloc(w->args, e->argc * sizeof(*more)) : NULL;

        if (more == NULL)
            return false;
        w->args = more;
        w->arg_cap = e->argc;
    }
    w->args[0] = (struct arg){e->name.ptr, e->name.len, NULL};
    for (uint64_t i = 1; i < e->argc; i++) {
        struct slice s = record_get_bytes(&body);

        w->args[i] = (struct arg){s.ptr, s.len, NULL};
    }
    return !body.bad && w->run(w->ctx, e->argc, w->args);
}

static bool apply_to_shard(struct worker *w, const struct record_effect *e) {
    unsigned shard = (unsigned)(e->hash >> 58);
    struct record_reader body = record_read(e->body);
    struct record_entry entry;
    struct txn t;
    bool ok = true;

    txn_begin(&t, w->store, 0, UINT64_C(1) << shard, TXN_WRITE);
    if (e->kind == EFFECT_FLUSH)
        store_flush_shard(&t, shard, NULL);
    else
        ok = record_next_entry(&body, &entry) && load_entry(&t, &entry, &body);
    txn_end(&t);
    return ok;
}

/* Applies the effects of a frame on this worker's shards. */
static bool apply_frame(struct worker *w, uint64_t position, struct slice payload) {
    struct record_reader r = record_read(payload);
    struct record_effect e;
    bool ok = true;

    while (ok && record_next_effect(&r, &e)) {
        if (!e.hashed)
            e.hash = store_key(w->store, e.key).hash;
        if (!mine(w, (unsigned)(e.hash >> 58)) || position < seen_of(w, e.hash))
            continue;
        ok = e.kind == EFFECT_COMMAND ? run_command(w, &e) : apply_to_shard(w, &e);
    }
    return ok;
}

/* Loads what scan_directory has verified. */
static bool restore_segment(struct worker *w, const struct segment *g) {
    const char *begin = g->file.bytes.ptr + RECORD_HEADER, *end = begin + (g->end - g->position);

    for (const char *frame = begin; frame < end;) {
        struct slice payload = {NULL, 0};

        if (record_find_frame(slice_of(frame, (size_t)(end - frame)), g->framing, &payload) != RECORD_OK ||
            !apply_frame(w, g->position + (uint64_t)(frame - begin), payload))
            return fail(w, g->file.name, (uint64_t)(frame - g->file.bytes.ptr), "cannot be done again");
        progress(w, (uint64_t)(payload.ptr + payload.len - frame));
        frame = payload.ptr + payload.len;
    }
    return true;
}

static bool restore_log(struct worker *w) {
    for (size_t i = 0; i < w->scan->segment_count; i++)
        if (!restore_segment(w, &w->scan->segments[i]))
            return false;
    return true;
}

/* ---- the threads --------------------------------------------------------------------------------------------------- */

static void *work(void *arg) {
    struct worker *w = arg;

    if (!w->scan->has_snapshot || restore_snapshot(w))
        restore_log(w);
    for (unsigned i = 0; i < STORE_SHARDS; i++)
        mem_free(w->ranges[i].at);
    mem_free(w->args);
    larges_drop(&w->larges);
    return NULL;
}

static uint64_t bytes_of(const struct scan *s) {
    uint64_t n = s->has_snapshot ? s->snapshot.bytes.len : 0;

    for (size_t i = 0; i < s->segment_count; i++)
        n += s->segments[i].end - s->segments[i].position;
    return n;
}

bool load_scanned(const struct scan *s, struct store *store, unsigned threads, persist_run *run, void *ctx,
                  char *why, size_t cap) {
    unsigned of = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads, started = 1;
    struct worker *workers = mem_zalloc(of * sizeof(*workers));
    bool ok = true;

    if (workers == NULL) {
        snprintf(why, cap, "out of memory");
        return false;
    }
    log_info("loading: %llu bytes, %u threads", (unsigned long long)bytes_of(s), of);
    for (unsigned i = 0; i < of; i++)
        workers[i] = (struct worker){.scan = s,
                                     .store = store,
                                     .run = run,
                                     .ctx = ctx,
                                     .number = i,
                                     .of = of,
                                     .all = bytes_of(s),
                                     .logged_ns = clock_mono_ns()};
    while (started < of && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = started; i < of; i++) /* its thread could not be started: run it here */
        work(&workers[i]);
    for (unsigned i = 0; i < of && ok; i++)
        if (workers[i].failed) {
            snprintf(why, cap, "%s", workers[i].why);
            ok = false;
        }
    mem_free(workers);
    return ok;
}
