/* cmd_client_list.c - CLIENT LIST and INFO. Source: https://redis.io/commands/client-list */
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"
#include "listening.h"
#include "multi.h"

static unsigned long long load(const _Atomic uint64_t *n) {
    return atomic_load_explicit(n, memory_order_relaxed);
}

static bool is_subscribed(const struct session *s) {
    return listening_count(s, PUBSUB_CHANNEL) + listening_count(s, PUBSUB_PATTERN) +
               listening_count(s, PUBSUB_SHARD) >
           0;
}

/* The number of commands queued after MULTI; -1: no transaction. Readable only by the session's own thread. */
static long long queued(const struct call *c, const struct session *s) {
    return s == c->session && s->multi != NULL && s->multi->open ? (long long)s->multi->count : -1;
}

/* Redis's letters for the kind of client and its state. */
static void format_flags(const struct call *c, struct session *s, char out[8]) {
    char *at = out;

    if (s->monitors)
        *at++ = 'O';
    if (is_subscribed(s))
        *at++ = 'P';
    if (queued(c, s) >= 0)
        *at++ = 'x';
    if (s->blocked)
        *at++ = 'b';
    if (atomic_load_explicit(&s->no_touch, memory_order_relaxed))
        *at++ = 'T';
    if (at == out)
        *at++ = 'N';
    *at = '\0';
}

/* Appends one line. Connections share their loop's buffers: qbuf and the sizes of the output are those of a connection's own
 * buffers, or of the input that is being run. */
static void describe(const struct call *c, struct session *s, struct buf *out) {
    const struct command *last = atomic_load_explicit(&s->last_command, memory_order_relaxed);
    int64_t active = atomic_load_explicit(&s->active_ms, memory_order_relaxed), now = c->session->now_ms;
    unsigned long long input = load(&s->input_bytes), room = load(&s->input_room),
                       output = load(&s->output_bytes);
    char flags[8], local[SESSION_ADDRESS];

    format_flags(c, s, flags);
    buf_printf(out, "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=0",
               (unsigned long long)s->id, s->peer, session_local(s, local), s->fd,
               s->name != NULL ? s->name : "", (long long)((now - s->created_ms) / 1000),
               (long long)(now > active ? (now - active) / 1000 : 0), flags);
    buf_printf(out, " sub=%u psub=%u ssub=%u multi=%lld", listening_count(s, PUBSUB_CHANNEL),
               listening_count(s, PUBSUB_PATTERN), listening_count(s, PUBSUB_SHARD), queued(c, s));
    buf_printf(
        out,
        " qbuf=%llu qbuf-free=%llu argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=%d omem=%llu tot-mem=%llu",
        input, room, output > 0, output, input + room + output + (unsigned long long)sizeof(*s));
    buf_printf(out, " events=%s cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s\n",
               output > 0 ? "rw" : "r", last != NULL ? last->name : "NULL",
               s->unauthenticated ? "" : "default",
               (int)atomic_load_explicit(&s->protocol, memory_order_relaxed),
               s->lib_name != NULL ? s->lib_name : "", s->lib_version != NULL ? s->lib_version : "");
}

void cmd_client_info(struct call *c) {
    struct buf out = buf_make(4096);

    session_list_lock(&c->server->sessions);
    describe(c, c->session, &out);
    session_list_unlock(&c->server->sessions);
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}

/* CLIENT LIST [TYPE normal|...] [ID id ...] */
static bool wanted(const struct call *c, const struct session *s) {
    int64_t id;

    if (c->argc == 2)
        return true;
    if (arg_is(c, 2, "type"))
        return is_subscribed(s) ? arg_is(c, 3, "pubsub") : arg_is(c, 3, "normal");
    for (size_t i = 3; i < c->argc; i++)
        if (num_parse_i64(call_arg(c, i), &id) && (uint64_t)id == s->id)
            return true;
    return false;
}

static bool check_list_filter(struct call *c) {
    static const char *const types[] = {"normal", "master", "replica", "slave", "pubsub"};
    int64_t id;

    if (c->argc == 2)
        return true;
    if (arg_is(c, 2, "type") && c->argc == 4) {
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
            if (arg_is(c, 3, types[i]))
                return true;
        reply_error(c->reply, "ERR Unknown client type '%.*s'", arg_shown(&c->argv[3]), c->argv[3].ptr);
        return false;
    }
    if (!arg_is(c, 2, "id") || c->argc < 4) {
        reply_syntax_error(c);
        return false;
    }
    for (size_t i = 3; i < c->argc; i++)
        if (!num_parse_i64(call_arg(c, i), &id)) {
            reply_error(c->reply, "ERR Invalid client ID");
            return false;
        }
    return true;
}

void cmd_client_list(struct call *c) {
    struct buf out = buf_make(c->server->options->max_output_bytes);

    if (!check_list_filter(c))
        return;
    session_list_lock(&c->server->sessions);
    for (struct session *s = c->server->sessions.head; s != NULL; s = s->next)
        if (wanted(c, s))
            describe(c, s, &out);
    session_list_unlock(&c->server->sessions);
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}
