/* json_reply.c - replies as JSON. */
#include "json_reply.h"

#include <flashkv/num.h>
#include <stdio.h>

static bool is_wrapped(const struct json_reply *j) {
    return j->wrap && j->depth == 1;
}

static struct json_reply *begin(struct reply *r) {
    struct json_reply *j = (struct json_reply *)r;

    if (j->depth > 0 && !j->fresh)
        json_put(j->out, ",");
    j->fresh = false;
    return j;
}

static struct json_reply *begin_value(struct reply *r) {
    struct json_reply *j = begin(r);

    if (is_wrapped(j))
        json_put(j->out, "{\"result\":");
    return j;
}

/* A value is complete, and with it, if it is the last, the array that it is in, and so on. */
static void end_value(struct json_reply *j) {
    for (;;) {
        if (is_wrapped(j))
            json_put(j->out, "}");
        if (j->depth == 0 || --j->left[j->depth - 1] > 0)
            return;
        json_put(j->out, "]");
        j->depth--;
    }
}

static void on_bulk(struct reply *r, struct slice bytes) {
    struct json_reply *j = begin_value(r);

    if (j->strings == JSON_STRINGS_BASE64) {
        json_put_base64(j->out, bytes);
    } else if (j->strings == JSON_STRINGS_LOSSY) {
        json_put_lossy(j->out, bytes);
    } else if (utf8_valid(bytes)) {
        json_put_utf8(j->out, bytes);
    } else {
        json_put(j->out, "{\"base64\":");
        json_put_base64(j->out, bytes);
        json_put(j->out, "}");
    }
    end_value(j);
}

static void on_status(struct reply *r, struct slice text) {
    struct json_reply *j = (struct json_reply *)r;

    if (j->depth > 0 || !slice_eq(text, SLICE_LIT("OK"))) {
        on_bulk(r, text);
        return;
    }
    json_put(j->out, "\"OK\"");
}

static void on_error(struct reply *r, struct slice text) {
    struct json_reply *j = (struct json_reply *)r;

    if (j->depth == 0) {
        snprintf(j->error, sizeof(j->error), "%.*s", (int)text.len, text.ptr);
        return;
    }
    begin(r);
    json_put(j->out, "{\"error\":");
    json_put_lossy(j->out, text);
    if (!is_wrapped(j)) /* end_value closes the other */
        json_put(j->out, "}");
    end_value(j);
}

static void on_integer(struct reply *r, int64_t n) {
    struct json_reply *j = begin_value(r);

    json_put_integer(j->out, n);
    end_value(j);
}

static void on_null(struct reply *r) {
    struct json_reply *j = begin_value(r);

    json_put(j->out, "null");
    end_value(j);
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    struct json_reply *j = begin_value(r);

    json_put(j->out, "[");
    if (n == 0 || j->depth == JSON_REPLY_DEPTH) {
        j->out->failed |= n > 0;
        json_put(j->out, "]");
        end_value(j);
        return;
    }
    j->left[j->depth++] = kind == REPLY_MAP ? 2 * n : n;
    j->fresh = true;
}

static const struct reply_ops json_reply_ops = {
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

void json_reply_init(struct json_reply *j, struct json_out *out, enum json_strings strings) {
    *j = (struct json_reply){.reply = {.ops = &json_reply_ops}, .out = out, .strings = strings};
}

void json_put_elements(struct json_out *o, const struct capture *c, size_t at) {
    void (*put)(struct json_out *, struct slice) = json_put_utf8;
    size_t n = (size_t)c->tokens[at].n, i = 1;

    while (i <= n && utf8_valid(capture_text(c, at + i)))
        i++;
    if (i <= n)
        put = json_put_base64;
    json_put(o, "\"value\":[");
    for (i = 1; i <= n; i++) {
        json_put(o, i > 1 ? "," : "");
        put(o, capture_text(c, at + i));
    }
    json_put(o, put == json_put_base64 ? "],\"encoding\":\"base64\"" : "]");
}
