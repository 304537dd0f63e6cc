/* metrics.c - the table of metrics, and writing it. */
#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/command.h>
#include <flashkv/mem.h>
#include <stddef.h>
#include <stdio.h>

#include "handlers.h"
#include "metrics.h"
#include "respond.h"
#include "server.h"

#define NS_PER_S UINT64_C(1000000000)

/* ---- writing a sample ------------------------------------------------------------------------------------------- */

static const char *suffix(const struct metric *m) {
    return m->kind == COUNTER ? "_total" : "";
}

void sample(struct scrape *s, const struct metric *m, const char *labels, uint64_t n) {
    bool any = *labels != '\0';

    buf_printf(s->out, "%s%s%s%s%s %llu\n", m->name, suffix(m), any ? "{" : "", labels, any ? "}" : "",
               (unsigned long long)n);
}

void sample_of(struct scrape *s, const struct metric *m, const char *label, const char *value, uint64_t n) {
    char labels[128];

    snprintf(labels, sizeof(labels), "%s=\"%s\"", label, value);
    sample(s, m, labels, n);
}

void sample_seconds(struct scrape *s, const struct metric *m, uint64_t ns) {
    buf_printf(s->out, "%s%s %llu.%06llu\n", m->name, suffix(m), (unsigned long long)(ns / NS_PER_S),
               (unsigned long long)(ns % NS_PER_S / 1000));
}

/* The buckets end one nanosecond below a power of two, where the histogram counts exactly. */
enum { FIRST_BUCKET = 10, LAST_BUCKET = 33, BUCKET_STEP = 2 };

void sample_histogram(struct scrape *s, const struct metric *m, const char *labels, const struct histogram *h,
                      uint64_t sum_ns) {
    unsigned long long count = h != NULL ? histogram_total(h) : 0;
    const char *open = *labels != '\0' ? "{" : "", *close = *labels != '\0' ? "}" : "",
               *comma = *labels != '\0' ? "," : "";

    if (count == 0)
        return;
    for (unsigned bit = FIRST_BUCKET; bit <= LAST_BUCKET; bit += BUCKET_STEP) {
        uint64_t ns = (UINT64_C(1) << bit) - 1;

        buf_printf(s->out, "%s_bucket{%s%sle=\"%.9g\"} %llu\n", m->name, labels, comma, (double)ns / 1e9,
                   (unsigned long long)histogram_up_to(h, ns));
    }
    buf_printf(s->out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", m->name, labels, comma, count);
    buf_printf(s->out, "%s_count%s%s%s %llu\n", m->name, open, labels, close, count);
    buf_printf(s->out, "%s_sum%s%s%s %.9f\n", m->name, open, labels, close, (double)sum_ns / 1e9);
}

static uint64_t number_at(const void *base, size_t offset) {
    return *(const uint64_t *)((const char *)base + offset);
}

static uint64_t atomic_at(const void *base, size_t offset) {
    return atomic_load_explicit((const _Atomic uint64_t *)((const char *)base + offset),
                                memory_order_relaxed);
}

/* ---- sources of samples ------------------------------------------------------------------------------------------- */

static void of_total(struct scrape *s, const struct metric *m) {
    sample(s, m, "", number_at(&s->total, m->offset));
}

static void of_shards(struct scrape *s, const struct metric *m) {
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        char number[4];

        snprintf(number, sizeof(number), "%u", i);
        sample_of(s, m, "shard", number, number_at(&s->shards[i], m->offset));
    }
}

static void of_fronts(struct scrape *s, const struct metric *m) {
    sample_of(s, m, "front", "http", atomic_at(&s->server->http, m->offset));
    sample_of(s, m, "front", "resp", atomic_at(&s->server->resp, m->offset));
}

static void of_server(struct scrape *s, const struct metric *m) {
    sample(s, m, "", atomic_at(s->server, m->offset));
}

static void of_commands(struct scrape *s, const struct metric *m) {
    for (size_t i = 0; i < command_count; i++) {
        uint64_t n = atomic_at(&s->commands->commands[i], m->offset);

        if (n > 0)
            sample_of(s, m, "command", command_table[i].name, n);
    }
}

