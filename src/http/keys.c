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

static bool given(const struct request *r, const char *name) {
    struct slice unused;

    return target_query(&r->target, name, &unused);
}

#define BAD_CONDITION "If-Match and If-None-Match expect * or up to 16 quoted entity tags"

/* ---- GET ------------------------------------------------------------------------------------------------------------ */

/* The tag that rest.read gave at token 5, or a large string's, which is computed here, where no lock is held. */
static struct slice etag_of(const struct capture *c, char room[ETAG_LEN]) {
    if (c->tokens[1].kind != TOKEN_BLOB)
        return capture_text(c, 5);
    num_format_hex64(blob_digest(c->tokens[1].blob), room);
    return slice_of(room, ETAG_LEN);
}

/* What the conditions of a GET say. */
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

/* The response to what rest.read found: [value, type, expire_at, content type, etag] */
static enum MHD_Result respond_found(struct request *r, const struct capture *c) {
    bool is_list = c->tokens[1].kind == TOKEN_AGGREGATE;
    char room[ETAG_LEN];
    struct slice etag = is_list ? slice_of("", 0) : etag_of(c, room);
    int64_t expire_at = c->tokens[is_list ? 3 + c->tokens[1].n : 3].n;

    switch (get_conditions(r, etag)) {
    case GET_SEND:
        break;
    case GET_NOT_MODIFIED:
        return respond_tagged(r, 304, etag, expire_at);
    case GET_REFUSED:
        return respond_refused(r, etag);
    case GET_BAD_CONDITION:
        return respond_problem(r, 400, BAD_CONDITION);
    }
    if (is_list || accepts_json(r->headers.accept))
        return respond_json_of_key(r, json_key(r, key_of(r), c, etag), etag, expire_at);
    return respond_value(r, c, 1, capture_text(c, 4), etag, expire_at);
}

enum MHD_Result http_get_key(struct request *r) {
    struct arg argv[] = {arg_text("rest.read"), arg_of(key_of(r))};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 2, argv))
        return result;
    result = c.tokens[0].kind == TOKEN_NULL ? respond_problem(r, 404, "there is no such key")
                                            : respond_found(r, &c);
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
        result = respond_json(r, json_keys(&c));
        capture_free(&c);
    }
    buf_free(&pattern);
    return result;
}

/* ---- PUT and DELETE ------------------------------------------------------------------------------------------------- */

enum { WRITE_ARGS = 6 };

/* A large value's digest takes long: if the tag of what is there will be compared, or told, it is computed before
 * the command locks the shard. */
static bool prepare_digest(struct request *r, enum MHD_Result *result) {
    struct arg argv[] = {arg_text("rest.blob"), arg_of(key_of(r))};
    struct capture c;

    if (!ask(r, &c, result, 2, argv))
        return false;
    if (c.tokens[0].kind == TOKEN_BLOB)
        blob_digest(c.tokens[0].blob);
    capture_free(&c);
    return true;
}

/* Adds the condition of the headers, ?nx or ?xx at argv[*argc]: the word, then the tags, which stay in *tags. False:
 * answered. */
static bool add_condition(struct request *r, struct etags *tags, struct arg *argv, size_t *argc,
                          enum MHD_Result *result) {
    const struct headers *h = &r->headers;
    bool match = h->if_match.ptr != NULL, none_match = h->if_none_match.ptr != NULL;
    bool nx = given(r, "nx"), xx = given(r, "xx");

    *tags = (struct etags){.any = false};
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
    return !(nx || match || none_match) || prepare_digest(r, result);
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

enum MHD_Result http_put_key(struct request *r) {
    struct arg argv[WRITE_ARGS + ETAGS_MAX] = {arg_text("rest.write"), arg_of(key_of(r)), arg_body(r),
                                               arg_of(r->headers.content_type)};
    char expiry[NUM_I64_MAX] = "";
    enum MHD_Result result;
    struct etags tags;
    int64_t expire_at;
    struct capture c;
    size_t argc = 5;

    if (given(r, "ttl") + given(r, "ttl_ms") + given(r, "keepttl") > 1)
        return respond_problem(r, 400, "ttl, ttl_ms and keepttl cannot be given together");
    if (r->headers.content_type.len > ENTRY_CONTENT_TYPE_MAX)
        return respond_problem(r, 415, "the Content-Type is longer than %d bytes", ENTRY_CONTENT_TYPE_MAX);
    if (!query_expiry(r, &expire_at, &result))
        return result;
    if (expire_at != NO_EXPIRY)
        num_format_i64(expire_at, expiry);
    argv[4] = arg_text(given(r, "keepttl") ? "keep" : expiry);
    if (!add_condition(r, &tags, argv, &argc, &result))
        return result;
    if (r->body != NULL)
        blob_digest(r->body); /* here, not under the lock */
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
    struct arg argv[3 + ETAGS_MAX] = {arg_text("rest.remove"), arg_of(key_of(r))};
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

/* Runs a command that answers [number, etag, expire_at], and answers {name: number}. */
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
    struct arg argv[] = {arg_text("rest.incr"), arg_of(key_of(r)), arg_text("1")};
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
    struct arg argv[] = {arg_text("rest.append"), arg_of(key_of(r)), arg_body(r)};

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
