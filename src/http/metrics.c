/* metrics.c - the table of metrics, and how it is written. */
#include "metrics.h"

#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/command.h>
#include <flashkv/mem.h>
#include <stddef.h>
#include <stdio.h>

#include "handlers.h"
#include "respond.h"

/* All that the rows are read from, taken once, so that the metrics of one answer fit together. */
struct scrape {
    struct server *server;
    enum metrics_form form;
    struct shard_stats total, shards[STORE_SHARDS];
    struct stats_block *commands; /* the sum of all threads'; NULL: no memory */
    struct buf *out;
};

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

struct metric {
    const char *name, *unit, *help; /* the unit ends the name; "" for none */
    enum metric_kind kind;
    void (*samples)(struct scrape *s, const struct metric *m);
    size_t offset; /* of the field that `samples` reads, where it reads one */
};

/* ---- writing a sample ------------------------------------------------------------------------------------------- */

/* name{label="value"} n; label NULL: none */
static void sample(struct scrape *s, const struct metric *m, const char *label, const char *value,
                   uint64_t n) {
    buf_printf(s->out, "%s%s", m->name, m->kind == COUNTER ? "_total" : "");
    if (label != NULL)
        buf_printf(s->out, "{%s=\"%s\"}", label, value);
    buf_printf(s->out, " %llu\n", (unsigned long long)n);
}

static uint64_t number_at(const void *base, size_t offset) {
    return *(const uint64_t *)((const char *)base + offset);
}

static uint64_t atomic_at(const void *base, size_t offset) {
    return atomic_load_explicit((const _Atomic uint64_t *)((const char *)base + offset),
                                memory_order_relaxed);
}

/* ---- where samples come from -------------------------------------------------------------------------------------- */

static void of_total(struct scrape *s, const struct metric *m) {
    sample(s, m, NULL, NULL, number_at(&s->total, m->offset));
}

static void of_shards(struct scrape *s, const struct metric *m) {
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        char number[4];

        snprintf(number, sizeof(number), "%u", i);
        sample(s, m, "shard", number, number_at(&s->shards[i], m->offset));
    }
}

static void of_fronts(struct scrape *s, const struct metric *m) {
    sample(s, m, "front", "http", atomic_at(&s->server->http, m->offset));
    sample(s, m, "front", "resp", atomic_at(&s->server->resp, m->offset));
}

static void of_server(struct scrape *s, const struct metric *m) {
    sample(s, m, NULL, NULL, atomic_at(s->server, m->offset));
}

static void of_commands(struct scrape *s, const struct metric *m) {
    for (size_t i = 0; i < command_count; i++) {
        uint64_t n = atomic_at(&s->commands->commands[i], m->offset);

        if (n > 0)
            sample(s, m, "command", command_table[i].name, n);
    }
}

/* The buckets' ends are one nanosecond below a power of two, where the histogram counts exactly. */
enum { FIRST_BUCKET = 10, LAST_BUCKET = 33, BUCKET_STEP = 2 };

static void one_command(struct scrape *s, const struct metric *m, const char *name,
                        const struct command_stats *row) {
    const struct histogram *h = row->histogram;
    uint64_t calls = h != NULL ? histogram_total(h) : 0;

    if (calls == 0)
        return;
    for (unsigned bit = FIRST_BUCKET; bit <= LAST_BUCKET; bit += BUCKET_STEP) {
        uint64_t ns = (UINT64_C(1) << bit) - 1;

        buf_printf(s->out, "%s_bucket{command=\"%s\",le=\"%.9g\"} %llu\n", m->name, name, (double)ns / 1e9,
                   (unsigned long long)histogram_up_to(h, ns));
    }
    buf_printf(s->out, "%s_bucket{command=\"%s\",le=\"+Inf\"} %llu\n%s_count{command=\"%s\"} %llu\n", m->name,
               name, (unsigned long long)calls, m->name, name, (unsigned long long)calls);
    buf_printf(s->out, "%s_sum{command=\"%s\"} %.9f\n", m->name, name, (double)row->ns / 1e9);
}

static void of_durations(struct scrape *s, const struct metric *m) {
    for (size_t i = 0; i < command_count; i++)
        one_command(s, m, command_table[i].name, &s->commands->commands[i]);
}

static void of_codes(struct scrape *s, const struct metric *m) {
    for (uint32_t i = 0; i < s->commands->codes; i++)
        if (s->commands->errors[i].count > 0)
            sample(s, m, "code", s->commands->errors[i].code, s->commands->errors[i].count);
}

