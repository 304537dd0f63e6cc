/* keys.c - /keys. */
#include <flashkv/num.h>
#include <flashkv/rest.h>
#include <stdio.h>

#include "conditions.h"
#include "handlers.h"
#include "json.h"
#include "respond.h"

static struct slice key_of(const struct request *r) {
    return r->target.segments[1];
}

static struct slice no_etag(void) {
    return slice_of("", 0);
}

/* ---- GET ------------------------------------------------------------------------------------------------------------ */

enum MHD_Result http_get_key(struct request *r) {
    struct arg argv[] = {arg_text("rest.read"), arg_of(key_of(r))};
    enum MHD_Result result;
    struct capture c;
    struct slice etag;
    bool is_list;

    if (!ask(r, &c, &result, 2, argv))
        return result;
    if (c.tokens[0].kind == TOKEN_NULL) {
        capture_free(&c);
        return respond_problem(r, 404, "there is no such key");
    }
    is_list = c.tokens[1].kind == TOKEN_AGGREGATE;
    etag = is_list ? no_etag() : capture_text(&c, 5);
    if (r->headers.if_none_match.len > 0 && etag_listed(r->headers.if_none_match, etag, true))
        result = respond_tagged(r, 304, etag, is_list ? NO_EXPIRY : c.tokens[3].n);
    else if (r->headers.if_match.len > 0 && !etag_listed(r->headers.if_match, etag, false))
        result = respond_refused(r, etag);
    else if (is_list || accepts_json(r->headers.accept))
        result = respond_json(r, 200, json_key(r, key_of(r), &c), etag);
    else
        result = respond_value(r, &c, 1, capture_text(&c, 4), etag, c.tokens[3].n);
    capture_free(&c);
    return result;
}

enum MHD_Result http_list_keys(struct request *r) {
    struct arg argv[] = {arg_text("scan"), arg_text("0"),     arg_text("match"),
                         arg_text("*"),    arg_text("count"), arg_text("100")};
    struct buf pattern = buf_make(1 << 20);
    enum MHD_Result result;
    struct capture c;
    struct slice s;
    int64_t n;

    if (target_query(&r->target, "cursor", &s)) {
        if (!num_parse_i64(s, &n) || n < 0 || n >> 53 != 0)
            return respond_problem(r, 400, "cursor: expects the number that the page before gave");
        argv[1] = arg_of(s);
    }
    if (target_query(&r->target, "limit", &s)) {
        if (!num_parse_i64(s, &n) || n < 1 || n > 10000)
            return respond_problem(r, 400, "limit: expects a number from 1 to 10000");
        argv[5] = arg_of(s);
    }
    if (!keys_pattern(r, &pattern)) {
        buf_free(&pattern);
        return respond_problem(r, 400, "prefix and match cannot be given together");
    }
    if (pattern.len > 0)
        argv[3] = arg_of(buf_slice(&pattern));
    if (ask(r, &c, &result, 6, argv)) {
        result = respond_json(r, 200, json_keys(&c), no_etag());
        capture_free(&c);
    }
    buf_free(&pattern);
    return result;
}

/* ---- PUT and DELETE ------------------------------------------------------------------------------------------------- */

enum { TAGS_MAX = 16, WRITE_ARGS = 6 };

/* Adds the conditions of the headers and of ?nx, ?xx at argv[at]: the word, then the tags. Returns the count of
 * arguments, 0 if they contradict each other or are too many. */
