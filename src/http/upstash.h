/* upstash.h - the REST protocol of Upstash's clients: commands as JSON arrays or as paths (upstash.c), pipelines and
 * transactions (upstash_many.c), subscriptions (upstash.c). Under /upstash, and at the root of a port of its own
 * (--upstash-port). Private to http.
 *
 * Source: https://upstash.com/docs/redis/features/restapi, and what @upstash/redis sends and expects. Errors are
 * {"error":"..."}, as its clients expect, not problem+json. */
#ifndef FLASHKV_HTTP_UPSTASH_H
#define FLASHKV_HTTP_UPSTASH_H

#include "ask.h"
#include "json_in.h"
#include "json_reply.h"

/* The state of one request. */
struct upstash {
    struct request *request;
    struct session session;
    struct buf args;     /* of struct arg */
    size_t first, count; /* the current command: index and number of its arguments in `args` */
    struct buf body;     /* a copy of the body, decoded in place */
    struct json_out out;
    bool resp2;
    enum json_strings strings;
    char why[520]; /* the error, in Redis's words; empty: none */
};

/* Initialises u and reads the headers that choose the response's format. False: u->why. In either case upstash_answer or
 * upstash_end must follow. */
bool upstash_begin(struct upstash *u, struct request *r);
/* Sets u->why, unless an error was set before. Returns false. */
bool upstash_wrong(struct upstash *u, const char *why);
/* Opens the body, which must be an array. False: u->why. Also check j->why, which is left to upstash_explain. */
bool upstash_open(struct upstash *u, struct json_in *j);
/* Reads the rest of an array of scalars as the current command, each argument as it is written. False: u->why, or j->why. */
bool upstash_read(struct upstash *u, struct json_in *j);
/* Sets u->why from the parser's error, if there is one; it takes precedence. */
void upstash_explain(struct upstash *u, const struct json_in *j);
/* Does the current command make sense without a connection? If not, running it is an error. */
bool upstash_may_run(const struct upstash *u);
/* Runs the current command; its reply goes to `to`, or to u->out as {"result":...}, {"error":"..."} or RESP2, and the status is
 * returned. */
void upstash_run_to(struct upstash *u, struct reply *to);
unsigned upstash_run(struct upstash *u);
/* Responds with u->out, or with status 400 and u->why, and releases everything but u itself. */
enum MHD_Result upstash_answer(struct upstash *u, unsigned status);
void upstash_end(struct upstash *u);

#endif
