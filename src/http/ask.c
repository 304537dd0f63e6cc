/* ask.c - running commands for requests. */
#include "ask.h"

#include <flashkv/mem.h>

#include "conn.h"
#include "hold.h"
#include "respond.h"
#include "worker.h"

struct arg arg_body(const struct request *r) {
    struct slice body = request_body(r);

    return (struct arg){body.ptr, body.len, r->body};
}

struct session request_session(struct request *r) {
    const struct conn *c = conn_of_request(r);

    return (struct session){.front = SESSION_HTTP,
                            .now_ms = r->now_ms,
                            .protocol = 2,
                            .rights = r->rights,
                            .fd = c->fd,
                            .stats = c->worker->commands,
                            .ticks = clock_ticks(),
                            .request_id = trace_name(&r->trace)};
}

/* `row`: the private row; NULL: look the command up among the public ones. */
static inline bool run_row(struct server *srv, struct session *s, const struct command *row,
                           struct capture *c, size_t max, size_t argc, const struct arg *argv) {
    capture_init(c, max);
    if (row != NULL)
        command_run(srv, s, row, argc, argv, &c->reply);
    else
        command_execute(srv, s, argc, argv, &c->reply);
    return !c->reply.failed && !c->overflow;
}

bool run_command(struct server *srv, struct session *s, struct capture *c, size_t max, size_t argc,
                 const struct arg *argv) {
    return run_row(srv, s, command_private(arg_slice(&argv[0])), c, max, argc, argv);
}

bool arg_hold(struct arg *a) {
    struct blob *b;

    if (a->len <= STRING_INLINE_MAX)
        return true;
    if ((b = blob_new(a->len, a->len)) == NULL)
        return false;
    memcpy(b->data, a->ptr, a->len);
    blob_digest(b);
    *a = (struct arg){b->data, b->len, b};
    return true;
}

void arg_release(struct arg *a) {
    blob_unref(a->blob);
}

bool http_may_run(struct slice command) {
    const struct command *cmd = command_lookup(command);

    return cmd == NULL || !(cmd->flags & CMD_CONNECTION);
}

bool ask(struct request *r, struct capture *c, enum MHD_Result *result, size_t argc, const struct arg *argv) {
    return ask_row(r, command_private(arg_slice(&argv[0])), c, result, argc, argv);
}

bool ask_row(struct request *r, const struct command *row, struct capture *c, enum MHD_Result *result,
             size_t argc, const struct arg *argv) {
    struct session s = request_session(r);
    bool ok = run_row(r->server, &s, row, c, r->server->options->max_output_bytes, argc, argv);

    hold_until(r, s.reach);
    if (ok)
        return true;
    *result = c->overflow ? respond_problem(r, 507, "the reply would be larger than max-output-bytes")
                          : respond_error(r, c->error);
    capture_free(c);
    return false;
}
