/* journal_impl.h - the state of the journal. Private to persist.
 *
 *     OK ----- a write fails ------> BLOCKED ----- a retry succeeds ----> OK
 *      \-- an fsync fails, memory is short, the file is deleted --> LOST - a new segment -> renewing - a snapshot -> OK
 *
 * BLOCKED: everything appended is still in memory; changes are refused until it is written. LOST: something that was
 * appended may never reach the disk (after a failed fsync the state of the pages is unknown, so it is not retried).
 * The old segment is left as it is. A new one begins, marked as renewed, and changes are refused until a snapshot of
 * everything before it is on disk; without that snapshot the segment is ignored. */
#ifndef FLASHKV_PERSIST_JOURNAL_IMPL_H
#define FLASHKV_PERSIST_JOURNAL_IMPL_H

#include <flashkv/lock.h>
#include <flashkv/log.h>
#include <flashkv/persist.h>

#include "segment.h"

enum journal_state { JOURNAL_OK, JOURNAL_BLOCKED, JOURNAL_LOST };

/* The roles of journal.lock and journal.listeners_mutex (flashkv/thread_safety.h). */
extern struct mutex journal_role;
extern struct mutex listeners_role;

struct listener {
    journal_listener *advanced;
    void *ctx;
};

struct journal {
    struct files *files;
    enum fsync_mode mode;
    uint64_t salt; /* a frame's place (record.h) is its position and this */
    uint64_t buffer_max;
    size_t gather; /* bytes that are written without waiting for more */

    struct rwlock lock; /* only ever exclusive; it is inline, while a mutex takes two calls */
    struct chain filling GUARDED_BY(journal_role); /* frames that the thread has not fetched yet */
    bool unsealed GUARDED_BY(journal_role);        /* some of them have no checksum yet */
    _Atomic uint64_t appended;                     /* position after the last frame; changed under the lock */
    _Atomic int state, error; /* enum journal_state; errno of the failure; changed under the lock */
    _Atomic bool renewing;    /* the snapshot that makes the segment valid is not written yet */
    _Atomic uint64_t lost_at; /* LOST: the position after the lost frames; changed under the lock */
    size_t tell_at GUARDED_BY(
        journal_role); /* so much in `filling`, and the thread is told: 0 while it sleeps until then */
    _Atomic uint64_t frames, syncs, failures, sync_ns;
    struct histogram sync_times; /* written by the thread */

    /* Private to the thread. */
    struct segment_file segment;
    struct log_repeated losses, rotations_failed;
    bool idle;                                 /* nothing had been appended when it last checked */
    struct chain writing;                      /* whole frames, sealed, from `written` on */
    size_t done;                               /* bytes of `writing` that are in the file */
    int64_t synced_ns;                         /* when an fsync was last tried */
    _Atomic uint64_t written, synced, durable; /* durable lags behind synced while renewing */

    pthread_t thread;
    pthread_mutex_t
        wake_mutex; /* with conditions, which the ranked mutex does not offer; guards what follows */
    pthread_cond_t wake, progress;
    bool kicked, stop;
    bool hurried;       /* enough has been gathered: write now */
    bool rotate;        /* a new segment is requested */
    uint64_t rotations; /* so far, failed ones too */
    int rotation_error; /* errno of the last one; 0: it succeeded */
    uint64_t sync_to;   /* position that is requested to become durable */

    struct mutex listeners_mutex;
    struct listener listeners[JOURNAL_LISTENERS] GUARDED_BY(listeners_role);
    unsigned listener_count GUARDED_BY(listeners_role);
};

/* ---- between the two files of the journal ------------------------------------------------------------------------ */

enum { JOURNAL_KEEP_ROOM = 4 << 20 }; /* bytes of the buffers that are kept when they are empty */

void journal_lock(struct journal *j) ACQUIRE(journal_role);
void journal_unlock(struct journal *j) RELEASE(journal_role);
/* Record that a write failed; that one succeeded (true: after a failure). Neither changes the state LOST. */
void journal_block(struct journal *j, int error);
bool journal_unblock(struct journal *j);
/* Enters LOST: what was appended so far is left to a snapshot, and later frames go to a new segment. */
void journal_lose(struct journal *j, int error) REQUIRES(journal_role);
/* Calls the listeners: more is durable. */
void journal_tell_listeners(struct journal *j);

/* ---- for the rest of persist --------------------------------------------------------------------------------------- */

/* Opens a segment at `position`. NULL: `why`. */
struct journal *journal_start(struct files *f, const struct persist_config *config, uint64_t position,
                              char *why, size_t cap);
/* Writes and syncs what is left, if possible, and ends the thread. */
void journal_stop(struct journal *j);

/* The sink of change events (event.h): logs keys that the store itself removed. */
void journal_event(struct journal *j, const struct event *ev);

/* Begins a new segment and sets its position: every frame appended from now on is in it or in a later one. False: errno.
 * Blocks. */
bool journal_rotate(struct journal *j, uint64_t *position);
/* Blocks until everything up to `position` is durable, whatever the mode; false: it will not be. */
bool journal_sync_to(struct journal *j, uint64_t position);
static inline uint64_t journal_appended(const struct journal *j) {
    return atomic_load_explicit(&j->appended, memory_order_acquire);
}
static inline enum journal_state journal_state(const struct journal *j) {
    return (enum journal_state)atomic_load_explicit(&j->state, memory_order_acquire);
}
/* Is a snapshot needed before changes are accepted again? */
static inline bool journal_needs_snapshot(const struct journal *j) {
    return journal_state(j) == JOURNAL_LOST || atomic_load_explicit(&j->renewing, memory_order_relaxed);
}
/* That snapshot is on disk. */
void journal_renewed(struct journal *j);

#endif
