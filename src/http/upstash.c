/* upstash.c - one command per request, as a JSON array or as a path, and subscriptions. */
#include "upstash.h"

#include <flashkv/num.h>
#include <stdio.h>

#include "conditions.h"
#include "handlers.h"
#include "hold.h"
#include "resp2_reply.h"
#include "respond.h"
#include "sse.h"

/* ---- answering ------------------------------------------------------------------------------------------------------- */

bool upstash_wrong(struct upstash *u, const char *why) {
    if (u->why[0] == '\0')
        snprintf(u->why, sizeof(u->why), "%s", why);
    return false;
}

static void put_error(struct json_out *o, const char *error) {
    json_put(o, "{\"error\":");
    json_put_lossy(o, slice_str(error));
    json_put(o, "}");
}

enum { SYNC_TOKEN = 2 * NUM_I64_MAX };

/* A token that differs after any write: the number of write locks of all shards, and of the resets of that count. */
static void sync_token(const struct request *r, char token[SYNC_TOKEN]) {
    uint64_t resets = atomic_load_explicit(&r->server->stats_resets, memory_order_relaxed);
    struct shard_stats total;

    store_stats(r->server->store, &total, NULL);
    snprintf(token, SYNC_TOKEN, "%llu-%llu", (unsigned long long)resets,
             (unsigned long long)total.write_locks);
}

void upstash_end(struct upstash *u) {
    buf_free(&u->args);
    buf_free(&u->body);
    buf_free(&u->out.buf);
}

enum MHD_Result upstash_answer(struct upstash *u, unsigned status) {
    char token[SYNC_TOKEN];
    enum MHD_Result result;
    bool is_json = !u->resp2;

    if (u->why[0] != '\0') {
        u->out.buf.len = 0;
        put_error(&u->out, u->why);
        status = 400;
        is_json = true;
    }
    if (status >= 400)
        is_json = true;
    sync_token(u->request, token);
    hold_until(u->request, u->session.reach);
    result = respond_out_with(u->request, status, is_json ? "application/json" : "application/octet-stream",
                              &u->out, "Upstash-Sync-Token", token);
    upstash_end(u);
    return result;
}

/* ---- parsing ----------------------------------------------------------------------------------------------------------- */

static struct slice header_of(const struct request *r, const char *name) {
    const char *value = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);

    return value != NULL ? slice_str(value) : slice_of("", 0);
}

bool upstash_begin(struct upstash *u, struct request *r) {
    struct slice encoding = header_of(r, "Upstash-Encoding"),
                 format = header_of(r, "Upstash-Response-Format");
    size_t max = r->server->options->max_request_bytes;

    *u = (struct upstash){.request = r,
                          .session = request_session(r),
                          .args = buf_make(max),
                          .body = buf_make(max),
                          .out = json_out_make(r->server->options->max_output_bytes),
                          .strings = JSON_STRINGS_LOSSY};
    if (encoding.len > 0 && !slice_caseeq(encoding, SLICE_LIT("base64")))
        return upstash_wrong(u, "ERR unsupported Upstash-Encoding, expects base64");
    if (format.len > 0 && !slice_caseeq(format, SLICE_LIT("resp2")))
        return upstash_wrong(u, "ERR unsupported Upstash-Response-Format, expects resp2");
    if (encoding.len > 0 && format.len > 0)
        return upstash_wrong(u,
                             "ERR Upstash-Encoding cannot be given together with the response format resp2");
    u->resp2 = format.len > 0;
    if (encoding.len > 0)
        u->strings = JSON_STRINGS_BASE64;
    return true;
}

static bool add_arg(struct upstash *u, struct slice s) {
    struct arg a = arg_of(s);

    if (!buf_append(&u->args, &a, sizeof(a)))
        return upstash_wrong(u, "ERR too many arguments, or out of memory");
    u->count++;
    return true;
}

static const struct arg *args_of(const struct upstash *u, size_t *argc) {
    *argc = u->count;
    return (const struct arg *)(const void *)u->args.data + u->first;
}

