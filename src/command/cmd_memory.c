/* cmd_memory.c - MEMORY. Source: https://redis.io/commands/?group=server */
#include <flashkv/mem.h>
#include <stdlib.h>

#include "args.h"
#include "handlers.h"

/* Exact: the store accounts for every entry, so nothing needs sampling; SAMPLES is validated and ignored. */
void cmd_memory_usage(struct call *c) {
    int64_t samples;
    uint64_t bytes;

    for (size_t i = 3; i < c->argc; i += 2) {
        if (!arg_is(c, i, "samples") || i + 1 == c->argc) {
            reply_syntax_error(c);
            return;
        }
        if (!arg_i64(c, i + 1, &samples))
            return;
        if (samples < 0) {
            reply_syntax_error(c);
            return;
        }
    }
    bytes = store_footprint(c->txn, &c->keys[0]);
    if (bytes == 0)
        reply_null(c->reply);
    else
        reply_integer(c->reply, (int64_t)bytes);
}

static void reply_count(struct call *c, const char *name, uint64_t n) {
    reply_text(c->reply, name);
    reply_integer(c->reply, (int64_t)n);
}

static void reply_share(struct call *c, const char *name, double part, double whole) {
    reply_text(c->reply, name);
    reply_real(c->reply, whole > 0 ? part / whole : 0);
}

void cmd_memory_stats(struct call *c) {
    uint64_t used = mem_allocated(), rss = mem_resident(), peak = mem_resident_peak(), overhead;
    struct shard_stats total;

    store_stats(c->server->store, &total, NULL);
    overhead = used > total.bytes ? used - total.bytes : 0;
    reply_map(c->reply, 27);
    reply_count(c, "peak.allocated", peak);
    reply_count(c, "total.allocated", used);
    reply_count(c, "startup.allocated", c->server->memory_at_start);
    reply_count(c, "replication.backlog", 0);
    reply_count(c, "clients.slaves", 0);
    reply_count(c, "clients.normal",
                atomic_load_explicit(&c->server->resp.connections, memory_order_relaxed) *
                    sizeof(struct session));
    reply_count(c, "cluster.links", 0);
    reply_count(c, "aof.buffer", 0);
    reply_count(c, "lua.caches", 0);
    reply_count(c, "functions.caches", 0);
    reply_count(c, "overhead.total", overhead);
    reply_count(c, "keys.count", total.keys);
    reply_count(c, "keys.bytes-per-key", total.keys > 0 ? total.bytes / total.keys : 0);
    reply_count(c, "dataset.bytes", total.bytes);
    reply_share(c, "dataset.percentage", 100 * (double)total.bytes, (double)used);
    reply_share(c, "peak.percentage", 100 * (double)used, (double)peak);
    reply_count(c, "allocator.allocated", used);
    reply_count(c, "allocator.active", rss);
    reply_count(c, "allocator.resident", rss);
    reply_share(c, "allocator-fragmentation.ratio", (double)rss, (double)used);
    reply_count(c, "allocator-fragmentation.bytes", rss - used);
    reply_share(c, "allocator-rss.ratio", 1, 1);
    reply_count(c, "allocator-rss.bytes", 0);
    reply_share(c, "rss-overhead.ratio", 1, 1);
    reply_count(c, "rss-overhead.bytes", 0);
    reply_share(c, "fragmentation", (double)rss, (double)used);
    reply_count(c, "fragmentation.bytes", rss - used);
}

void cmd_memory_doctor(struct call *c) {
    uint64_t used = mem_allocated(), rss = mem_resident();
    const char *text = "Nothing to remark.\n";

    if (used > 0 && rss > used + used / 2 && rss - used > 64 * 1024 * 1024)
        text = "The process holds much more memory than is in use: a peak is over, or allocations are "
               "scattered. "
               "MEMORY PURGE may give some of it back.\n";
    reply_verbatim(c->reply, slice_str(text));
}

void cmd_memory_malloc_stats(struct call *c) {
    struct buf out = buf_make(4096);

    buf_printf(&out, "%s: %llu bytes allocated, %llu resident\n", mem_allocator(),
               (unsigned long long)mem_allocated(), (unsigned long long)mem_resident());
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}

void cmd_memory_purge(struct call *c) {
    mem_purge();
    reply_ok(c->reply);
}
