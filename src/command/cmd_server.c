/* cmd_server.c - the server as a whole. Source: https://redis.io/commands/?group=server */
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"
#include "info.h"

/* Enough for some lines for each command. */
enum { INFO_MAX = 1024 * 1024 };

void cmd_dbsize(struct call *c) {
    reply_integer(c->reply, (int64_t)store_count(c->txn));
}

void cmd_flushall(struct call *c) {
    /* With ASYNC or SYNC, the memory is freed in the background. */
    if (c->argc > 2 || (c->argc == 2 && !arg_is(c, 1, "async") && !arg_is(c, 1, "sync"))) {
        reply_syntax_error(c);
        return;
    }
    store_flush(c->txn, effects_flushed);
    feed_gap(&c->server->feed);
    reply_ok(c->reply);
}

void cmd_info(struct call *c) {
    struct buf out = buf_make(INFO_MAX);

    info_format(c, &out);
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}

void cmd_time(struct call *c) {
    int64_t us = clock_wall_us();
    char digits[NUM_I64_MAX];

    reply_array(c->reply, 2);
    reply_bulk(c->reply, slice_of(digits, num_format_i64(us / 1000000, digits)));
    reply_bulk(c->reply, slice_of(digits, num_format_i64(us % 1000000, digits)));
}

/* ---- statistics by shard ------------------------------------------------------------------------------------ */

static void format_shard(struct buf *out, const char *name, const struct shard_stats *s) {
    buf_printf(
        out,
        "%-6s keys=%llu expires=%llu bytes=%llu gets=%llu hits=%llu misses=%llu sets=%llu deletes=%llu "
        "expired=%llu evicted=%llu list_ops=%llu read_locks=%llu write_locks=%llu contended=%llu\n",
        name, (unsigned long long)s->keys, (unsigned long long)s->volatile_keys, (unsigned long long)s->bytes,
        (unsigned long long)s->gets, (unsigned long long)s->hits, (unsigned long long)s->misses,
        (unsigned long long)s->sets, (unsigned long long)s->deletes, (unsigned long long)s->expired,
        (unsigned long long)s->evicted, (unsigned long long)s->list_ops, (unsigned long long)s->read_locks,
        (unsigned long long)s->write_locks, (unsigned long long)s->contended);
}

void cmd_dbinfo(struct call *c) {
    struct shard_stats total, shards[STORE_SHARDS];
    struct buf out = buf_make(64 * 1024);
    char digits[NUM_I64_MAX];

    store_stats(c->server->store, &total, shards);
    buf_printf(&out, "shards=%d sweep_interval_ms=%u\n", STORE_SHARDS,
               c->server->sweeper != NULL ? sweeper_interval_ms(c->server->sweeper) : 0);
    format_shard(&out, "total", &total);
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        num_format_u64(i, digits);
        format_shard(&out, digits, &shards[i]);
    }
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}
