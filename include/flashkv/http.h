/* http.h - the REST front end on libmicrohttpd's epoll thread pool.
 * Layer: http. Start and stop from one thread. */
#ifndef FLASHKV_HTTP_H
#define FLASHKV_HTTP_H

#include <flashkv/server.h>

struct http;

/* Binds every address of options->bind at options->http_port, stores the port bound in srv->http_port and
 * starts options->http_threads threads. NULL: `why` (cap bytes) says what failed; nothing is left open. */
struct http *http_start(struct server *srv, char *why, size_t cap);
/* Opens the access log anew, after its file was renamed; soon, by a thread of its own. Thread-safe. */
void http_reopen_logs(struct http *h);
/* Stops accepting, finishes what is in flight (for at most a second), closes. */
void http_stop(struct http *h);

#endif
