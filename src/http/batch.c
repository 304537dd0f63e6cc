/* batch.c - POST /batch: many operations in one request, in order, each with its own status and result.
 *
 * A JSON array of operations is answered with an array of results; NDJSON, a line each, with a line for each. An array is
 * read whole before anything is done, so that a text that is no JSON does nothing. Lines are done as they come, any number
 * of them: held at once is one line of the request and all results, since the library sends nothing before a request's
 * body is through: a response that is queued earlier ends the connection, and a client that writes first and reads later
 * would come to a standstill anyway. So the results have a ceiling, max-output-bytes, and ?results=errors tells only of
 * what failed, by its line, and at the end how many were done and how many of them failed. */
#include <flashkv/mem.h>
#include <stdio.h>

#include "batch_atomic.h"
#include "conditions.h"
#include "handlers.h"
#include "hold.h"
#include "lines.h"
#include "params.h"

enum { WHY = 160 };

struct batch {
    struct server *server;
    struct session session;
    bool is_array, errors_only, atomic;
    struct lines lines; /* an array is one long line to it, never looked for */
    struct buf ops;     /* of an array: struct batch_op */
    struct buf args;    /* what their commands are given: struct arg */
    struct json_out out;
    uint64_t done, failed; /* operations */
};

/* ---- one operation ---------------------------------------------------------------------------------------------- */

/* Behind a result: is it told? */
static void end_result(struct batch *b, unsigned status, size_t before) {
    b->done++;
    b->failed += status >= 400;
    if (b->errors_only && status < 400) {
        b->out.buf.len = before;
        return;
    }
    if (b->errors_only) {
        b->out.buf.len--; /* its brace */
        json_put(&b->out, ",\"line\":");
        json_put_integer(&b->out, (int64_t)b->lines.number);
        json_put(&b->out, "}");
    }
    if (!b->is_array)
        json_put(&b->out, "\n");
}

static void begin_result(struct batch *b) {
    if (b->is_array && b->out.buf.len > 1)
        json_put(&b->out, ",");
}

static void run_line(struct batch *b, char *text, size_t len) {
    struct json_in j = json_in_make(text, len, b->server->options->max_json_depth);
    size_t before = b->out.buf.len;
    struct batch_op op;
    char why[WHY] = "";
    struct batch_way now = {.kind = BATCH_NOW};
    unsigned status = 400;
    struct slice s;

    b->args.len = 0;
    begin_result(b);
    if (json_read(&j, &s) != JSON_IN_OBJECT)
        snprintf(why, sizeof(why), "a line that is no JSON object");
    else if (batch_op_read(&op, &j, &b->args, why, sizeof(why)) && json_read(&j, &s) != JSON_IN_END)
        json_in_explain(&j, why, sizeof(why));
    if (why[0] != '\0')
        batch_put_failure(&b->out, 400, why);
    else
        status = batch_op_run(&op, &b->args, b->server, &b->session, &b->out, &now);
    end_result(b, status, before);
}

static bool run_lines(struct request *r, struct batch *b, bool last) {
    char *line;
    size_t len;

    session_goes_on(&b->session, r->now_ms);
    while (!b->out.failed && lines_next(&b->lines, last, &line, &len))
        run_line(b, line, len);
    hold_until(r, b->session.reach);
    if (b->out.failed)
        request_refuse(r, 507,
                       "the results are larger than max-output-bytes: %llu operations were done; "
                       "?results=errors tells only of failures",
                       (unsigned long long)b->done);
    return !b->out.failed;
}

/* ---- an array ------------------------------------------------------------------------------------------------------ */

/* Reads all of it. False: `why`. An operation that is wrong is kept, with what is wrong with it as its result. */
static bool read_array(struct batch *b, char *why, size_t cap) {
    struct json_in j =
        json_in_make(b->lines.held.data, b->lines.held.len, b->server->options->max_json_depth);
    enum json_token token;
    struct batch_op op;
    struct slice s;

    if (json_read(&j, &s) != JSON_IN_ARRAY && j.why == NULL) {
        snprintf(why, cap, "expects a JSON array of operations, or lines as application/x-ndjson");
        return false;
    }
    while ((token = json_read(&j, &s)) == JSON_IN_OBJECT) {
        char wrong[WHY];

        if (!batch_op_read(&op, &j, &b->args, wrong, sizeof(wrong))) {
            if (j.why != NULL)
                break;
            snprintf(why, cap, "operation %zu: %s", b->ops.len / sizeof(op), wrong);
            return false;
        }
        if (!buf_append(&b->ops, &op, sizeof(op))) {
            snprintf(why, cap, "too many operations, or out of memory");
            return false;
        }
    }
    if (token == JSON_IN_CLOSE && json_read(&j, &s) == JSON_IN_END)
        return true;
    if (j.why != NULL)
        json_in_explain(&j, why, cap);
    else
        snprintf(why, cap, "operation %zu is no object", b->ops.len / sizeof(op));
    return false;
}

