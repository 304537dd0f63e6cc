/* journal_impl.h - the journal, for the files of persist beside its own. Private to persist.
 *
 *     OK ----- a write fails ------> BLOCKED ----- it succeeds, tried again and again ----> OK
 *      \-- an fsync fails, memory is short, the file is deleted --> LOST - a new segment -> renewing - a snapshot -> OK
 *
 * BLOCKED: all that was appended is still here; changes are refused until it is written. LOST: something that was
 * appended may never come to the disk (what a failed fsync leaves of the pages is unknown, so it is not tried again).
 * The old segment is left as it is. A new one begins, marked, and changes are refused until a snapshot of all that was
 * changed before it is on disk; without that, the segment counts for nothing. */
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
    size_t gather; /* so much is written without waiting for more */

    struct rwlock lock; /* taken exclusively only: in the header, where a mutex is two calls */
    struct chain filling GUARDED_BY(journal_role); /* frames that the thread has not taken yet */
    bool unsealed GUARDED_BY(journal_role);        /* some of them have no checksum yet */
    _Atomic uint64_t appended; /* position behind the last frame; changed under the lock */
    _Atomic int state, error;  /* enum journal_state; errno of the trouble; changed under the lock */
    _Atomic bool renewing;     /* the snapshot that makes the segment count is not there yet */
    _Atomic uint64_t lost_at;  /* LOST: the position behind what is lost; changed under the lock */
    size_t tell_at GUARDED_BY(
        journal_role); /* so much in `filling`, and the thread is told: 0 while it sleeps until then */
    _Atomic uint64_t frames, syncs, failures, sync_ns;
    struct histogram sync_times; /* the thread's */

    /* The thread's own. */
    struct segment_file segment;
    struct log_repeated losses, rotations_failed;
    bool idle;                                 /* when it last looked, nothing had come */
    struct chain writing;                      /* whole frames, sealed, from `written` on */
    size_t done;                               /* of those, bytes that are in the file */
    int64_t synced_ns;                         /* when it was last tried */
    _Atomic uint64_t written, synced, durable; /* durable lags behind synced while renewing */

    pthread_t thread;
    pthread_mutex_t
        wake_mutex; /* with conditions, which the ranked mutex does not offer; guards what follows */
    pthread_cond_t wake, progress;
    bool kicked, stop;
    bool hurried;       /* what waits is as much as shall wait */
    bool rotate;        /* somebody wants a new segment */
    uint64_t rotations; /* so far, failed ones too */
    int rotation_error; /* errno of the last one; 0: it succeeded */
    uint64_t sync_to;   /* somebody wants this to be durable */

    struct mutex listeners_mutex;
    struct listener listeners[JOURNAL_LISTENERS] GUARDED_BY(listeners_role);
    unsigned listener_count GUARDED_BY(listeners_role);
};

/* ---- between the two files of the journal ------------------------------------------------------------------------ */

enum { JOURNAL_KEEP_ROOM = 4 << 20 }; /* of the buffers, when they are empty */

void journal_lock(struct journal *j) ACQUIRE(journal_role);
void journal_unlock(struct journal *j) RELEASE(journal_role);
/* A write failed, or succeeded again (true: and others had failed). What is lost meanwhile stays lost. */
void journal_block(struct journal *j, int error);
bool journal_unblock(struct journal *j);
/* Leaves what was appended so far to a snapshot: what comes now is for a new segment. */
void journal_lose(struct journal *j, int error) REQUIRES(journal_role);
/* More is durable. */
void journal_tell_listeners(struct journal *j);

/* ---- for the rest of persist --------------------------------------------------------------------------------------- */

/* Opens a segment at `position`. NULL: `why`. */
struct journal *journal_start(struct files *f, const struct persist_config *config, uint64_t position,
                              char *why, size_t cap);
/* Writes and syncs what is left, if that can be done. */
void journal_stop(struct journal *j);

/* A change event (event.h), which may tell of a key that the store itself removed. */
void journal_event(struct journal *j, const struct event *ev);

/* Begins a new segment and returns its position: every frame appended from now on is in it or behind it. False: errno.
 * Waits. */
bool journal_rotate(struct journal *j, uint64_t *position);
/* Waits until all up to `position` is durable, whatever the mode; false: it will not be. */
bool journal_sync_to(struct journal *j, uint64_t position);
static inline uint64_t journal_appended(const struct journal *j) {
    return atomic_load_explicit(&j->appended, memory_order_acquire);
}
static inline enum journal_state journal_state(const struct journal *j) {
    return (enum journal_state)atomic_load_explicit(&j->state, memory_order_acquire);
}
/* Is a snapshot needed for changes to be taken again? */
static inline bool journal_needs_snapshot(const struct journal *j) {
    return journal_state(j) == JOURNAL_LOST || atomic_load_explicit(&j->renewing, memory_order_relaxed);
}
/* It is on disk. */
void journal_renewed(struct journal *j);

#endif
