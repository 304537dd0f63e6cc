/* resp2_reply.c - writing replies as RESP2. */
#include "resp2_reply.h"

#include <flashkv/num.h>

static void put(struct json_out *o, struct slice s) {
    if (!buf_append_slice(&o->buf, s))
        o->failed = true;
}

static void put_header(struct json_out *o, const char *type, int64_t n) {
    json_put(o, type);
    json_put_integer(o, n);
    json_put(o, "\r\n");
}

static void put_line(struct json_out *o, const char *type, struct slice text) {
    json_put(o, type);
    put(o, text);
    json_put(o, "\r\n");
}

void resp2_put_array(struct json_out *out, size_t n) {
    put_header(out, "*", (int64_t)n);
}

static void put_error(struct json_out *out, struct slice text) {
    put_line(out, "-", text);
}

static struct json_out *out_of(struct reply *r) {
    return ((struct resp2_reply *)r)->out;
}

static void on_status(struct reply *r, struct slice text) {
    put_line(out_of(r), "+", text);
}

static void on_error(struct reply *r, struct slice text) {
    put_error(out_of(r), text);
}

static void on_integer(struct reply *r, int64_t n) {
    put_header(out_of(r), ":", n);
}

static void on_bulk(struct reply *r, struct slice bytes) {
    put_header(out_of(r), "$", (int64_t)bytes.len);
    put_line(out_of(r), "", bytes);
}

static void on_null(struct reply *r) {
    json_put(out_of(r), "$-1\r\n");
}

static void on_null_array(struct reply *r) {
    json_put(out_of(r), "*-1\r\n");
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    resp2_put_array(out_of(r), kind == REPLY_MAP ? 2 * n : n);
}

static const struct reply_ops resp2_reply_ops = {
    .status = on_status,
    .error = on_error,
    .integer = on_integer,
    .bulk = on_bulk,
    .blob = reply_blob_as_bulk,
    .null = on_null,
    .null_array = on_null_array,
    .aggregate = on_aggregate,
    .real = reply_real_as_bulk,
    .boolean = reply_boolean_as_integer,
    .verbatim = on_bulk,
};

void resp2_reply_init(struct resp2_reply *r, struct json_out *out) {
    *r = (struct resp2_reply){.reply = {.ops = &resp2_reply_ops}, .out = out};
}
