/* sse.c - sessions over server-sent events. */
#include "sse.h"

#include <flashkv/mem.h>

#include "sse_forms.h"
#include "stream.h"

struct sse {
    struct session session; /* first */
    struct server *server;
    struct stream *stream;
};

/* ---- delivery ------------------------------------------------------------------------------------------------------- */

static struct blob *encode(const struct server *srv, sse_put *put, sse_emit *emit, const void *ctx) {
    struct buf out = buf_make(srv->options->max_output_bytes);
    char error[SSE_ERROR];
    struct blob *bytes = put(&out, emit, ctx, error) ? blob_copy(buf_slice(&out)) : NULL;

    buf_free(&out);
    return bytes;
}

static struct blob *encode_upstash(const struct server *srv, unsigned protocol, sse_emit *emit,
                                   const void *ctx) {
    (void)protocol;
    return encode(srv, sse_put_upstash, emit, ctx);
}

static struct blob *encode_json(const struct server *srv, unsigned protocol, sse_emit *emit,
                                const void *ctx) {
    (void)protocol;
    return encode(srv, sse_put_json, emit, ctx);
}

/* A line of MONITOR is delivered as RESP, "+...\r\n", to sessions of every front end. */
static void deliver_line(struct sse *s, struct slice line) {
    struct buf out = buf_make(2 * line.len + 64);

    if (sse_put_line(&out, slice_of(line.ptr + 1, line.len - 3)))
        stream_append(s->stream, buf_slice(&out));
    buf_free(&out);
}

static void deliver(struct session *session, struct blob *bytes, enum delivery what) {
    struct sse *s = (struct sse *)session;

    if (what != DELIVER_MESSAGE || bytes == NULL)
        stream_end(s->stream);
    else if (bytes->len > 3 && bytes->data[0] == '+')
        deliver_line(s, blob_slice(bytes));
    else
        stream_append(s->stream, blob_slice(bytes));
}

static void drain(struct session *session) {
    (void)session; /* deliveries go to the stream at once */
}

static const struct {
    struct session_ops ops;
    sse_put *put;
} forms[] = {
    [SSE_UPSTASH] = {{encode_upstash, deliver, drain, MESSAGE_UPSTASH, NULL}, sse_put_upstash},
    [SSE_JSON] = {{encode_json, deliver, drain, MESSAGE_JSON, NULL}, sse_put_json},
};

/* ---- the session ----------------------------------------------------------------------------------------------------- */

static void on_done(void *ctx) {
    struct sse *s = ctx;

    session_end(s->server, &s->session);
    mem_free(s);
}

static void on_beat(void *ctx, struct buf *out) {
    (void)ctx;
    buf_append_slice(out, SLICE_LIT(": ping\n\n"));
}

static const struct stream_ops sse_stream_ops = {.done = on_done, .beat = on_beat};

static struct sse *sse_new(struct request *r, enum sse_form form) {
    struct sse *s = mem_zalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->server = r->server;
    s->session = request_session(r);
    s->session.ops = &forms[form].ops;
    s->session.created_ms = r->now_ms;
    session_find_peer(&s->session);
    s->stream = stream_new(r, &sse_stream_ops, s, SSE_PENDING_MAX);
    if (s->stream == NULL) {
        mem_free(s);
        return NULL;
    }
    session_enter(&r->server->sessions, &s->session);
    return s;
}

/* A command of the session whose reply becomes events. */
struct sse_command {
    struct sse *sse;
    const struct words *words;
};

static void emit_command(struct reply *r, const void *ctx) {
    const struct sse_command *s = ctx;

    command_execute(s->sse->server, &s->sse->session, s->words->argc, s->words->argv, r);
}

/* Runs the commands. False: one replied with an error, or no memory for the replies. */
static bool begin(struct sse *s, enum sse_form form, const struct words *commands, size_t count,
                  char error[SSE_ERROR]) {
    struct buf out = buf_make(SSE_PENDING_MAX);
    bool ok = true;

    error[0] = '\0';
    for (size_t i = 0; i < count && ok; i++)
        ok = forms[form].put(&out, emit_command, &(struct sse_command){s, &commands[i]}, error) &&
             error[0] == '\0';
    /* Messages that were published meanwhile come after the confirmations. */
    ok = ok && stream_prepend(s->stream, buf_slice(&out));
    buf_free(&out);
    return ok;
}

enum MHD_Result respond_events(struct request *r, enum sse_form form, const struct words *commands,
                               size_t count) {
    struct sse *s = sse_new(r, form);
    char error[SSE_ERROR];
    struct stream *stream;

    if (s == NULL)
        return respond_problem(r, 503, "out of memory");
    if (begin(s, form, commands, count, error))
        return stream_respond(s->stream, r, "text/event-stream");
    stream = s->stream;
    on_done(s); /* after session_end nobody delivers to it */
    stream_free(stream);
    return respond_error(r, error[0] != '\0' ? error : "ERR out of memory");
}
