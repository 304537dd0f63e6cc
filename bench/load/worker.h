/* worker.h - one thread of load: its connections, each with a batch of requests under way at a time. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include "histogram.h"
#include "keys.h"
#include "wire.h"

#include <stdint.h>

enum { PORTS_MAX = 4 };

struct worker_spec {
    uint16_t ports[PORTS_MAX]; /* on 127.0.0.1; connections are made to each in turn */
    unsigned port_count;
    struct wire_spec wire;
    enum keys_order order;
    uint64_t keys;
    unsigned threads, connections; /* connections: of all threads together */
    unsigned pipeline; /* requests in a batch, sent at once; the next goes when all are answered */
    unsigned reads;    /* GETs among 100 requests */
    uint64_t ops;      /* requests of all threads together */
    double seconds;    /* stops sending after so long, if ops have not been reached */
    double rate;       /* requests a second of all threads together; 0: as fast as answered. A latency
                                      then counts from the moment that the request was due. */
    uint64_t spin_ns;  /* with a rate: it does not sleep when a request is due within so long */
};

struct worker {
    const struct worker_spec *spec;
    unsigned number; /* 0 to threads - 1 */
    struct histogram latency;
    uint64_t done, misses, errors;
    double seconds; /* from the first request to the last reply */
    bool failed;    /* a connection could not be made or was lost */
};

/* Connects, does its share of the work and fills in the results. `arg` is a struct worker. */
void *worker_run(void *arg);

#endif
