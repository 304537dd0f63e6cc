/* sse.c - sessions over server-sent events. */
#include "sse.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "stream.h"

struct sse {
    struct session session; /* first */
    struct server *server;
    struct stream *stream;
};

/* ---- events from replies ------------------------------------------------------------------------------------------ */

/* A sink: every array is an event of its members with commas between; a status is one of its own. */
struct event_reply {
    struct reply reply; /* first */
    struct buf out;
    size_t left; /* members of the event that are to come */
    bool fresh;
    char error[256];
};

static void put(struct event_reply *e, struct slice s) {
    while (s.len > 0) { /* CR, LF and CR LF all end a line of an event stream */
        size_t n = 0;

        while (n < s.len && s.ptr[n] != '\n' && s.ptr[n] != '\r')
            n++;
        buf_append(&e->out, s.ptr, n);
        if (n == s.len)
            return;
        buf_append(&e->out, "\ndata: ", 7);
        n += n + 1 < s.len && s.ptr[n] == '\r' && s.ptr[n + 1] == '\n' ? 2 : 1;
        s = slice_of(s.ptr + n, s.len - n);
    }
}

static void put_event(struct event_reply *e, struct slice s) {
    buf_append(&e->out, "data: ", 6);
    put(e, s);
    buf_append(&e->out, "\n\n", 2);
}

static void on_bulk(struct reply *r, struct slice bytes) {
    struct event_reply *e = (struct event_reply *)r;

    if (e->left == 0) {
        put_event(e, bytes);
        return;
    }
    if (!e->fresh)
        buf_append(&e->out, ",", 1);
    e->fresh = false;
    put(e, bytes);
    if (--e->left == 0)
        buf_append(&e->out, "\n\n", 2);
}

/* MONITOR's OK is a JSON text to Upstash's clients. */
static void on_status(struct reply *r, struct slice text) {
    if (slice_eq(text, SLICE_LIT("OK")))
        text = SLICE_LIT("\"OK\"");
    on_bulk(r, text);
}

static void on_error(struct reply *r, struct slice text) {
    struct event_reply *e = (struct event_reply *)r;
    size_t n = text.len < sizeof(e->error) - 1 ? text.len : sizeof(e->error) - 1;

    memcpy(e->error, text.ptr, n);
    e->error[n] = '\0';
}

static void on_integer(struct reply *r, int64_t n) {
    char digits[NUM_I64_MAX];

    on_bulk(r, slice_of(digits, num_format_i64(n, digits)));
}

static void on_blob(struct reply *r, struct blob *b) {
    on_bulk(r, blob_slice(b));
}

static void on_null(struct reply *r) {
    on_bulk(r, slice_of("", 0));
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    struct event_reply *e = (struct event_reply *)r;

    (void)kind;
    e->left = n;
    e->fresh = true;
    buf_append(&e->out, "data: ", 6);
}

static void on_real(struct reply *r, double d) {
    char text[NUM_DOUBLE_MAX];

    on_bulk(r, slice_of(text, num_format_double(d, text)));
}

static void on_boolean(struct reply *r, bool b) {
    on_integer(r, b);
}

static const struct reply_ops event_reply_ops = {
    .status = on_status,
    .error = on_error,
    .integer = on_integer,
    .bulk = on_bulk,
    .blob = on_blob,
    .null = on_null,
    .null_array = on_null,
    .aggregate = on_aggregate,
    .real = on_real,
    .boolean = on_boolean,
    .verbatim = on_bulk,
};

static struct event_reply event_reply_make(size_t max) {
    return (struct event_reply){.reply = {.ops = &event_reply_ops}, .out = buf_make(max)};
}

/* ---- the session --------------------------------------------------------------------------------------------------- */

static struct blob *encode(const struct server *srv, unsigned protocol,
                           void (*say)(struct reply *r, const void *ctx), const void *ctx) {
    struct event_reply e = event_reply_make(srv->options->max_output_bytes);
    struct blob *bytes;

    (void)protocol;
    say(&e.reply, ctx);
    bytes = blob_copy(buf_slice(&e.out));
    buf_free(&e.out);
    return bytes;
}

/* A line of MONITOR comes as RESP has it, "+...\r\n", whoever it goes to. */
static void deliver_line(struct sse *s, struct slice line) {
    struct event_reply e = event_reply_make(2 * line.len + 64);

    put_event(&e, slice_of(line.ptr + 1, line.len - 3));
    stream_append(s->stream, buf_slice(&e.out));
    buf_free(&e.out);
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
    (void)session; /* what is delivered goes to the stream at once */
}

static const struct session_ops sse_session_ops = {.encode = encode, .deliver = deliver, .drain = drain};

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

static struct sse *sse_new(struct request *r) {
    struct sse *s = mem_zalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->server = r->server;
    s->session = request_session(r);
    s->session.ops = &sse_session_ops;
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

enum MHD_Result respond_events(struct request *r, size_t argc, const struct arg *argv) {
    struct event_reply e = event_reply_make(SSE_PENDING_MAX);
    struct sse *s = sse_new(r);
    struct stream *stream;

    if (s == NULL)
        return respond_problem(r, 503, "out of memory");
    command_execute(r->server, &s->session, argc, argv, &e.reply);
    stream_prepend(s->stream,
                   buf_slice(&e.out)); /* what was published meanwhile comes behind the confirmations */
    buf_free(&e.out);
    if (e.error[0] == '\0')
        return stream_respond(s->stream, r, "text/event-stream");
    stream = s->stream;
    on_done(s); /* nobody delivers to it any more */
    stream_free(stream);
    return respond_error(r, e.error);
}
