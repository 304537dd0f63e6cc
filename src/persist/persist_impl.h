/* persist_impl.h - a data directory in use. Private to persist. */
#ifndef FLASHKV_PERSIST_PERSIST_IMPL_H
#define FLASHKV_PERSIST_PERSIST_IMPL_H

#include "journal_impl.h"
#include "load.h"

struct persist {
    struct persist_config config;
    struct files files;
    struct store *store;
    struct journal *journal;
    uint64_t end; /* where the log that was loaded ends */

    /* The snapshot thread. */
    pthread_t thread;
    struct log_repeated failures;
    bool started;
    pthread_mutex_t mutex; /* with conditions, which the ranked mutex does not offer; guards what follows */
    pthread_cond_t wake, finished;
    bool stop, wanted, running;
    uint64_t runs; /* finished so far */
    struct persist_stats stats;
    uint64_t snapshot_position; /* of the last one: where the log after it begins */
    int64_t snapshot_ns;        /* monotonic: its end, or the start of the process */
};

/* The state of the snapshot thread; starting and stopping it. */
void snapshots_init(struct persist *p);
void snapshots_destroy(struct persist *p);
bool snapshots_start(struct persist *p);
void snapshots_stop(struct persist *p);
bool snapshots_stopping(struct persist *p);

/* Writes a snapshot of the store, after which the log continues at `position`, and renames it to its final name. False: errno,
 * and nothing of it is left; or the thread shall stop. */
struct snapshot_written {
    uint64_t entries, bytes;
    int64_t longest_ns; /* longest time for which it held a shard's lock */
};
bool snapshot_write(struct persist *p, uint64_t position, struct snapshot_written *w);

#endif
