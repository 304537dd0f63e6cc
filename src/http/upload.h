/* upload.h - the body of a request: dropped if the request was refused or its route takes none, passed to the route's
 * intake as it arrives, or buffered for the handler. Private to http; called by the connection's worker only. */
#ifndef FLASHKV_HTTP_UPLOAD_H
#define FLASHKV_HTTP_UPLOAD_H

#include "request.h"

/* A piece of the body has arrived. *left: how many of its last bytes the library must present again later. MHD_NO: the connection
 * is to be closed. */
enum MHD_Result upload_came(struct request *r, const char *bytes, size_t len, size_t *left);
/* The body of a BODY_STREAM route is complete: responds. */
enum MHD_Result upload_ended(struct request *r);

#endif
