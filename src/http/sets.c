/* sets.c - /sets. */
#include <flashkv/mem.h>

#include "collection.h"
#include "handlers.h"

#define MISSING "there is no such set, or no such member"

static void put_page(struct json_out *o, const struct capture *c, size_t at) {
    put_strings(o, "members", c, put_cursor(o, c, at));
}

enum MHD_Result http_get_set(struct request *r) {
    struct arg argv[] = {arg_text("sscan"), arg_of(param_key(r)), arg_text("0"), arg_text("count"),
                         arg_text("100")};
    enum MHD_Result result;

    if (!param_cursor(r, &argv[2], &result) || !param_limit(r, &argv[4], &result))
        return result;
    return respond_page(r, "scard", (struct words){5, argv}, put_page);
}

enum MHD_Result http_add_set_members(struct request *r) {
    const struct arg head[] = {arg_text("sadd"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct words words;

    if (!body_args(r, head, BODY_ARRAY, &words, &result))
        return result;
    result = respond_changed(r, "added", words);
    mem_free((void *)(uintptr_t)words.argv);
    return result;
}

enum MHD_Result http_delete_set(struct request *r) {
    return respond_deleted(r, "scard", "there is no such set");
}

enum MHD_Result http_has_set_member(struct request *r) {
    const struct arg argv[] = {arg_text("sismember"), arg_of(param_key(r)), arg_of(r->target.segments[2])};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 3, argv))
        return result;
    result = c.tokens[0].n > 0 ? respond_empty(r, 204) : respond_problem(r, 404, MISSING);
    capture_free(&c);
    return result;
}

enum MHD_Result http_put_set_member(struct request *r) {
    const struct arg argv[] = {arg_text("sadd"), arg_of(param_key(r)), arg_of(r->target.segments[2])};
    enum MHD_Result result;
    struct capture c;

    if (!ask_if(r, &c, &result, (struct words){3, argv}))
        return result;
    result = respond_empty(r, c.tokens[0].n > 0 ? 201 : 204);
    capture_free(&c);
    return result;
}

enum MHD_Result http_delete_set_member(struct request *r) {
    const struct arg argv[] = {arg_text("srem"), arg_of(param_key(r)), arg_of(r->target.segments[2])};

    return respond_removed(r, MISSING, (struct words){3, argv});
}
