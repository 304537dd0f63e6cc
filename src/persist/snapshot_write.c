/* snapshot_write.c - writes the file of a snapshot, while the store is in use.
 *
 * Goal: no stall, no second copy of the data. A shard is walked in the order of its points, a page at a time under its
 * read lock; the page is copied to a buffer (large strings by reference), together with the position of the log at that
 * moment, and written after the lock is released. So a snapshot is not of one instant: each page records up to which position
 * it contains the log's effects, and the later ones are replayed on loading (record.h).
 *
 * A large collection is not copied with its page, but read through a view (flashkv/view.h), which gives its state at that
 * instant, one piece under the lock at a time. Its pieces are written before its page, and belong to it. A view whose collection
 * is deleted or moved meanwhile is lost: then the page is read again. If that happens repeatedly, collections are created
 * faster than they can be read, so after some attempts they are copied whole, under the lock.
 *
 * After each stretch of work the thread sleeps, as the sweeper does: a thread that serves requests on the same processor can then
 * run; and a thread that has slept is seldom preempted while it holds a shard. It does not sleep while changes are refused
 * until the snapshot is complete.
 *
 * A snapshot is valid once it has its final name. Before that, the log is made durable up to the highest position of its pages. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/view.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "persist_impl.h"

enum {
    PAGE_ENTRIES = 256,
    PAGE_STEP = 16, /* entries copied between two checks of the page's size */
    PAGE_BYTES = 512 * 1024,
    PAGE_TRIES = 8,
    WRITE_AT = 1 << 20, /* bytes gathered before they are written */
    STRETCH_NS = 300000,
    REST_NS = 100000, /* the kernel adds some 50 us */
};
static const char unfinished[] = "snapshot.new";

/* A collection that is read through a view. */
struct large {
    struct large *next;
    struct view *view;
    struct record_shape shape;
    struct chain head; /* the encoded entry without its items */
};

struct page {
    struct record_block block;
    uint64_t flushes; /* of the shard */
    uint64_t entries;
    struct chain chain; /* the encoded frame */
    struct large *larges;
    bool whole; /* copy collections whole, without views */
};

struct snapshot {
    struct persist *p;
    int fd;
    uint64_t position; /* where the log continues */
    uint64_t offset;   /* in the file */
    uint64_t seen, entries;
    int64_t longest_ns; /* longest time for which a shard's lock was held */
    int64_t rested_ns;
    struct chain out;
    struct page page;
};

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* False: errno. */
static bool flush(struct snapshot *s) {
    struct chain_walk walk = {0};
    struct slice part;

    if (s->out.failed) {
        errno = ENOMEM;
        return false;
    }
    record_seal(&s->out, FRAMES_LONG, s->offset);
    while (chain_next(&s->out, &walk, &part)) {
        if (!files_write(s->fd, part, s->offset))
            return false;
        s->offset += part.len;
    }
    chain_clear(&s->out, 2 * WRITE_AT);
    return true;
}

static void rest(struct snapshot *s) {
    if (clock_mono_ns() - s->rested_ns < STRETCH_NS || journal_needs_snapshot(s->p->journal))
        return;
    nanosleep(&(struct timespec){0, REST_NS}, NULL);
    s->rested_ns = clock_mono_ns();
}

/* To be called between two frames: rests if it is time to. False: give the snapshot up, by errno or to stop the thread. */
static bool go_on(struct snapshot *s) {
    rest(s);
    return !snapshots_stopping(s->p) && (chain_len(&s->out) < WRITE_AT || flush(s));
}

/* Writes a frame that consists of a block without entries. */
static void put_block(struct snapshot *s, const struct record_block *b) {
    size_t begun = record_begin_frame(&s->out);

    record_put_block(&s->out, b);
    record_end_frame(&s->out, begun);
}

static int64_t hold(struct snapshot *s, struct txn *t, unsigned shard) {
    txn_begin(t, s->p->store, clock_wall_ms(), UINT64_C(1) << shard, TXN_READ);
    return clock_mono_ns();
}

static void release(struct snapshot *s, struct txn *t, int64_t since) {
    int64_t held;

    txn_end(t);
    held = clock_mono_ns() - since;
    s->longest_ns = held > s->longest_ns ? held : s->longest_ns;
}

/* ---- a page ------------------------------------------------------------------------------------------------------- */

static void end_larges(struct page *p) {
    for (struct large *next; p->larges != NULL; p->larges = next) {
        next = p->larges->next;
        view_end(p->larges->view);
        chain_free(&p->larges->head);
        mem_free(p->larges);
    }
}

/* False: no memory. */
static bool begin_large(struct page *p, struct txn *t, const struct entry *e) {
    struct large *l = mem_alloc(sizeof(*l));

    if (l == NULL)
        return false;
    *l = (struct large){p->larges, view_begin(t, p->block.shard, e), record_shape_of(e), chain_make()};
    if (l->view == NULL) {
        mem_free(l);
        return false;
    }
    record_put_large(&l->head, e);
    p->larges = l;
    return true;
}

struct taking {
    struct page *page;
    struct txn *txn;
};

static void take_entry(void *ctx, const struct entry *e) {
    struct taking *taking = ctx;
    struct page *p = taking->page;

    p->entries++;
    if (p->whole || !view_is_worth(e))
        record_put_entry(&p->chain, entry_key(e), e);
    else if (!begin_large(p, taking->txn, e))
        p->chain.failed = true;
}

