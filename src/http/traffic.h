/* traffic.h - what HTTP requests have cost: how many by route and status, how long they took, how many bytes. Private to
 * http.
 *
 * Each worker has a block of its own and is the only one to write it, so that counting is a load and a store; readers add
 * the blocks up. What INFO and /stats tell of HTTP (struct front_stats) is shared by all workers: it gets their
 * sums once a wake-up (traffic_publish). POST /stats/reset leaves the blocks alone, for Prometheus wants counters that only grow. */
#ifndef FLASHKV_HTTP_TRAFFIC_H
#define FLASHKV_HTTP_TRAFFIC_H

#include <flashkv/histogram.h>
#include <flashkv/server.h>
#include <flashkv/stats.h>

/* Statuses that are counted, each by itself. TRAFFIC_LEFT: the client was gone before there was an answer. */
enum { TRAFFIC_STATUSES = 26, TRAFFIC_LEFT = 499 };
extern const uint16_t traffic_statuses[TRAFFIC_STATUSES]; /* 0, the first: any other */

/* One row of the route table; behind them one of the requests that found no route. */
struct route_traffic {
    _Atomic uint64_t ns; /* of all together */
    _Atomic uint64_t statuses[TRAFFIC_STATUSES];
    struct histogram *_Atomic histogram; /* NULL until the first, or for want of memory */
};

struct traffic {
    _Atomic uint64_t begun, ended, bytes_in, bytes_out;
    uint64_t published_ended, published_in, published_out; /* of those, in front_stats; the worker's own */
    struct route_traffic routes[];
};

/* One block. NULL: no memory. */
struct traffic *traffic_new(void);
void traffic_free(struct traffic *t);

struct request;
/* A request has begun: r->ticks. */
void traffic_begin(struct traffic *t, struct request *r);
/* It has ended, `r->status` is what it was answered with. Returns how long it took, in ns. */
uint64_t traffic_end(struct traffic *t, const struct request *r);
/* Adds to the front's counters what has come since the last time. */
void traffic_publish(struct traffic *t, struct front_stats *f);
/* Adds `from` to a block that nobody else sees. False: no memory, and something is missing. */
bool traffic_add(struct traffic *to, const struct traffic *from);

#endif
