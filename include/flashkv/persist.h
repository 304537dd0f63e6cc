/* persist.h - the data directory: a log and snapshots, from which a restart recovers the keys.
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
    bool must_exist; /* a directory without data is an error, not a new one (--verify and the like) */
    enum fsync_mode fsync;
    uint64_t buffer_max;     /* bytes that may wait for the disk before writes are refused */
    uint64_t snapshot_bytes; /* growth of the log after which a snapshot begins; 0: never */
    uint64_t
        snapshot_ms; /* age of the last snapshot at which the next one begins, if something has changed; 0: never */
};

/* Creates the directory and the secret if they are missing, and acquires the directory's lock. NULL: another process holds it,
 * or the directory cannot be used; `why` (cap bytes) says which. `config` is copied except for the path's text. */
struct persist *persist_open(const struct persist_config *config, char *why, size_t cap);
void persist_close(struct persist *p);
/* For store_config.secret. Lives as long as `p`. */
const unsigned char *persist_secret(const struct persist *p);

/* Runs an effect that is a command, with the clock at 0 so that nothing expires. False: it failed. Called by several threads,
 * by one at a time for each shard. */
typedef bool persist_run(void *ctx, size_t argc, const struct arg *argv);
/* Sets the store whose keys the directory holds. Before any transaction of the store. */
void persist_attach(struct persist *p, struct store *s);
/* Loads the directory into the store, which is empty and whose sweeper does not run yet, with up to `threads` threads. A torn
 * end of the log is truncated, and that logged. False: the data are damaged, or of a newer version; `why` says where. */
bool persist_load(struct persist *p, unsigned threads, persist_run *run, void *ctx, char *why, size_t cap);
/* Checks a directory without loading it, and prints the findings to stdout. With `repair`, the log is truncated at the damage.
 * Returns an exit status: 0 if the data are sound, or have been repaired. */
int persist_verify(const char *dir, bool repair);

/* Writes the loaded keys to stdout as commands in the Redis protocol, except for those expired at `now_ms`. (Content types are
 * lost: Redis has no command that sets them.) False: the write failed. Used instead of persist_start. */
bool persist_dump(struct persist *p, int64_t now_ms);

/* Opens the next segment, and logs every change of the store from now on. False: `why` says what failed. */
bool persist_start(struct persist *p, char *why, size_t cap);
/* Writes and syncs what is left in the buffer. The store must not change any more. */
void persist_stop(struct persist *p);
/* NULL before persist_start. */
struct journal *persist_journal(struct persist *p);

/* Replaces a live key by what a restart would load for it: the key is encoded as in a snapshot and decoded again (DEBUG
 * RELOAD). The transaction holds its shard exclusively. A missing key stays missing. False, nothing changed: no memory. */
bool persist_reload_key(struct txn *t, const struct key *k);

/* ---- snapshots ------------------------------------------------------------------------------------------------ */

/* Has the snapshot thread begin a snapshot. False: one is in progress. */
bool persist_snapshot(struct persist *p);
/* The same, and waits for its end; false: it failed. Not for a loop thread. */
bool persist_snapshot_now(struct persist *p);

struct persist_stats {
    bool snapshotting, snapshot_failed; /* one is in progress; the last one failed */
    int64_t snapshot_wall_ms; /* end of the last good one; before the first, the start of the process */
    uint64_t snapshot_entries, snapshot_bytes, snapshots;
    uint64_t snapshot_duration_ms;
    uint64_t snapshot_hold_us; /* longest time for which the last good one held a shard's read lock */
    uint64_t snapshot_frames;  /* frames appended to the log before the last good one began */
    uint64_t log_bytes;        /* bytes of the log since the last snapshot */
    struct journal_stats journal;
};
struct persist_stats persist_stats(struct persist *p);

#endif
