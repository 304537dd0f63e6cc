/* persist.h - a data directory: what is in it outlives the process.
 *
 *     lock                      held while a process uses the directory
 *     secret                    the store's hash secret (mode 0600), so that a key is in the same shard tomorrow
 *     snapshot-POSITION.fks     all keys; the log goes on from POSITION
 *     log-POSITION.fkl          segments of the log; each begins where the one before it ends
 *
 * persist_open, persist_attach, persist_load, persist_start, then the journal (journal.h) is in use; persist_stop, persist_close.
 * The format is drawn in src/persist/record.h. Layer: persist. */
#ifndef FLASHKV_PERSIST_H
#define FLASHKV_PERSIST_H

#include <flashkv/arg.h>
#include <flashkv/journal.h>
#include <flashkv/store.h>

struct persist;

struct persist_config {
    const char *dir;
    bool is_there; /* no server's, which would begin a new one: a directory without data is an error */
    enum fsync_mode fsync;
    uint64_t buffer_max;     /* bytes that may wait for the disk before writes are refused */
    uint64_t snapshot_bytes; /* a snapshot when the log has grown by so much; 0: never for that */
    uint64_t snapshot_ms; /* a snapshot when the last one is so old and something has changed; 0: likewise */
};

/* Makes the directory and the secret if they are missing, and takes the lock. NULL, and `why`: another process has it,
 * or it cannot be used. `config` is copied but for the path's text. */
struct persist *persist_open(const struct persist_config *config, char *why, size_t cap);
void persist_close(struct persist *p);
/* For store_config.secret. Lives as long as `p`. */
const unsigned char *persist_secret(const struct persist *p);

/* Runs an effect that is a command, at an instant when nothing has expired yet. False: it failed. Any thread, but one
 * at a time for a shard. */
typedef bool persist_run(void *ctx, size_t argc, const struct arg *argv);
/* Whose keys the directory holds. Before any transaction of the store. */
void persist_attach(struct persist *p, struct store *s);
/* Fills the store, which is empty, with up to so many threads; its sweeper must not run yet. A torn end of the log is cut off and logged. False, and `why`: it is damaged, or newer. */
bool persist_load(struct persist *p, unsigned threads, persist_run *run, void *ctx, char *why, size_t cap);
/* What is checked of the directory alone, without keeping it: the same findings, on stdout. With `repair`, the log is
 * cut at the damage. Returns an exit status: 0 if all is well, or well now. */
int persist_verify(const char *dir, bool repair);

/* Prints the keys that were loaded as commands to stdout, in the Redis protocol, but for those expired at `now_ms`. (Media
 * types are lost: the protocol has no word for them.) False: they could not be written. Instead of persist_start. */
bool persist_dump(struct persist *p, int64_t now_ms);

/* Opens the next segment, and logs what happens to the store from now on. False: `why`. */
bool persist_start(struct persist *p, char *why, size_t cap);
/* Writes and syncs what is left. Nobody changes the store any more. */
void persist_stop(struct persist *p);
/* NULL before persist_start. */
struct journal *persist_journal(struct persist *p);

/* Makes a live key anew from what a snapshot would have of it, as a restart does. The transaction holds its shard
 * exclusively; of a key that is not there nothing is made. False: no memory, and the key is as it was. */
bool persist_renew(struct txn *t, const struct key *k);

/* ---- snapshots ------------------------------------------------------------------------------------------------ */

/* Has the snapshot thread begin one. False: one is under way. */
bool persist_snapshot(struct persist *p);
/* The same, and waits for its end; false: it failed. Not for a thread that others wait for. */
bool persist_snapshot_now(struct persist *p);

struct persist_stats {
    bool snapshotting, snapshot_failed; /* now; the last one */
    int64_t snapshot_wall_ms;           /* end of the last good one; the start of the process before it */
    uint64_t snapshot_entries, snapshot_bytes, snapshots;
    uint64_t snapshot_duration_ms;
    uint64_t snapshot_hold_us; /* how long the last good one held a shard's read lock at most */
    uint64_t snapshot_frames;  /* appended to the log before the last good one began */
    uint64_t log_bytes;        /* of the log behind the last snapshot */
    struct journal_stats journal;
};
struct persist_stats persist_stats(struct persist *p);

#endif
