/* keys.c - /keys. */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/rest.h>
#include <stdio.h>

#include "conditions.h"
#include "handlers.h"
#include "json.h"
#include "params.h"
#include "poll.h"
#include "server.h"

#define BAD_CONDITION "If-Match and If-None-Match expect * or up to 16 quoted entity tags"

/* ---- GET ------------------------------------------------------------------------------------------------------------ */

/* The digest of a string value, computed here, outside of the lock. */
static uint64_t digest_of(const struct capture *c) {
    struct blob *b = c->tokens[1].kind == TOKEN_BLOB ? c->tokens[1].blob : NULL;

    return b != NULL ? blob_digest(b) : store_digest(capture_text(c, 1));
}

static struct slice etag_of(uint64_t digest, char room[ETAG_LEN]) {
    num_format_hex64(digest, room);
    return slice_of(room, ETAG_LEN);
}

/* The result of a GET's conditions. */
enum get_outcome { GET_SEND, GET_NOT_MODIFIED, GET_REFUSED, GET_BAD_CONDITION };

static enum get_outcome get_conditions(const struct request *r, struct slice etag) {
    const struct headers *h = &r->headers;
    struct etags tags;

    if (h->if_match.ptr != NULL) {
        if (!etags_parse(h->if_match, false, &tags))
            return GET_BAD_CONDITION;
        if (!etags_include(&tags, etag))
            return GET_REFUSED;
    }
    if (h->if_none_match.ptr != NULL) {
        if (!etags_parse(h->if_none_match, true, &tags))
            return GET_BAD_CONDITION;
        if (etags_include(&tags, etag))
            return GET_NOT_MODIFIED;
    }
    return GET_SEND;
}

/* A large value that is read repeatedly is replaced by a paged copy, which can be sent without being copied again. */
static void page_value(struct request *r, struct token *t) {
    struct blob *paged = t->kind == TOKEN_BLOB && blob_wants_pages(t->blob) ? blob_paged_copy(t->blob) : NULL;
    struct arg argv[] = {arg_text("rest.page"),
                         arg_of(param_key(r)),
                         {.ptr = "", .blob = t->blob},
                         {.ptr = "", .blob = paged}};
    enum MHD_Result unused;
    struct capture c;

    if (paged == NULL)
        return;
    if (ask(r, &c, &unused, 4, argv))
        capture_free(&c);
    blob_unref(t->blob);
    t->blob = paged;
}

/* Is it a GET with Range, and does If-Range, if present, name this value? A date or a weak tag names none. */
static bool range_applies(const struct request *r, struct slice etag) {
    struct slice tag = r->headers.if_range;

    if (r->headers.range.ptr == NULL || !slice_eq(r->method, SLICE_LIT("GET")))
        return false;
    return tag.ptr == NULL || (tag.len == ETAG_LEN + 2 && slice_eq(slice_of(tag.ptr + 1, ETAG_LEN), etag));
}

/* Does the request want the whole value, unconditionally and in its own media type? */
static bool is_simple(const struct headers *h) {
    return h->if_match.ptr == NULL && h->if_none_match.ptr == NULL && h->range.ptr == NULL &&
           (h->accept.len == 0 || !accepts_json(h->accept));
}

/* 304 for the value that rest.get found. */
static enum MHD_Result respond_unchanged(struct request *r, const struct capture *c, struct slice etag,
                                         int64_t expire_at) {
    enum MHD_Result result;
    char *json;

    if (c->tokens[1].kind != TOKEN_AGGREGATE && !accepts_json(r->headers.accept))
        return respond_not_modified(r, etag, expire_at, capture_text(c, 1).len);
    json = json_key(r, param_key(r), c, etag);
    result = respond_not_modified(r, etag, expire_at, json != NULL ? strlen(json) : 0);
    mem_free(json);
    return result;
}

