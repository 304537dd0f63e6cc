/* respond.h - making and queueing responses. Private to http.
 *
 * Every function that returns an MHD_Result queues exactly one response (or closes the connection, without memory for it) and
 * must be a handler's last act. */
#ifndef FLASHKV_HTTP_RESPOND_H
#define FLASHKV_HTTP_RESPOND_H

#include <flashkv/hints.h>

#include "ask.h"
#include "json_out.h"
#include "request.h"

/* No body; for status 204, for example. */
enum MHD_Result respond_empty(struct request *r, unsigned status);
/* The same with an ETag (16 hex digits), unless empty, and the time to live, unless NO_EXPIRY. */
enum MHD_Result respond_tagged(struct request *r, unsigned status, struct slice etag, int64_t expire_at);
/* 304 with the ETag and length that a 200 would have. */
enum MHD_Result respond_not_modified(struct request *r, struct slice etag, int64_t expire_at, size_t length);
/* 200, application/json, with a text that json.h made, whose ownership passes to it. NULL (no memory) closes the connection: the
 * command has run, so neither success nor failure may be reported. */
enum MHD_Result respond_json(struct request *r, char *text);
/* A text that was written into `o`, whose buffer it takes over; 507 if output is missing. */
enum MHD_Result respond_out(struct request *r, unsigned status, const char *type, struct json_out *o);
/* The same with one more header. */
enum MHD_Result respond_out_with(struct request *r, unsigned status, const char *type, struct json_out *o,
                                 const char *name, const char *value);
static inline enum MHD_Result respond_json_out(struct request *r, unsigned status, struct json_out *o) {
    return respond_out(r, status, "application/json", o);
}
/* As respond_json, for a key: with its ETag, unless empty, and time to live, unless NO_EXPIRY. */
enum MHD_Result respond_json_of_key(struct request *r, char *text, struct slice etag, int64_t expire_at);
/* 200 with the buffer's text, whose ownership passes to it; the buffer is empty afterwards. */
enum MHD_Result respond_buf(struct request *r, const char *type, struct buf *body);
/* 200 with bytes that live as long as the process. */
enum MHD_Result respond_static(struct request *r, const char *type, struct slice body);
/* The same for a page of ours, which may load scripts and styles from this origin and nothing else. */
enum MHD_Result respond_own_page(struct request *r, const char *type, struct slice body);
/* Queues a cached response for the same value and type (cache.h). False: none is cached, or this request cannot use it. */
bool respond_kept(struct request *r, uint64_t digest, struct slice value, struct slice type,
                  int64_t expire_at, enum MHD_Result *result);
/* 200 with a stored value, token `value` of `c`: bytes, which are copied, or a blob, which is referenced until it is sent. The
 * response may be cached under `digest`, of which `etag` is the text; an empty etag: the value has none, and is not cached. */
enum MHD_Result respond_value(struct request *r, const struct capture *c, size_t value, struct slice type,
                              uint64_t digest, struct slice etag, int64_t expire_at);
/* 206 with a part of a stored value, or 416 if `count` is 0. Otherwise as respond_value, but never cached. */
enum MHD_Result respond_part(struct request *r, const struct capture *c, size_t value, struct slice type,
                             struct slice etag, int64_t expire_at, uint64_t from, uint64_t count);
/* The request's body, which is now the stored value: Prefer: return=representation. */
enum MHD_Result respond_representation(struct request *r, unsigned status, struct slice etag,
                                       int64_t expire_at);

/* 200 with a stream's response (stream.h), whose ownership passes to it. */
enum MHD_Result respond_stream(struct request *r, const char *type, struct MHD_Response *response);

/* ---- refusing (problem.c) ----------------------------------------------------------------------------------------- */

/* application/problem+json (RFC 9457), or to Upstash's clients {"error":"..."}. */
COLD enum MHD_Result respond_problem(struct request *r, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 412, with the ETag of the present value, unless empty. */
COLD enum MHD_Result respond_refused(struct request *r, struct slice etag);
/* The error of a command's reply, with the status that it stands for (status_of_error). */
COLD enum MHD_Result respond_error(struct request *r, const char *error);
unsigned status_of_error(const char *error);

/* The response for r->verdict. */
COLD enum MHD_Result respond_verdict(struct request *r);
/* The same in the middle of a body, where the library cannot respond: written to the socket directly. The connection cannot be
 * used afterwards; r->answered is set. */
COLD void respond_verdict_now(struct request *r);

#endif
