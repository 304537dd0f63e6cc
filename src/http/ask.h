/* ask.h - running commands on behalf of a request. Private to http. */
#ifndef FLASHKV_HTTP_ASK_H
#define FLASHKV_HTTP_ASK_H

#include <flashkv/clock.h>
#include <flashkv/command.h>

#include "capture.h"
#include "request.h"

/* A session for the request's commands, with its rights and clock; it borrows from the request. */
struct session request_session(struct request *r);
/* Sets the session's clock before it runs more commands: they happen at `now_ms`, and the time since its last command is not
 * counted as theirs. */
static inline void session_set_time(struct session *s, int64_t now_ms) {
    s->now_ms = now_ms;
    s->ticks = clock_ticks();
}
/* Runs a command at s->now_ms, private ones included. Its reply is in *c, which the caller frees with capture_free whatever the
 * result; at most `max` bytes of copied strings. False: the reply is an error or too large. */
bool run_command(struct server *srv, struct session *s, struct capture *c, size_t max, size_t argc,
                 const struct arg *argv);
/* Runs a command in a session of its own. True: its reply is in *c, which the caller frees with capture_free. False: it failed
 * or its reply is too large; *result is the response that was queued, and nothing is to be freed. */
bool ask(struct request *r, struct capture *c, enum MHD_Result *result, size_t argc, const struct arg *argv);
/* The same with the private row already looked up; NULL: `argv` names a public command. */
bool ask_row(struct request *r, const struct command *row, struct capture *c, enum MHD_Result *result,
             size_t argc, const struct arg *argv);
/* A command and its arguments, borrowed. */
struct words {
    size_t argc;
    const struct arg *argv;
};
/* An argument from a slice, a C string, or the request's body; all borrow the bytes. */
static inline struct arg arg_of(struct slice s) {
    return (struct arg){s.ptr, s.len, NULL};
}
static inline struct arg arg_text(const char *text) {
    return arg_of(slice_str(text));
}
struct arg arg_body(const struct request *r);
/* Copies an argument over STRING_INLINE_MAX into a blob, so that the store need not copy it under a lock, and computes its
 * digest there. Released with arg_release. False: no memory, and `a` is unchanged. */
bool arg_hold(struct arg *a);
void arg_release(struct arg *a);
/* May a request run this command? Not those that act on a connection (transactions, subscriptions, names). */
bool http_may_run(struct slice command);

#endif
