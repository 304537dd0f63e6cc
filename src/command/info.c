/* info.c - INFO: a section is a row and a function. Source: https://redis.io/commands/info */
#include "info.h"

#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "args.h"
#include "oom.h"

static unsigned long long load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static unsigned long long rate(const struct rate *r) {
    return load(&r->per_second);
}

/* "1.50M", as Redis's ..._human fields. */
static void human(struct buf *out, const char *name, uint64_t bytes) {
    static const char units[] = "BKMGT";
    double n = (double)bytes;
    size_t u = 0;

    for (; n >= 1024 && u + 2 < sizeof(units); u++)
        n /= 1024;
    buf_printf(out, u == 0 ? "%s:%.0f%c\r\n" : "%s:%.2f%c\r\n", name, n, units[u]);
}

static void info_executable(struct buf *out) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

    buf_printf(out, "executable:%.*s\r\n", n > 0 ? (int)n : 0, path);
}

static void info_server(const struct call *c, struct buf *out) {
    const struct server *s = c->server;
    long long up = (clock_mono_ns() - s->started_mono_ns) / 1000000000;
    struct utsname un;

    uname(&un);
    buf_printf(out,
               "redis_version:%s\r\nflashkv_version:%s\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
               "redis_mode:standalone\r\nos:%s %s %s\r\narch_bits:64\r\nmonotonic_clock:%s\r\n"
               "multiplexing_api:epoll\r\natomicvar_api:c11-builtin\r\ngcc_version:%s\r\nprocess_id:%d\r\n"
               "process_supervised:no\r\nrun_id:%s\r\ntcp_port:%u\r\nhttp_port:%u\r\n",
               REDIS_VERSION, PACKAGE_VERSION, un.sysname, un.release, un.machine,
               clock_scale.counter ? "processor's counter" : "POSIX clock_gettime", __VERSION__,
               (int)getpid(), s->run_id, s->resp_port, s->http_port);
    buf_printf(out,
               "server_time_usec:%lld\r\nuptime_in_seconds:%lld\r\nuptime_in_days:%lld\r\nconfig_file:%s\r\n",
               (long long)clock_wall_us(), up, up / 86400, s->options->config_file);
    buf_printf(out, "hz:10\r\nconfigured_hz:10\r\nlru_clock:%lld\r\n",
               (long long)(clock_wall_us() / 1000000 & 0xffffff));
    info_executable(out);
}

static void info_clients(const struct call *c, struct buf *out) {
    buf_printf(
        out,
        "connected_clients:%llu\r\nhttp_connections:%llu\r\ncluster_connections:0\r\nmaxclients:%llu\r\n"
        "blocked_clients:%llu\r\ntracking_clients:0\r\nclients_in_timeout_table:0\r\n",
        load(&c->server->resp.connections), load(&c->server->http.connections),
        (unsigned long long)c->server->options->max_connections, load(&c->server->blocked_clients));
}

/* total_system_memory is the machine's, as in Redis. */
static void info_machine_memory(const struct resources *r, struct buf *out) {
    buf_printf(out, "total_system_memory:%llu\r\n", (unsigned long long)r->machine_memory);
    human(out, "total_system_memory_human", r->machine_memory);
    buf_printf(out, "memory_limit:%llu\r\n", (unsigned long long)r->limits.memory);
    human(out, "memory_limit_human", r->limits.memory);
}

/* maxmemory_used is what is compared with maxmemory: used_memory without what is not counted. */
static void info_memory_limit(const struct server *s, struct buf *out) {
    uint64_t max = load(&s->memory.max);

    buf_printf(out, "maxmemory:%llu\r\n", (unsigned long long)max);
    human(out, "maxmemory_human", max);
    buf_printf(out, "maxmemory_policy:%s\r\nmaxmemory_used:%llu\r\nmem_not_counted_for_evict:%llu\r\n",
               atomic_load(&s->memory.policy)->name, (unsigned long long)server_memory_used(s),
               (unsigned long long)memory_not_counted(s));
}

/* The allocator's overhead. There is one heap, so "active" is the resident size. */
static void info_allocator(uint64_t used, uint64_t rss, uint64_t dataset, uint64_t peak, struct buf *out) {
    uint64_t overhead = used > dataset ? used - dataset : 0;
    double ratio = used > 0 ? (double)rss / (double)used : 0.0;

    buf_printf(
        out,
        "used_memory_peak_perc:%.2f%%\r\nused_memory_overhead:%llu\r\nused_memory_dataset_perc:%.2f%%\r\n"
        "allocator_allocated:%llu\r\nallocator_active:%llu\r\nallocator_resident:%llu\r\n",
        peak > 0 ? 100 * (double)used / (double)peak : 0.0, (unsigned long long)overhead,
        used > 0 ? 100 * (double)dataset / (double)used : 0.0, (unsigned long long)used,
        (unsigned long long)rss, (unsigned long long)rss);
    buf_printf(out,
               "allocator_frag_ratio:%.2f\r\nallocator_frag_bytes:%lld\r\nallocator_rss_ratio:1.00\r\n"
               "allocator_rss_bytes:0\r\nrss_overhead_ratio:1.00\r\nrss_overhead_bytes:0\r\n"
               "mem_fragmentation_bytes:%lld\r\n",
               ratio, (long long)rss - (long long)used, (long long)rss - (long long)used);
}

