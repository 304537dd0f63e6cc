/* import.c - POST /import: recreates keys from the lines that GET /export writes (export.c).
 *
 * Each line is a change of its own, made when the line has arrived: a client that was cut off may send everything again. A line
 * that cannot be used is counted, the first ERRORS_REPORTED of them are reported, and the import continues. The JSON of
 * GET /keys/{key} is such a line too ("ttl_ms" in place of "expire_at"). */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/rest.h>
#include <stdio.h>

#include "conditions.h"
#include "handlers.h"
#include "hold.h"
#include "json_in.h"
#include "json_out.h"
#include "lines.h"
#include "respond.h"

enum { ERRORS_REPORTED = 100, HEAD_ARGS = 6, NAME_SHOWN_MAX = 40 };

static const int64_t TTL_MAX_MS = INT64_MAX / 2; /* so that the sum with the present time does not overflow */

#define BAD_ENCODING "an encoding that is neither utf8 nor base64, or no base64"

enum conflict { CONFLICT_REPLACE, CONFLICT_SKIP, CONFLICT_FAIL };

struct import {
    struct server *server;
    struct session session;
    enum conflict conflict;
    struct lines lines;
    struct buf argv;  /* struct arg: the arguments of rest.load */
    struct buf times; /* int64_t: expiry times of the line's fields; empty: none expires */
    /* The last key that was skipped, failed or already expired: lines that append to it are skipped. */
    struct buf skipped;
    bool has_skipped;
    uint64_t imported, skipped_lines, failed;
    struct json_out errors; /* members of an array */
    char why[256];          /* what is wrong with the current line */
};

/* ---- a line --------------------------------------------------------------------------------------------------------- */

/* The members of a line; ptr NULL: absent. */
struct line {
    struct slice key, key_encoding, type, encoding, content_type, content_type_encoding;
    int64_t expire_at, ttl_ms;
    size_t values; /* number of values, in import.argv after HEAD_ARGS */
    bool append, is_cursor, has_value, is_array;
};

static bool wrong(struct import *im, const char *why) {
    snprintf(im->why, sizeof(im->why), "%s", why);
    return false;
}

static bool add_value(struct import *im, struct line *l, struct slice s) {
    struct arg a = arg_of(s);

    l->values++;
    return buf_append(&im->argv, &a, sizeof(a)) || wrong(im, "out of memory, or too many elements");
}

/* "value": a string, or an array of strings. */
static bool read_value(struct import *im, struct line *l, struct json_in *j) {
    struct slice s;
    enum json_token token = json_read(j, &s);

    l->has_value = true;
    if (token == JSON_IN_STRING)
        return add_value(im, l, s);
    l->is_array = true;
    if (token != JSON_IN_ARRAY)
        return token != JSON_IN_BAD && wrong(im, "value: expects a string or an array of strings");
    while ((token = json_read(j, &s)) == JSON_IN_STRING)
        if (!add_value(im, l, s))
            return false;
    if (token != JSON_IN_CLOSE)
        return token != JSON_IN_BAD && wrong(im, "value: expects an array of strings alone");
    return true;
}

static bool read_text(struct import *im, struct json_in *j, struct slice *text) {
    enum json_token token = json_read(j, text);

    return token == JSON_IN_STRING || (token != JSON_IN_BAD && wrong(im, "a string was expected"));
}

/* A time, or null for none. */
static bool read_time(struct import *im, struct json_in *j, int64_t *ms) {
    struct slice s;
    enum json_token token = json_read(j, &s);

    if (token == JSON_IN_NULL)
        return true;
    return (token == JSON_IN_NUMBER && num_parse_i64(s, ms) && *ms > 0) ||
           (token != JSON_IN_BAD && wrong(im, "a time that is no whole number of milliseconds above 0"));
}