/* The slow path of respond_found: no cached response. */
static NOINLINE enum MHD_Result respond_anew(struct request *r, struct capture *c, uint64_t digest,
                                             int64_t expire_at) {
    bool is_list = c->tokens[1].kind == TOKEN_AGGREGATE;
    char room[ETAG_LEN];
    struct slice etag = slice_of("", 0);
    uint64_t from = 0, count = 0;

    if (!is_list)
        etag = etag_of(digest, room);
    switch (get_conditions(r, etag)) {
    case GET_SEND:
        break;
    case GET_NOT_MODIFIED:
        return respond_unchanged(r, c, etag, expire_at);
    case GET_REFUSED:
        return respond_refused(r, etag);
    case GET_BAD_CONDITION:
        return respond_problem(r, 400, BAD_CONDITION);
    }
    if (is_list || accepts_json(r->headers.accept))
        return respond_json_of_key(r, json_key(r, param_key(r), c, etag), etag, expire_at);
    if (range_applies(r, etag))
        switch (range_parse(r->headers.range, capture_text(c, 1).len, &from, &count)) {
        case RANGE_IGNORED:
            break;
        case RANGE_UNSATISFIABLE:
            count = 0; /* reported as 416 */
            /* fall through */
        case RANGE_PART:
            return respond_part(r, c, 1, capture_text(c, 4), etag, expire_at, from, count);
        }
    page_value(r, &c->tokens[1]);
    return respond_value(r, c, 1, capture_text(c, 4), digest, etag, expire_at);
}

/* The response to rest.get's reply: [value, type, expire_at, content type] */
static enum MHD_Result respond_found(struct request *r, struct capture *c) {
    bool is_list = c->tokens[1].kind == TOKEN_AGGREGATE;
    int64_t expire_at = c->tokens[is_list ? 3 + c->tokens[1].n : 3].n;
    uint64_t digest = is_list ? 0 : digest_of(c);
    enum MHD_Result result;

    if (!is_list && is_simple(&r->headers) &&
        respond_kept(r, digest, capture_text(c, 1), capture_text(c, 4), expire_at, &result))
        return result;
    return respond_anew(r, c, digest, expire_at);
}

/* Has what a long poll waits for happened? With If-None-Match: the value is none of those, or the key is gone; without it: the
 * key exists. */
static bool is_awaited(const struct request *r, const struct capture *c) {
    bool exists = c->tokens[0].kind != TOKEN_NULL;
    char room[ETAG_LEN];

    if (r->headers.if_none_match.ptr == NULL)
        return exists;
    return !exists || c->tokens[1].kind == TOKEN_AGGREGATE ||
           get_conditions(r, etag_of(digest_of(c), room)) != GET_NOT_MODIFIED;
}

/* ?wait= in milliseconds; *ms is unchanged without it. False: *result is the response. */
static NOINLINE bool wanted_wait(struct request *r, int64_t *ms, enum MHD_Result *result) {
    struct slice wait;

    if (!target_query(&r->target, "wait", &wait) || poll_time(wait, ms))
        return true;
    *result = respond_problem(r, 400, "wait: expects seconds or a time like 30s or 500ms, at most %ds",
                              POLL_MS_MAX / 1000);
    return false;
}

enum MHD_Result http_get_key(struct request *r) {
    struct arg argv[] = {arg_text("rest.get"), arg_of(param_key(r))};
    enum poll_outcome poll = POLL_OVER;
    enum MHD_Result result;
    struct capture c;
    int64_t wait_ms = 0;

    if (r->target.query_count > 0 && !wanted_wait(r, &wait_ms, &result))
        return result;
    for (;;) {
        if (!ask_row(r, http_row_of_get(r->http), &c, &result, 2, argv)) {
            poll_end(r);
            return result;
        }
        if (wait_ms == 0 || is_awaited(r, &c) || (poll = poll_wait(r, param_key(r), wait_ms)) == POLL_OVER)
            break;
        capture_free(&c);
        if (poll == POLL_WAITS)
            return MHD_YES;
    }
    if (r->poll != NULL)
        poll_end(r);
    result = c.tokens[0].kind == TOKEN_NULL ? respond_problem(r, 404, "there is no such key")
                                            : respond_found(r, &c);
    capture_free(&c);
    return result;
}