static void info_memory(const struct call *c, struct buf *out) {
    uint64_t used = mem_allocated(), rss = mem_resident(), peak = mem_resident_peak();
    struct lazyfree_stats lazyfree = store_lazyfree(c->server->store);
    struct shard_stats total;

    store_stats(c->server->store, &total, NULL);
    buf_printf(out, "used_memory:%llu\r\n", (unsigned long long)used);
    human(out, "used_memory_human", used);
    buf_printf(out, "used_memory_rss:%llu\r\n", (unsigned long long)rss);
    human(out, "used_memory_rss_human", rss);
    buf_printf(out, "used_memory_peak:%llu\r\n", (unsigned long long)peak);
    human(out, "used_memory_peak_human", peak);
    info_machine_memory(&c->server->resources, out);
    buf_printf(out, "used_memory_dataset:%llu\r\n", (unsigned long long)total.bytes);
    info_memory_limit(c->server, out);
    buf_printf(out, "mem_fragmentation_ratio:%.2f\r\nmem_allocator:%s\r\n",
               used > 0 ? (double)rss / (double)used : 0.0, mem_allocator());
    info_allocator(used, rss, total.bytes, peak, out);
    buf_printf(out, "used_memory_startup:%llu\r\nmem_clients_normal:%llu\r\nmem_aof_buffer:%llu\r\n",
               (unsigned long long)c->server->memory_at_start,
               load(&c->server->resp.connections) * sizeof(struct session),
               c->server->persist != NULL
                   ? (unsigned long long)persist_stats(c->server->persist).journal.waiting
                   : 0ULL);
    buf_printf(out, "lazyfree_pending_objects:%llu\r\nlazyfreed_objects:%llu\r\n",
               (unsigned long long)lazyfree.pending, (unsigned long long)lazyfree.freed);
}

static void info_log(const struct persist_stats *s, struct buf *out) {
    static const char *const modes[] = {"always", "everysec", "no"};

    buf_printf(
        out,
        "aof_enabled:1\r\naof_rewrite_in_progress:%d\r\naof_last_write_status:%s\r\naof_current_size:%llu\r\n"
        "aof_buffer_length:%llu\r\naof_fsync:%s\r\naof_frames:%llu\r\naof_fsyncs:%llu\r\naof_failures:%"
        "llu\r\n",
        s->snapshotting, s->journal.accepting ? "ok" : "err", (unsigned long long)s->log_bytes,
        (unsigned long long)s->journal.waiting, modes[s->journal.mode], (unsigned long long)s->journal.frames,
        (unsigned long long)s->journal.syncs, (unsigned long long)s->journal.failures);
}

static void info_persistence(const struct call *c, struct buf *out) {
    const struct server *srv = c->server;
    struct persist_stats s = {.snapshot_wall_ms = srv->started_wall_ms};

    if (srv->persist != NULL)
        s = persist_stats(srv->persist);
    buf_printf(
        out,
        "rdb_last_load_keys_expired:0\r\naof_last_rewrite_time_sec:%lld\r\n"
        "aof_last_bgrewrite_status:%s\r\naof_rewrites:%llu\r\naof_rewrites_consecutive_failures:%d\r\n",
        s.snapshots > 0 ? (long long)s.snapshot_duration_ms / 1000 : -1, s.snapshot_failed ? "err" : "ok",
        (unsigned long long)s.snapshots, s.snapshot_failed);
    buf_printf(
        out,
        "loading:%d\r\nasync_loading:0\r\nrdb_changes_since_last_save:%llu\r\nrdb_bgsave_in_progress:%d\r\n"
        "rdb_last_save_time:%lld\r\nrdb_last_bgsave_status:%s\r\nrdb_last_bgsave_time_sec:%lld\r\n"
        "rdb_saves:%llu\r\nrdb_last_hold_usec:%llu\r\n",
        atomic_load_explicit(&srv->loading, memory_order_relaxed),
        (unsigned long long)(s.journal.frames - s.snapshot_frames), s.snapshotting,
        (long long)s.snapshot_wall_ms / 1000, s.snapshot_failed ? "err" : "ok",
        s.snapshots > 0 ? (long long)s.snapshot_duration_ms / 1000 : -1, (unsigned long long)s.snapshots,
        (unsigned long long)s.snapshot_hold_us);
    if (atomic_load_explicit(&srv->journal, memory_order_relaxed) != NULL)
        info_log(&s, out);
    else
        buf_printf(out, "aof_enabled:0\r\naof_rewrite_in_progress:0\r\naof_last_write_status:ok\r\n");
}

