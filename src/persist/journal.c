/* journal.c - appending to the log, and its state: the functions for client threads. journal_thread.c writes it. */
#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <string.h>

#include "journal_impl.h"

void journal_lock(struct journal *j) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrlock(&j->lock);
}

void journal_unlock(struct journal *j) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrunlock(&j->lock);
}

static void listeners_lock(struct journal *j) ACQUIRE(listeners_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&j->listeners_mutex);
}

static void listeners_unlock(struct journal *j) RELEASE(listeners_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&j->listeners_mutex);
}

static void kick(struct journal *j, bool hurry) {
    pthread_mutex_lock(&j->wake_mutex);
    j->kicked = true;
    j->hurried |= hurry;
    pthread_mutex_unlock(&j->wake_mutex);
    pthread_cond_signal(&j->wake); /* after unlocking: the woken thread must not block on the mutex at once */
}

/* ---- appending -------------------------------------------------------------------------------------------------- */

static void note_trouble(struct journal *j, enum journal_state state, int error) REQUIRES(journal_role) {
    atomic_store_explicit(&j->error, error, memory_order_relaxed);
    atomic_store_explicit(&j->state, state, memory_order_release);
    atomic_fetch_add_explicit(&j->failures, 1, memory_order_relaxed);
}

void journal_block(struct journal *j, int error) {
    journal_lock(j);
    if (journal_state(j) != JOURNAL_LOST)
        note_trouble(j, JOURNAL_BLOCKED, error);
    journal_unlock(j);
}

bool journal_unblock(struct journal *j) {
    bool was;

    journal_lock(j);
    was = journal_state(j) == JOURNAL_BLOCKED;
    if (was)
        atomic_store_explicit(&j->state, JOURNAL_OK, memory_order_release);
    journal_unlock(j);
    return was;
}

void journal_lose(struct journal *j, int error) {
    note_trouble(j, JOURNAL_LOST, error);
    chain_clear(&j->filling, JOURNAL_KEEP_ROOM);
    atomic_store_explicit(&j->lost_at, journal_appended(j), memory_order_relaxed);
}

/* Prefetches a cache line for writing. (For baseline x86-64 the compiler turns __builtin_prefetch into a prefetch for reading,
 * which leaves a line shared that the hypervisor has read for the disk.) */
static inline void prefetch_line(const char *line) {
#ifdef __x86_64__
    __asm__ volatile("prefetchw %0" : : "m"(*line)); /* a no-op on processors without it */
#else
    __builtin_prefetch(line, 1);
#endif
}

/* Prefetches the lines of the next frame, to overlap their latency with other work: else releasing the lock waits for them. */
static inline void ask_for_next(const struct buf *b) {
    prefetch_line(b->data + b->len + CACHE_LINE);
    prefetch_line(b->data + b->len + 2 * CACHE_LINE);
}

/* Wakes the thread twice per round at most: when the buffer is no longer empty, and when enough has been gathered. */
static NOINLINE void unlock_and_wake(struct journal *j) RELEASE(journal_role) {
    bool enough = chain_len(&j->filling) >= j->gather;

    j->tell_at = enough ? SIZE_MAX : j->gather;
    journal_unlock(j);
    kick(j, enough);
}

/* Ends the frame that begins at byte `before` of `filling`. If there was no memory for it, the change is made but not logged,
 * and the log is lost. Returns the position after the frame. */
static inline uint64_t end_append(struct journal *j, size_t before) RELEASE(journal_role) {
    uint64_t position = atomic_load_explicit(&j->appended, memory_order_relaxed);
    uint64_t frames = atomic_load_explicit(&j->frames, memory_order_relaxed);
    size_t after = chain_len(&j->filling);

    if (UNLIKELY(j->filling.failed)) {
        journal_lose(j, ENOMEM);
        unlock_and_wake(j);
        return position;
    }
    position += after - before;
    atomic_store_explicit(&j->appended, position, memory_order_release);
    atomic_store_explicit(&j->frames, frames + 1, memory_order_relaxed);
    ask_for_next(&j->filling.bytes);
    if (UNLIKELY(after >= j->tell_at))
        unlock_and_wake(j);
    else
        journal_unlock(j);
    return position;
}

