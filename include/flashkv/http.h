/* http.h - the REST front end, on libmicrohttpd daemons driven by threads of our own.
 * Layer: http. Start and stop from one thread. */
#ifndef FLASHKV_HTTP_H
#define FLASHKV_HTTP_H

#include <flashkv/server.h>

struct http;

/* Binds every address of options->bind at options->http_port, stores the port bound in srv->http_port and
 * starts options->http_threads threads. NULL: `why` (cap bytes) says what failed; nothing is left open. */
struct http *http_start(struct server *srv, char *why, size_t cap);
/* Has the access log's thread reopen the file, after it was renamed. Thread-safe, does not wait. */
void http_reopen_logs(struct http *h);
/* Stops accepting, finishes the requests in flight (for at most a second), closes. */
void http_stop(struct http *h);

#endif
