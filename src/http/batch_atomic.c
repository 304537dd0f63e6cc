/* batch_atomic.c - checking an atomic batch, then running it as a transaction. */
#include "batch_atomic.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>

#include "hold.h"

enum {
    TRIES = 64,
    ESCAPED = 6,    /* JSON bytes per byte of a value, at most */
    SEPARATORS = 4, /* JSON bytes per element, besides its value */
    RESULT = 2048,  /* JSON bytes of a result, besides the value */
    TOKENS = 8,     /* tokens of a reply, besides the value's */
};

/* The predicted state of a key after the operations so far: as much of it as decides whether the next one can succeed. */
struct foresight {
    struct slice key;
    bool exists, is_string, is_integer;
    int64_t n;
    uint64_t len;  /* bytes of everything that it holds */
    size_t tokens; /* tokens of a reply with its value */
};

struct atomic_batch {
    struct request *request;
    struct session session;
    const struct batch_op *ops;
    size_t count;
    struct foresight keys[BATCH_ATOMIC_MAX];
    size_t key_count;
    uint64_t results; /* upper bound of the results as JSON, in bytes */
    size_t tokens;    /* upper bound of EXEC's reply */
    char *why;
    size_t cap;
};

static unsigned refuse(struct atomic_batch *b, size_t i, unsigned status, const char *why) {
    snprintf(b->why, b->cap, "operation %zu: %s; nothing was done", i, why);
    return status;
}

static bool run(struct atomic_batch *b, struct capture *c, size_t argc, const struct arg *argv) {
    struct server *srv = b->request->server;

    return run_command(srv, &b->session, c, srv->options->max_output_bytes, argc, argv);
}

/* ---- prediction ------------------------------------------------------------------------------------------------------- */

static void foresee_string(struct foresight *f, struct slice value) {
    f->exists = f->is_string = true;
    f->len = value.len;
    f->is_integer = num_parse_i64(value, &f->n);
}

/* Does the condition hold for the state that rest.read found? */
static bool holds(const struct batch_op *op, const struct capture *c) {
    bool exists = c->tokens[0].kind != TOKEN_NULL;
    bool is_string = exists && c->tokens[1].kind != TOKEN_AGGREGATE;
    char hex[NUM_HEX64];

    switch (op->condition) {
    case BATCH_ALWAYS:
        return true;
    case BATCH_IF_ABSENT:
        return !exists;
    case BATCH_IF_EXISTS:
        return exists;
    case BATCH_IF_EQUALS:
        return is_string && slice_eq(capture_text(c, 1), op->expected);
    case BATCH_IF_ETAG:
        if (is_string)
            num_format_hex64(store_digest(capture_text(c, 1)), hex);
        return is_string && slice_eq(slice_of(hex, sizeof(hex)), op->expected);
    }
    return false;
}

/* The prediction for the operation's key, read if it is the first; *condition: whether its condition holds for the present
 * state. */
static struct foresight *look(struct atomic_batch *b, const struct batch_op *op, bool *condition) {
    struct arg argv[] = {arg_text("rest.read"), arg_of(op->key)};
    struct foresight *f = b->keys, *end = b->keys + b->key_count;
    struct capture c;
    bool ok;

    while (f < end && !slice_eq(f->key, op->key))
        f++;
    *condition = true;
    if (f < end && op->condition == BATCH_ALWAYS)
        return f;
    ok = run(b, &c, 2, argv);
    if (ok)
        *condition = holds(op, &c);
    if (ok && f == end) {
        *f = (struct foresight){.key = op->key, .exists = c.tokens[0].kind != TOKEN_NULL};
        f->len = c.bytes.len + c.count * SEPARATORS;
        f->tokens = c.count;
        if (f->exists && c.tokens[1].kind != TOKEN_AGGREGATE)
            foresee_string(f, capture_text(&c, 1));
        b->key_count++;
    }
    capture_free(&c);
    return ok ? f : NULL;
}