static size_t add_conditions(const struct request *r, struct arg *argv, size_t at) {
    const struct headers *h = &r->headers;
    struct slice unused, tags[TAGS_MAX];
    bool nx = target_query(&r->target, "nx", &unused), xx = target_query(&r->target, "xx", &unused);
    size_t n;

    if (nx + xx + (h->if_match.len > 0) + (h->if_none_match.len > 0) > 1)
        return 0;
    argv[at] = arg_text(nx                         ? "nx"
                        : xx                       ? "xx"
                        : h->if_match.len > 0      ? "match"
                        : h->if_none_match.len > 0 ? "none-match"
                                                   : "");
    n = etag_parse(h->if_match.len > 0 ? h->if_match : h->if_none_match, tags, TAGS_MAX);
    if (n > TAGS_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        argv[at + 1 + i] = arg_of(tags[i]);
    return at + 1 + n;
}

/* ?ttl= seconds or ?ttl_ms= as wall milliseconds. False: answered. 0 is left where neither is given. */
static bool query_expiry(struct request *r, int64_t *expire_at, enum MHD_Result *result) {
    struct slice s;
    bool ms = target_query(&r->target, "ttl_ms", &s), given = ms || target_query(&r->target, "ttl", &s);
    const char *name = ms ? "ttl_ms" : "ttl";
    int64_t n, longest = (INT64_MAX - r->now_ms) / (ms ? 1 : 1000);

    *expire_at = NO_EXPIRY;
    if (!given)
        return true;
    if (!num_parse_i64(s, &n) || n < 1 || n > longest) {
        *result = respond_problem(r, 400, "%s: expects a whole number of %s, at least 1", name,
                                  ms ? "milliseconds" : "seconds");
        return false;
    }
    *expire_at = r->now_ms + n * (ms ? 1 : 1000);
    return true;
}

static bool given(const struct request *r, const char *name) {
    struct slice unused;

    return target_query(&r->target, name, &unused);
}

enum MHD_Result http_put_key(struct request *r) {
    struct arg argv[WRITE_ARGS + TAGS_MAX] = {arg_text("rest.write"), arg_of(key_of(r)), arg_body(r),
                                              arg_of(r->headers.content_type)};
    char expiry[NUM_I64_MAX] = "";
    enum MHD_Result result;
    int64_t expire_at;
    struct capture c;
    size_t argc;

    if (given(r, "ttl") + given(r, "ttl_ms") + given(r, "keepttl") > 1)
        return respond_problem(r, 400, "ttl, ttl_ms and keepttl cannot be given together");
    if (r->headers.content_type.len > ENTRY_CONTENT_TYPE_MAX)
        return respond_problem(r, 415, "the Content-Type is longer than %d bytes", ENTRY_CONTENT_TYPE_MAX);
    if (!query_expiry(r, &expire_at, &result))
        return result;
    if (expire_at != NO_EXPIRY)
        num_format_i64(expire_at, expiry);
    argv[4] = arg_text(given(r, "keepttl") ? "keep" : expiry);
    argc = add_conditions(r, argv, 5);
    if (argc == 0)
        return respond_problem(
            r, 400, "one condition at most: nx, xx, If-Match or If-None-Match (up to %d tags)", TAGS_MAX);
    if (!ask(r, &c, &result, argc, argv))
        return result;
    if (c.tokens[1].n == REST_REFUSED)
        result = respond_refused(r, capture_text(&c, 2));
    else
        result =
            respond_tagged(r, c.tokens[1].n == REST_CREATED ? 201 : 204, capture_text(&c, 2), c.tokens[3].n);
    capture_free(&c);
    return result;
}

enum MHD_Result http_delete_key(struct request *r) {
    struct arg argv[3 + TAGS_MAX] = {arg_text("rest.remove"), arg_of(key_of(r))};
    size_t argc = add_conditions(r, argv, 2);
    enum MHD_Result result;
    struct capture c;

    if (argc == 0)
        return respond_problem(r, 400, "one condition at most: If-Match or If-None-Match (up to %d tags)",
                               TAGS_MAX);
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

/* Runs a command whose answer is a number, and answers {name: number}. */
static enum MHD_Result respond_number(struct request *r, const char *name, size_t argc,
                                      const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, argc, argv))
        return result;
    result = respond_json(r, 200, json_number(name, c.tokens[0].n), no_etag());
    capture_free(&c);
    return result;
}

enum MHD_Result http_incr_key(struct request *r) {
    struct arg argv[] = {arg_text("incrby"), arg_of(key_of(r)), arg_text("1")};
    struct slice by;
    int64_t n;

    if (target_query(&r->target, "by", &by)) {
        if (!num_parse_i64(by, &n))
            return respond_problem(r, 400, "by: expects a whole number");
        argv[2] = arg_of(by);
    }
    return respond_number(r, "value", 3, argv);
}

enum MHD_Result http_append_key(struct request *r) {
    struct arg argv[] = {arg_text("append"), arg_of(key_of(r)), arg_body(r)};

    return respond_number(r, "length", 3, argv);
}

/* Runs a command that answers 1, or 0 where there is nothing to do it to. */
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
    struct arg argv[] = {arg_text("pexpireat"), arg_of(key_of(r)), {NULL, 0, NULL}};
    char digits[NUM_I64_MAX];
    enum MHD_Result result;
    int64_t expire_at;

    if (given(r, "ttl") + given(r, "ttl_ms") != 1)
        return respond_problem(r, 400, "expects one of ttl (seconds) and ttl_ms (milliseconds)");
    if (!query_expiry(r, &expire_at, &result))
        return result;
    argv[2] = arg_of(slice_of(digits, num_format_i64(expire_at, digits)));
    return respond_done(r, "there is no such key", 3, argv);
}

enum MHD_Result http_persist_key(struct request *r) {
    struct arg argv[] = {arg_text("persist"), arg_of(key_of(r))};

    return respond_done(r, "there is no such key, or it has no expiry", 2, argv);
}