static void command_duration(struct scrape *s, const struct metric *m, const char *name,
                             const struct command_stats *row) {
    char labels[64];

    snprintf(labels, sizeof(labels), "command=\"%s\"", name);
    sample_histogram(s, m, labels, row->histogram, row->ns);
}

static void of_durations(struct scrape *s, const struct metric *m) {
    for (size_t i = 0; i < command_count; i++)
        command_duration(s, m, command_table[i].name, &s->commands->commands[i]);
}

static void of_codes(struct scrape *s, const struct metric *m) {
    for (uint32_t i = 0; i < s->commands->codes; i++)
        if (s->commands->errors[i].count > 0)
            sample_of(s, m, "code", s->commands->errors[i].code, s->commands->errors[i].count);
}

static void lookups(struct scrape *s, const struct metric *m) {
    sample_of(s, m, "result", "hit", s->total.hits);
    sample_of(s, m, "result", "miss", s->total.misses);
}

static void build(struct scrape *s, const struct metric *m) {
    sample_of(s, m, "version", PACKAGE_VERSION, 1);
}

static void of_topics(struct scrape *s, const struct metric *m) {
    static const char *const kinds[PUBSUB_KINDS] = {"channel", "pattern", "shard_channel"};

    for (unsigned i = 0; i < PUBSUB_KINDS; i++)
        sample_of(s, m, "kind", kinds[i], pubsub_topics(s->server->pubsub, (enum pubsub_kind)i));
}

static void uptime(struct scrape *s, const struct metric *m) {
    sample_seconds(s, m, (uint64_t)(clock_mono_ns() - s->server->started_mono_ns));
}

static void loading(struct scrape *s, const struct metric *m) {
    sample(s, m, "", atomic_load_explicit(&s->server->loading, memory_order_relaxed));
}

static void allocated(struct scrape *s, const struct metric *m) {
    sample(s, m, "", s->allocated);
}

static void memory_used(struct scrape *s, const struct metric *m) {
    sample(s, m, "", server_memory_used(s->server));
}

static void memory_limit(struct scrape *s, const struct metric *m) {
    sample(s, m, "", s->server->resources.memory);
}

