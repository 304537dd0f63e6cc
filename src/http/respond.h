/* respond.h - making and queueing responses. Private to http.
 *
 * Every function that returns an MHD_Result queues exactly one response (or cuts the connection, for want of
 * memory) and is a handler's last act. */
#ifndef FLASHKV_HTTP_RESPOND_H
#define FLASHKV_HTTP_RESPOND_H

#include <flashkv/hints.h>

#include "ask.h"
#include "json_out.h"
#include "request.h"

/* No body; status 204 or 304, say. */
enum MHD_Result respond_empty(struct request *r, unsigned status);
/* The same with an ETag (16 hex digits), if any, and the time to live if the key expires. */
enum MHD_Result respond_tagged(struct request *r, unsigned status, struct slice etag, int64_t expire_at);
/* 304 with the ETag of what would have been sent, and its length. */
enum MHD_Result respond_not_modified(struct request *r, struct slice etag, int64_t expire_at, size_t length);
/* 200 with a text that json.h made, application/json, and frees it; NULL is "out of memory". */
enum MHD_Result respond_json(struct request *r, char *text);
/* A text that was written piece by piece, and is let go; if it did not fit, 507. */
enum MHD_Result respond_out(struct request *r, unsigned status, const char *type, struct json_out *o);
/* The same with a header of its own. */
enum MHD_Result respond_out_with(struct request *r, unsigned status, const char *type, struct json_out *o,
                                 const char *name, const char *value);
static inline enum MHD_Result respond_json_out(struct request *r, unsigned status, struct json_out *o) {
    return respond_out(r, status, "application/json", o);
}
/* The same of a key, with its ETag, if any, and time to live, if it expires. */
enum MHD_Result respond_json_of_key(struct request *r, char *text, struct slice etag, int64_t expire_at);
/* 200 with a text that is taken over; the buffer is empty then. */
enum MHD_Result respond_buf(struct request *r, const char *type, struct buf *body);
enum MHD_Result respond_static(struct request *r, const char *type, struct slice body);
/* The same of a page of ours, which may load scripts and styles from this origin and nothing else from anywhere. */
enum MHD_Result respond_own_page(struct request *r, const char *type, struct slice body);
/* Answers with a response that was kept from another read of the same value and type (cache.h). False: there is none. */
bool respond_kept(struct request *r, uint64_t digest, struct slice value, struct slice type,
                  int64_t expire_at, enum MHD_Result *result);
/* A stored value, token `value` of `c`: bytes, or a blob sent from where it is. `digest` and its text `etag` are the
 * value's, under which the response may be kept; no etag: it has none, and is not. */
enum MHD_Result respond_value(struct request *r, const struct capture *c, size_t value, struct slice type,
                              uint64_t digest, struct slice etag, int64_t expire_at);
/* 206 with a part of a stored value, or 416 if its `count` is 0, as respond_value. */
enum MHD_Result respond_part(struct request *r, const struct capture *c, size_t value, struct slice type,
                             struct slice etag, int64_t expire_at, uint64_t from, uint64_t count);
/* The request's body as what is stored now: Prefer: return=representation. */
enum MHD_Result respond_representation(struct request *r, unsigned status, struct slice etag,
                                       int64_t expire_at);

/* 200, a stream's response (stream.h). */
enum MHD_Result respond_stream(struct request *r, const char *type, struct MHD_Response *response);

/* ---- refusing (problem.c) ----------------------------------------------------------------------------------------- */

/* application/problem+json (RFC 9457), or to Upstash's clients what they know. */
COLD enum MHD_Result respond_problem(struct request *r, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 412, with the ETag of what is there, which may be empty. */
COLD enum MHD_Result respond_refused(struct request *r, struct slice etag);
/* The error of a command's reply, as the status it means. */
COLD enum MHD_Result respond_error(struct request *r, const char *error);
unsigned status_of_error(const char *error);

/* What r->verdict says. */
COLD enum MHD_Result respond_verdict(struct request *r);
/* The same, in the middle of a body, where the library has no way to answer: written to the socket at once. The
 * connection is of no more use; r->answered is set. */
COLD void respond_verdict_now(struct request *r);

#endif
