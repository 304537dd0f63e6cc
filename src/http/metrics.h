/* metrics.h - the metrics for Prometheus: one row for each metric. Private to metrics*.c.
 *
 * The same rows in two formats, by the Accept header: OpenMetrics 1.0 (https://prometheus.io/docs/specs/om), which the
 * Prometheus server requests, and the older text format 0.0.4, in which a counter's family has "_total" in its name.
 * No shard is locked; the mutexes of the session list, of the statistics and of persist are, briefly. Names, labels and values
 * reveal nothing of keys, values or secrets. */
#ifndef FLASHKV_HTTP_METRICS_H
#define FLASHKV_HTTP_METRICS_H

#include <flashkv/buf.h>
#include <flashkv/histogram.h>
#include <flashkv/server.h>
#include <string.h>

enum metrics_form { METRICS_OPEN, METRICS_TEXT };

/* Everything that the rows are read from, collected once, so that the metrics of one response are consistent. */
struct scrape {
    struct server *server;
    const struct http *http;
    enum metrics_form form;
    struct shard_stats total, shards[STORE_SHARDS];
    struct stats_block *commands; /* the sum over all threads */
    struct traffic *traffic;      /* the sum over all workers */
    struct persist_stats persist; /* zeroes without a data directory */
    uint64_t allocated;           /* by the allocator */
    struct buf *out;
};

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

struct metric {
    const char *name, *unit, *help; /* the unit is the name's suffix; "" for none */
    enum metric_kind kind;
    void (*samples)(struct scrape *s, const struct metric *m);
    size_t offset; /* of the field that `samples` reads, if it reads one */
};

/* Writes: name{labels} n; labels as "a=\"b\",c=\"d\"", "" for none. */
void sample(struct scrape *s, const struct metric *m, const char *labels, uint64_t n);
/* Writes: name{label="value"} n */
void sample_of(struct scrape *s, const struct metric *m, const char *label, const char *value, uint64_t n);
/* A gauge or counter in seconds, from nanoseconds. */
void sample_seconds(struct scrape *s, const struct metric *m, uint64_t ns);
/* A histogram's buckets, count and sum; nothing if it is NULL or empty. */
void sample_histogram(struct scrape *s, const struct metric *m, const char *labels, const struct histogram *h,
                      uint64_t sum_ns);

/* metrics_http.c: requests by route and status, their durations, those in flight; the access log. */
void of_requests(struct scrape *s, const struct metric *m);
void of_request_durations(struct scrape *s, const struct metric *m);
void of_requests_in_flight(struct scrape *s, const struct metric *m);
void of_access_log_dropped(struct scrape *s, const struct metric *m);
/* metrics_process.c: what Prometheus's own client libraries export of a process. */
void of_cpu(struct scrape *s, const struct metric *m);
void of_start(struct scrape *s, const struct metric *m);
void of_resident(struct scrape *s, const struct metric *m);
void of_virtual(struct scrape *s, const struct metric *m);
void of_open_files(struct scrape *s, const struct metric *m);
void of_max_files(struct scrape *s, const struct metric *m);
/* Memory in use, by purpose. */
void of_memory(struct scrape *s, const struct metric *m);
/* Of the data directory; no samples without one. Of the first two, the row's offset is into struct persist_stats. */
void of_persist(struct scrape *s, const struct metric *m);
void of_persist_flag(struct scrape *s, const struct metric *m);
void of_log_buffer(struct scrape *s, const struct metric *m);
void of_log_syncs(struct scrape *s, const struct metric *m);
void of_snapshot_time(struct scrape *s, const struct metric *m);
void of_snapshot_duration(struct scrape *s, const struct metric *m);

#endif
