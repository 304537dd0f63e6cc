/* cmd_server.c - the server as a whole. Source: https://redis.io/commands/?group=server */
#include <flashkv/clock.h>
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <math.h>
#include <time.h>

#include "args.h"
#include "handlers.h"
#include "info.h"

void cmd_dbsize(struct call *c) {
    reply_integer(c->reply, (int64_t)store_count(&c->txn));
}

void cmd_flushall(struct call *c) {
    bool async = c->argc == 2 && arg_is(c, 1, "async");

    if (c->argc > 2 || (c->argc == 2 && !async && !arg_is(c, 1, "sync"))) {
        reply_syntax_error(c);
        return;
    }
    store_flush(&c->txn, async);
    reply_ok(c->reply);
}

void cmd_info(struct call *c) {
    struct buf out = buf_make(64 * 1024);

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

/* Sleeps on the connection's own thread: its other connections wait too, as in Redis. No lock is held. */
void cmd_debug_sleep(struct call *c) {
    struct timespec ts;
    double seconds;

    if (!num_parse_double(call_arg(c, 2), &seconds) || seconds < 0 || seconds > 3600) {
        reply_error(c->reply, "ERR value is not a valid float");
        return;
    }
    ts.tv_sec = (time_t)seconds;
    ts.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    nanosleep(&ts, NULL);
    reply_ok(c->reply);
}

/* ---- statistics by shard ------------------------------------------------------------------------------------ */

static void format_shard(struct buf *out, const char *name, const struct shard_stats *s) {
    buf_printf(
        out,
        "%-6s keys=%llu expires=%llu bytes=%llu gets=%llu hits=%llu misses=%llu sets=%llu deletes=%llu "
        "expired=%llu list_ops=%llu read_locks=%llu write_locks=%llu contended=%llu\n",
        name, (unsigned long long)s->keys, (unsigned long long)s->volatile_keys, (unsigned long long)s->bytes,
        (unsigned long long)s->gets, (unsigned long long)s->hits, (unsigned long long)s->misses,
        (unsigned long long)s->sets, (unsigned long long)s->deletes, (unsigned long long)s->expired,
        (unsigned long long)s->list_ops, (unsigned long long)s->read_locks,
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

/* ---- CONFIG -------------------------------------------------------------------------------------------------- */

/* Options of Redis that FlashKV has no choice in, for clients and tools that ask. */
static const struct {
    const char *name, *value;
} fixed_options[] = {
    {"appendonly", "no"}, {"databases", "1"}, {"maxmemory", "0"}, {"maxmemory-policy", "noeviction"},
    {"save", ""},
};

static bool option_asked(const struct call *c, const char *name) {
    char lower[128];

    for (size_t i = 2; i < c->argc; i++) {
        struct slice pattern = call_arg(c, i);

        if (pattern.len > sizeof(lower))
            continue;
        for (size_t k = 0; k < pattern.len; k++)
            lower[k] =
                pattern.ptr[k] >= 'A' && pattern.ptr[k] <= 'Z' ? (char)(pattern.ptr[k] + 32) : pattern.ptr[k];
        if (glob_match(slice_of(lower, pattern.len), slice_str(name)))
            return true;
    }
    return false;
}

/* Adds a pair of name and value to the names that become the reply. */
static void add_option(const struct call *c, struct names *pairs, const char *name,
                       const struct option_row *row) {
    struct buf value = buf_make(64 * 1024);

    if (name != NULL && option_asked(c, name) && option_format(c->server->options, row, &value)) {
        names_add(pairs, slice_str(name));
        names_add(pairs, buf_slice(&value));
    }
    buf_free(&value);
}

void cmd_config_get(struct call *c) {
    struct names pairs = names_make(c);

    for (size_t i = 0; i < option_count; i++) {
        add_option(c, &pairs, option_table[i].name, &option_table[i]);
        if (option_table[i].redis_name != NULL &&
            strcmp(option_table[i].redis_name, option_table[i].name) != 0)
            add_option(c, &pairs, option_table[i].redis_name, &option_table[i]);
    }
    for (size_t i = 0; i < sizeof(fixed_options) / sizeof(*fixed_options); i++)
        if (option_asked(c, fixed_options[i].name)) {
            names_add(&pairs, slice_str(fixed_options[i].name));
            names_add(&pairs, slice_str(fixed_options[i].value));
        }
    names_reply_map(c, &pairs);
}

static bool is_option(struct slice name) {
    for (size_t i = 0; i < sizeof(fixed_options) / sizeof(*fixed_options); i++)
        if (slice_caseeq(name, slice_str(fixed_options[i].name)))
            return true;
    return option_find(name) != NULL;
}

void cmd_config_set(struct call *c) {
    struct slice name = call_arg(c, 2);
    int len = (int)(name.len < 128 ? name.len : 128);

    if (c->argc % 2 != 0)
        reply_syntax_error(c);
    else if (!is_option(name))
        reply_error(c->reply, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'", len,
                    name.ptr);
    else
        reply_error(
            c->reply,
            "ERR CONFIG SET failed (possibly related to argument '%.*s') - can't set immutable config", len,
            name.ptr);
}

void cmd_config_resetstat(struct call *c) {
    server_stats_reset(c->server);
    reply_ok(c->reply);
}
