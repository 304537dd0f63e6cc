/* cmd_client.c - CLIENT KILL, UNBLOCK, PAUSE, UNPAUSE, REPLY, NO-TOUCH and NO-EVICT.
 * Source: https://redis.io/commands/client-kill and related pages
 *
 * A request to another client is delivered under the list's mutex, which keeps the client from ending; its own thread executes
 * it. */
#include <flashkv/clock.h>
#include <flashkv/num.h>

#include "args.h"
#include "blocking.h"
#include "handlers.h"
#include "listening.h"
#include "pause.h"

/* ---- KILL ---------------------------------------------------------------------------------------------------- */

enum client_type { CLIENT_ANY, CLIENT_NORMAL, CLIENT_PUBSUB, CLIENT_REPLICATION };

/* Which clients; an empty text is no condition. */
struct kill_filter {
    uint64_t id;
    struct slice addr, laddr;
    enum client_type type;
    bool skip_me;
};

static bool arg_client_type(struct call *c, size_t i, enum client_type *type) {
    static const struct {
        const char *word;
        enum client_type type;
    } words[] = {{"normal", CLIENT_NORMAL},
                 {"pubsub", CLIENT_PUBSUB},
                 {"master", CLIENT_REPLICATION},
                 {"replica", CLIENT_REPLICATION},
                 {"slave", CLIENT_REPLICATION}};

    for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
        if (arg_is(c, i, words[w].word)) {
            *type = words[w].type;
            return true;
        }
    reply_error(c->reply, "ERR Unknown client type '%.*s'", arg_shown(&c->argv[i]), c->argv[i].ptr);
    return false;
}

static bool arg_client_id(struct call *c, size_t i, uint64_t *id) {
    int64_t n;

    if (!num_parse_i64(call_arg(c, i), &n) || n <= 0) {
        reply_error(c->reply, "ERR client-id should be greater than 0");
        return false;
    }
    *id = (uint64_t)n;
    return true;
}

/* The option at `i` and its value; false: replied. */
static bool kill_option(struct call *c, size_t i, struct kill_filter *f) {
    bool no = arg_is(c, i + 1, "no");

    if (arg_is(c, i, "id"))
        return arg_client_id(c, i + 1, &f->id);
    if (arg_is(c, i, "type"))
        return arg_client_type(c, i + 1, &f->type);
    if (arg_is(c, i, "addr")) {
        f->addr = call_arg(c, i + 1);
        return true;
    }
    if (arg_is(c, i, "laddr")) {
        f->laddr = call_arg(c, i + 1);
        return true;
    }
    if (arg_is(c, i, "user")) { /* there is only the default user */
        if (slice_eq(call_arg(c, i + 1), SLICE_LIT("default")))
            return true;
        reply_error(c->reply, "ERR No such user '%.*s'", arg_shown(&c->argv[i + 1]), c->argv[i + 1].ptr);
        return false;
    }
    if (arg_is(c, i, "skipme") && (no || arg_is(c, i + 1, "yes"))) {
        f->skip_me = !no;
        return true;
    }
    reply_syntax_error(c);
    return false;
}

static enum client_type type_of(const struct session *s) {
    uint32_t subscriptions = listening_count(s, PUBSUB_CHANNEL) + listening_count(s, PUBSUB_PATTERN) +
                             listening_count(s, PUBSUB_SHARD);

