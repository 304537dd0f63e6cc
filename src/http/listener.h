/* listener.h - the thread that accepts HTTP connections, distributes them among the workers and enforces their timeouts. Private
 * to http.
 *
 * Threads that poll one listening socket share it unevenly, since the first to wake accepts everything: of 129 connections 4
 * went to one of the library's two threads, 125 to the other. One accepting thread distributes them evenly, serves any number
 * of addresses, and can refuse politely when there are too many connections. */
#ifndef FLASHKV_HTTP_LISTENER_H
#define FLASHKV_HTTP_LISTENER_H

#include <flashkv/net.h>
#include <flashkv/server.h>
#include <pthread.h>

#include "conn.h"
#include "stream.h"
#include "worker.h"

enum { LISTENER_FDS_MAX = 3 * NET_LISTENERS_MAX };

struct listener {
    struct server *server;
    struct worker *workers;
    unsigned worker_count, next_worker;
    struct conn_list *conns;
    struct pause_list *pauses;
    int fds[LISTENER_FDS_MAX];
    unsigned count;
    int waker; /* an eventfd: the order to stop */
    pthread_t thread;
};

/* Accepts on `fds` for the workers until listener_stop, which closes them. False: nothing runs, and the fds are still the
 * caller's. */
bool listener_start(struct listener *l, struct server *srv, struct worker *workers, unsigned worker_count,
                    struct conn_list *conns, struct pause_list *pauses, const int *fds, unsigned count);
void listener_stop(struct listener *l);

#endif