enum { SEALED_MAX = 64 * 1024 }; /* computing the checksum of more would hold the lock too long */

/* The place of the frame that is being appended. */
static inline uint64_t next_place(const struct journal *j) REQUIRES(journal_role) {
    return atomic_load_explicit(&j->appended, memory_order_relaxed) + j->salt;
}

/* Computes the checksum of a short frame now, while it is in the L1 cache; that of a longer one is left to the thread. */
static void seal(struct journal *j, size_t begun, size_t before) REQUIRES(journal_role) {
    if (j->filling.failed)
        return;
    if (chain_len(&j->filling) - before <= SEALED_MAX && j->filling.piece_count == 0)
        record_seal_last(&j->filling, begun, next_place(j));
    else
        j->unsealed = true;
}

static uint64_t append_chain(struct journal *j, struct chain *effects) {
    size_t before, begun;

    journal_lock(j);
    before = chain_len(&j->filling);
    begun = record_put_frame(&j->filling, chain_len(effects));
    chain_add_chain(&j->filling, effects);
    seal(j, begun, before);
    return end_append(j, before);
}

static NOINLINE void put_command(struct journal *j, const struct key *k, size_t argc, const struct arg *argv)
    REQUIRES(journal_role) {
    struct record_command m = record_command(k, argc, argv);
    size_t before = chain_len(&j->filling), begun = record_put_frame(&j->filling, m.length);

    record_put_command(&j->filling, &m);
    seal(j, begun, before);
}

static uint64_t append_command(struct journal *j, const struct key *k, size_t argc, const struct arg *argv) {
    size_t before;

    journal_lock(j);
    before = chain_len(&j->filling);
    if (!record_put_quick(&j->filling, next_place(j), k, argc, argv))
        put_command(j, k, argc, argv);
    return end_append(j, before);
}

/* ---- the effects of a transaction --------------------------------------------------------------------------------- */

struct effects {
    struct chain chain;
};

/* The transaction's effects, created with the first one. NULL: nothing is logged, or no memory, and then the log is lost. */
static struct chain *gathered(struct txn *t) {
    if (t->journal == NULL)
        return NULL;
    if (t->effects == NULL) {
        t->effects = mem_alloc(sizeof(*t->effects));
        if (t->effects == NULL) {
            journal_lock(t->journal);
            journal_lose(t->journal, ENOMEM);
            journal_unlock(t->journal);
            return NULL;
        }
        t->effects->chain = chain_make();
    }
    return &t->effects->chain;
}

void effects_command(struct txn *t, const struct key *k, size_t argc, const struct arg *argv) {
    struct chain *c = gathered(t);
    struct record_command m;

    if (c == NULL)
        return;
    m = record_command(k, argc, argv);
    record_put_command(c, &m);
}

void effects_value(struct txn *t, const struct key *k) {
    struct chain *c = gathered(t);

    if (c != NULL)
        record_put_value(c, k, store_peek(t, k));
}

static void drop(struct txn *t) {
    chain_free(&t->effects->chain);
    mem_free(t->effects);
    t->effects = NULL;
}

/* Sets the position of the last change of these shards, which only journal_reach reads. */
static inline void note(const struct journal *j, struct store *s, uint64_t shards, uint64_t position) {
    if (j->mode == FSYNC_ALWAYS)
        store_note_logged(s, shards, position);
}

static void commit(struct txn *t, uint64_t shards) {
    note(t->journal, t->store, shards, append_chain(t->journal, &t->effects->chain));
    drop(t);
}

void effects_commit_gathered(struct txn *t) {
    commit(t, t->shards);
}

void effects_commit_command(struct txn *t, const struct key *k, size_t argc, const struct arg *argv) {
    note(t->journal, t->store, t->shards, append_command(t->journal, k, argc, argv));
}

