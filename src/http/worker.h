/* worker.h - a thread that serves HTTP connections: a daemon of libmicrohttpd, driven from outside. Private to http.
 *
 * The library's own epoll threads are not used. They drain 128 events at a time, and when a wake-up brings exactly
 * 128 (or 256, ...) they wait for more before they serve those they have, be it for ever (0.9.75 and 1.0.1). With
 * many busy connections that happens within seconds. MHD_run never waits, so the waiting is done here, on the daemon's epoll
 * descriptor, and costs one system call a wake-up. */
#ifndef FLASHKV_HTTP_WORKER_H
#define FLASHKV_HTTP_WORKER_H

#include <flashkv/clock.h>
#include <flashkv/hints.h>
#include <flashkv/http.h>
#include <flashkv/splicer.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "cache.h"
#include "gather.h"
#include "resume.h"
#include "turns.h"

/* Something that waits for its socket; begins what it is part of. */
struct waiter {
    void (*ready)(struct waiter *);
    int fd;
    bool stays;                 /* worker_watch */
    uint32_t events;            /* of epoll: those that came */
    struct waiter *prev, *next; /* of those that wait */
};

struct worker {
    struct http *http;
    struct MHD_Daemon *daemon;
    struct splicer splicer;
    bool splices;                 /* the splicer is there */
    struct traffic *traffic;      /* what its requests have cost */
    struct stats_block *commands; /* and their commands; freed with the server's statistics */
    struct cache cache;
    struct gather gather;
    int64_t wall_ms, wall_ticks; /* wall time, and when it was that: worker_wall_ms */
    struct waiter *waiting;
    struct resume_queue resumes;
    struct turns turns;
    int epoll;          /* over the daemon's, the inbox and the waker */
    int waker;          /* an eventfd: there is something in `resumes` */
    _Atomic bool woken; /* it was told so, and has not looked yet */
    int inbox[2];       /* a pipe of accepted connections; its end is the order to stop */
    pthread_t thread;
};

/* Starts a thread that runs `daemon`: made with MHD_USE_EPOLL, without a listening socket or threads of its own.
 * False: nothing runs, and the daemon is still the caller's. */
bool worker_start(struct worker *w, struct http *h, struct MHD_Daemon *daemon);
/* Gives it a connection, from any thread, to serve and to close. Waits when hundreds are on their way already.
 * False: it could not be told, and `fd` is still the caller's. */
bool worker_give(struct worker *w, int fd, const struct sockaddr_storage *from, socklen_t len);
/* Has `waiter` told, once, when its socket can be written or is lost, or the worker ends. In the worker's thread, which is
 * where it is told, too; or after that has ended. False: it cannot wait. */
bool worker_wait(struct worker *w, struct waiter *waiter);
/* It waits no longer. */
void worker_unwait(struct worker *w, struct waiter *waiter);
/* Has `waiter` told each time the client shuts its side (EPOLLRDHUP), or the connection is gone (EPOLLHUP, EPOLLERR), until
 * worker_unwatch. In the worker's thread, all of it. False: it cannot watch. */
bool worker_watch(struct worker *w, struct waiter *waiter);
void worker_unwatch(struct worker *w, struct waiter *waiter);
/* Resumes a suspended connection, soon: not many at a turn (resume.h). Any thread; never blocks, under whatever lock. */
void worker_resume(struct worker *w, struct resumption *r);
/* clock_wall_ms for a request, in the worker's thread: the clock is asked again when its last word is older than WALL_STALE_NS. */
enum { WALL_STALE_NS = 250000 };
NOINLINE void worker_ask_wall(struct worker *w, int64_t ticks);
static inline int64_t worker_wall_ms(struct worker *w) {
    int64_t ticks = clock_ticks(), since = ticks - w->wall_ticks;

    if (since < 0 || clock_ticks_ns(since) > WALL_STALE_NS)
        worker_ask_wall(w, ticks);
    return w->wall_ms;
}
/* Ends the thread. */
void worker_stop(struct worker *w);
/* Ends the daemon with all its connections. All workers are stopped: metrics are gathered from each of them by any. */
void worker_free(struct worker *w);

#endif