enum MHD_Result http_list_keys(struct request *r) {
    struct arg argv[] = {arg_text("scan"), arg_text("0"),     arg_text("match"),
                         arg_text("*"),    arg_text("count"), arg_text("100")};
    enum MHD_Result result;
    struct buf pattern;
    struct capture c;

    if (!param_cursor(r, &argv[1], &result) || !param_limit(r, &argv[5], &result) ||
        !param_pattern(r, &pattern, &result))
        return result;
    if (pattern.len > 0)
        argv[3] = arg_of(buf_slice(&pattern));
    if (ask(r, &c, &result, 6, argv)) {
        result = respond_json(r, json_keys(&c));
        capture_free(&c);
    }
    buf_free(&pattern);
    return result;
}

/* ---- PUT and DELETE ------------------------------------------------------------------------------------------------- */

enum { WRITE_ARGS = 6 };

/* A large value's digest takes long to compute. If the command will compare or return the tag of the present value, it is
 * computed before the command locks the shard. A token that may not read does without. */
static void prepare_digest(struct request *r) {
    struct arg argv[] = {arg_text("rest.blob"), arg_of(param_key(r))};
    struct session s = request_session(r);
    struct capture c;

    if (run_command(r->server, &s, &c, BYTES_INLINE, 2, argv) && c.tokens[0].kind == TOKEN_BLOB)
        blob_digest(c.tokens[0].blob);
    capture_free(&c);
}

/* Appends the condition of the headers, ?nx or ?xx to argv: the word, then the tags, which refer to *tags. False: *result is the
 * response. */
static bool add_condition(struct request *r, struct etags *tags, struct arg *argv, size_t *argc,
                          enum MHD_Result *result) {
    const struct headers *h = &r->headers;
    bool match = h->if_match.ptr != NULL, none_match = h->if_none_match.ptr != NULL;
    bool nx, xx;

    *tags = (struct etags){.any = false};
    if (!param_flag(r, "nx", &nx, result) || !param_flag(r, "xx", &xx, result))
        return false;
    if (nx + xx + match + none_match > 1) {
        *result = respond_problem(r, 400, "one condition at most: nx, xx, If-Match or If-None-Match");
        return false;
    }
    if ((match && !etags_parse(h->if_match, false, tags)) ||
        (none_match && !etags_parse(h->if_none_match, true, tags))) {
        *result = respond_problem(r, 400, BAD_CONDITION);
        return false;
    }
    argv[(*argc)++] = arg_text(nx ? "nx" : xx ? "xx" : match ? "match" : none_match ? "none-match" : "");
    if (tags->any)
        argv[(*argc)++] = arg_text("*");
    else
        for (unsigned i = 0; i < tags->count; i++)
            argv[(*argc)++] = arg_of(tags->tags[i]);
    if (nx || match || none_match)
        prepare_digest(r);
    return true;
}

/* The response to rest.write's reply: [outcome, etag, expire_at] */
static enum MHD_Result respond_written(struct request *r, const struct capture *c) {
    bool created = c->tokens[1].n == REST_CREATED;

    if (r->headers.prefer.ptr != NULL && accepts_type(r->headers.prefer, SLICE_LIT("return=representation")))
        return respond_representation(r, created ? 201 : 200, capture_text(c, 2), c->tokens[3].n);
    return respond_tagged(r, created ? 201 : 204, capture_text(c, 2), c->tokens[3].n);
}

enum MHD_Result http_put_key(struct request *r) {
    struct arg argv[WRITE_ARGS + ETAGS_MAX] = {arg_text("rest.write"), arg_of(param_key(r)), arg_body(r),
                                               arg_of(r->headers.content_type)};
    char expiry[NUM_I64_MAX] = "";
    enum MHD_Result result;
    struct etags tags;
    int64_t expire_at;
    struct capture c;
    size_t argc = 5;
    bool keepttl;

