/* sse_forms.c - encoding replies as events. */
#include "sse_forms.h"

#include <flashkv/num.h>
#include <stdio.h>

#include "capture.h"
#include "json_out.h"

/* ---- Upstash's ---------------------------------------------------------------------------------------------------- */

/* A sink: an array becomes an event with its members separated by commas; a status is an event of its own. */
struct event_reply {
    struct reply reply; /* first */
    struct buf *out;
    size_t left; /* members of the event that are still to come */
    bool fresh;
    bool failed; /* over the ceiling, or no memory */
    char *error;
};

static void add(struct event_reply *e, struct slice s) {
    e->failed |= !buf_append_slice(e->out, s);
}

static void put(struct event_reply *e, struct slice s) {
    while (s.len > 0) { /* CR, LF and CR LF all end a line of an event stream */
        size_t n = 0;

        while (n < s.len && s.ptr[n] != '\n' && s.ptr[n] != '\r')
            n++;
        add(e, slice_of(s.ptr, n));
        if (n == s.len)
            return;
        add(e, SLICE_LIT("\ndata: "));
        n += n + 1 < s.len && s.ptr[n] == '\r' && s.ptr[n + 1] == '\n' ? 2 : 1;
        s = slice_of(s.ptr + n, s.len - n);
    }
}

static void put_event(struct event_reply *e, struct slice s) {
    add(e, SLICE_LIT("data: "));
    put(e, s);
    add(e, SLICE_LIT("\n\n"));
}

static void on_bulk(struct reply *r, struct slice bytes) {
    struct event_reply *e = (struct event_reply *)r;

    if (e->left == 0) {
        put_event(e, bytes);
        return;
    }
    if (!e->fresh)
        add(e, SLICE_LIT(","));
    e->fresh = false;
    put(e, bytes);
    if (--e->left == 0)
        add(e, SLICE_LIT("\n\n"));
}

/* Upstash's clients parse MONITOR's OK as JSON. */
static void on_status(struct reply *r, struct slice text) {
    if (slice_eq(text, SLICE_LIT("OK")))
        text = SLICE_LIT("\"OK\"");
    on_bulk(r, text);
}

static void on_error(struct reply *r, struct slice text) {
    struct event_reply *e = (struct event_reply *)r;
    size_t n = text.len < SSE_ERROR - 1 ? text.len : SSE_ERROR - 1;

    memcpy(e->error, text.ptr, n);
    e->error[n] = '\0';
}

static void on_integer(struct reply *r, int64_t n) {
    char digits[NUM_I64_MAX];

    on_bulk(r, slice_of(digits, num_format_i64(n, digits)));
}

static void on_null(struct reply *r) {
    on_bulk(r, slice_of("", 0));
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    struct event_reply *e = (struct event_reply *)r;

    (void)kind;
    e->left = n;
    e->fresh = true;
    add(e, SLICE_LIT("data: "));
}

static const struct reply_ops event_reply_ops = {
    .status = on_status,
    .error = on_error,
    .integer = on_integer,
    .bulk = on_bulk,
    .blob = reply_blob_as_bulk,
    .null = on_null,
    .null_array = on_null,
    .aggregate = on_aggregate,
    .real = reply_real_as_bulk,
    .boolean = reply_boolean_as_integer,
    .verbatim = on_bulk,
};

static struct event_reply event_reply_make(struct buf *out, char error[SSE_ERROR]) {
    error[0] = '\0';
    return (struct event_reply){.reply = {.ops = &event_reply_ops}, .out = out, .error = error};
}

bool sse_put_upstash(struct buf *out, sse_emit *emit, const void *ctx, char error[SSE_ERROR]) {
    struct event_reply e = event_reply_make(out, error);

    emit(&e.reply, ctx);
    return !e.failed;
}

bool sse_put_line(struct buf *out, struct slice line) {
    char unused[SSE_ERROR];
    struct event_reply e = event_reply_make(out, unused);

    put_event(&e, line);
    return !e.failed;
}

/* ---- ours ------------------------------------------------------------------------------------------------------------ */

/* The members of a push, after its verb. */
static const struct event_form {
    const char *verb, *event;
    const char *names[3], *encodings[3]; /* integers have no encoding */
} event_forms[] = {
    {"message", "message", {"channel", "message"}, {"channel_encoding", "message_encoding"}},
    {"pmessage",
     "message",
     {"pattern", "channel", "message"},
     {"pattern_encoding", "channel_encoding", "message_encoding"}},
    {"subscribe", "subscribe", {"channel", "subscriptions"}, {"channel_encoding"}},
    {"psubscribe", "subscribe", {"pattern", "subscriptions"}, {"pattern_encoding"}},
};

static const struct event_form *form_of(struct slice verb) {
    for (size_t i = 0; i < sizeof(event_forms) / sizeof(*event_forms); i++)
        if (slice_eq(verb, slice_str(event_forms[i].verb)))
            return &event_forms[i];
    return NULL;
}

static void put_member(struct json_out *o, const struct event_form *f, size_t i, const struct capture *c,
                       size_t at) {
    json_put(o, i > 0 ? "," : "");
    if (c->tokens[at].kind != TOKEN_INTEGER) {
        json_put_bytes(o, f->names[i], f->encodings[i], capture_text(c, at));
        return;
    }
    json_put_utf8(o, slice_str(f->names[i]));
    json_put(o, ":");
    json_put_integer(o, c->tokens[at].n);
}

/* The push whose aggregate is token `at`. */
static void put_push(struct json_out *o, const struct capture *c, size_t at) {
    const struct event_form *f = form_of(capture_text(c, at + 1));

    if (f == NULL)
        return;
    json_put(o, "event: ");
    json_put(o, f->event);
    json_put(o, "\ndata: {");
    for (size_t i = 0; i < 3 && f->names[i] != NULL; i++)
        put_member(o, f, i, c, at + 2 + i);
    json_put(o, "}\n\n");
}

bool sse_put_json(struct buf *out, sse_emit *emit, const void *ctx, char error[SSE_ERROR]) {
    struct json_out o = {*out, false};
    struct capture c;

    capture_init(&c, out->max);
    emit(&c.reply, ctx);
    snprintf(error, SSE_ERROR, "%s", c.error);
    for (size_t at = 0; at < c.count && !c.overflow; at += 1 + (size_t)c.tokens[at].n)
        put_push(&o, &c, at);
    o.failed |= c.overflow;
    capture_free(&c);
    *out = o.buf;
    return !o.failed;
}
