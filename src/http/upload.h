/* upload.h - what is done with the body of a request: it is dropped if nobody wants it, given to the route's intake as it
 * comes, or gathered for the handler. Private to http; both are called by the connection's worker. */
#ifndef FLASHKV_HTTP_UPLOAD_H
#define FLASHKV_HTTP_UPLOAD_H

#include "request.h"

/* A piece of the body. *left: how much of it, from its end, is to be brought again later. MHD_NO: the connection is to be cut. */
enum MHD_Result upload_came(struct request *r, const char *bytes, size_t len, size_t *left);
/* All of a body has come that is taken as it comes. */
enum MHD_Result upload_ended(struct request *r);

#endif
