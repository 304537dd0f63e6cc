/* batch_run.c - running the operations of a batch, and writing their results. */
#include <flashkv/num.h>
#include <flashkv/rest.h>

#include "batch_op.h"
#include "json_reply.h"

/* ---- results --------------------------------------------------------------------------------------------------------- */

static void put_status(struct json_out *o, unsigned status) {
    json_put(o, "{\"status\":");
    json_put_integer(o, status);
}

void batch_put_failure(struct json_out *out, unsigned status, const char *detail) {
    put_status(out, status);
    json_put(out, ",\"detail\":");
    json_put_lossy(out, slice_str(detail));
    json_put(out, "}");
}

static void put_number(struct json_out *o, const char *name, int64_t n) {
    json_put(o, ",\"");
    json_put(o, name);
    json_put(o, "\":");
    json_put_integer(o, n);
}

static void put_text(struct json_out *o, const char *name, struct slice text) {
    json_put(o, ",\"");
    json_put(o, name);
    json_put(o, "\":");
    json_put_utf8(o, text);
}

/* The tag and the time to live, if there are any. */
static void put_tag(struct json_out *o, struct slice etag, int64_t expire_at, int64_t now_ms) {
    if (etag.len > 0)
        put_text(o, "etag", etag);
    if (expire_at != NO_EXPIRY)
        put_number(o, "ttl_ms", expire_at - now_ms);
}

static unsigned put_error(struct json_out *o, const struct capture *c) {
    unsigned status = c->overflow ? 507 : status_of_error(c->error);
    const char *detail = strchr(c->error, ' ');

    batch_put_failure(o, status,
                      c->overflow ? "the reply would be larger than max-output-bytes"
                                  : (detail != NULL ? detail + 1 : c->error));
    return status;
}

/* ---- running ----------------------------------------------------------------------------------------------------------- */

/* The context of one operation. */
struct run {
    const struct batch_op *op;
    struct server *server;
    struct session *session;
    struct json_out *out;
    struct batch_way *way;
    struct capture reply;
    char digits[NUM_I64_MAX];
};

/* The number of tokens of the value at token `at`. */
static size_t span(const struct capture *c, size_t at) {
    size_t n = 1;

    if (c->tokens[at].kind == TOKEN_AGGREGATE)
        for (int64_t i = 0; i < c->tokens[at].n; i++)
            n += span(c, at + n);
    return n;
}

/* Makes one of EXEC's replies the operation's own; it is borrowed, and not freed. */
static void take_reply(struct run *r) {
    r->reply = *r->way->replies;
    r->reply.tokens += r->way->at;
    r->reply.count = span(r->way->replies, r->way->at);
    r->way->at += r->reply.count;
}

static bool fetch_reply(struct run *r, size_t argc, const struct arg *argv) {
    if (r->way->kind == BATCH_READ) {
        take_reply(r);
        return true;
    }
    return run_command(r->server, r->session, &r->reply, r->server->options->max_output_bytes, argc, argv) &&
           r->way->kind == BATCH_NOW;
}

static struct arg expiry_arg(struct run *r) {
    if (r->op->keepttl)
        return arg_text("keep");
    if (r->op->ttl_ms == 0)
        return arg_text("");
    return arg_of(slice_of(r->digits, num_format_i64(r->session->now_ms + r->op->ttl_ms, r->digits)));
}

/* The arguments of rest.write and rest.remove for the condition. Returns how many. */
static size_t condition_args(const struct batch_op *op, struct arg *argv) {
    static const char *const words[] = {[BATCH_ALWAYS] = "",
                                        [BATCH_IF_ABSENT] = "nx",
                                        [BATCH_IF_EXISTS] = "xx",
                                        [BATCH_IF_EQUALS] = "equals",
                                        [BATCH_IF_ETAG] = "match"};

    argv[0] = arg_text(words[op->condition]);
    argv[1] = arg_of(op->expected);
    return op->condition >= BATCH_IF_EQUALS ? 2 : 1;
}

static unsigned put_outcome(struct run *r, enum rest_outcome outcome, int64_t expire_at) {
    static const unsigned statuses[] = {[REST_CREATED] = 201,
                                        [REST_REPLACED] = 204,
                                        [REST_REMOVED] = 204,
                                        [REST_MISSING] = 404,
                                        [REST_REFUSED] = 412};

    put_status(r->out, statuses[outcome]);
    put_tag(r->out, capture_text(&r->reply, 2), expire_at, r->session->now_ms);
    if (outcome == REST_MISSING)
        put_text(r->out, "detail", SLICE_LIT("there is no such key"));
    if (outcome == REST_REFUSED)
        put_text(r->out, "detail", SLICE_LIT("the condition does not hold; nothing was changed"));
    json_put(r->out, "}");
    return statuses[outcome];
}

static unsigned run_put(struct run *r) {
    const struct batch_op *op = r->op;
    struct arg argv[7] = {arg_text("rest.write"), arg_of(op->key), arg_of(op->value),
                          arg_of(op->content_type), expiry_arg(r)};
    size_t argc = 5 + condition_args(op, argv + 5);
    unsigned status;

    if (r->way->kind != BATCH_READ && !arg_hold(&argv[2])) {
        batch_put_failure(r->out, 503, "out of memory");
        return 503;
    }
    status = fetch_reply(r, argc, argv)
                 ? put_outcome(r, (enum rest_outcome)r->reply.tokens[1].n, r->reply.tokens[3].n)
                 : put_error(r->out, &r->reply);
    arg_release(&argv[2]);
    return status;
}

