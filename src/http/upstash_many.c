/* upstash_many.c - pipelines and transactions: an array of commands, which is parsed completely before anything is run.
 *
 * A long pipeline must not block its thread: it is parsed and run in turns. A transaction is parsed in turns, and run by a single
 * EXEC. */
#include <flashkv/mem.h>

#include "handlers.h"
#include "resp2_reply.h"
#include "respond.h"
#include "stream.h"
#include "upstash.h"

/* One of the commands: its arguments in u->args. */
struct span {
    size_t first, count;
};

struct many {
    struct upstash upstash;
    struct json_in json; /* the parser's position in the body */
    bool opened, read;   /* the array was opened; it was parsed completely */
    struct buf spans;    /* struct span */
    size_t next;         /* index of the next command to run */
};

/* ---- parsing --------------------------------------------------------------------------------------------------------- */

static size_t count(const struct many *m) {
    return m->spans.len / sizeof(struct span);
}

static bool add_span(struct many *m) {
    struct span span = {m->upstash.first, m->upstash.count};

    return buf_append(&m->spans, &span, sizeof(span)) ||
           upstash_wrong(&m->upstash, "ERR too many commands, or out of memory");
}

/* Parses commands for one turn, and sets m->read after the last. False: the error is in u->why or the parser. */
static bool read_turn(struct many *m) {
    struct upstash *u = &m->upstash;
    enum json_token token;
    struct slice s;

    if (!m->opened && (!upstash_open(u, &m->json) || m->json.why != NULL))
        return false;
    m->opened = true;
    do {
        token = json_read(&m->json, &s);
        if (token == JSON_IN_CLOSE)
            return m->read = json_read(&m->json, &s) == JSON_IN_END;
        if (token != JSON_IN_ARRAY)
            return m->json.why == NULL && upstash_wrong(u, "ERR expected an array of arrays");
        if (!upstash_read(u, &m->json) || !add_span(m))
            return false;
    } while (!request_turn_over(u->request));
    return true;
}

/* As read_turn, but the error is in u->why. */
static bool read_some(struct many *m) {
    bool ok = read_turn(m);

    upstash_explain(&m->upstash, &m->json);
    return ok;
}

static void choose(struct many *m, size_t i) {
    const struct span *span = (const struct span *)(const void *)m->spans.data + i;

    m->upstash.first = span->first;
    m->upstash.count = span->count;
}

/* ---- the request's state ------------------------------------------------------------------------------------------------ */

static void many_free(void *ctx) {
    struct many *m = ctx;

    upstash_end(&m->upstash);
    buf_free(&m->spans);
    mem_free(m);
}

static const struct intake many_state = {.free = many_free};

/* The state, created by the first call. NULL: no memory; other errors are in upstash.why. */
static struct many *many_of(struct request *r) {
    struct many *m = r->intake_ctx;

    if (m == NULL) {
        if ((m = mem_zalloc(sizeof(*m))) == NULL)
            return NULL;
        m->spans = buf_make(r->server->options->max_request_bytes);
        upstash_begin(&m->upstash, r);
        request_take(r, &many_state, m);
    }
    session_set_time(&m->upstash.session, r->now_ms);
    return m;
}

/* ---- pipelines ---------------------------------------------------------------------------------------------------------- */

static void run_begin(struct many *m) {
    if (m->upstash.resp2)
        resp2_put_array(&m->upstash.out, count(m));
    else
        json_put(&m->upstash.out, "[");
}

/* Runs commands for one turn. True: all are done, or there is no room for more results. */
static bool run_some(struct many *m) {
    struct upstash *u = &m->upstash;

    while (m->next < count(m) && !u->out.failed) {
        if (m->next > 0 && !u->resp2)
            json_put(&u->out, ",");
        choose(m, m->next++);
        upstash_run(u);
        if (request_turn_over(u->request))
            break;
    }
    if (m->next < count(m) && !u->out.failed)
        return false;
    if (!u->resp2)
        json_put(&u->out, "]");
    return true;
}

enum MHD_Result http_upstash_pipeline(struct request *r) {
    struct many *m = many_of(r);
    bool was_read;

    if (m == NULL)
        return respond_problem(r, 503, "out of memory");
    was_read = m->read;
    if (m->upstash.why[0] != '\0' || (!was_read && !read_some(m)))
        return upstash_answer(&m->upstash, 400);
    if (m->read && !was_read)
        run_begin(m);
    if (!m->read || !run_some(m))
        return request_yield(r);
    return upstash_answer(&m->upstash, 200);
}

/* ---- transactions ------------------------------------------------------------------------------------------------------- */

/* Can all commands be run by a request? The others are not queued, and EXEC would not know of them: as with Redis's EXEC, one
 * command that cannot be queued means that nothing is run. False: u->why. */
static bool can_be_queued(struct many *m) {
    struct upstash *u = &m->upstash;

    for (size_t i = 0; i < count(m); i++) {
        choose(m, i);
        if (!upstash_may_run(u)) {
            upstash_wrong(
                u, "EXECABORT Transaction discarded because of a command that is not available over HTTP.");
            return false;
        }
    }
    return true;
}

/* Runs MULTI, the commands and EXEC, which aborts if one of them cannot be queued. */
static void run_transaction(struct many *m) {
    const struct arg multi = arg_text("multi"), exec = arg_text("exec");
    struct upstash *u = &m->upstash;
    struct server *srv = u->request->server;
    struct json_reply results;
    struct capture queued;

    capture_init(&queued, u->out.buf.max);
    command_execute(srv, &u->session, 1, &multi, &queued.reply);
    if (queued.reply.failed) { /* the commands would be run immediately */
        upstash_wrong(u, queued.error);
        capture_free(&queued);
        return;
    }
    for (size_t i = 0; i < count(m); i++) {
        choose(m, i);
        upstash_run_to(u, &queued.reply);
    }
    capture_free(&queued);
    json_reply_init(&results, &u->out, u->strings);
    results.wrap = true;
    command_execute(srv, &u->session, 1, &exec, &results.reply);
    command_forget(srv, &u->session);
    if (results.error[0] != '\0')
        upstash_wrong(u, results.error);
}

enum MHD_Result http_upstash_transaction(struct request *r) {
    struct many *m = many_of(r);

    if (m == NULL)
        return respond_problem(r, 503, "out of memory");
    if (m->upstash.resp2)
        upstash_wrong(&m->upstash, "ERR the response format resp2 is not for transactions");
    if (m->upstash.why[0] != '\0' || !read_some(m))
        return upstash_answer(&m->upstash, 400);
    if (!m->read)
        return request_yield(r);
    if (can_be_queued(m))
        run_transaction(m);
    return upstash_answer(&m->upstash, 200);
}