/* "field_expire_at": an array of times, 0 for no expiry. */
static bool read_times(struct import *im, struct json_in *j) {
    struct slice s;
    enum json_token token = json_read(j, &s);
    int64_t ms;

    if (token != JSON_IN_ARRAY)
        return token != JSON_IN_BAD && wrong(im, "field_expire_at: expects an array");
    while ((token = json_read(j, &s)) == JSON_IN_NUMBER) {
        if (!num_parse_i64(s, &ms) || ms < 0)
            return wrong(im, "field_expire_at: expects whole milliseconds");
        if (!buf_append(&im->times, &ms, sizeof(ms)))
            return wrong(im, "out of memory, or too many elements");
    }
    return token == JSON_IN_CLOSE ||
           (token != JSON_IN_BAD && wrong(im, "field_expire_at: expects numbers alone"));
}

static bool read_member(struct import *im, struct line *l, struct json_in *j, struct slice name) {
    const struct {
        const char *name;
        struct slice *text;
    } texts[] = {{"key", &l->key},
                 {"key_encoding", &l->key_encoding},
                 {"type", &l->type},
                 {"encoding", &l->encoding},
                 {"content_type", &l->content_type},
                 {"content_type_encoding", &l->content_type_encoding}};
    struct slice s;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (slice_eq(name, slice_str(texts[i].name)))
            return (texts[i].text->ptr == NULL || wrong(im, "a member is given twice")) &&
                   read_text(im, j, texts[i].text);
    if (slice_eq(name, SLICE_LIT("value")))
        return (!l->has_value || wrong(im, "a member is given twice")) && read_value(im, l, j);
    if (slice_eq(name, SLICE_LIT("expire_at")))
        return read_time(im, j, &l->expire_at);
    if (slice_eq(name, SLICE_LIT("ttl_ms")))
        return read_time(im, j, &l->ttl_ms) && (l->ttl_ms <= TTL_MAX_MS || wrong(im, "ttl_ms: too long"));
    if (slice_eq(name, SLICE_LIT("field_expire_at")))
        return (im->times.len == 0 || wrong(im, "a member is given twice")) && read_times(im, j);
    if (slice_eq(name, SLICE_LIT("append"))) {
        l->append = json_read(j, &s) == JSON_IN_TRUE;
        return l->append || wrong(im, "append: expects true");
    }
    if (!slice_eq(name, SLICE_LIT("cursor")) && !slice_eq(name, SLICE_LIT("etag"))) {
        snprintf(im->why, sizeof(im->why), "unknown member '%.*s'",
                 (int)(name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX), name.ptr);
        return false;
    }
    l->is_cursor |= *name.ptr == 'c';
    return json_pass(j, json_read(j, &s));
}

static bool read_line(struct import *im, struct line *l, char *text, size_t len) {
    struct json_in j = json_in_make(text, len, im->server->options->max_json_depth);
    struct slice s;
    bool ok = json_read(&j, &s) == JSON_IN_OBJECT || j.why != NULL || wrong(im, "expects a JSON object");
    enum json_token token = JSON_IN_BAD;

    im->argv.len = HEAD_ARGS * sizeof(struct arg);
    im->times.len = 0;
    while (ok && (token = json_read(&j, &s)) == JSON_IN_NAME)
        ok = read_member(im, l, &j, s);
    ok = ok && token == JSON_IN_CLOSE && json_read(&j, &s) == JSON_IN_END;
    if (j.why != NULL)
        json_in_explain(&j, im->why, sizeof(im->why));
    return ok;
}

/* ---- applying a line ------------------------------------------------------------------------------------------------ */

static size_t times_count(const struct import *im) {
    return im->times.len / sizeof(int64_t);
}

static bool check_line(struct import *im, struct line *l) {
    struct arg *values = (struct arg *)(void *)im->argv.data + HEAD_ARGS;

    if (l->key.ptr == NULL || l->type.ptr == NULL || !l->has_value)
        return wrong(im, "key, type and value are needed");
    if (l->is_array == slice_eq(l->type, SLICE_LIT("string")))
        return wrong(im, "value: a string has one, other types an array");
    if (l->append && !l->is_array)
        return wrong(im, "append: of a collection");
    if (l->values == 0)
        return wrong(im, "value: a collection has one element at least");
    if (im->times.len > 0 && (!slice_eq(l->type, SLICE_LIT("hash")) || 2 * times_count(im) != l->values))
        return wrong(im, "field_expire_at: expects a time for each field of a hash");
    if (!json_in_decode(&l->content_type, l->content_type_encoding))
        return wrong(im, BAD_ENCODING);
    if (!media_type_fits(l->content_type))
        return wrong(im, "content_type: too long, or not a line of text");
    for (size_t i = 0; i < l->values; i++) {
        struct slice value = arg_slice(&values[i]);

        if (!json_in_decode(&value, l->encoding))
            return wrong(im, BAD_ENCODING);
        values[i] = arg_of(value);
    }
    return true;
}