static void cpus(struct scrape *s, const struct metric *m) {
    const struct resources *r = &s->server->resources;
    uint64_t all = UINT64_C(1000) * r->processors;

    buf_printf(s->out, "%s %.3f\n", m->name,
               (double)(r->limits.cpu_millis > 0 && r->limits.cpu_millis < all ? r->limits.cpu_millis : all) /
                   1e3);
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

#define SHARD(field) offsetof(struct shard_stats, field)
#define FRONT(field) offsetof(struct front_stats, field)
#define PERSIST(field) offsetof(struct persist_stats, field)
#define COMMAND(field) offsetof(struct command_stats, field)

static const struct metric metrics[] = {
    {"flashkv_build_info", "", "The version that runs.", GAUGE, build, 0},
    {"process_start_time_seconds", "seconds", "When the process began, in seconds since 1970.", GAUGE,
     of_start, 0},
    {"process_cpu_seconds", "seconds", "User and system time.", COUNTER, of_cpu, 0},
    {"process_resident_memory_bytes", "bytes", "Memory of the process.", GAUGE, of_resident, 0},
    {"process_virtual_memory_bytes", "bytes", "Address space of the process.", GAUGE, of_virtual, 0},
    {"process_open_fds", "", "Open file descriptors.", GAUGE, of_open_files, 0},
    {"process_max_fds", "", "File descriptors that may be open.", GAUGE, of_max_files, 0},
    {"flashkv_uptime_seconds", "seconds", "How long it has run.", GAUGE, uptime, 0},
    {"flashkv_loading", "", "1 while the data directory is being read.", GAUGE, loading, 0},
    {"flashkv_memory_bytes", "bytes", "Memory in use, by what it is for.", GAUGE, of_memory, 0},
    {"flashkv_allocated_bytes", "bytes", "Memory given out by the allocator.", GAUGE, allocated, 0},
    {"flashkv_available_memory_bytes", "bytes", "Memory of the machine, or what the container may use of it.",
     GAUGE, memory_limit, 0},
    {"flashkv_available_processors", "", "Processors it may run on, or what the container may use of them.",
     GAUGE, cpus, 0},
    {"flashkv_maxmemory_bytes", "bytes", "The limit, maxmemory; 0 is none.", GAUGE, of_server,
     offsetof(struct server, memory.max)},
    {"flashkv_maxmemory_used_bytes", "bytes", "What counts against the limit.", GAUGE, memory_used, 0},
    {"flashkv_keyspace_bytes", "bytes", "Entries, values and tables.", GAUGE, of_total, SHARD(bytes)},
    {"flashkv_keys", "", "Keys, expired but unswept ones included.", GAUGE, of_total, SHARD(keys)},
    {"flashkv_volatile_keys", "", "Keys that have an expiry.", GAUGE, of_total, SHARD(volatile_keys)},
    {"flashkv_lookups", "", "Keys that were looked up to be read.", COUNTER, lookups, 0},
    {"flashkv_expired_keys", "", "Keys removed because their time was up.", COUNTER, of_total,
     SHARD(expired)},
    {"flashkv_evicted_keys", "", "Keys removed to make room: maxmemory.", COUNTER, of_total, SHARD(evicted)},
    {"flashkv_deleted_keys", "", "Keys deleted.", COUNTER, of_total, SHARD(deletes)},
    {"flashkv_blocked_clients", "", "Clients in commands that wait for a key.", GAUGE, of_server,
     offsetof(struct server, blocked_clients)},
    {"flashkv_connections", "", "Open connections.", GAUGE, of_fronts, FRONT(connections)},
    {"flashkv_connections_accepted", "", "Connections accepted.", COUNTER, of_fronts, FRONT(accepted)},
    {"flashkv_connections_refused", "", "Connections refused: max-connections.", COUNTER, of_fronts,
     FRONT(refused)},
    {"flashkv_connections_overflowed", "", "Connections ended because their client did not read.", COUNTER,
     of_fronts, FRONT(output_overflows)},
    {"flashkv_requests", "", "Commands and HTTP requests answered.", COUNTER, of_fronts, FRONT(requests)},
    {"flashkv_request_errors", "", "Error replies; of HTTP, status 4xx and 5xx.", COUNTER, of_fronts,
     FRONT(errors)},
    {"flashkv_http_requests", "",
     "HTTP requests by route and status; 499: the client left before the answer. HEAD counts as GET.",
     COUNTER, of_requests, 0},
    {"flashkv_http_request_duration_seconds", "seconds",
     "Time from an HTTP request's first line to the end of its response.", HISTOGRAM, of_request_durations,
     0},
    {"flashkv_http_requests_in_flight", "", "HTTP requests that are not through, streams included.", GAUGE,
     of_requests_in_flight, 0},
    {"flashkv_access_log_dropped_lines", "", "Lines that the access log had no room or no disk for.", COUNTER,
     of_access_log_dropped, 0},
    {"flashkv_pubsub_topics", "", "Channels and patterns that somebody is subscribed to.", GAUGE, of_topics,
     0},
    {"flashkv_received_bytes", "bytes", "Bytes received.", COUNTER, of_fronts, FRONT(bytes_in)},
    {"flashkv_sent_bytes", "bytes", "Bytes sent.", COUNTER, of_fronts, FRONT(bytes_out)},
    {"flashkv_command_duration_seconds", "seconds", "Time in commands.", HISTOGRAM, of_durations, 0},
    {"flashkv_command_failures", "", "Commands that answered with an error.", COUNTER, of_commands,
     COMMAND(failed)},
    {"flashkv_command_rejections", "", "Commands that were not run: arity, authentication, memory.", COUNTER,
     of_commands, COMMAND(rejected)},
    {"flashkv_error_replies", "", "Error replies by their code.", COUNTER, of_codes, 0},
    {"flashkv_shard_keys", "", "Keys by shard.", GAUGE, of_shards, SHARD(keys)},
    {"flashkv_shard_read_locks", "", "Times a shard was locked for reading.", COUNTER, of_shards,
     SHARD(read_locks)},
    {"flashkv_shard_write_locks", "", "Times a shard was locked for writing.", COUNTER, of_shards,
     SHARD(write_locks)},
    {"flashkv_shard_contended", "", "Times a shard's lock had to be waited for.", COUNTER, of_shards,
     SHARD(contended)},
    {"flashkv_log_accepting", "", "0: changes are refused, for they cannot be logged.", GAUGE,
     of_persist_flag, PERSIST(journal.accepting)},
    {"flashkv_log_bytes", "bytes", "Log behind the last snapshot.", GAUGE, of_persist, PERSIST(log_bytes)},
    {"flashkv_log_buffer_bytes", "bytes", "Log that is not written yet.", GAUGE, of_log_buffer, 0},
    {"flashkv_log_appended_bytes", "bytes", "All that was ever logged in this data directory.", COUNTER,
     of_persist, PERSIST(journal.appended)},
    {"flashkv_log_frames", "", "Changes logged.", COUNTER, of_persist, PERSIST(journal.frames)},
    {"flashkv_log_failures", "", "Writes and fsyncs of the log that failed.", COUNTER, of_persist,
     PERSIST(journal.failures)},
    {"flashkv_log_sync_duration_seconds", "seconds", "Time in fsync of the log.", HISTOGRAM, of_log_syncs, 0},
    {"flashkv_snapshots", "", "Snapshots written.", COUNTER, of_persist, PERSIST(snapshots)},
    {"flashkv_snapshot_running", "", "1 while a snapshot is being written.", GAUGE, of_persist_flag,
     PERSIST(snapshotting)},
    {"flashkv_snapshot_failed", "", "1: the last snapshot could not be written.", GAUGE, of_persist_flag,
     PERSIST(snapshot_failed)},
    {"flashkv_snapshot_timestamp_seconds", "seconds", "End of the last good snapshot of this process.", GAUGE,
     of_snapshot_time, 0},
    {"flashkv_snapshot_last_duration_seconds", "seconds", "How long it took.", GAUGE, of_snapshot_duration,
     0},
    {"flashkv_snapshot_bytes", "bytes", "How large it is.", GAUGE, of_persist, PERSIST(snapshot_bytes)},
};

static void write_family(struct scrape *s, const struct metric *m) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const char *end = s->form == METRICS_TEXT ? suffix(m) : "";

    buf_printf(s->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name, end, m->help, m->name, end,
               kinds[m->kind]);
    if (s->form == METRICS_OPEN && *m->unit != '\0')
        buf_printf(s->out, "# UNIT %s %s\n", m->name, m->unit);
    m->samples(s, m);
}

