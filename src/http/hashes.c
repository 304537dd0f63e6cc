/* hashes.c - /hashes. */
#include <flashkv/mem.h>

#include "collection.h"
#include "handlers.h"

#define MISSING "there is no such hash, or no such field"

static void put_page(struct json_out *o, const struct capture *c, size_t at) {
    put_pairs(o, "fields", c, put_cursor(o, c, at), false);
}

enum MHD_Result http_get_hash(struct request *r) {
    struct arg argv[] = {arg_text("hscan"), arg_of(param_key(r)), arg_text("0"), arg_text("count"),
                         arg_text("100")};
    enum MHD_Result result;

    if (!param_cursor(r, &argv[2], &result) || !param_limit(r, &argv[4], &result))
        return result;
    return respond_page(r, "hlen", (struct words){5, argv}, put_page);
}

enum MHD_Result http_set_hash_fields(struct request *r) {
    const struct arg head[] = {arg_text("hset"), arg_of(param_key(r))};
    enum MHD_Result result;
    struct words words;

    if (!body_args(r, head, BODY_OBJECT, &words, &result))
        return result;
    result = respond_changed(r, "added", words);
    mem_free((void *)(uintptr_t)words.argv);
    return result;
}

enum MHD_Result http_delete_hash(struct request *r) {
    return respond_deleted(r, "hlen", "there is no such hash");
}

enum MHD_Result http_get_hash_field(struct request *r) {
    const struct arg argv[] = {arg_text("hget"), arg_of(param_key(r)), arg_of(r->target.segments[2])};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 3, argv))
        return result;
    result = c.tokens[0].kind == TOKEN_NULL
                 ? respond_problem(r, 404, MISSING)
                 : respond_value(r, &c, 0, slice_of("", 0), 0, slice_of("", 0), NO_EXPIRY);
    capture_free(&c);
    return result;
}

enum MHD_Result http_put_hash_field(struct request *r) {
    const struct arg argv[] = {arg_text("hset"), arg_of(param_key(r)), arg_of(r->target.segments[2]),
                               arg_body(r)};
    enum MHD_Result result;
    struct capture c;

    if (!ask_if(r, &c, &result, (struct words){4, argv}))
        return result;
    result = respond_empty(r, c.tokens[0].n > 0 ? 201 : 204);
    capture_free(&c);
    return result;
}

enum MHD_Result http_delete_hash_field(struct request *r) {
    const struct arg argv[] = {arg_text("hdel"), arg_of(param_key(r)), arg_of(r->target.segments[2])};

    return respond_removed(r, MISSING, (struct words){3, argv});
}