/* Sets the expiry times of the fields that were loaded. */
static bool load_times(struct import *im, const struct line *l) {
    const struct arg *fields = (const struct arg *)(const void *)im->argv.data + HEAD_ARGS;
    const int64_t *times = (const int64_t *)(const void *)im->times.data;
    bool ok = true;

    for (size_t i = 0; ok && i < times_count(im); i++) {
        char digits[NUM_I64_MAX];
        struct arg argv[] = {arg_text("hpexpireat"), arg_of(l->key), arg_of(slice_of(digits, 0)),
                             arg_text("fields"),     arg_text("1"),  fields[2 * i]};
        struct capture c;

        if (times[i] == 0)
            continue;
        argv[2].len = num_format_i64(times[i], digits);
        ok = run_command(im->server, &im->session, &c, BYTES_INLINE, 6, argv);
        if (!ok)
            wrong(im, c.error[0] != '\0' ? c.error : "out of memory");
        capture_free(&c);
    }
    return ok;
}

static bool load(struct import *im, const struct line *l) {
    struct arg *argv = (struct arg *)(void *)im->argv.data;
    int64_t expire_at = l->ttl_ms > 0 ? im->session.now_ms + l->ttl_ms : l->expire_at;
    char digits[NUM_I64_MAX];
    struct capture c;
    bool ok;

    argv[0] = arg_text("rest.load");
    argv[1] = arg_of(l->key);
    argv[2] = arg_text(l->append ? "append" : im->conflict == CONFLICT_REPLACE ? "replace" : "skip");
    argv[3] = arg_of(l->type);
    argv[4] = arg_of(slice_of(digits, num_format_i64(expire_at, digits)));
    argv[5] = arg_of(l->content_type);
    if (!l->is_array && !arg_hold(&argv[HEAD_ARGS]))
        return wrong(im, "out of memory");
    ok = run_command(im->server, &im->session, &c, BYTES_INLINE, HEAD_ARGS + l->values, argv);
    if (!ok) {
        wrong(im, c.error[0] != '\0' ? c.error : "out of memory");
    } else if (c.tokens[0].n == REST_MISSING) {
        ok = wrong(im, "append: the key is not there, or no longer");
    } else if (c.tokens[0].n != REST_REFUSED) {
        ok = load_times(im, l);
        im->imported += ok;
        im->has_skipped = expire_at != NO_EXPIRY && expire_at <= im->session.now_ms;
    } else if (im->conflict == CONFLICT_SKIP) {
        im->skipped_lines++;
        im->has_skipped = true;
    } else {
        ok = wrong(im, "the key is there already");
    }
    capture_free(&c);
    arg_release(&argv[HEAD_ARGS]);
    return ok;
}

/* Does it append to a key whose first line was skipped or failed? */
static bool belongs_to_skipped(struct import *im, const struct line *l) {
    return l->append && im->has_skipped && slice_eq(l->key, buf_slice(&im->skipped));
}

/* The key is decoded even if the line is wrong, so that lines that append to it are recognised. */
static bool take_line(struct import *im, struct line *l, char *text, size_t len) {
    bool ok = read_line(im, l, text, len);

    if (!json_in_decode(&l->key, l->key_encoding)) {
        l->key.ptr = NULL;
        ok = ok && wrong(im, BAD_ENCODING);
    }
    if (!ok)
        return false;
    if (l->is_cursor)
        return true;
    if (!check_line(im, l))
        return false;
    if (belongs_to_skipped(im, l)) {
        im->skipped_lines++;
        return true;
    }
    im->has_skipped = false;
    return load(im, l);
}

