/* writer.c - RESP encoding. Source: https://redis.io/docs/reference/protocol-spec
 *
 * Each reply reserves its bytes once and is then written through a pointer: this is half of every GET. */
#include "writer.h"

#include <flashkv/hints.h>
#include <flashkv/num.h>
#include <math.h>

enum {
    CRLF = 2,
    NUMBER_LINE_MAX = 1 + NUM_I64_MAX + CRLF, /* type, digits and num_format's NUL, CR LF */
};

static struct outq *out_of(struct reply *r) {
    return ((struct writer *)r)->out;
}

static bool resp3(const struct reply *r) {
    return atomic_load_explicit(((const struct writer *)r)->protocol, memory_order_relaxed) >= 3;
}

/* ---- parts, written at `at`, which is advanced --------------------------------------------------------------- */

static char *put(char *at, struct slice s) {
    if (s.len > 0)
        memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_end(char *at) {
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static inline char *put_number_line(char *at, char type, int64_t n) {
    *at++ = type;
    if (n >= 0 && n < 10) {
        *at++ = (char)('0' + n);
    } else if (n >= 10 && n < 100) {
        *at++ = (char)('0' + n / 10);
        *at++ = (char)('0' + n % 10);
    } else {
        at += num_format_i64(n, at);
    }
    return put_end(at);
}

/* ---- whole values -------------------------------------------------------------------------------------------- */

static void add(struct reply *r, struct slice wire) {
    char *at = outq_room(out_of(r), wire.len);

    if (at != NULL)
        outq_added(out_of(r), put(at, wire));
}

static void add_number_line(struct reply *r, char type, int64_t n) {
    char *at = outq_room(out_of(r), NUMBER_LINE_MAX);

    if (at != NULL)
        outq_added(out_of(r), put_number_line(at, type, n));
}

static HOT void add_line(struct reply *r, char type, struct slice text) {
    char *at = outq_room(out_of(r), 1 + text.len + CRLF);

    if (at == NULL)
        return;
    *at++ = type;
    outq_added(out_of(r), put_end(put(at, text)));
}

static HOT void write_status(struct reply *r, struct slice text) {
    add_line(r, '+', text);
}

static void write_error(struct reply *r, struct slice text) {
    ((struct writer *)r)->errors++;
    add_line(r, '-', text);
}

static void write_integer(struct reply *r, int64_t n) {
    add_number_line(r, ':', n);
}

static HOT void write_bulk(struct reply *r, struct slice bytes) {
    char *at = outq_room(out_of(r), NUMBER_LINE_MAX + bytes.len + CRLF);

    if (at == NULL)
        return;
    at = put_number_line(at, '$', (int64_t)bytes.len);
    outq_added(out_of(r), put_end(put(at, bytes)));
}

static void write_blob(struct reply *r, struct blob *b) {
    add_number_line(r, '$', (int64_t)b->len);
    outq_add_blob(out_of(r), b);
    add(r, SLICE_LIT("\r\n"));
}

static void write_null(struct reply *r) {
    add(r, resp3(r) ? SLICE_LIT("_\r\n") : SLICE_LIT("$-1\r\n"));
}

static void write_null_array(struct reply *r) {
    add(r, resp3(r) ? SLICE_LIT("_\r\n") : SLICE_LIT("*-1\r\n"));
}

static void write_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    static const char types[] = {
        [REPLY_ARRAY] = '*', [REPLY_MAP] = '%', [REPLY_SET] = '~', [REPLY_PUSH] = '>'};

    if (resp3(r))
        add_number_line(r, types[kind], (int64_t)n);
    else
        add_number_line(r, '*', (int64_t)(kind == REPLY_MAP ? 2 * n : n));
}

static void write_real(struct reply *r, double d) {
    char digits[NUM_DOUBLE_MAX];
    struct slice text = isnan(d) ? SLICE_LIT("nan") : slice_of(digits, num_format_double(d, digits));

    if (resp3(r))
        add_line(r, ',', text);
    else
        write_bulk(r, text);
}

static void write_boolean(struct reply *r, bool b) {
    if (resp3(r))
        add(r, b ? SLICE_LIT("#t\r\n") : SLICE_LIT("#f\r\n"));
    else
        write_integer(r, b);
}

static void write_verbatim(struct reply *r, struct slice text) {
    static const struct slice kind = {"txt:", 4};

    if (!resp3(r)) {
        write_bulk(r, text);
        return;
    }
    add_number_line(r, '=', (int64_t)(kind.len + text.len));
    add(r, kind);
    add(r, text);
    add(r, SLICE_LIT("\r\n"));
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

HOT void writer_init(struct writer *w, const _Atomic uint8_t *protocol, struct outq *out) {
    *w = (struct writer){.reply = {.ops = &resp_ops}, .protocol = protocol, .out = out};
}