void effects_flushed(struct txn *t, unsigned shard) {
    struct chain *c = gathered(t);

    if (c == NULL)
        return;
    record_put_flush(c, shard);
    if (!(t->shards >> shard & 1)) /* it is held only by this visit */
        commit(t, UINT64_C(1) << shard);
}

/* Logs keys that the store itself removes, in a transaction of a command or in one of its own. */
void journal_event(struct journal *j, const struct event *ev) {
    static const char del[] = "DEL", hdel[] = "HDEL";
    struct arg argv[] = {{del, sizeof(del) - 1, NULL},
                         {ev->key->name.ptr, ev->key->name.len, NULL},
                         {ev->field.ptr, ev->field.len, NULL}};
    size_t argc = 2;

    if (ev->field.ptr != NULL) {
        argv[0] = (struct arg){hdel, sizeof(hdel) - 1, NULL};
        argc = 3;
    }
    if (ev->txn->journal != NULL)
        effects_command(ev->txn, ev->key, argc, argv);
    else
        note(j, ev->txn->store, ev->txn->shards, append_command(j, ev->key, argc, argv));
}

/* ---- for front ends and dispatch ------------------------------------------------------------------------------------- */

static bool is_well(const struct journal *j) {
    return journal_state(j) == JOURNAL_OK && !atomic_load_explicit(&j->renewing, memory_order_relaxed);
}

/* Bytes that are appended and not written yet. */
static uint64_t waiting(const struct journal *j) {
    /* In this order, since both advance concurrently: otherwise `written` could exceed the `appended` that was read. */
    uint64_t written = atomic_load_explicit(&j->written, memory_order_acquire);

    return journal_appended(j) - written;
}

bool journal_accepts(const struct journal *j) {
    return is_well(j) && waiting(j) <= j->buffer_max;
}

const char *journal_trouble(const struct journal *j) {
    if (is_well(j))
        return "the disk is too slow";
    return strerrordesc_np(atomic_load_explicit(&j->error, memory_order_relaxed));
}

uint64_t journal_reach(const struct txn *t, bool changed) {
    const struct journal *j = t->journal;

    if (j == NULL || j->mode != FSYNC_ALWAYS || (!changed && !is_well(j)))
        return 0;
    return t->shards != 0 ? store_logged(t) : journal_appended(j);
}

bool journal_reached(const struct journal *j, uint64_t position) {
    return position <= atomic_load(&j->durable);
}

bool journal_listen(struct journal *j, journal_listener *advanced, void *ctx) {
    bool room;

    listeners_lock(j);
    room = j->listener_count < JOURNAL_LISTENERS;
    if (room)
        j->listeners[j->listener_count++] = (struct listener){advanced, ctx};
    listeners_unlock(j);
    return room;
}

void journal_unlisten(struct journal *j, journal_listener *advanced, void *ctx) {
    listeners_lock(j);
    for (unsigned i = 0; i < j->listener_count; i++)
        if (j->listeners[i].advanced == advanced && j->listeners[i].ctx == ctx)
            j->listeners[i--] = j->listeners[--j->listener_count];
    listeners_unlock(j);
}

void journal_tell_listeners(struct journal *j) {
    listeners_lock(j);
    for (unsigned i = 0; i < j->listener_count; i++)
        j->listeners[i].advanced(j->listeners[i].ctx);
    listeners_unlock(j);
}

struct journal_stats journal_stats(const struct journal *j) {
    return (struct journal_stats){
        .mode = j->mode,
        .appended = journal_appended(j),
        .waiting = waiting(j),
        .durable = atomic_load_explicit(&j->durable, memory_order_relaxed),
        .frames = atomic_load_explicit(&j->frames, memory_order_relaxed),
        .syncs = atomic_load_explicit(&j->syncs, memory_order_relaxed),
        .sync_ns = atomic_load_explicit(&j->sync_ns, memory_order_relaxed),
        .sync_times = &j->sync_times,
        .failures = atomic_load_explicit(&j->failures, memory_order_relaxed),
        .accepting = journal_accepts(j),
    };
}