static void lookups(struct scrape *s, const struct metric *m) {
    sample(s, m, "result", "hit", s->total.hits);
    sample(s, m, "result", "miss", s->total.misses);
}

static void build(struct scrape *s, const struct metric *m) {
    sample(s, m, "version", PACKAGE_VERSION, 1);
}

static void uptime(struct scrape *s, const struct metric *m) {
    buf_printf(s->out, "%s %.3f\n", m->name, (double)(clock_mono_ns() - s->server->started_mono_ns) / 1e9);
}

static void started(struct scrape *s, const struct metric *m) {
    buf_printf(s->out, "%s %.3f\n", m->name, (double)s->server->started_wall_ms / 1e3);
}

static void resident(struct scrape *s, const struct metric *m) {
    sample(s, m, NULL, NULL, mem_resident());
}

static void allocated(struct scrape *s, const struct metric *m) {
    sample(s, m, NULL, NULL, mem_allocated());
}

static void memory_limit(struct scrape *s, const struct metric *m) {
    sample(s, m, NULL, NULL, s->server->resources.memory);
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
#define COMMAND(field) offsetof(struct command_stats, field)

static const struct metric metrics[] = {
    {"flashkv_build_info", "", "The version that runs.", GAUGE, build, 0},
    {"process_start_time_seconds", "seconds", "When the process began, in seconds since 1970.", GAUGE,
     started, 0},
    {"flashkv_uptime_seconds", "seconds", "How long it has run.", GAUGE, uptime, 0},
    {"process_resident_memory_bytes", "bytes", "Memory of the process.", GAUGE, resident, 0},
    {"flashkv_allocated_bytes", "bytes", "Memory given out by the allocator.", GAUGE, allocated, 0},
    {"flashkv_available_memory_bytes", "bytes", "Memory of the machine, or what the container may use of it.",
     GAUGE, memory_limit, 0},
    {"flashkv_available_processors", "", "Processors it may run on, or what the container may use of them.",
     GAUGE, cpus, 0},
    {"flashkv_keyspace_bytes", "bytes", "Entries, values and tables.", GAUGE, of_total, SHARD(bytes)},
    {"flashkv_keys", "", "Keys, expired but unswept ones included.", GAUGE, of_total, SHARD(keys)},
    {"flashkv_volatile_keys", "", "Keys that have an expiry.", GAUGE, of_total, SHARD(volatile_keys)},
    {"flashkv_lookups", "", "Keys that were looked up to be read.", COUNTER, lookups, 0},
    {"flashkv_expired_keys", "", "Keys removed because their time was up.", COUNTER, of_total,
     SHARD(expired)},
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
};

static void write_family(struct scrape *s, const struct metric *m) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const char *suffix = m->kind == COUNTER && s->form == METRICS_TEXT ? "_total" : "";

    buf_printf(s->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name, suffix, m->help, m->name, suffix,
               kinds[m->kind]);
    if (s->form == METRICS_OPEN && *m->unit != '\0')
        buf_printf(s->out, "# UNIT %s %s\n", m->name, m->unit);
    m->samples(s, m);
}

bool metrics_write(struct server *server, enum metrics_form form, struct buf *out) {
    struct scrape s = {.server = server, .form = form, .out = out, .commands = stats_sum(&server->stats)};

    if (s.commands == NULL)
        return false;
    store_stats(server->store, &s.total, s.shards);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
        write_family(&s, &metrics[i]);
    stats_block_free(s.commands);
    return buf_printf(out, "%s", form == METRICS_OPEN ? "# EOF\n" : "");
}

/* Does an Accept header name this very type? A wildcard does not: who sends none other is a person, or curl. */
static bool names_type(struct slice accept, struct slice type) {
    return accept.len >= type.len && memmem(accept.ptr, accept.len, type.ptr, type.len) != NULL;
}

enum MHD_Result http_get_metrics(struct request *r) {
    enum { METRICS_MAX = 4 * 1024 * 1024 };
    static const char open_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";
    bool open = names_type(r->headers.accept, SLICE_LIT("application/openmetrics-text"));
    struct buf out = buf_make(METRICS_MAX);

    if (metrics_write(r->server, open ? METRICS_OPEN : METRICS_TEXT, &out))
        return respond_buf(r, open ? open_type : text_type, &out);
    buf_free(&out);
    return respond_problem(r, 507, "out of memory");
}
