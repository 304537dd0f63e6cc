/* writer.c - RESP encoding. Source: https://redis.io/docs/reference/protocol-spec */
#include "writer.h"

#include <flashkv/num.h>
#include <math.h>
#include <stdio.h>

static struct outq *out_of(struct reply *r) {
    return ((struct writer *)r)->out;
}

static bool resp3(const struct reply *r) {
    return atomic_load_explicit(&((const struct writer *)r)->session->protocol, memory_order_relaxed) >= 3;
}

/* A type byte, a number, CR LF; returns the length. `line` holds NUM_I64_MAX + 3 bytes. */
static size_t number_line(char *line, char type, int64_t n) {
    size_t len = 1;

    line[0] = type;
    if (n >= 0 && n < 10)
        line[len++] = (char)('0' + n);
    else
        len += num_format_i64(n, line + 1);
    line[len++] = '\r';
    line[len++] = '\n';
    return len;
}

static void add_number(struct reply *r, char type, int64_t n) {
    char line[NUM_I64_MAX + 3];

    outq_add(out_of(r), line, number_line(line, type, n));
}

static void add_line(struct reply *r, char type, struct slice text) {
    struct outq *q = out_of(r);

    if (!buf_reserve(&q->bytes, text.len + 3)) {
        q->overflow = true;
        return;
    }
    outq_add(q, &type, 1);
    outq_add(q, text.ptr, text.len);
    outq_add(q, "\r\n", 2);
}

static void write_status(struct reply *r, struct slice text) {
    add_line(r, '+', text);
}

static void write_error(struct reply *r, struct slice text) {
    ((struct writer *)r)->errors++;
    add_line(r, '-', text);
}

static void write_integer(struct reply *r, int64_t n) {
    add_number(r, ':', n);
}

static void write_bulk(struct reply *r, struct slice bytes) {
    struct outq *q = out_of(r);
    char *at;

    /* One reservation for header, bytes and end: this is every GET. */
    if (!buf_reserve(&q->bytes, bytes.len + NUM_I64_MAX + 5)) {
        q->overflow = true;
        return;
    }
    at = q->bytes.data + q->bytes.len;
    at += number_line(at, '$', (int64_t)bytes.len);
    if (bytes.len > 0)
        memcpy(at, bytes.ptr, bytes.len);
    at += bytes.len;
    *at++ = '\r';
    *at++ = '\n';
    q->bytes.len = (size_t)(at - q->bytes.data);
}

static void write_blob(struct reply *r, struct blob *b) {
    add_number(r, '$', (int64_t)b->len);
    outq_add_blob(out_of(r), b);
    outq_add(out_of(r), "\r\n", 2);
}

static void write_null(struct reply *r) {
    if (resp3(r))
        outq_add(out_of(r), "_\r\n", 3);
    else
        outq_add(out_of(r), "$-1\r\n", 5);
}

static void write_null_array(struct reply *r) {
    if (resp3(r))
        outq_add(out_of(r), "_\r\n", 3);
    else
        outq_add(out_of(r), "*-1\r\n", 5);
}

static void write_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    static const char types[] = {
        [REPLY_ARRAY] = '*', [REPLY_MAP] = '%', [REPLY_SET] = '~', [REPLY_PUSH] = '>'};

    if (resp3(r))
        add_number(r, types[kind], (int64_t)n);
    else
        add_number(r, '*', (int64_t)(kind == REPLY_MAP ? 2 * n : n));
}

static void write_real(struct reply *r, double d) {
    char text[40];
    int n;

    if (isinf(d))
        n = snprintf(text, sizeof(text), d > 0 ? "inf" : "-inf");
    else
        n = snprintf(text, sizeof(text), "%.17g", d);
    if (resp3(r))
        add_line(r, ',', slice_of(text, (size_t)n));
    else
        write_bulk(r, slice_of(text, (size_t)n));
}

static void write_boolean(struct reply *r, bool b) {
    if (resp3(r))
        outq_add(out_of(r), b ? "#t\r\n" : "#f\r\n", 4);
    else
        write_integer(r, b);
}

static void write_verbatim(struct reply *r, struct slice text) {
    if (!resp3(r)) {
        write_bulk(r, text);
        return;
    }
    add_number(r, '=', (int64_t)text.len + 4);
    outq_add(out_of(r), "txt:", 4);
    outq_add(out_of(r), text.ptr, text.len);
    outq_add(out_of(r), "\r\n", 2);
}

static const struct reply_ops resp_ops = {
    .status = write_status,
    .error = write_error,
    .integer = write_integer,
    .bulk = write_bulk,
    .blob = write_blob,
    .null = write_null,
    .null_array = write_null_array,
    .aggregate = write_aggregate,
    .real = write_real,
    .boolean = write_boolean,
    .verbatim = write_verbatim,
};

void writer_init(struct writer *w, const struct session *session, struct outq *out) {
    *w = (struct writer){.reply = {.ops = &resp_ops}, .session = session, .out = out};
}
