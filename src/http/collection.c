/* collection.c - pages and conditional writes. */
#include "collection.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>
#include <stdlib.h>

#include "hold.h"
#include "json.h"

enum { TRIES = 64 }; /* of a conditional write whose key is changed concurrently */

/* ---- transactions ---------------------------------------------------------------------------------------------------- */

static void run(struct request *r, struct session *s, struct words w, struct reply *reply) {
    const struct command *cmd = command_private(arg_slice(&w.argv[0]));

    if (cmd != NULL)
        command_run(r->server, s, cmd, w.argc, w.argv, reply);
    else
        command_execute(r->server, s, w.argc, w.argv, reply);
    hold_until(r, s->reach);
}

/* Runs commands in one transaction; *c is the reply of EXEC, which the caller frees. */
static void run_together(struct request *r, struct session *s, const struct words *words, size_t count,
                         struct capture *c) {
    const struct arg multi = arg_text("multi"), exec = arg_text("exec");
    struct capture queued;

    capture_init(&queued, BYTES_INLINE);
    run(r, s, (struct words){1, &multi}, &queued.reply);
    for (size_t i = 0; i < count && !queued.reply.failed; i++) /* without MULTI they would run now */
        run(r, s, words[i], &queued.reply);
    capture_init(c, r->server->options->max_output_bytes);
    run(r, s, (struct words){1, &exec}, &c->reply);
    if (queued.error[0] != '\0') /* the reason that one could not be queued, rather than EXECABORT */
        memcpy(c->error, queued.error, sizeof(c->error));
    capture_free(&queued);
}

/* The end of `ask`, for a reply that is there already. */
static bool check_reply(struct request *r, struct capture *c, enum MHD_Result *result) {
    if (c->error[0] == '\0' && !c->overflow) /* EXEC itself does not fail when one of its commands does */
        return true;
    *result = c->overflow ? respond_problem(r, 507, "the reply would be larger than max-output-bytes")
                          : respond_error(r, c->error);
    capture_free(c);
    return false;
}

/* ---- conditions -------------------------------------------------------------------------------------------------------- */

enum verdict_of { ALLOWED, NOT_MODIFIED, REFUSED, MALFORMED, ANSWERED };

/* Evaluates the request's conditions; `etag` is empty for a collection that has none. */
static enum verdict_of conditions(const struct request *r, bool exists, struct slice etag) {
    const struct headers *h = &r->headers;
    struct etags tags;

    if (h->if_match.ptr != NULL) {
        if (!etags_parse(h->if_match, false, &tags))
            return MALFORMED;
        if (!exists || !etags_include(&tags, etag))
            return REFUSED;
    }
    if (h->if_none_match.ptr != NULL) {
        if (!etags_parse(h->if_none_match, true, &tags))
            return MALFORMED;
        if (exists && etags_include(&tags, etag))
            return NOT_MODIFIED;
    }
    return ALLOWED;
}

static enum MHD_Result respond_malformed(struct request *r) {
    return respond_problem(r, 400, "If-Match and If-None-Match expect * or up to 16 quoted entity tags");
}

/* ---- GET ----------------------------------------------------------------------------------------------------------------- */

/* The reply of EXEC: [tag, length, page] */
static enum MHD_Result respond_found(struct request *r, const struct capture *c, collection_put *put) {
    struct json_out o = json_out_make(r->server->options->max_output_bytes);
    struct slice etag = capture_text(c, 1);
    char quoted[ETAG_LEN + 3] = "";
    enum verdict_of verdict = conditions(r, true, etag);
    enum MHD_Result result;

