/* zsets.c - /zsets: sorted sets. */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "collection.h"
#include "handlers.h"

#define MISSING "there is no such sorted set, or no such member"

static void put_page(struct json_out *o, const struct capture *c, size_t at) {
    put_pairs(o, "members", c, at, true);
}

/* By rank, from the lowest score; ?reverse: from the highest. */
enum MHD_Result http_get_zset(struct request *r) {
    bool reverse = param_given(r, "reverse");
    struct arg argv[] = {arg_text("zrange"), arg_of(param_key(r)),   arg_text("0"),
                         arg_text("99"),     arg_text("withscores"), arg_text("rev")};
    enum MHD_Result result;

    if (!param_number(r, "start", &argv[2], &result) || !param_number(r, "stop", &argv[3], &result))
        return result;
    return respond_page(r, "zcard", (struct words){reverse ? 6 : 5, argv}, put_page);
}

enum MHD_Result http_add_zset_members(struct request *r) {
    const struct arg head[] = {arg_text("zadd"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct words words;

    if (!body_args(r, head, BODY_OBJECT_VALUE_FIRST, &words, &result))
        return result;
    result = respond_changed(r, "added", words);
    mem_free((void *)(uintptr_t)words.argv);
    return result;
}

enum MHD_Result http_delete_zset(struct request *r) {
    return respond_deleted(r, "zcard", "there is no such sorted set");
}

enum MHD_Result http_get_zset_member(struct request *r) {
    const struct arg argv[] = {arg_text("zscore"), arg_of(param_key(r)), arg_of(r->target.segments[2])};
    struct json_out o = json_out_make(256);
    enum MHD_Result result;
    struct capture c;
    struct slice score;

    if (!ask(r, &c, &result, 3, argv))
        return result;
    if (c.tokens[0].kind == TOKEN_NULL) {
        result = respond_problem(r, 404, MISSING);
    } else {
        score = capture_text(&c, 0);
        json_put(&o, "{\"score\":");
        if (slice_eq(score, SLICE_LIT("inf")) || slice_eq(score, SLICE_LIT("-inf")))
            json_put_utf8(&o, score);
        else
            buf_append_slice(&o.buf, score);
        json_put(&o, "}");
        result = respond_json_out(r, 200, &o);
    }
    capture_free(&c);
    return result;
}

/* The body is the score. */
enum MHD_Result http_put_zset_member(struct request *r) {
    const struct arg argv[] = {arg_text("zadd"), arg_of(param_key(r)), arg_body(r),
                               arg_of(r->target.segments[2])};
    enum MHD_Result result;
    struct capture c;
    double score;

    if (!num_parse_double(request_body(r), &score))
        return respond_problem(r, 400, "the body: expects the score, a number");
    if (!ask_if(r, &c, &result, (struct words){4, argv}))
        return result;
    result = respond_empty(r, c.tokens[0].n > 0 ? 201 : 204);
    capture_free(&c);
    return result;
}

enum MHD_Result http_delete_zset_member(struct request *r) {
    const struct arg argv[] = {arg_text("zrem"), arg_of(param_key(r)), arg_of(r->target.segments[2])};

    return respond_removed(r, MISSING, (struct words){3, argv});
}
