/* cmd_slowlog.c - SLOWLOG. Source: https://redis.io/commands/?group=server */
#include <flashkv/buf.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"

enum { DEFAULT_COUNT = 10 };

static void reply_args(struct call *c, const struct slow_command *e) {
    const char *at = e->args;

    reply_array(c->reply, e->argc);
    for (unsigned i = 0; i < e->argc; i++) {
        uint16_t len;

        memcpy(&len, at, sizeof(len));
        reply_bulk(c->reply, slice_of(at + sizeof(len), len));
        at += sizeof(len) + len;
    }
}

static void reply_entry(struct call *c, const struct slow_command *e) {
    reply_array(c->reply, 6);
    reply_integer(c->reply, (int64_t)e->id);
    reply_integer(c->reply, e->at);
    reply_integer(c->reply, (int64_t)e->us);
    reply_args(c, e);
    reply_text(c->reply, e->peer);
    reply_text(c->reply, e->name);
}

void cmd_slowlog_get(struct call *c) {
    struct slow *s = &c->server->slow;
    int64_t count = DEFAULT_COUNT;
    uint64_t n;

    if (arg_too_many(c, 3))
        return;
    if (c->argc == 3 && (!num_parse_i64(call_arg(c, 2), &count) || count < -1)) {
        reply_error(c->reply, "ERR count should be greater than or equal to -1");
        return;
    }
    slow_lock(s);
    n = count < 0 || (uint64_t)count > s->len ? s->len : (uint64_t)count;
    reply_array(c->reply, n);
    for (const struct slow_command *e = s->newest; n > 0; e = e->next, n--)
        reply_entry(c, e);
    slow_unlock(s);
}

void cmd_slowlog_len(struct call *c) {
    uint64_t len;

    slow_lock(&c->server->slow);
    len = c->server->slow.len;
    slow_unlock(&c->server->slow);
    reply_integer(c->reply, (int64_t)len);
}

void cmd_slowlog_reset(struct call *c) {
    slowlog_reset(&c->server->slow);
    reply_ok(c->reply);
}