    switch (verdict) {
    case ALLOWED:
    case NOT_MODIFIED: /* its length is that of the 200 */
        break;
    case REFUSED:
        return respond_refused(r, etag);
    case MALFORMED:
    case ANSWERED: /* never returned by conditions() */
        return respond_malformed(r);
    }
    json_put(&o, "{");
    put(&o, c, 3);
    json_put(&o, ",\"length\":");
    json_put_integer(&o, c->tokens[2].n);
    json_put(&o, "}");
    if (verdict == NOT_MODIFIED) {
        result = respond_not_modified(r, etag, NO_EXPIRY, o.buf.len);
        buf_free(&o.buf);
        return result;
    }
    if (etag.len == ETAG_LEN)
        snprintf(quoted, sizeof(quoted), "\"%.*s\"", (int)etag.len, etag.ptr);
    return respond_out_with(r, 200, "application/json", &o, MHD_HTTP_HEADER_ETAG, quoted);
}

enum MHD_Result respond_page(struct request *r, const char *length, struct words page, collection_put *put) {
    const struct arg tag_argv[] = {arg_text("rest.tag"), arg_of(param_key(r))};
    const struct arg length_argv[] = {arg_text(length), arg_of(param_key(r))};
    const struct words together[] = {{2, tag_argv}, {2, length_argv}, page};
    struct session s = request_session(r);
    enum MHD_Result result;
    struct capture c;

    run_together(r, &s, together, 3, &c);
    command_forget(r->server, &s);
    if (!check_reply(r, &c, &result))
        return result;
    result = c.tokens[2].n == 0 ? respond_problem(r, 404, "there is no such key") : respond_found(r, &c, put);
    capture_free(&c);
    return result;
}

/* ---- writes -------------------------------------------------------------------------------------------------------------- */

/* Watches the key, reads its tag and evaluates the conditions. ANSWERED: a command failed, *result is the response. */
static enum verdict_of watch(struct request *r, struct session *s, char etag[ETAG_LEN], size_t *etag_len,
                             enum MHD_Result *result) {
    const struct arg watch_argv[] = {arg_text("watch"), arg_of(param_key(r))};
    const struct arg tag_argv[] = {arg_text("rest.tag"), arg_of(param_key(r)), arg_text("exists")};
    struct capture c;
    enum verdict_of verdict;

    capture_init(&c, BYTES_INLINE);
    run(r, s, (struct words){2, watch_argv}, &c.reply);
    run(r, s, (struct words){3, tag_argv}, &c.reply); /* [tag, exists], after WATCH's OK */
    if (!check_reply(r, &c, result))
        return ANSWERED;
    verdict = conditions(r, c.tokens[3].n != 0, capture_text(&c, 2));
    *etag_len = capture_text(&c, 2).len;
    memcpy(etag, capture_text(&c, 2).ptr, *etag_len);
    capture_free(&c);
    return verdict;
}

/* One try. False: *result is the response, or *again is set. */
static bool try_if(struct request *r, struct session *s, struct capture *c, enum MHD_Result *result,
                   struct words words, bool *again) {
    char etag[ETAG_LEN];
    size_t etag_len;
    enum verdict_of verdict = watch(r, s, etag, &etag_len, result);

    *again = false;
    if (verdict == ALLOWED) {
        run_together(r, s, &words, 1, c);
        if (!check_reply(r, c, result))
            return false;
        *again = c->tokens[0].kind == TOKEN_NULL;
        if (*again)
            capture_free(c);
        else
            capture_shift(c);
        return !*again;
    }
    if (verdict != ANSWERED)
        *result = verdict == MALFORMED ? respond_malformed(r) : respond_refused(r, slice_of(etag, etag_len));
    return false;
}

bool ask_if(struct request *r, struct capture *c, enum MHD_Result *result, struct words words) {
    struct session s;
    bool done = false, again = true;

    if (r->headers.if_match.ptr == NULL && r->headers.if_none_match.ptr == NULL)
        return ask(r, c, result, words.argc, words.argv);
    s = request_session(r);
    for (int i = 0; again && i < TRIES; i++)
        done = try_if(r, &s, c, result, words, &again);
    command_forget(r->server, &s);
    if (again)
        *result = respond_problem(r, 503, "others change this key all the time; try again");
    return done;
}

enum MHD_Result respond_changed(struct request *r, const char *name, struct words words) {
    enum MHD_Result result;
    struct capture c;

