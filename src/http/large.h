/* large.h - the response for a large value that is sent by reference (splicer.h). Private to http.
 *
 * libmicrohttpd sends a file by sendfile, 128 KiB at a time, and memory by copying it. So the response is declared as of unknown
 * length, and the library sends the headers of a chunked one; when it calls for the first chunk, the whole body is sent past it
 * as a single chunk, and the library adds the last one. While the socket is full, the connection is suspended. */
#ifndef FLASHKV_HTTP_LARGE_H
#define FLASHKV_HTTP_LARGE_H

#include <flashkv/blob.h>

#include "conn.h"

/* A response to the connection's request (a GET of HTTP/1.1 without TLS) whose body is `b`, paged and not empty; takes a
 * reference of its own. NULL: no memory, or the worker has no splicer. */
struct MHD_Response *large_response(struct conn *c, struct MHD_Connection *connection, struct blob *b);
/* To be called when the connection's response was sent, or its socket is about to be closed. */
void large_done(struct conn *c);

#endif