    if (!param_flag(r, "keepttl", &keepttl, &result))
        return result;
    if (param_given(r, "ttl") + param_given(r, "ttl_ms") + keepttl > 1)
        return respond_problem(r, 400, "ttl, ttl_ms and keepttl cannot be given together");
    if (!media_type_fits(r->headers.content_type))
        return respond_problem(r, 415, "the Content-Type is longer than %d bytes, or no text",
                               ENTRY_CONTENT_TYPE_MAX);
    if (!param_expiry(r, &expire_at, &result))
        return result;
    if (expire_at != NO_EXPIRY)
        num_format_i64(expire_at, expiry);
    argv[4] = arg_text(keepttl ? "keep" : expiry);
    if (!add_condition(r, &tags, argv, &argc, &result))
        return result;
    if (r->body != NULL)
        blob_digest(r->body); /* here, not under the shard's lock */
    if (!ask(r, &c, &result, argc, argv))
        return result;
    if (c.tokens[1].n == REST_REFUSED)
        result = respond_refused(r, capture_text(&c, 2));
    else
        result = respond_written(r, &c);
    capture_free(&c);
    return result;
}

enum MHD_Result http_delete_key(struct request *r) {
    struct arg argv[3 + ETAGS_MAX] = {arg_text("rest.remove"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct etags tags;
    struct capture c;
    size_t argc = 2;

    if (!add_condition(r, &tags, argv, &argc, &result))
        return result;
    if (!ask(r, &c, &result, argc, argv))
        return result;
    switch ((enum rest_outcome)c.tokens[1].n) {
    case REST_REFUSED:
        result = respond_refused(r, capture_text(&c, 2));
        break;
    case REST_MISSING:
        result = respond_problem(r, 404, "there is no such key");
        break;
    case REST_CREATED:
    case REST_REPLACED:
    case REST_REMOVED:
        result = respond_empty(r, 204);
        break;
    }
    capture_free(&c);
    return result;
}

/* ---- POST ------------------------------------------------------------------------------------------------------------ */

/* Runs a command that replies [number, etag, expire_at], and responds with {name: number}. */
static enum MHD_Result respond_number(struct request *r, const char *name, size_t argc,
                                      const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, argc, argv))
        return result;
    result = respond_json_of_key(r, json_number(name, c.tokens[1].n), capture_text(&c, 2), c.tokens[3].n);
    capture_free(&c);
    return result;
}

enum MHD_Result http_incr_key(struct request *r) {
    struct arg argv[] = {arg_text("rest.incr"), arg_of(param_key(r)), arg_text("1")};
    enum MHD_Result result;

    if (!param_number(r, "by", &argv[2], &result))
        return result;
    return respond_number(r, "value", 3, argv);
}

enum MHD_Result http_append_key(struct request *r) {
    struct arg argv[] = {arg_text("rest.append"), arg_of(param_key(r)), arg_body(r)};

    return respond_number(r, "length", 3, argv);
}

/* Runs a command that replies 1, or 0 if there was nothing to do. */
static enum MHD_Result respond_done(struct request *r, const char *otherwise, size_t argc,
                                    const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, argc, argv))
        return result;
    result = c.tokens[0].n > 0 ? respond_empty(r, 204) : respond_problem(r, 404, "%s", otherwise);
    capture_free(&c);
    return result;
}

enum MHD_Result http_expire_key(struct request *r) {
    struct arg argv[] = {arg_text("pexpireat"), arg_of(param_key(r)), {NULL, 0, NULL}};
    char digits[NUM_I64_MAX];
    enum MHD_Result result;
    int64_t expire_at;

    if (param_given(r, "ttl") + param_given(r, "ttl_ms") != 1)
        return respond_problem(r, 400, "expects one of ttl (seconds) and ttl_ms (milliseconds)");
    if (!param_expiry(r, &expire_at, &result))
        return result;
    argv[2] = arg_of(slice_of(digits, num_format_i64(expire_at, digits)));
    return respond_done(r, "there is no such key", 3, argv);
}

enum MHD_Result http_persist_key(struct request *r) {
    struct arg argv[] = {arg_text("persist"), arg_of(param_key(r))};

    return respond_done(r, "there is no such key, or it has no expiry", 2, argv);
}