static void info_stats(const struct call *c, struct buf *out) {
    const struct front_stats *f = &c->server->resp;
    struct shard_stats total;

    store_stats(c->server->store, &total, NULL);
    buf_printf(
        out,
        "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\ntotal_http_requests:%llu\r\n"
        "total_net_input_bytes:%llu\r\ntotal_net_output_bytes:%llu\r\nrejected_connections:%llu\r\n"
        "client_output_buffer_limit_disconnections:%llu\r\ntotal_error_replies:%llu\r\n",
        load(&f->accepted), load(&f->requests), load(&c->server->http.requests), load(&f->bytes_in),
        load(&f->bytes_out), load(&f->refused), load(&f->output_overflows), load(&f->errors));
    buf_printf(out,
               "expired_keys:%llu\r\nevicted_keys:%llu\r\nkeyspace_hits:%llu\r\nkeyspace_misses:%llu\r\n",
               (unsigned long long)total.expired, (unsigned long long)total.evicted,
               (unsigned long long)total.hits, (unsigned long long)total.misses);
    buf_printf(out, "pubsub_channels:%llu\r\npubsub_patterns:%llu\r\npubsubshard_channels:%llu\r\n",
               (unsigned long long)pubsub_topics(c->server->pubsub, PUBSUB_CHANNEL),
               (unsigned long long)pubsub_topics(c->server->pubsub, PUBSUB_PATTERN),
               (unsigned long long)pubsub_topics(c->server->pubsub, PUBSUB_SHARD));
    buf_printf(out,
               "instantaneous_ops_per_sec:%llu\r\ninstantaneous_input_kbps:%.2f\r\ninstantaneous_output_kbps:"
               "%.2f\r\n",
               rate(&f->rates[RATE_REQUESTS]), (double)rate(&f->rates[RATE_BYTES_IN]) / 1024,
               (double)rate(&f->rates[RATE_BYTES_OUT]) / 1024);
}

static void info_replication(const struct call *c, struct buf *out) {
    (void)c;
    buf_printf(out, "role:master\r\nconnected_slaves:0\r\nmaster_replid:%s\r\nmaster_repl_offset:0\r\n",
               c->server->run_id);
}

static void info_cpu(const struct call *c, struct buf *out) {
    const struct server *s = c->server;
    uint64_t limit = s->resources.limits.cpu_millis;
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    buf_printf(out, "used_cpu_sys:%ld.%06ld\r\nused_cpu_user:%ld.%06ld\r\n", (long)u.ru_stime.tv_sec,
               (long)u.ru_stime.tv_usec, (long)u.ru_utime.tv_sec, (long)u.ru_utime.tv_usec);
    buf_printf(out, "processors:%u\r\ncpu_limit:%llu.%03llu\r\nhttp_threads:%u\r\nresp_threads:%u\r\n",
               s->resources.processors, (unsigned long long)limit / 1000, (unsigned long long)limit % 1000,
               server_threads(s, s->options->http_threads), server_threads(s, s->options->resp_threads));
}

static void info_cluster(const struct call *c, struct buf *out) {
    (void)c;
    buf_printf(out, "cluster_enabled:0\r\n");
}

static void info_keyspace(const struct call *c, struct buf *out) {
    struct shard_stats total;

    store_stats(c->server->store, &total, NULL);
    if (total.keys > 0)
        buf_printf(out, "db0:keys=%llu,expires=%llu,avg_ttl=0\r\n", (unsigned long long)total.keys,
                   (unsigned long long)total.volatile_keys);
}

static void info_modules(const struct call *c, struct buf *out) {
    (void)c;
    (void)out; /* empty */
}

/* In Redis's order. Sections that grow with the commands in use are not in the default reply. */
static const struct {
    const char *name, *title;
    void (*format)(const struct call *c, struct buf *out);
    bool by_default;
} sections[] = {
    {"server", "Server", info_server, true},
    {"clients", "Clients", info_clients, true},
    {"memory", "Memory", info_memory, true},
    {"persistence", "Persistence", info_persistence, true},
    {"stats", "Stats", info_stats, true},
    {"replication", "Replication", info_replication, true},
    {"cpu", "CPU", info_cpu, true},
    {"modules", "Modules", info_modules, true},
    {"commandstats", "Commandstats", info_commandstats, false},
    {"errorstats", "Errorstats", info_errorstats, true},
    {"latencystats", "Latencystats", info_latencystats, false},
    {"cluster", "Cluster", info_cluster, true},
    {"keyspace", "Keyspace", info_keyspace, true},
};

static bool section_wanted(const struct call *c, size_t section) {
    if (c->argc == 1)
        return sections[section].by_default;
    for (size_t i = 1; i < c->argc; i++)
        if (arg_is(c, i, sections[section].name) || arg_is(c, i, "all") || arg_is(c, i, "everything") ||
            (arg_is(c, i, "default") && sections[section].by_default))
            return true;
    return false;
}

void info_format(const struct call *c, struct buf *out) {
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        if (!section_wanted(c, i))
            continue;
        buf_printf(out, "%s# %s\r\n", out->len > 0 ? "\r\n" : "", sections[i].title);
        sections[i].format(c, out);
        info_fixed(sections[i].name, out);
    }
}
