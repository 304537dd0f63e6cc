/* lists.c - /lists. */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "collection.h"
#include "handlers.h"
#include "json.h"
#include "params.h"

/* Chooses the command by ?end=left or right. NULL: *result is the response. */
static const char *by_end(struct request *r, const char *left, const char *right, const char *fallback,
                          enum MHD_Result *result) {
    struct slice end;

    if (!target_query(&r->target, "end", &end))
        return fallback;
    if (slice_eq(end, SLICE_LIT("left")))
        return left;
    if (slice_eq(end, SLICE_LIT("right")))
        return right;
    *result = respond_problem(r, 400, "end: expects left or right");
    return NULL;
}

static void put_page(struct json_out *o, const struct capture *c, size_t at) {
    put_strings(o, "values", c, at);
}

enum MHD_Result http_get_list(struct request *r) {
    struct arg argv[] = {arg_text("lrange"), arg_of(param_key(r)), arg_text("0"), arg_text("-1")};
    enum MHD_Result result;

    if (!param_number(r, "start", &argv[2], &result) || !param_number(r, "stop", &argv[3], &result))
        return result;
    return respond_page(r, "llen", (struct words){4, argv}, put_page);
}

/* ---- pushing ----------------------------------------------------------------------------------------------------------- */

static enum MHD_Result push_json(struct request *r, const struct arg *head) {
    enum MHD_Result result;
    struct words words;

    if (!body_args(r, head, BODY_ARRAY, &words, &result))
        return result;
    result = respond_changed(r, "length", words);
    mem_free((void *)(uintptr_t)words.argv);
    return result;
}

/* A JSON array of strings is that many elements; any other body is a single element. */
enum MHD_Result http_push_list(struct request *r) {
    struct arg argv[] = {{NULL, 0, NULL}, arg_of(param_key(r)), arg_body(r)};
    enum MHD_Result result;
    const char *command = by_end(r, "lpush", "rpush", "rpush", &result);

    if (command == NULL)
        return result;
    argv[0] = arg_text(command);
    if (accepts_json(r->headers.content_type))
        return push_json(r, argv);
    if (param_given(r, "encoding"))
        return respond_problem(r, 400, "encoding: of a JSON body only");
    return respond_changed(r, "length", (struct words){3, argv});
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------- */

enum MHD_Result http_pop_list(struct request *r) {
    struct arg argv[] = {{NULL, 0, NULL}, arg_of(param_key(r)), arg_text("1")};
    enum MHD_Result result;
    const char *command = by_end(r, "lpop", "rpop", "lpop", &result);
    struct capture c;

    if (command == NULL)
        return result;
    argv[0] = arg_text(command);
    if (!param_range(r, "count", 1, INT64_MAX, &argv[2], &result))
        return result;
    if (!ask_if(r, &c, &result, (struct words){3, argv}))
        return result;
    result = c.tokens[0].kind == TOKEN_NULL ? respond_problem(r, 404, "there is no such list")
                                            : respond_json(r, json_values(&c, 0, -1));
    capture_free(&c);
    return result;
}

/* Runs a command that replies OK. */
static enum MHD_Result respond_ok(struct request *r, size_t argc, const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask_if(r, &c, &result, (struct words){argc, argv}))
        return result;
    capture_free(&c);
    return respond_empty(r, 204);
}

enum MHD_Result http_trim_list(struct request *r) {
    struct arg argv[] = {arg_text("ltrim"), arg_of(param_key(r)), arg_text("0"), arg_text("-1")};
    enum MHD_Result result;

    if (!param_number(r, "start", &argv[2], &result) || !param_number(r, "stop", &argv[3], &result))
        return result;
    return respond_ok(r, 4, argv);
}

enum MHD_Result http_set_list_item(struct request *r) {
    struct arg argv[] = {arg_text("lset"), arg_of(param_key(r)), arg_of(r->target.segments[2]), arg_body(r)};
    int64_t n;

    if (!num_parse_i64(r->target.segments[2], &n))
        return respond_problem(r, 400,
                               "the index in the path: expects a whole number, negative from the end");
    return respond_ok(r, 4, argv);
}

enum MHD_Result http_delete_list(struct request *r) {
    return respond_deleted(r, "llen", "there is no such list");
}
