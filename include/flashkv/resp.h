/* resp.h - the Redis protocol front end: a listener with epoll threads of its own.
 * Layer: resp. Start and stop from one thread. */
#ifndef FLASHKV_RESP_H
#define FLASHKV_RESP_H

#include <flashkv/server.h>

struct resp;

/* Binds every address of options->bind at options->resp_port, stores the port bound in srv->resp_port and
 * starts options->resp_threads threads. NULL: `why` (cap bytes) says what failed ("127.0.0.1:6379: Address
 * already in use"); nothing is left open. */
struct resp *resp_start(struct server *srv, char *why, size_t cap);
/* Stops accepting, runs the commands that have arrived whole, sends the queued output (for at most a second), closes. */
void resp_stop(struct resp *r);

#endif
