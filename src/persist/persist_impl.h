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
    bool started;
    pthread_mutex_t mutex; /* with conditions, which the ranked mutex does not offer; guards what follows */
    pthread_cond_t wake, finished;
    bool stop, wanted, running;
    uint64_t runs; /* finished so far */
    struct persist_stats stats;
    uint64_t snapshot_position; /* of the last one: where its log begins */
    int64_t snapshot_ns;        /* monotonic; its end, or the start of the process */
};

/* What the thread that makes snapshots needs; then its start and its end. */
void snapshots_init(struct persist *p);
void snapshots_destroy(struct persist *p);
bool snapshots_start(struct persist *p);
void snapshots_stop(struct persist *p);

#endif