    return subscriptions > 0 ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

static bool kill_wanted(const struct call *c, const struct session *s, const struct kill_filter *f) {
    char local[SESSION_ADDRESS];

    return (f->id == 0 || f->id == s->id) && !(f->skip_me && s == c->session) &&
           (f->addr.len == 0 || slice_eq(f->addr, slice_str(s->peer))) &&
           (f->laddr.len == 0 || slice_eq(f->laddr, slice_str(session_local(s, local)))) &&
           (f->type == CLIENT_ANY || f->type == type_of(s));
}

/* Closes them, this client after its reply is sent; returns how many. */
static int64_t kill_all(struct call *c, const struct kill_filter *f) {
    int64_t killed = 0;

    session_list_lock(&c->server->sessions);
    for (struct session *s = c->server->sessions.head; s != NULL; s = s->next) {
        if (s->ops == NULL || !kill_wanted(c, s, f))
            continue;
        killed++;
        if (s == c->session)
            s->close_after_reply = true;
        else
            s->ops->deliver(s, NULL, DELIVER_CLOSE);
    }
    session_list_unlock(&c->server->sessions);
    return killed;
}

void cmd_client_kill(struct call *c) {
    struct kill_filter f = {.skip_me = c->argc > 3};

    if (c->argc == 3) { /* the old form: an address, which may be this client's own */
        f.addr = call_arg(c, 2);
        if (f.addr.len > 0 && kill_all(c, &f) > 0)
            reply_ok(c->reply);
        else
            reply_error(c->reply, "ERR No such client");
        return;
    }
    for (size_t i = 2; i < c->argc; i += 2) {
        if (i + 1 == c->argc) {
            reply_syntax_error(c);
            return;
        }
        if (!kill_option(c, i, &f))
            return;
    }
    reply_integer(c->reply, kill_all(c, &f));
}

/* ---- UNBLOCK ------------------------------------------------------------------------------------------------- */

void cmd_client_unblock(struct call *c) {
    bool with_error = c->argc == 4 && arg_is(c, 3, "error"), found = false;
    int64_t id;

    if (arg_too_many(c, 4))
        return;
    if (c->argc == 4 && !with_error && !arg_is(c, 3, "timeout")) {
        reply_error(c->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        return;
    }
    if (!arg_i64(c, 2, &id))
        return;
    session_list_lock(&c->server->sessions);
    for (struct session *s = c->server->sessions.head; s != NULL && !found; s = s->next)
        found = s->id == (uint64_t)id && blocking_unblock(s, with_error);
    session_list_unlock(&c->server->sessions);
    reply_integer(c->reply, found);
}

/* ---- PAUSE, UNPAUSE ------------------------------------------------------------------------------------------ */

void cmd_client_pause(struct call *c) {
    enum pause_mode mode = PAUSE_ALL;
    int64_t ms;

    if (arg_too_many(c, 4))
        return;
    if (c->argc == 4 && arg_is(c, 3, "write")) {
        mode = PAUSE_WRITE;
    } else if (c->argc == 4 && !arg_is(c, 3, "all")) {
        reply_error(c->reply, "ERR CLIENT PAUSE mode must be WRITE or ALL");
        return;
    }
    if (!num_parse_i64(call_arg(c, 2), &ms)) {
        reply_error(c->reply, "ERR timeout is not an integer or out of range");
        return;
    }
    if (ms < 0) {
        reply_error(c->reply, "ERR timeout is negative");
        return;
    }
    if (ms >
        INT64_MAX / 1000000 - clock_mono_ns() / 1000000) { /* it would never end, nor UNPAUSE come through */
        reply_error(c->reply, "ERR timeout is out of range");
        return;
    }
    pause_begin(c->server, mode, ms);
    reply_ok(c->reply);
}

void cmd_client_unpause(struct call *c) {
    pause_end(c->server);
    reply_ok(c->reply);
}

/* ---- REPLY --------------------------------------------------------------------------------------------------- */

void cmd_client_reply(struct call *c) {
    struct session *s = c->session;

    if (arg_is(c, 2, "on")) {
        s->mute = s->mute != MUTE_NOTHING ? MUTE_ENDS : MUTE_NOTHING; /* then dispatch replies OK */
        reply_ok(c->reply);
    } else if (arg_is(c, 2, "off")) {
        s->mute = MUTE_ALL;
    } else if (arg_is(c, 2, "skip")) {
        s->mute = s->mute == MUTE_ALL ? MUTE_ALL : MUTE_NEXT;
    } else {
        reply_syntax_error(c);
    }
}

/* ---- NO-TOUCH, NO-EVICT ------------------------------------------------------------------------------------- */

/* False: replied. */
static bool arg_on(struct call *c, size_t i, bool *on) {
    *on = arg_is(c, i, "on");
    if (*on || arg_is(c, i, "off"))
        return true;
    reply_syntax_error(c);
    return false;
}

void cmd_client_no_touch(struct call *c) {
    bool on;

    if (!arg_on(c, 2, &on))
        return;
    atomic_store_explicit(&c->session->no_touch, on, memory_order_relaxed);
    reply_ok(c->reply);
}

/* Clients are never evicted, so this has no effect. */
void cmd_client_no_evict(struct call *c) {
    bool on;

    if (arg_on(c, 2, &on))
        reply_ok(c->reply);
}