static unsigned foresee_incr(struct atomic_batch *b, size_t i, struct foresight *f) {
    int64_t by = 1, n = f->exists ? f->n : 0;

    if (f->exists && !f->is_string)
        return refuse(b, i, 409, "the key holds another type");
    if (f->exists && !f->is_integer)
        return refuse(b, i, 409, "the value is not an integer");
    if ((b->ops[i].by.ptr != NULL && !num_parse_i64(b->ops[i].by, &by)) || __builtin_add_overflow(n, by, &n))
        return refuse(b, i, 409, "the sum would overflow");
    f->exists = f->is_string = f->is_integer = true;
    f->n = n;
    f->len = NUM_I64_MAX;
    return 0;
}

static unsigned foresee_append(struct atomic_batch *b, size_t i, struct foresight *f) {
    if (f->exists && !f->is_string)
        return refuse(b, i, 409, "the key holds another type");
    f->len = (f->exists ? f->len : 0) + b->ops[i].value.len;
    if (f->len > b->request->server->options->max_value_bytes)
        return refuse(b, i, 413, "the value would be longer than max-value-bytes");
    if (!f->exists)
        foresee_string(f, b->ops[i].value);
    else
        f->is_integer = false; /* it might still be one: better refused, if incremented, than half done */
    return 0;
}

/* Returns 0 if the operation can succeed, else the status. */
static unsigned foresee(struct atomic_batch *b, size_t i) {
    const struct batch_op *op = &b->ops[i];
    struct foresight *f;
    bool condition;

    if (op->kind == BATCH_COMMAND)
        return refuse(b, i, 400,
                      "a command can fail when it is run, so it cannot be part of an atomic batch");
    if (op->key.len > b->request->server->options->max_key_bytes)
        return refuse(b, i, 414, "the key is longer than max-key-bytes");
    if (op->value.len > b->request->server->options->max_value_bytes)
        return refuse(b, i, 413, "the value is longer than max-value-bytes");
    if ((f = look(b, op, &condition)) == NULL)
        return refuse(b, i, 507, "what the key holds is larger than max-output-bytes");
    if (!condition)
        return refuse(b, i, 409, "its condition does not hold");
    b->results += RESULT + (op->kind == BATCH_GET ? ESCAPED * f->len : 0);
    b->tokens += TOKENS + (op->kind == BATCH_GET ? f->tokens : 0);
    if (b->results > b->request->server->options->max_output_bytes)
        return refuse(b, i, 507, "the results could be larger than max-output-bytes");
    if (op->kind == BATCH_INCR)
        return foresee_incr(b, i, f);
    if (op->kind == BATCH_APPEND)
        return foresee_append(b, i, f);
    if (op->kind == BATCH_PUT)
        foresee_string(f, op->value);
    if (op->kind == BATCH_DELETE)
        f->exists = f->is_string = false;
    return 0;
}

/* ---- execution -------------------------------------------------------------------------------------------------------- */

/* Watches all keys. Returns 0, or the status of a problem. */
static unsigned watch(struct atomic_batch *b) {
    struct arg *argv = mem_alloc((b->count + 1) * sizeof(*argv));
    struct capture c;
    size_t argc = 0;
    bool ok;

    if (argv == NULL) {
        snprintf(b->why, b->cap, "out of memory");
        return 503;
    }
    argv[argc++] = arg_text("watch");
    for (size_t i = 0; i < b->count; i++)
        if (b->ops[i].kind != BATCH_COMMAND)
            argv[argc++] = arg_of(b->ops[i].key);
    ok = argc == 1 || run(b, &c, argc, argv);
    if (!ok)
        snprintf(b->why, b->cap, "%s", c.error);
    if (argc > 1)
        capture_free(&c);
    mem_free(argv);
    return ok ? 0 : status_of_error(b->why);
}

