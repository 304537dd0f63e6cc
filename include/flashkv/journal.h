/* journal.h - the log of effects: what was changed, in an order that is right for each shard.
 *
 * A frame is appended to a buffer while the shards that it concerns are held, and gets its position there; so the order
 * of frames is the order of changes for every shard. A thread of the journal writes the buffer to the disk and syncs it.
 * Appending costs a copy under a leaf lock, and never waits for the disk.
 *
 * A transaction whose `journal` is set gathers effects (effects_*), which become one frame: all of it comes back after a
 * crash, or nothing. Layer: persist. All functions are thread-safe. */
#ifndef FLASHKV_JOURNAL_H
#define FLASHKV_JOURNAL_H

#include <flashkv/arg.h>
#include <flashkv/histogram.h>
#include <flashkv/store.h>

/* What is promised of a change that was acknowledged: it is on disk; or will be within a second; or when the operating
 * system likes. */
enum fsync_mode { FSYNC_ALWAYS, FSYNC_EVERYSEC, FSYNC_NO };

struct journal;

/* ---- a transaction's effects ---------------------------------------------------------------------------------------- */

/* One more effect. Without a journal in the transaction these do nothing. `k` is the command's key; if it is its second word, it
 * should be the very bytes of that (less is logged then). */
void effects_command(struct txn *t, const struct key *k, size_t argc, const struct arg *argv);
/* "This key is what it is now." */
void effects_value(struct txn *t, const struct key *k);
/* The shard was emptied: told while it is held. */
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

/* May a change be made? False: it could not be logged. Asked while the shards are held, so that a snapshot that begins
 * after the trouble did finds all that was let through. */
bool journal_accepts(const struct journal *j);
/* Why not, as the text of errno or so. Static. */
const char *journal_trouble(const struct journal *j);

/* With FSYNC_ALWAYS a reply waits until what it tells of is durable: all that the transaction's shards have seen. 0: it
 * need not wait. The transaction still holds its shards. `changed`: it changed something; what did not, waits only while the
 * log is well, so that reads go on when the disk does not. */
uint64_t journal_reach(const struct txn *t, bool changed);
bool journal_reached(const struct journal *j, uint64_t position);
/* Called by the journal's thread each time more has become durable: wake whoever waits. At most JOURNAL_LISTENERS, each
 * before there is anything to wait for. */
enum { JOURNAL_LISTENERS = 512 };
typedef void journal_listener(void *ctx);
bool journal_listen(struct journal *j, journal_listener *tell, void *ctx);
/* No more calls to this listener after it returns. */
void journal_unlisten(struct journal *j, journal_listener *tell, void *ctx);

struct journal_stats {
    enum fsync_mode mode;
    uint64_t appended, durable; /* positions */
    uint64_t waiting;           /* bytes that are not written yet */
    uint64_t frames, syncs, failures;
    uint64_t sync_ns;                   /* in fsync, all together */
    const struct histogram *sync_times; /* how long each took; lives as long as the journal */
    bool accepting;
};
struct journal_stats journal_stats(const struct journal *j);

#endif
