/* batch.c - POST /batch: many operations in one request, in order, each with its own status and result.
 *
 * A JSON array of operations is answered with an array of results; NDJSON, a line each, with a line each. An array is parsed
 * completely before anything is run, so that malformed JSON has no effect. Lines are run as they arrive, any number of them. One
 * line of the request and all results are buffered, since the library sends nothing before the request's body is complete: a
 * response that is queued earlier ends the connection, and a client that writes everything before it reads would deadlock
 * anyway. So the results have a ceiling, max-output-bytes; with ?results=errors only the failures are returned, with their line
 * numbers, and at the end the numbers of operations and failures. */
#include <flashkv/mem.h>
#include <stdio.h>

#include "batch_atomic.h"
#include "conditions.h"
#include "handlers.h"
#include "hold.h"
#include "lines.h"
#include "params.h"
#include "stream.h"

enum { WHY = 160 };

struct batch {
    struct server *server;
    struct session session;
    bool is_array, errors_only, atomic;
    struct lines lines; /* `held` holds the whole of an array, which is not split */
    struct buf ops;     /* of an array: struct batch_op */
    struct buf args;    /* their commands' arguments: struct arg */
    struct json_out out;
    uint64_t done, failed; /* number of operations */
    struct json_in json;   /* of an array: the parser's position */
    bool begun, read;      /* the array was opened; it was parsed completely */
    size_t next;           /* index of the next operation to run */
};

/* ---- one operation ---------------------------------------------------------------------------------------------- */

/* After a result was written: removes it if only errors are wanted, else completes it. */
static void end_result(struct batch *b, unsigned status, size_t before) {
    b->done++;
    b->failed += status >= 400;
    if (b->errors_only && status < 400) {
        b->out.buf.len = before;
        return;
    }
    if (b->errors_only) {
        b->out.buf.len--; /* reopens its object */
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

    session_set_time(&b->session, r->now_ms);
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

static const struct batch_op *ops_of(const struct batch *b) {
    return (const struct batch_op *)(const void *)b->ops.data;
}

static size_t count_ops(const struct batch *b) {
    return b->ops.len / sizeof(struct batch_op);
}

enum reading { READ_SOME, READ_ALL, READ_BAD };

/* The array ends at `token`, or is malformed there. */
static enum reading end_of_array(struct batch *b, enum json_token token, char *why, size_t cap) {
    struct slice s;

    if (token == JSON_IN_CLOSE && json_read(&b->json, &s) == JSON_IN_END)
        return READ_ALL;
    if (b->json.why != NULL)
        json_in_explain(&b->json, why, cap);
    else
        snprintf(why, cap, "operation %zu is no object", count_ops(b));
    return READ_BAD;
}

static bool begin_array(struct batch *b, char *why, size_t cap) {
    struct slice s;

    b->json = json_in_make(b->lines.held.data, b->lines.held.len, b->server->options->max_json_depth);
    b->begun = true;
    if (json_read(&b->json, &s) == JSON_IN_ARRAY)
        return true;
    if (b->json.why != NULL)
        json_in_explain(&b->json, why, cap);
    else
        snprintf(why, cap, "expects a JSON array of operations, or lines as application/x-ndjson");
    return false;
}

/* Parses operations for one turn. READ_BAD: `why`; nothing was run. */
static enum reading read_some(struct request *r, struct batch *b, char *why, size_t cap) {
    enum json_token token;
    struct batch_op op;
    struct slice s;

    if (!b->begun && !begin_array(b, why, cap))
        return READ_BAD;
    do {
        char wrong[WHY];

        if ((token = json_read(&b->json, &s)) != JSON_IN_OBJECT)
            return end_of_array(b, token, why, cap);
        if (!batch_op_read(&op, &b->json, &b->args, wrong, sizeof(wrong))) {
            if (b->json.why != NULL)
                json_in_explain(&b->json, why, cap);
            else
                snprintf(why, cap, "operation %zu: %s", count_ops(b), wrong);
            return READ_BAD;
        }
        if (!buf_append(&b->ops, &op, sizeof(op))) {
            snprintf(why, cap, "too many operations, or out of memory");
            return READ_BAD;
        }
    } while (!request_turn_over(r));
    return READ_SOME;
}

static enum MHD_Result answer_atomic(struct request *r, struct batch *b, const struct batch_op *ops,
                                     size_t count) {
    char why[WHY + 64];
    unsigned status = batch_run_atomic(r, ops, count, &b->out, why, sizeof(why));

    return status == 200 ? respond_json_out(r, 200, &b->out) : respond_problem(r, status, "%s", why);
}

/* Runs operations for one turn. True: all are done, or there is no room for more results. */
static bool run_some(struct request *r, struct batch *b) {
    const struct batch_op *ops = ops_of(b);
    struct batch_way now = {.kind = BATCH_NOW};
    size_t count = count_ops(b);

    session_set_time(&b->session, r->now_ms);
    while (b->next < count && !b->out.failed) {
        size_t before = b->out.buf.len;

        begin_result(b);
        end_result(b, batch_op_run(&ops[b->next++], &b->args, b->server, &b->session, &b->out, &now), before);
        if (request_turn_over(r))
            break;
    }
    return b->next == count || b->out.failed;
}

/* In turns, since a long batch must not block its thread: called again until it has responded. */
static enum MHD_Result answer_array(struct request *r, struct batch *b) {
    enum reading reading = b->read ? READ_ALL : READ_SOME;
    char why[WHY + 32];

    if (!b->read)
        reading = read_some(r, b, why, sizeof(why));
    if (reading == READ_BAD)
        return respond_problem(r, 400, "%s", why);
    if (reading == READ_SOME)
        return request_yield(r);
    if (b->atomic)
        return answer_atomic(r, b, ops_of(b), count_ops(b));
    if (!b->read)
        json_put(&b->out, "[");
    b->read = true;
    if (!run_some(r, b))
        return request_yield(r);
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

    if (b->is_array ? !buf_append(&b->lines.held, bytes, len) : !lines_add(&b->lines, bytes, len)) {
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