static enum MHD_Result answer_atomic(struct request *r, struct batch *b, const struct batch_op *ops,
                                     size_t count) {
    char why[WHY + 64];
    unsigned status = batch_run_atomic(r, ops, count, &b->out, why, sizeof(why));

    return status == 200 ? respond_json_out(r, 200, &b->out) : respond_problem(r, status, "%s", why);
}

static enum MHD_Result answer_array(struct request *r, struct batch *b) {
    struct batch_way now = {.kind = BATCH_NOW};
    const struct batch_op *ops;
    char why[WHY + 32];

    if (!read_array(b, why, sizeof(why)))
        return respond_problem(r, 400, "%s", why);
    ops = (const struct batch_op *)(const void *)b->ops.data;
    if (b->atomic)
        return answer_atomic(r, b, ops, b->ops.len / sizeof(*ops));
    session_goes_on(&b->session, r->now_ms);
    json_put(&b->out, "[");
    for (size_t i = 0; i < b->ops.len / sizeof(*ops) && !b->out.failed; i++) {
        size_t before = b->out.buf.len;

        begin_result(b);
        end_result(b, batch_op_run(&ops[i], &b->args, b->server, &b->session, &b->out, &now), before);
    }
    hold_until(r, b->session.reach);
    json_put(&b->out, "]");
    if (b->out.failed)
        return respond_problem(r, 507,
                               "the results are larger than max-output-bytes: %llu operations were done",
                               (unsigned long long)b->done);
    return respond_json_out(r, 200, &b->out);
}

/* ---- the body --------------------------------------------------------------------------------------------------------- */

static bool on_piece(struct request *r, void *ctx, const char *bytes, size_t len) {
    struct batch *b = ctx;

    if (!lines_add(&b->lines, bytes, len)) {
        if (b->is_array)
            request_refuse(r, 413, "the array is longer than max-request-bytes; send lines instead");
        else
            request_refuse(r, 413, "line %llu is longer than max-request-bytes; those before it were done",
                           (unsigned long long)b->lines.number + 1);
        return false;
    }
    return b->is_array || run_lines(r, b, false);
}

static enum MHD_Result on_end(struct request *r, void *ctx) {
    struct batch *b = ctx;

    if (b->is_array)
        return answer_array(r, b);
    if (!run_lines(r, b, true))
        return respond_verdict(r);
    if (b->errors_only) {
        json_put(&b->out, "{\"done\":");
        json_put_integer(&b->out, (int64_t)b->done);
        json_put(&b->out, ",\"failed\":");
        json_put_integer(&b->out, (int64_t)b->failed);
        json_put(&b->out, "}\n");
    }
    return respond_out(r, 200, "application/x-ndjson", &b->out);
}

static void on_free(void *ctx) {
    struct batch *b = ctx;

    lines_free(&b->lines);
    buf_free(&b->ops);
    buf_free(&b->args);
    buf_free(&b->out.buf);
    mem_free(b);
}

static const struct intake batch_intake = {on_piece, on_end, on_free};

enum MHD_Result http_batch(struct request *r) {
    const struct options *o = r->server->options;
    bool is_json = accepts_json(r->headers.content_type);
    struct slice results = SLICE_LIT("all"), atomic = SLICE_LIT("false");
    struct batch *b;

    target_query(&r->target, "results", &results);
    if (!slice_eq(results, SLICE_LIT("all")) && (is_json || !slice_eq(results, SLICE_LIT("errors"))))
        return request_refuse(r, 400, "results: expects all, or of lines errors");
    target_query(&r->target, "atomic", &atomic);
    if (!slice_eq(atomic, SLICE_LIT("false")) && (!is_json || !slice_eq(atomic, SLICE_LIT("true"))))
        return request_refuse(r, 400, "atomic: expects false, or of an array true");
    if (!is_json && !accepts_type(r->headers.content_type, SLICE_LIT("application/x-ndjson")))
        return request_refuse(r, 415, "expects application/json, an array, or application/x-ndjson, lines");
    if ((b = mem_zalloc(sizeof(*b))) == NULL)
        return request_refuse(r, 503, "out of memory");
    b->server = r->server;
    b->session = request_session(r);
    b->is_array = is_json;
    b->atomic = *atomic.ptr == 't';
    b->errors_only = *results.ptr == 'e';
    b->lines = lines_make(o->max_request_bytes);
    b->ops = buf_make(o->max_request_bytes);
    b->args = buf_make(o->max_request_bytes);
    b->out = json_out_make(o->max_output_bytes);
    return request_take(r, &batch_intake, b);
}
