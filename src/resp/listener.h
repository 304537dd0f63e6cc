/* listener.h - accepting connections, and distributing them to loops. Private to resp. */
#ifndef FLASHKV_RESP_LISTENER_H
#define FLASHKV_RESP_LISTENER_H

#include <flashkv/net.h>

#include "loop.h"

struct listener {
    struct source source; /* first */
    struct listeners *all;
};

struct listeners {
    struct server *server;
    struct loop *loops;
    unsigned loop_count;
    struct listener each[NET_LISTENERS_MAX];
    unsigned count;
    bool paused;          /* file descriptors are exhausted: no accepting until the next tick */
    uint32_t quiet_until; /* tick before which that is not logged again */
};

/* Listens on options->bind in the first loop, and sets srv->resp_port. False: `why` says what
 * failed; nothing is left open. */
bool listeners_open(struct listeners *ls, struct server *srv, struct loop *loops, unsigned loop_count,
                    char *why, size_t cap);
/* Stops accepting; any thread. */
void listeners_stop(struct listeners *ls);
/* Closes the sockets. Called by the first loop's thread, or after it has ended. */
void listeners_close(struct listeners *ls);

#endif