static unsigned run_delete(struct run *r) {
    struct arg argv[4] = {arg_text("rest.remove"), arg_of(r->op->key)};
    size_t argc = 2 + condition_args(r->op, argv + 2);

    if (!fetch_reply(r, argc, argv))
        return put_error(r->out, &r->reply);
    return put_outcome(r, (enum rest_outcome)r->reply.tokens[1].n, NO_EXPIRY);
}

/* The reply of rest.read. */
static unsigned run_get(struct run *r) {
    struct arg argv[] = {arg_text("rest.read"), arg_of(r->op->key)};
    const struct token *t;
    size_t after;

    if (!fetch_reply(r, 2, argv))
        return put_error(r->out, &r->reply);
    t = r->reply.tokens;
    if (t[0].kind == TOKEN_NULL) {
        batch_put_failure(r->out, 404, "there is no such key");
        return 404;
    }
    after = t[1].kind == TOKEN_AGGREGATE ? 2 + (size_t)t[1].n : 2;
    put_status(r->out, 200);
    put_text(r->out, "type", slice_str(value_type_name((enum value_type)t[after].n)));
    json_put(r->out, ",");
    if (t[1].kind == TOKEN_AGGREGATE) {
        json_put_elements(r->out, &r->reply, 1);
    } else {
        json_put_bytes(r->out, "value", "encoding", capture_text(&r->reply, 1));
    }
    if (capture_text(&r->reply, after + 2).len > 0 && utf8_valid(capture_text(&r->reply, after + 2)))
        put_text(r->out, "content_type", capture_text(&r->reply, after + 2));
    put_tag(r->out, capture_text(&r->reply, after + 3), t[after + 1].n, r->session->now_ms);
    json_put(r->out, "}");
    return 200;
}

/* A command that replies [number, etag, expire_at] */
static unsigned run_number(struct run *r, const char *command, struct arg arg, const char *name) {
    struct arg argv[] = {arg_text(command), arg_of(r->op->key), arg};

    if (!fetch_reply(r, 3, argv))
        return put_error(r->out, &r->reply);
    put_status(r->out, 200);
    put_number(r->out, name, r->reply.tokens[1].n);
    put_tag(r->out, capture_text(&r->reply, 2), r->reply.tokens[3].n, r->session->now_ms);
    json_put(r->out, "}");
    return 200;
}

/* A command that replies 1, or 0 if there was nothing to do. */
static unsigned run_done(struct run *r, size_t argc, const struct arg *argv) {
    if (!fetch_reply(r, argc, argv))
        return put_error(r->out, &r->reply);
    if (r->reply.tokens[0].n == 0) {
        batch_put_failure(r->out, 404, "there is no such key, or it has no expiry");
        return 404;
    }
    json_put(r->out, "{\"status\":204}");
    return 204;
}

static unsigned run_args(struct run *r, const struct buf *args) {
    const struct arg *argv = (const struct arg *)(const void *)args->data + r->op->arg;
    size_t before = r->out->buf.len;
    struct json_reply j;

    if (!http_may_run(arg_slice(&argv[0]))) {
        batch_put_failure(r->out, 400, "a command about a connection, which a batch does not have");
        return 400;
    }
    json_reply_init(&j, r->out, JSON_STRINGS_EXACT);
    json_put(r->out, "{\"status\":200,\"result\":");
    command_execute(r->server, r->session, r->op->arg_count, argv, &j.reply);
    if (j.error[0] != '\0') {
        unsigned status = status_of_error(j.error);

        r->out->buf.len = before;
        batch_put_failure(r->out, status, j.error);
        return status;
    }
    json_put(r->out, "}");
    return 200;
}

unsigned batch_op_run(const struct batch_op *op, const struct buf *args, struct server *srv,
                      struct session *s, struct json_out *out, struct batch_way *way) {
    struct run r = {.op = op, .server = srv, .session = s, .out = out, .way = way};
    unsigned status = 400;

    if (way->kind == BATCH_NOW && op->condition != BATCH_ALWAYS && op->kind != BATCH_PUT &&
        op->kind != BATCH_DELETE) {
        batch_put_failure(out, status, "if: of put and delete; of other operations in an atomic batch only");
        return status;
    }
    capture_init(&r.reply, 0);
    switch (op->kind) {
    case BATCH_GET:
        status = run_get(&r);
        break;
    case BATCH_PUT:
        status = run_put(&r);
        break;
    case BATCH_DELETE:
        status = run_delete(&r);
        break;
    case BATCH_INCR:
        status = run_number(&r, "rest.incr", op->by.ptr != NULL ? arg_of(op->by) : arg_text("1"), "value");
        break;
    case BATCH_APPEND:
        status = run_number(&r, "rest.append", arg_of(op->value), "length");
        break;
    case BATCH_EXPIRE:
        status = run_done(&r, 3, (struct arg[]){arg_text("pexpireat"), arg_of(op->key), expiry_arg(&r)});
        break;
    case BATCH_PERSIST:
        status = run_done(&r, 2, (struct arg[]){arg_text("persist"), arg_of(op->key)});
        break;
    case BATCH_COMMAND:
        return run_args(&r, args);
    case BATCH_CHECK:
    case BATCH_OPS:
        if (way->kind == BATCH_NOW) {
            batch_put_failure(out, status, "check: only in an atomic batch");
        } else {
            status = 204;
            json_put(out, "{\"status\":204}");
        }
        break;
    }
    if (way->kind != BATCH_READ)
        capture_free(&r.reply);
    return status;
}