static void report_error(struct import *im) {
    struct json_out *o = &im->errors;

    if (im->failed++ >= ERRORS_REPORTED)
        return;
    json_put(o, im->failed > 1 ? ",{\"line\":" : "{\"line\":");
    json_put_integer(o, (int64_t)im->lines.number);
    json_put(o, ",\"detail\":");
    json_put_lossy(o, slice_str(im->why));
    json_put(o, "}");
}

static void import_line(struct import *im, char *text, size_t len) {
    struct line l = {.expire_at = NO_EXPIRY};

    if (!take_line(im, &l, text, len)) {
        report_error(im);
        im->has_skipped = l.key.ptr != NULL;
    }
    if (im->has_skipped && l.key.ptr != NULL) {
        im->skipped.len = 0;
        im->has_skipped = buf_append_slice(&im->skipped, l.key);
    }
}

/* ---- the body --------------------------------------------------------------------------------------------------------- */

static void import_lines(struct import *im, bool last) {
    char *line;
    size_t len;

    while (lines_next(&im->lines, last, &line, &len))
        import_line(im, line, len);
}

static bool on_piece(struct request *r, void *ctx, const char *bytes, size_t len) {
    struct import *im = ctx;

    session_set_time(&im->session, r->now_ms);
    if (!lines_add(&im->lines, bytes, len)) {
        request_refuse(r, 413, "line %llu is longer than max-request-bytes; those before it were done",
                       (unsigned long long)im->lines.number + 1);
        return false;
    }
    import_lines(im, false);
    return true;
}

static enum MHD_Result on_end(struct request *r, void *ctx) {
    struct json_out o = json_out_make(1 << 20);
    struct import *im = ctx;

    session_set_time(&im->session, r->now_ms);
    import_lines(im, true);
    hold_until(r, im->session.reach);
    json_put(&o, "{\"imported\":");
    json_put_integer(&o, (int64_t)im->imported);
    json_put(&o, ",\"skipped\":");
    json_put_integer(&o, (int64_t)im->skipped_lines);
    json_put(&o, ",\"failed\":");
    json_put_integer(&o, (int64_t)im->failed);
    json_put(&o, ",\"errors\":[");
    buf_append_slice(&o.buf, buf_slice(&im->errors.buf));
    json_put(&o, "]}");
    return respond_json_out(r, 200, &o);
}

static void on_free(void *ctx) {
    struct import *im = ctx;

    lines_free(&im->lines);
    buf_free(&im->argv);
    buf_free(&im->times);
    buf_free(&im->skipped);
    buf_free(&im->errors.buf);
    mem_free(im);
}

static const struct intake import_intake = {on_piece, on_end, on_free};

static bool conflict_of(const struct request *r, enum conflict *conflict) {
    static const char *const words[] = {"replace", "skip", "fail"};
    struct slice word = SLICE_LIT("replace");

    target_query(&r->target, "on-conflict", &word);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (slice_eq(word, slice_str(words[i]))) {
            *conflict = (enum conflict)i;
            return true;
        }
    return false;
}

enum MHD_Result http_import(struct request *r) {
    size_t max = r->server->options->max_request_bytes;
    enum conflict conflict;
    struct import *im;

    if (!conflict_of(r, &conflict))
        return request_refuse(r, 400, "on-conflict: expects replace, skip or fail");
    if ((im = mem_zalloc(sizeof(*im))) == NULL)
        return request_refuse(r, 503, "out of memory");
    im->server = r->server;
    im->session = request_session(r);
    im->conflict = conflict;
    im->lines = lines_make(max);
    im->argv = buf_make(max);
    im->times = buf_make(max);
    im->skipped = buf_make(r->server->options->max_key_bytes);
    im->errors = json_out_make(1 << 20);
    if (!buf_reserve(&im->argv, HEAD_ARGS * sizeof(struct arg))) {
        on_free(im);
        return request_refuse(r, 503, "out of memory");
    }
    return request_take(r, &import_intake, im);
}