/* Collects what the rows are read from. False: no memory. */
static bool take_all(struct scrape *s) {
    s->commands = stats_sum(&s->server->stats);
    s->traffic = traffic_new();
    if (s->commands == NULL || s->traffic == NULL || !http_traffic(s->http, s->traffic))
        return false;
    store_stats(s->server->store, &s->total, s->shards);
    if (s->server->persist != NULL)
        s->persist = persist_stats(s->server->persist);
    s->allocated = mem_allocated();
    return true;
}

static bool metrics_write(struct request *r, enum metrics_form form, struct buf *out) {
    struct scrape s = {.server = r->server, .http = r->http, .form = form, .out = out};
    bool ok = take_all(&s);

    for (size_t i = 0; ok && i < sizeof(metrics) / sizeof(*metrics); i++)
        write_family(&s, &metrics[i]);
    if (s.commands != NULL)
        stats_block_free(s.commands);
    traffic_free(s.traffic);
    return ok && buf_printf(out, "%s", form == METRICS_OPEN ? "# EOF\n" : "");
}

/* Does Accept name this type? Wildcards do not count: a client that sends only those is a person, or curl. */
static bool names_type(struct slice accept, struct slice type) {
    return accept.len >= type.len && memmem(accept.ptr, accept.len, type.ptr, type.len) != NULL;
}

enum MHD_Result http_get_metrics(struct request *r) {
    enum { METRICS_MAX = 4 * 1024 * 1024 };
    static const char open_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";
    bool open = names_type(r->headers.accept, SLICE_LIT("application/openmetrics-text"));
    struct buf out = buf_make(METRICS_MAX);

    if (metrics_write(r, open ? METRICS_OPEN : METRICS_TEXT, &out))
        return respond_buf(r, open ? open_type : text_type, &out);
    buf_free(&out);
    return respond_problem(r, 507, "out of memory");
}
