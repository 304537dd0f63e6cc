/* export.c - GET /export: keys as lines of JSON (NDJSON), each with everything that is needed to recreate it.
 *
 *     {"key":"k","type":"string","expire_at":1764000000000,"content_type":"text/plain","value":"v"}
 *     {"key":"l","type":"list","value":["a","b"]}
 *     {"key":"l","type":"list","append":true,"value":["c"]}       more of the same key
 *     {"key":"h","type":"hash","value":["f","v","g","w"],"field_expire_at":[1764000000000,0]}
 *     {"cursor":123}                                              all keys before this are complete: resume with ?cursor=123
 *     {"cursor":0}                                                the export is complete
 *
 * What is not UTF-8 is base64, with "key_encoding" or "encoding" next to it. It walks the keyspace as SCAN does: keys that exist
 * throughout are included. One key's shard is locked at a time, for one part. Buffered at once: a page of names, a part of a
 * collection, a piece of a string. */
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "handlers.h"
#include "json_reply.h"
#include "params.h"
#include "stream.h"

enum {
    PIECE = 24 * 1024, /* bytes of a large string per piece; a multiple of three, for base64 */
    PART_BYTES = 1024 * 1024,
};
#define PAGE_KEYS "64"
#define PART_ELEMENTS "256"

struct export {
    struct server *server;
    struct session session;
    struct buf pattern;
    char cursor[NUM_I64_MAX]; /* of the next page */
    struct capture page;      /* a reply of SCAN: names from token 3 on */
    size_t next;              /* token of the current key; 0: no page is loaded */
    uint64_t part;            /* cursor of the next part of the key's collection */
    bool begun;               /* a line of the current key was written */
    struct blob *blob;        /* a large string that is being written, or NULL */
    size_t blob_at;
    bool blob_base64;
};

/* ---- a key ---------------------------------------------------------------------------------------------------------- */

static void next_key(struct export *e) {
    e->next++;
    e->part = 0;
    e->begun = false;
}

static void put_start(struct json_out *o, const struct export *e, const struct capture *c) {
    struct slice content_type = capture_text(c, 3);

    json_put(o, "{");
    json_put_bytes(o, "key", "key_encoding", capture_text(&e->page, e->next));
    json_put(o, ",\"type\":\"");
    json_put(o, value_type_name((enum value_type)c->tokens[1].n));
    json_put(o, "\"");
    if (e->begun)
        json_put(o, ",\"append\":true");
    else if (c->tokens[2].n != NO_EXPIRY) {
        json_put(o, ",\"expire_at\":");
        json_put_integer(o, c->tokens[2].n);
    }
    if (content_type.len > 0) {
        json_put(o, ",");
        json_put_bytes(o, "content_type", "content_type_encoding", content_type);
    }
}

static void begin_blob(struct export *e, struct json_out *o, struct blob *b) {
    e->blob = blob_ref(b);
    e->blob_at = 0;
    e->blob_base64 = !utf8_valid(blob_slice(b));
    json_put(o, e->blob_base64 ? ",\"encoding\":\"base64\",\"value\":\"" : ",\"value\":\"");
}

static void put_piece(struct export *e, struct json_out *o) {
    size_t left = e->blob->len - e->blob_at, n = left < PIECE ? left : PIECE;
    struct slice piece = slice_of(e->blob->data + e->blob_at, n);

    if (e->blob_base64)
        json_put_base64_part(o, piece);
    else
        json_put_utf8_part(o, piece);
    e->blob_at += n;
    if (n < left)
        return;
    json_put(o, "\"}\n");
    blob_unref(e->blob);
    e->blob = NULL;
    next_key(e);
}

/* The expiry times of a hash's fields, from the aggregate at token `at`, which is empty if none expires. */
static void put_times(struct json_out *o, const struct capture *c, size_t at) {
    if (c->tokens[at].n == 0)
        return;
    json_put(o, ",\"field_expire_at\":[");
    for (size_t i = 1; i <= (size_t)c->tokens[at].n; i++) {
        json_put(o, i > 1 ? "," : "");
        o->failed |= !buf_append_slice(&o->buf, capture_text(c, at + i));
    }
    json_put(o, "]");
}

static void put_value(struct json_out *o, const struct capture *c) {
    json_put(o, ",");
    if (c->tokens[5].kind == TOKEN_AGGREGATE) {
        json_put_elements(o, c, 5);
        put_times(o, c, 6 + (size_t)c->tokens[5].n);
    } else {
        json_put_bytes(o, "value", "encoding", capture_text(c, 5));
    }
    json_put(o, "}\n");
}

/* A part is empty if all its fields have expired and were not swept yet. */
static bool is_empty(const struct capture *c) {
    return c->tokens[5].kind == TOKEN_AGGREGATE && c->tokens[5].n == 0;
}

