/* journal.h - the write-ahead log: effects of transactions, ordered for each shard.
 *
 * A frame is appended to a buffer while the shards that it concerns are held, and gets its position there; so the order
 * of frames is the order of changes for every shard. A thread of the journal writes the buffer to the disk and syncs it.
 * Appending costs a copy under a leaf lock, and never waits for the disk.
 *
 * A transaction whose `journal` is set gathers effects (effects_*), which become one frame: after a crash all of it is
 * replayed, or nothing. Layer: persist. All functions are thread-safe. */
#ifndef FLASHKV_JOURNAL_H
#define FLASHKV_JOURNAL_H

#include <flashkv/arg.h>
#include <flashkv/histogram.h>
#include <flashkv/store.h>

/* When an acknowledged change is on disk: before the acknowledgement; within a second; when the operating system writes it. */
enum fsync_mode { FSYNC_ALWAYS, FSYNC_EVERYSEC, FSYNC_NO };

struct journal;

/* ---- a transaction's effects ---------------------------------------------------------------------------------------- */

/* Adds an effect; without a journal in the transaction these do nothing. `k` is the command's key. If that is argv[1],
 * k->name should point to the same bytes: the log then holds them once. */
void effects_command(struct txn *t, const struct key *k, size_t argc, const struct arg *argv);
/* The effect "this key has its present value and expiry, or is deleted". */
void effects_value(struct txn *t, const struct key *k);
/* The effect "this shard was emptied", while it is held. */
void effects_flushed(struct txn *t, unsigned shard);
/* Appends the effects gathered so far as one frame, if there are any, while all shards are still held. */
void effects_commit_gathered(struct txn *t);
static inline void effects_commit(struct txn *t) {
    if (t->effects != NULL)
        effects_commit_gathered(t);
}
/* The same for a transaction whose only effect is this command. */
void effects_commit_command(struct txn *t, const struct key *k, size_t argc, const struct arg *argv);

/* ---- the state of the log --------------------------------------------------------------------------------------------- */

/* May a change be made? False: it could not be logged. To be called while the shards are held, so that a snapshot that begins
 * after the failure contains every change that was accepted. */
bool journal_accepts(const struct journal *j);
/* Why not: a short text, e.g. that of errno. Static. */
const char *journal_trouble(const struct journal *j);

/* The position that has to be durable before the reply may be sent; 0: it need not wait. Only FSYNC_ALWAYS makes replies wait,
 * for all changes that the transaction's shards have seen. The transaction still holds its shards. `changed`: it changed
 * something; one that did not waits only while the log can be written, so that reads continue when the disk fails. */
uint64_t journal_reach(const struct txn *t, bool changed);
bool journal_reached(const struct journal *j, uint64_t position);
/* Registers a callback for each time the durable position has advanced, called by the journal's thread: it wakes the loops
 * whose replies wait. False: there are JOURNAL_LISTENERS already. */
enum { JOURNAL_LISTENERS = 512 };
typedef void journal_listener(void *ctx);
bool journal_listen(struct journal *j, journal_listener *advanced, void *ctx);
/* Unregisters it; it is not called any more after the return. */
void journal_unlisten(struct journal *j, journal_listener *advanced, void *ctx);

struct journal_stats {
    enum fsync_mode mode;
    uint64_t appended, durable; /* positions */
    uint64_t waiting;           /* bytes appended and not written yet */
    uint64_t frames, syncs, failures;
    uint64_t sync_ns;                   /* total time in fsync */
    const struct histogram *sync_times; /* of each fsync; lives as long as the journal */
    bool accepting;
};
struct journal_stats journal_stats(const struct journal *j);

#endif
