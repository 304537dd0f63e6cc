/* upstash.h - the REST protocol of Upstash's clients: commands as JSON arrays or as paths (upstash.c), pipelines and
 * transactions (upstash_many.c), subscriptions. Under /upstash, and at the root of a port of its own (--upstash-port).
 * Private to http.
 *
 * Source: https://upstash.com/docs/redis/features/restapi, and what @upstash/redis sends and expects. Errors are
 * {"error":"..."}, as its clients want them, not problem+json. */
#ifndef FLASHKV_HTTP_UPSTASH_H
#define FLASHKV_HTTP_UPSTASH_H

#include "ask.h"
#include "json_in.h"
#include "json_reply.h"

/* One request, or what of it is at hand. */
struct upstash {
    struct request *request;
    struct session session;
    struct buf args;     /* struct arg */
    size_t first, count; /* of those: the command at hand */
    struct buf body;     /* a copy to be decoded in place */
    struct json_out out;
    bool resp2;
    enum json_strings strings;
    char why[520]; /* what is wrong with it, in Redis's words */
};

/* Looks at what the request wants of the answer. False: u->why. Either way upstash_answer, or upstash_end, comes at last. */
bool upstash_begin(struct upstash *u, struct request *r);
/* Says what is wrong, if nothing was before. False. */
bool upstash_wrong(struct upstash *u, const char *why);
/* Opens the body, which must be an array. False: u->why, or j->why. */
bool upstash_open(struct upstash *u, struct json_in *j);
/* Reads the rest of an array of scalars as the command at hand: as they are written, whatever they are. As upstash_open. */
bool upstash_read(struct upstash *u, struct json_in *j);
/* Says what is wrong with the JSON, if anything is. */
void upstash_explain(struct upstash *u, const struct json_in *j);
/* Is the command at hand one that makes sense without a connection? Others are an error. */
bool upstash_may_run(const struct upstash *u);
/* Runs the command at hand: its reply to `to`, or to u->out as {"result":...}, {"error":"..."} or RESP2. That returns the
 * status. */
void upstash_run_to(struct upstash *u, struct reply *to);
unsigned upstash_run(struct upstash *u);
/* Answers with what is in u->out, or with u->why, and frees all but u itself. */
enum MHD_Result upstash_answer(struct upstash *u, unsigned status);
void upstash_end(struct upstash *u);

#endif
