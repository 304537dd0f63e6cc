/* traffic.h - statistics of HTTP requests: counts by route and status, durations, bytes. Private to http.
 *
 * Each worker has a block of its own and is its only writer, so that counting is a load and a store; readers sum the blocks.
 * The counters that INFO and /stats report for HTTP (struct front_stats) are shared by all workers: each adds what is new once a
 * turn (traffic_publish). POST /stats/reset leaves the blocks alone, since Prometheus requires counters that only grow. */
#ifndef FLASHKV_HTTP_TRAFFIC_H
#define FLASHKV_HTTP_TRAFFIC_H

#include <flashkv/histogram.h>
#include <flashkv/server.h>
#include <flashkv/stats.h>

/* The statuses that are counted separately. TRAFFIC_LEFT: the client disconnected before there was a response. */
enum { TRAFFIC_STATUSES = 27, TRAFFIC_LEFT = 499 };
extern const uint16_t traffic_statuses[TRAFFIC_STATUSES]; /* 0, the first: any other */

/* One for each row of the route table, and one after them for requests that found no route. */
struct route_traffic {
    _Atomic uint64_t ns; /* total duration */
    _Atomic uint64_t statuses[TRAFFIC_STATUSES];
    /* NULL until the first request; without memory, requests are not in it */
    struct histogram *_Atomic histogram;
};

struct traffic {
    _Atomic uint64_t begun, ended, bytes_in, bytes_out;
    uint64_t published_ended, published_in,
        published_out; /* already added to front_stats; the worker's own */
    struct route_traffic routes[];
};

/* A zeroed block. NULL: no memory. */
struct traffic *traffic_new(void);
void traffic_free(struct traffic *t);

struct request;
/* Counts a request that begins, and sets r->ticks. */
void traffic_begin(struct traffic *t, struct request *r);
/* Counts its end; r->status is that of its response, 0: there was none. Returns its duration in ns. */
uint64_t traffic_end(struct traffic *t, const struct request *r);
/* Adds to the front's counters what was counted since the last call. The worker's thread only. */
void traffic_publish(struct traffic *t, struct front_stats *f);
/* Adds `from` to a block that no other thread uses. False: no memory, and `to` is incomplete. */
bool traffic_add(struct traffic *to, const struct traffic *from);

#endif