bool upstash_read(struct upstash *u, struct json_in *j) {
    enum json_token token;
    struct slice s;

    u->first += u->count;
    u->count = 0;
    while ((token = json_read(j, &s)) != JSON_IN_CLOSE)
        switch (token) {
        case JSON_IN_STRING:
        case JSON_IN_NUMBER:
            if (!add_arg(u, s))
                return false;
            break;
        case JSON_IN_TRUE:
            if (!add_arg(u, SLICE_LIT("true")))
                return false;
            break;
        case JSON_IN_FALSE:
            if (!add_arg(u, SLICE_LIT("false")))
                return false;
            break;
        case JSON_IN_NULL:
            return upstash_wrong(u, "ERR null args are not supported");
        case JSON_IN_ARRAY:
            return upstash_wrong(u, "ERR unsupported arg type: array");
        case JSON_IN_OBJECT:
            return upstash_wrong(u, "ERR unsupported arg type: object");
        case JSON_IN_NAME:
        case JSON_IN_CLOSE:
        case JSON_IN_END:
        case JSON_IN_BAD:
            return false;
        }
    return u->count > 0 || upstash_wrong(u, "ERR empty command");
}

bool upstash_open(struct upstash *u, struct json_in *j) {
    struct slice body = request_body(u->request), s;

    if (body.len == 0)
        return upstash_wrong(u, "EOF");
    if (!buf_append_slice(&u->body, body))
        return upstash_wrong(u, "ERR out of memory, or a body over max-request-bytes");
    *j = json_in_make(u->body.data, u->body.len, u->request->server->options->max_json_depth);
    return json_read(j, &s) == JSON_IN_ARRAY || j->why != NULL || upstash_wrong(u, "expected JSON array");
}

