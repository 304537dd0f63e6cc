/* lists.c - /lists. */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "conditions.h"
#include "handlers.h"
#include "json.h"
#include "params.h"

/* ?end=left or right: which of two commands. NULL: answered. */
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

enum MHD_Result http_get_list(struct request *r) {
    struct arg argv[] = {arg_text("lrange"), arg_of(param_key(r)), arg_text("0"), arg_text("-1")};
    struct arg len_argv[] = {arg_text("llen"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct capture c;
    int64_t length;

    if (!param_number(r, "start", &argv[2], &result) || !param_number(r, "stop", &argv[3], &result) ||
        !ask(r, &c, &result, 2, len_argv))
        return result;
    length = c.tokens[0].n;
    capture_free(&c);
    if (length == 0)
        return respond_problem(r, 404, "there is no such list");
    if (!ask(r, &c, &result, 4, argv))
        return result;
    result = respond_json(r, json_values(&c, 0, length));
    capture_free(&c);
    return result;
}

/* ---- pushing ----------------------------------------------------------------------------------------------------------- */

/* A command's arguments that come from JSON: pointers into a buffer that may move, so lengths first. */
struct elements {
    struct buf lengths, bytes;
};

static bool gather(void *ctx, struct slice s) {
    struct elements *e = ctx;

    return buf_append(&e->lengths, &s.len, sizeof(s.len)) && buf_append_slice(&e->bytes, s);
}

/* argv = command, key, the elements. NULL: no memory. */
static struct arg *elements_argv(const struct elements *e, const struct arg *head, size_t *argc) {
    const size_t *lengths = (const size_t *)(const void *)e->lengths.data;
    size_t n = e->lengths.len / sizeof(*lengths), at = 0;
    struct arg *argv = mem_alloc((n + 2) * sizeof(*argv));

    if (argv == NULL)
        return NULL;
    argv[0] = head[0];
    argv[1] = head[1];
    for (size_t i = 0; i < n; at += lengths[i++])
        argv[i + 2] = arg_of(slice_of(e->bytes.data + at, lengths[i]));
    *argc = n + 2;
    return argv;
}

static enum MHD_Result push(struct request *r, size_t argc, const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, argc, argv))
        return result;
    result = respond_json(r, json_number("length", c.tokens[0].n));
    capture_free(&c);
    return result;
}

static enum MHD_Result push_json(struct request *r, const struct arg *head) {
    size_t max = r->server->options->max_value_bytes, argc;
    struct elements e = {buf_make(max), buf_make(max)};
    enum MHD_Result result;
    struct arg *argv = NULL;
    char why[256];

    if (!json_each_string(request_body(r), gather, &e, why, sizeof(why)))
        result = respond_problem(r, 400, "%s", why);
    else if ((argv = elements_argv(&e, head, &argc)) == NULL)
        result = respond_problem(r, 503, "out of memory");
    else
        result = push(r, argc, argv);
    mem_free(argv);
    buf_free(&e.lengths);
    buf_free(&e.bytes);
    return result;
}

/* A JSON array of strings is that many elements; any other body is one, as it is. */
enum MHD_Result http_push_list(struct request *r) {
    struct arg argv[] = {{NULL, 0, NULL}, arg_of(param_key(r)), arg_body(r)};
    enum MHD_Result result;
    const char *command = by_end(r, "lpush", "rpush", "rpush", &result);

    if (command == NULL)
        return result;
    argv[0] = arg_text(command);
    return accepts_json(r->headers.content_type) ? push_json(r, argv) : push(r, 3, argv);
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
    if (!ask(r, &c, &result, 3, argv))
        return result;
    result = c.tokens[0].kind == TOKEN_NULL ? respond_problem(r, 404, "there is no such list")
                                            : respond_json(r, json_values(&c, 0, -1));
    capture_free(&c);
    return result;
}

/* Runs a command that answers OK. */
static enum MHD_Result respond_ok(struct request *r, size_t argc, const struct arg *argv) {
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, argc, argv))
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
    struct arg argv[] = {arg_text("llen"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 2, argv)) /* a key of another type is not deleted here */
        return result;
    capture_free(&c);
    argv[0] = arg_text("del");
    if (!ask(r, &c, &result, 2, argv))
        return result;
    result = c.tokens[0].n > 0 ? respond_empty(r, 204) : respond_problem(r, 404, "there is no such list");
    capture_free(&c);
    return result;
}
