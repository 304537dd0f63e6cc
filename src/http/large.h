/* large.h - the response that is a large value sent by reference (splicer.h). Private to http.
 *
 * libmicrohttpd sends a file by sendfile, 128 KiB at a time, and memory by copying it. So it is told that the body's length is
 * unknown, and sends the headers of a chunked one; when it asks for the first chunk, the whole body is sent past it as
 * one, and it adds the end. While the socket takes no more, the connection is suspended. */
#ifndef FLASHKV_HTTP_LARGE_H
#define FLASHKV_HTTP_LARGE_H

#include <flashkv/blob.h>

#include "conn.h"

/* A response to the connection's request, a GET of HTTP/1.1 without TLS, whose body is `b`, paged and not empty; takes a reference of
 * its own. NULL: no memory, or it cannot be done here. */
struct MHD_Response *large_response(struct conn *c, struct MHD_Connection *connection, struct blob *b);
/* To be called when the connection's response is out, or its socket about to be closed. */
void large_done(struct conn *c);

#endif
