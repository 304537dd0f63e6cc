/* respond_impl.h - the parts that responses are made of, shared by respond.c and problem.c. */
#ifndef FLASHKV_HTTP_RESPOND_IMPL_H
#define FLASHKV_HTTP_RESPOND_IMPL_H

#include "cors.h"
#include "request.h"

/* A response with a copy of the bytes. NULL: no memory. */
struct MHD_Response *respond_copy(struct request *r, struct slice body);
/* Adds a header to a struct MHD_Response, unless the value is empty: a header_put. */
header_put respond_header;
/* Adds what every response carries: X-Request-Id and traceparent, and the headers of CORS. */
void respond_each_header(const struct request *r, header_put *put, void *to);
/* `etag` without quotes; empty: there is none. */
void respond_header_etag(struct MHD_Response *response, struct slice etag);
/* Queues a response, whose ownership passes to it, with the headers that every one carries; with --fsync always it may wait for
 * the disk first. NULL: no memory, and the connection is closed. */
enum MHD_Result respond_queue(struct request *r, unsigned status, struct MHD_Response *response);

/* The body and type of a problem. NULL: no memory. */
struct MHD_Response *problem_response(struct request *r, unsigned status, const char *detail);

#endif