/* The reply of rest.part: [type, expire_at, content type, next cursor, value, times] */
static void put_part(struct export *e, struct json_out *o, const struct capture *c) {
    if (!is_empty(c)) {
        put_start(o, e, c);
        if (c->tokens[5].kind == TOKEN_BLOB) {
            begin_blob(e, o, c->tokens[5].blob);
            return;
        }
        put_value(o, c);
        e->begun = true;
    }
    e->part = (uint64_t)c->tokens[4].n;
    if (e->part == 0)
        next_key(e);
}

/* Writes the next part of the current key, or nothing if it is gone. False: too large, or no memory. */
static bool put_key(struct export *e, struct json_out *o) {
    char cursor[NUM_I64_MAX];
    size_t digits = num_format_u64(e->part, cursor);
    struct arg argv[] = {arg_text("rest.part"), arg_of(capture_text(&e->page, e->next)),
                         arg_of(slice_of(cursor, digits)), arg_text(PART_ELEMENTS)};
    struct capture c;
    bool ok;

    ok = run_command(e->server, &e->session, &c, PART_BYTES, 4, argv);
    if (!ok) { /* long elements: retry with one at a time, up to max-output-bytes */
        capture_free(&c);
        argv[3] = arg_text("1");
        ok = run_command(e->server, &e->session, &c, e->server->options->max_output_bytes, 4, argv);
    }
    if (ok && c.tokens[0].kind != TOKEN_NULL) {
        put_part(e, o, &c);
    } else {
        next_key(e);
    }
    capture_free(&c);
    return ok;
}

/* ---- pages ---------------------------------------------------------------------------------------------------------- */

static bool next_page(struct export *e) {
    struct arg argv[] = {arg_text("scan"),    arg_text(e->cursor), arg_text("count"),
                         arg_text(PAGE_KEYS), arg_text("match"),   arg_of(buf_slice(&e->pattern))};
    bool ok = run_command(e->server, &e->session, &e->page, e->server->options->max_output_bytes,
                          e->pattern.len > 0 ? 6 : 4, argv);
    struct slice cursor = ok ? capture_text(&e->page, 1) : slice_of("0", 1);

    memcpy(e->cursor, cursor.ptr, cursor.len);
    e->cursor[cursor.len] = '\0';
    e->next = 3;
    if (!ok)
        capture_free(&e->page);
    return ok;
}

/* The page is complete. */
static enum stream_state end_page(struct export *e, struct json_out *o) {
    capture_free(&e->page);
    e->next = 0;
    json_put(o, "{\"cursor\":");
    json_put(o, e->cursor);
    json_put(o, "}\n");
    return strcmp(e->cursor, "0") == 0 ? STREAM_END : STREAM_MORE;
}

static enum stream_state fill(void *ctx, struct buf *out) {
    struct export *e = ctx;
    struct json_out o = {*out, false};
    enum stream_state state = STREAM_MORE;
    bool ok = true;

    session_set_time(&e->session, clock_wall_ms());
    while (ok && state == STREAM_MORE && o.buf.len < PIECE) {
        if (e->next == 0)
            ok = next_page(e);
        else if (e->blob != NULL)
            put_piece(e, &o);
        else if (e->next < e->page.count)
            ok = put_key(e, &o);
        else
            state = end_page(e, &o);
    }
    *out = o.buf;
    return ok && !o.failed ? state : STREAM_CUT;
}

static void done(void *ctx) {
    struct export *e = ctx;

    if (e->next > 0)
        capture_free(&e->page);
    if (e->blob != NULL)
        blob_unref(e->blob);
    buf_free(&e->pattern);
    mem_free(e);
}

static const struct stream_ops export_ops = {.fill = fill, .done = done};

/* A stream has no status left to report a forbidden command: runs a scan first. False: *result is the response. */
static bool is_allowed(struct request *r, const struct buf *pattern, enum MHD_Result *result) {
    struct arg argv[] = {arg_text("scan"), arg_text("0"),     arg_text("count"),
                         arg_text("1"),    arg_text("match"), arg_of(buf_slice(pattern))};
    struct capture c;

    if (r->rights == NULL)
        return true;
    if (!ask(r, &c, result, pattern->len > 0 ? 6 : 4, argv))
        return false;
    capture_free(&c);
    return true;
}

enum MHD_Result http_export(struct request *r) {
    enum MHD_Result result;
    struct stream *stream;
    struct arg cursor;
    struct export *e;

    if (!param_cursor(r, &cursor, &result))
        return result;
    if ((e = mem_zalloc(sizeof(*e))) == NULL)
        return respond_problem(r, 503, "out of memory");
    e->server = r->server;
    e->session = request_session(r);
    memcpy(e->cursor, cursor.ptr, cursor.len);
    if (!param_pattern(r, &e->pattern, &result) || !is_allowed(r, &e->pattern, &result)) {
        done(e);
        return result;
    }
    /* An escaped byte of a large string may take six bytes. */
    stream = stream_new(r, &export_ops, e, 8 * r->server->options->max_output_bytes);
    if (stream == NULL) {
        done(e);
        return respond_problem(r, 503, "out of memory");
    }
    return stream_respond(stream, r, "application/x-ndjson");
}