    if (!ask_if(r, &c, &result, words))
        return result;
    result = respond_json(r, json_number(name, c.tokens[0].n));
    capture_free(&c);
    return result;
}

enum MHD_Result respond_removed(struct request *r, const char *missing, struct words words) {
    enum MHD_Result result;
    struct capture c;

    if (!ask_if(r, &c, &result, words))
        return result;
    result = c.tokens[0].n > 0 ? respond_empty(r, 204) : respond_problem(r, 404, "%s", missing);
    capture_free(&c);
    return result;
}

enum MHD_Result respond_deleted(struct request *r, const char *length, const char *missing) {
    struct arg argv[] = {arg_text(length), arg_of(param_key(r))};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 2, argv)) /* a key of another type is not deleted here */
        return result;
    capture_free(&c);
    argv[0] = arg_text("del");
    return respond_removed(r, missing, (struct words){2, argv});
}

/* ---- JSON out ------------------------------------------------------------------------------------------------------------ */

size_t put_cursor(struct json_out *o, const struct capture *c, size_t at) {
    char cursor[NUM_I64_MAX];
    struct slice text = capture_text(c, at + 1);

    memcpy(cursor, text.ptr, text.len);
    cursor[text.len] = '\0';
    json_put(o, "\"cursor\":");
    json_put(o, cursor);
    json_put(o, ",");
    return at + 2;
}

static bool all_utf8(const struct capture *c, size_t at) {
    for (size_t i = 1; i <= (size_t)c->tokens[at].n; i++)
        if (!utf8_valid(capture_text(c, at + i)))
            return false;
    return true;
}

/* Writes "encoding", "name": and the bracket. Returns whether the elements are UTF-8; else the caller writes base64. */
static bool open_member(struct json_out *o, const char *name, const char *bracket, const struct capture *c,
                        size_t at) {
    bool utf8 = all_utf8(c, at);

    json_put(o, utf8 ? "\"encoding\":\"utf8\",\"" : "\"encoding\":\"base64\",\"");
    json_put(o, name);
    json_put(o, "\":");
    json_put(o, bracket);
    return utf8;
}

void put_pairs(struct json_out *o, const char *name, const struct capture *c, size_t at, bool numbers) {
    bool utf8 = open_member(o, name, "{", c, at);

    for (size_t i = 1; i < (size_t)c->tokens[at].n; i += 2) {
        struct slice value = capture_text(c, at + i + 1);

        json_put(o, i > 1 ? "," : "");
        (utf8 ? json_put_utf8 : json_put_base64)(o, capture_text(c, at + i));
        json_put(o, ":");
        if (numbers && !slice_eq(value, SLICE_LIT("inf")) && !slice_eq(value, SLICE_LIT("-inf")))
            buf_append_slice(&o->buf, value);
        else
            (utf8 || numbers ? json_put_utf8 : json_put_base64)(o, value);
    }
    json_put(o, "}");
}

void put_strings(struct json_out *o, const char *name, const struct capture *c, size_t at) {
    bool utf8 = open_member(o, name, "[", c, at);

    for (size_t i = 1; i <= (size_t)c->tokens[at].n; i++) {
        json_put(o, i > 1 ? "," : "");
        (utf8 ? json_put_utf8 : json_put_base64)(o, capture_text(c, at + i));
    }
    json_put(o, "]");
}

/* ---- JSON in ------------------------------------------------------------------------------------------------------------- */

struct gathering {
    struct json_in j;
    struct buf args; /* struct arg */
    struct slice encoding;
    unsigned status; /* of the response, if there is an error */
    char why[200];
};

static bool wrong(struct gathering *g, const char *why) {
    if (g->why[0] == '\0')
        snprintf(g->why, sizeof(g->why), "%s", why);
    return false;
}

static bool append(struct gathering *g, const void *args, size_t len) {
    if (buf_append(&g->args, args, len))
        return true;
    g->status = g->args.len + len > g->args.max ? 413 : 503;
    return wrong(g, g->status == 413 ? "too many elements for max-request-bytes" : "out of memory");
}