void upstash_explain(struct upstash *u, const struct json_in *j) {
    char why[200];

    if (j->why == NULL)
        return;
    json_in_explain(j, why, sizeof(why));
    u->why[0] = '\0';
    snprintf(u->why, sizeof(u->why), "ERR failed to parse: %s", why);
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

/* SCAN ... WITHTYPE is Upstash's own: [cursor, [key, type, key, type ...]] */
static bool is_scan_with_type(const struct upstash *u) {
    size_t argc;
    const struct arg *argv = args_of(u, &argc);

    return argc > 2 && slice_caseeq(arg_slice(&argv[0]), SLICE_LIT("scan")) &&
           slice_caseeq(arg_slice(&argv[argc - 1]), SLICE_LIT("withtype"));
}

/* Replies with the names of a page, each followed by its type; a key that was deleted meanwhile is left out. */
static void reply_types(struct upstash *u, const struct capture *page, struct reply *to) {
    struct capture types;
    size_t found = 0;

    capture_init(&types, u->out.buf.max);
    for (size_t i = 3; i < page->count; i++) {
        struct arg argv[] = {arg_text("type"), arg_of(capture_text(page, i))};
        size_t before = types.count;

        command_execute(u->request->server, &u->session, 2, argv, &types.reply);
        found += types.count > before && !slice_eq(capture_text(&types, before), SLICE_LIT("none"));
    }
    if (types.overflow) {
        reply_error(to, "ERR the reply would be larger than max-output-bytes");
    } else {
        reply_array(to, 2);
        reply_bulk(to, capture_text(page, 1));
        reply_array(to, 2 * found);
        for (size_t i = 0; i < types.count; i++)
            if (!slice_eq(capture_text(&types, i), SLICE_LIT("none"))) {
                reply_bulk(to, capture_text(page, i + 3));
                reply_bulk(to, capture_text(&types, i));
            }
    }
    capture_free(&types);
}

static void scan_with_type(struct upstash *u, struct reply *to) {
    struct capture page;
    size_t argc;
    const struct arg *argv = args_of(u, &argc);

    if (run_command(u->request->server, &u->session, &page, u->out.buf.max, argc - 1, argv))
        reply_types(u, &page, to);
    else
        reply_error(to, "%s",
                    page.overflow ? "ERR the reply would be larger than max-output-bytes" : page.error);
    capture_free(&page);
}

bool upstash_may_run(const struct upstash *u) {
    size_t argc;

    return http_may_run(arg_slice(&args_of(u, &argc)[0]));
}

void upstash_run_to(struct upstash *u, struct reply *to) {
    size_t argc;
    const struct arg *argv = args_of(u, &argc);

    if (!upstash_may_run(u))
        reply_error(to, "ERR Command is not available: '%.*s'", (int)(argv[0].len < 64 ? argv[0].len : 64),
                    argv[0].ptr);
    else if (is_scan_with_type(u))
        scan_with_type(u, to);
    else
        command_execute(u->request->server, &u->session, argc, argv, to);
}

unsigned upstash_run(struct upstash *u) {
    size_t before = u->out.buf.len;
    struct json_reply j;
    struct resp2_reply r;

    if (u->resp2) {
        resp2_reply_init(&r, &u->out);
        upstash_run_to(u, &r.reply);
        return 200;
    }
    json_reply_init(&j, &u->out, u->strings);
    json_put(&u->out, "{\"result\":");
    upstash_run_to(u, &j.reply);
    if (j.error[0] == '\0') {
        json_put(&u->out, "}");
        return 200;
    }
    u->out.buf.len = before;
    put_error(&u->out, j.error);
    return 400;
}

/* ---- POST / and paths -------------------------------------------------------------------------------------------------- */

static enum MHD_Result run_body(struct upstash *u) {
    struct json_in j = {.why = NULL};
    struct slice s;
    bool ok = upstash_open(u, &j) && j.why == NULL && upstash_read(u, &j) && json_read(&j, &s) == JSON_IN_END;

    upstash_explain(u, &j);
    return upstash_answer(u, ok ? upstash_run(u) : 400);
}

enum MHD_Result http_upstash_command(struct request *r) {
    struct upstash u;

    return upstash_begin(&u, r) ? run_body(&u) : upstash_answer(&u, 400);
}

/* The arguments: the segments after /upstash, the body if there is one, the query's names and values. */
static bool gather_path(struct upstash *u) {
    struct target *t = &u->request->target;
    enum target_result result = TARGET_OK;
    struct slice s, body = request_body(u->request);
    bool ok = true;

    for (unsigned i = 1; ok && i < t->segment_count; i++)
        ok = add_arg(u, t->segments[i]);
    while (ok && target_next(t, &s, &result))
        ok = add_arg(u, s);
    if (result != TARGET_OK)
        return upstash_wrong(u, "ERR the URL has a % that two hex digits do not follow");
    if (ok && body.len > 0)
        ok = add_arg(u, body);
    for (unsigned i = 0; ok && i < t->query_count; i++)
        if (!slice_eq(t->query[i].name, SLICE_LIT("_token")))
            ok =
                add_arg(u, t->query[i].name) && (t->query[i].value.len == 0 || add_arg(u, t->query[i].value));
    return ok;
}

/* /subscribe/a/b, /psubscribe/pattern, /monitor. The body that the SDK sends is not an argument of them. */
static bool is_subscription(const struct request *r) {
    static const char *const names[] = {"subscribe", "psubscribe", "monitor"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_caseeq(r->target.segments[1], slice_str(names[i])))
            return true;
    return false;
}

static enum MHD_Result subscribe(struct upstash *u) {
    struct request *r = u->request;
    enum MHD_Result result;
    struct words command;

    r->body_len = 0;
    if (!gather_path(u))
        return upstash_answer(u, 400);
    command.argv = args_of(u, &command.argc);
    result = respond_events(r, SSE_UPSTASH, &command, 1);
    upstash_end(u);
    return result;
}

enum MHD_Result http_upstash_path(struct request *r) {
    bool is_root = r->target.segment_count == 2 && r->target.segments[1].len == 0;
    struct upstash u;

    if (!upstash_begin(&u, r))
        return upstash_answer(&u, 400);
    if (is_root)
        return run_body(&u);
    if (is_subscription(r))
        return subscribe(&u);
    return upstash_answer(&u, gather_path(&u) ? upstash_run(&u) : 400);
}
