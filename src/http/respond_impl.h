/* respond_impl.h - what responses are made of: between respond.c and problem.c. */
#ifndef FLASHKV_HTTP_RESPOND_IMPL_H
#define FLASHKV_HTTP_RESPOND_IMPL_H

#include "cors.h"
#include "request.h"

/* A response with a copy of the bytes. NULL: no memory. */
struct MHD_Response *respond_copy(struct request *r, struct slice body);
/* Adds a header to a struct MHD_Response, unless the value is empty: a header_put. */
header_put respond_header;
/* What every response carries: what names the request elsewhere, what pages of other origins ask for. */
void respond_each_header(const struct request *r, header_put *put, void *to);
/* `etag` without quotes; empty: there is none. */
void respond_header_etag(struct MHD_Response *response, struct slice etag);
/* Queues a response that is given away, with what every one carries. NULL: the connection is cut. */
enum MHD_Result respond_queue(struct request *r, unsigned status, struct MHD_Response *response);

/* What is wrong, as a response. NULL: no memory. */
struct MHD_Response *problem_response(struct request *r, unsigned status, const char *detail);

#endif