static bool add(struct gathering *g, struct slice s, bool is_string) {
    struct arg a;

    if (is_string && !json_in_decode(&s, g->encoding))
        return wrong(g, "a string that should be base64 is not");
    a = arg_of(s);
    return append(g, &a, sizeof(a));
}

static bool gather_array(struct gathering *g) {
    enum json_token token;
    struct slice s;

    if (json_read(&g->j, &s) != JSON_IN_ARRAY)
        return wrong(g, "expects a JSON array of one string or more");
    while ((token = json_read(&g->j, &s)) == JSON_IN_STRING)
        if (!add(g, s, true))
            return false;
    return token == JSON_IN_CLOSE || wrong(g, "an element of the JSON array is not a string");
}

static bool gather_object(struct gathering *g, bool value_first) {
    enum json_token token;
    struct slice name, value;

    if (json_read(&g->j, &name) != JSON_IN_OBJECT)
        return wrong(g, "expects a JSON object of one member or more");
    while ((token = json_read(&g->j, &name)) == JSON_IN_NAME) {
        token = json_read(&g->j, &value);
        if (token != JSON_IN_NUMBER && (token != JSON_IN_STRING || value_first))
            return wrong(g, value_first ? "a score that is no number"
                                        : "a value that is neither a string nor a number");
        if ((value_first && !add(g, value, false)) || !add(g, name, true) ||
            (!value_first && !add(g, value, token == JSON_IN_STRING)))
            return false;
    }
    return token == JSON_IN_CLOSE;
}

static int by_bytes(const void *a, const void *b) {
    struct slice x = arg_slice(a), y = arg_slice(b);
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);

    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* Duplicate names are refused, as their values are ambiguous. `first`: index of the first name, after `head`. */
static bool no_twins(struct gathering *g, size_t first) {
    const struct arg *args = (const struct arg *)(const void *)g->args.data;
    size_t n = g->args.len / sizeof(*args), count = 0;
    struct arg *names = mem_alloc(n * sizeof(*names));
    bool twins = false;

    if (names == NULL) {
        g->status = 503;
        return wrong(g, "out of memory");
    }
    for (size_t i = first; i < n; i += 2)
        names[count++] = args[i];
    qsort(names, count, sizeof(*names), by_bytes);
    for (size_t i = 1; i < count && !twins; i++)
        twins = by_bytes(&names[i - 1], &names[i]) == 0;
    mem_free(names);
    return !twins || wrong(g, "a name is given twice");
}

bool body_args(struct request *r, const struct arg *head, enum body_form form, struct words *words,
               enum MHD_Result *result) {
    struct slice body = request_body(r), s;
    struct gathering g = {
        .j = json_in_make((char *)(uintptr_t)body.ptr, body.len, r->server->options->max_json_depth),
        .args = buf_make(r->server->options->max_request_bytes),
        .encoding = SLICE_LIT(""),
        .status = 400};
    bool ok;

    if (target_query(&r->target, "encoding", &g.encoding) && !slice_eq(g.encoding, SLICE_LIT("utf8")) &&
        !slice_eq(g.encoding, SLICE_LIT("base64"))) {
        *result = respond_problem(r, 400, "encoding: expects utf8 or base64");
        return false;
    }
    ok = append(&g, head, 2 * sizeof(*head)) &&
         (form == BODY_ARRAY ? gather_array(&g) : gather_object(&g, form == BODY_OBJECT_VALUE_FIRST)) &&
         json_read(&g.j, &s) == JSON_IN_END;
    if (ok && g.args.len == 2 * sizeof(*head))
        ok = wrong(&g, "expects at least one element");
    if (ok && form != BODY_ARRAY)
        ok = no_twins(&g, form == BODY_OBJECT ? 2 : 3);
    if (g.j.why != NULL)
        json_in_explain(&g.j, g.why, sizeof(g.why));
    *words = (struct words){g.args.len / sizeof(*head), (const struct arg *)(const void *)g.args.data};
    if (ok)
        return true;
    buf_free(&g.args);
    *result = respond_problem(r, g.status, "%s", g.why);
    return false;
}
