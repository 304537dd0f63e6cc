/* ask.h - asking the store on behalf of a request. Private to http. */
#ifndef FLASHKV_HTTP_ASK_H
#define FLASHKV_HTTP_ASK_H

#include <flashkv/clock.h>
#include <flashkv/command.h>

#include "capture.h"
#include "request.h"

/* Who the request's commands are run for. */
struct session request_session(struct request *r);
/* It goes on, with what came or what is asked for now: commands happen at `now_ms`, and what was between is not their time. */
static inline void session_set_time(struct session *s, int64_t now_ms) {
    s->now_ms = now_ms;
    s->ticks = clock_ticks();
}
/* Runs a command at s->now_ms: the words, then `more` arguments. Its reply is in *c, to be freed; strings of `max` bytes
 * in all at most. False: an error or an overflow; *c is to be freed all the same. */
bool run_command(struct server *srv, struct session *s, struct capture *c, size_t max, size_t argc,
                 const struct arg *argv);
/* Runs a command: the words, then `more` arguments. Its reply is in *c, to be freed. False: an error or an overflow,
 * which has been answered with *result, and *c is free. */
bool ask(struct request *r, struct capture *c, enum MHD_Result *result, size_t argc, const struct arg *argv);
/* The same with the private row already found. */
bool ask_row(struct request *r, const struct command *row, struct capture *c, enum MHD_Result *result,
             size_t argc, const struct arg *argv);
/* A command. */
struct words {
    size_t argc;
    const struct arg *argv;
};
/* An argument from a slice, a C string, or the request's body. */
static inline struct arg arg_of(struct slice s) {
    return (struct arg){s.ptr, s.len, NULL};
}
static inline struct arg arg_text(const char *text) {
    return arg_of(slice_str(text));
}
struct arg arg_body(const struct request *r);
/* A large argument, copied into a blob so that the store need not copy it under a lock, its digest known. False: no memory. */
bool arg_hold(struct arg *a);
void arg_release(struct arg *a);
/* Can this command be run for a request, which has no connection of its own: no transaction, subscription or name? */
bool http_may_run(struct slice command);

#endif