/* Copies entries from block.from on, and sets block.to. */
static void take_entries(struct page *p, struct txn *t) {
    struct taking taking = {p, t};
    uint64_t from = p->block.from;

    do
        from = store_walk(t, p->block.shard, from, PAGE_STEP, take_entry, &taking);
    while (from != 0 && p->larges == NULL && p->entries < PAGE_ENTRIES && chain_len(&p->chain) < PAGE_BYTES);
    p->block.to = from;
}

/* Copies the next page, or a restart block if the shard was flushed since the last one. */
static void take_page(struct snapshot *s, const struct page *last) {
    struct page *p = &s->page;
    size_t begun = record_begin_frame(&p->chain), head = p->chain.bytes.len;
    struct txn t;
    int64_t since = hold(s, &t, last->block.shard);

    p->flushes = store_flushes(s->p->store, last->block.shard);
    p->block =
        (struct record_block){.kind = BLOCK_ENTRIES, .shard = last->block.shard, .from = last->block.to};
    p->block.position = journal_appended(s->p->journal);
    if (p->block.from > 0 && p->flushes != last->flushes)
        p->block = (struct record_block){.kind = BLOCK_RESTART, .shard = last->block.shard};
    record_put_block(&p->chain, &p->block);
    if (p->block.kind == BLOCK_ENTRIES)
        take_entries(p, &t);
    release(s, &t, since);
    if (p->block.kind == BLOCK_ENTRIES && !p->chain.failed) /* its end is known only now */
        memcpy(p->chain.bytes.data + head + BLOCK_TO_AT, &p->block.to, sizeof(p->block.to));
    record_end_frame(&p->chain, begun);
}

/* ---- its large collections ------------------------------------------------------------------------------------------ */

struct putting {
    struct chain *out;
    const struct record_shape *shape;
};

static void put_item(void *ctx, const struct view_item *item) {
    const struct putting *p = ctx;

    record_put_item(p->out, p->shape, item);
}

static enum view_state put_piece(struct snapshot *s, struct large *l) {
    struct putting putting = {&s->out, &l->shape};
    size_t begun = record_begin_frame(&s->out);
    enum view_state state;
    struct txn t;
    int64_t since;

    record_put_block(&s->out, &(struct record_block){.kind = BLOCK_ITEMS, .shard = s->page.block.shard});
    since = hold(s, &t, s->page.block.shard);
    state = view_next(&t, l->view, put_item, &putting);
    release(s, &t, since);
    record_end_frame(&s->out, begun);
    return state;
}

static enum view_state put_large(struct snapshot *s, struct large *l) {
    size_t begun = record_begin_frame(&s->out);
    enum view_state state = VIEW_MORE;

    record_put_block(&s->out, &(struct record_block){.kind = BLOCK_LARGE, .shard = s->page.block.shard});
    chain_add_chain(&s->out, &l->head);
    record_end_frame(&s->out, begun);
    while (state == VIEW_MORE && go_on(s))
        state = put_piece(s, l);
    return state;
}

/* VIEW_MORE: given up half-way. */
static enum view_state put_larges(struct snapshot *s) {
    enum view_state state = VIEW_THROUGH;

    for (struct large *l = s->page.larges; l != NULL && state == VIEW_THROUGH; l = l->next)
        state = put_large(s, l);
    end_larges(&s->page);
    return state;
}

/* ---- shards ----------------------------------------------------------------------------------------------------------- */

/* Writes one page, with as many attempts as it takes. `last` is the page before it, and is set to this one. False: given up. */
static bool put_page(struct snapshot *s, struct page *last) {
    struct page *p = &s->page;
    enum view_state state = VIEW_LOST;

    for (unsigned tries = 0; state == VIEW_LOST; tries++) {
        chain_clear(&p->chain, 2 * PAGE_BYTES);
        *p = (struct page){.chain = p->chain, .whole = tries == PAGE_TRIES};
        take_page(s, last);
        state = put_larges(s);
        if (state == VIEW_LOST)
            put_block(s, &(struct record_block){.kind = BLOCK_DROP, .shard = p->block.shard});
    }
    if (state == VIEW_NO_MEMORY)
        errno = ENOMEM;
    if (state != VIEW_THROUGH)
        return false;
    chain_add_chain(&s->out, &p->chain);
    s->entries += p->entries;
    s->seen = p->block.position > s->seen ? p->block.position : s->seen;
    *last = (struct page){.block = p->block, .flushes = p->flushes};
    return go_on(s);
}

static bool put_shard(struct snapshot *s, unsigned shard) {
    struct page last = {.block.shard = shard};

    do
        if (!put_page(s, &last))
            return false;
    while (last.block.kind == BLOCK_RESTART || last.block.to != 0);
    return true;
}

static bool put_header(struct snapshot *s) {
    struct record_header h = {
        .secret_id = s->p->files.secret_id, .position = s->position, .created_ms = clock_wall_ms()};
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
    put_block(s, &(struct record_block){.kind = BLOCK_END, .position = s->entries});
    return flush(s) && fsync(s->fd) == 0;
}

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

/* Renames it to its final name. */
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

bool snapshot_write(struct persist *p, uint64_t position, struct snapshot_written *w) {
    struct snapshot s = {.p = p, .position = position, .out = chain_make()};
    bool ok;

    s.page.chain = chain_make();
    ok = make(&s);
    *w = (struct snapshot_written){s.entries, s.offset, s.longest_ns};
    chain_free(&s.out);
    chain_free(&s.page.chain);
    return ok;
}