/* Queues, or reads the result of, each operation; without its condition, which was checked before. */
static void each(struct atomic_batch *b, struct json_out *out, struct batch_way *way) {
    static const struct buf no_args;

    for (size_t i = 0; i < b->count && !out->failed; i++) {
        struct batch_op op = b->ops[i];

        op.condition = BATCH_ALWAYS;
        json_put(out, i > 0 ? "," : "");
        batch_op_run(&op, &no_args, b->request->server, &b->session, out, way);
    }
}

/* Writes the results from EXEC's reply. */
static unsigned take_results(struct atomic_batch *b, struct json_out *out, const struct capture *c) {
    struct batch_way way = {BATCH_READ, c, 1};

    json_put(out, "[");
    each(b, out, &way);
    json_put(out, "]");
    return 200;
}

/* EXEC is all or nothing (multi_reserve). Room for its reply and for the results is reserved before. */
static unsigned exec(struct atomic_batch *b, struct json_out *out) {
    const struct arg argv = arg_text("exec");
    struct server *srv = b->request->server;
    struct capture c;
    unsigned status;

    capture_init(&c, srv->options->max_output_bytes);
    if (!capture_reserve(&c, b->tokens + 1, b->results) || !buf_reserve(&out->buf, b->results)) {
        status = 503;
        snprintf(b->why, b->cap, "out of memory; nothing was done");
    } else if (command_execute(srv, &b->session, 1, &argv, &c.reply), c.error[0] != '\0') {
        snprintf(b->why, b->cap, "nothing was done: %s", c.error);
        status = status_of_error(c.error);
        if (status == 400) /* a token's session may not queue a command that the token does not permit */
            status = b->session.rights != NULL ? 403 : 507;
    } else {
        status = c.tokens[0].kind == TOKEN_NULL ? 0 : take_results(b, out, &c);
    }
    capture_free(&c);
    return status;
}

/* One try, the keys being watched. 0: a key was changed meanwhile. */
static unsigned exchange(struct atomic_batch *b, struct json_out *out) {
    struct arg multi = arg_text("multi");
    struct batch_way way = {.kind = BATCH_QUEUE};
    struct json_out scratch = json_out_make(out->buf.max);
    struct capture c;
    bool ok = run(b, &c, 1, &multi);

    capture_free(&c);
    if (ok)
        each(b, &scratch, &way);
    buf_free(&scratch.buf);
    if (ok && !scratch.failed)
        return exec(b, out);
    snprintf(b->why, b->cap, "out of memory"); /* not every operation is queued, or MULTI failed */
    return 503;
}

static unsigned try_once(struct atomic_batch *b, struct json_out *out) {
    unsigned status = watch(b);

    b->key_count = b->tokens = b->results = 0;
    for (size_t i = 0; i < b->count && status == 0; i++)
        status = foresee(b, i);
    return status != 0 ? status : exchange(b, out);
}

unsigned batch_run_atomic(struct request *r, const struct batch_op *ops, size_t count, struct json_out *out,
                          char *why, size_t cap) {
    struct atomic_batch *b = mem_zalloc(sizeof(*b));
    unsigned status = 0;

    if (b == NULL || count > BATCH_ATOMIC_MAX) {
        snprintf(why, cap, b == NULL ? "out of memory" : "an atomic batch has at most %d operations",
                 BATCH_ATOMIC_MAX);
        mem_free(b);
        return b == NULL ? 503 : 413;
    }
    *b = (struct atomic_batch){
        .request = r, .session = request_session(r), .ops = ops, .count = count, .why = why, .cap = cap};
    for (int i = 0; status == 0 && i < TRIES; i++)
        status = try_once(b, out);
    hold_until(r, b->session.reach);
    command_forget(r->server, &b->session);
    mem_free(b);
    if (status != 0)
        return status;
    snprintf(why, cap, "others change these keys all the time; try again");
    return 503;
}
