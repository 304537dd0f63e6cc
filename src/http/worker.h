/* worker.h - a thread that serves HTTP connections: it drives a daemon of libmicrohttpd from outside. Private to http.
 *
 * The library's own epoll threads are not used. They read 128 events at a time, and if a wake-up brings exactly 128 (or 256,
 * ...) they wait for more before they serve those they have, possibly for ever (0.9.75 and 1.0.1). With many busy connections
 * that happens within seconds. MHD_run never waits, so the waiting is done here, on an epoll set that contains the daemon's
 * descriptor; that costs one system call per wake-up. */
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

/* Something that waits for events of its socket; the first member of what waits. */
struct waiter {
    void (*ready)(struct waiter *);
    int fd;
    int polled;                 /* by worker_wait: `fd`, or a duplicate of it */
    bool stays;                 /* registered with worker_watch: notified repeatedly */
    uint32_t events;            /* the epoll events that occurred, set before `ready` is called */
    struct waiter *prev, *next; /* in the list of those registered with worker_wait */
};

struct worker {
    struct http *http;
    struct MHD_Daemon *daemon;
    struct splicer splicer;
    bool splices;                 /* the splicer is initialised */
    struct traffic *traffic;      /* statistics of its requests */
    struct stats_block *commands; /* statistics of their commands; freed with the server's */
    struct cache cache;
    struct gather gather;
    int64_t wall_ms, wall_ticks; /* wall time, and the clock_ticks at which it was read (worker_wall_ms) */
    struct waiter *waiting;
    struct resume_queue resumes;
    struct turns turns;
    int epoll;          /* contains the daemon's epoll, the inbox, the waker and the sockets of waiters */
    int waker;          /* an eventfd: `resumes` is not empty */
    _Atomic bool woken; /* the waker was signalled and not yet read */
    int inbox[2];       /* a pipe of accepted connections; closing it is the order to stop */
    pthread_t thread;
};

/* Starts a thread that runs `daemon`, made with MHD_USE_EPOLL, without a listening socket or threads of its own. True: the daemon
 * is the worker's. False: nothing runs, and the daemon is still the caller's. */
bool worker_start(struct worker *w, struct http *h, struct MHD_Daemon *daemon);
/* Passes an accepted connection to the worker, which serves and closes it. Any thread; blocks while hundreds are queued. False:
 * it failed, and `fd` is still the caller's. */
bool worker_give(struct worker *w, int fd, const struct sockaddr_storage *from, socklen_t len);
/* Registers `waiter` to be notified once, when its socket is writable or lost, or the worker is freed; in the worker's thread, or
 * in worker_free's. Called in the worker's thread. False: not registered. */
bool worker_wait(struct worker *w, struct waiter *waiter);
/* Unregisters it: it is not notified any more. */
void worker_unwait(struct worker *w, struct waiter *waiter);
/* Registers `waiter` to be notified each time the client shuts down its sending side (EPOLLRDHUP) or the connection is lost
 * (EPOLLHUP, EPOLLERR), until worker_unwatch. All in the worker's thread. False: not registered. */
bool worker_watch(struct worker *w, struct waiter *waiter);
void worker_unwatch(struct worker *w, struct waiter *waiter);
/* Queues a suspended connection to be resumed soon, a few per turn (resume.h). Any thread, under any lock; never blocks. */
void worker_resume(struct worker *w, struct resumption *r);
/* clock_wall_ms for a request, in the worker's thread: the clock is read again when the last reading is older than
 * WALL_STALE_NS. */
enum { WALL_STALE_NS = 250000 };
NOINLINE void worker_ask_wall(struct worker *w, int64_t ticks);
static inline int64_t worker_wall_ms(struct worker *w) {
    int64_t ticks = clock_ticks(), since = ticks - w->wall_ticks;

    if (since < 0 || clock_ticks_ns(since) > WALL_STALE_NS)
        worker_ask_wall(w, ticks);
    return w->wall_ms;
}
/* Orders the thread to stop, and waits for its end. */
void worker_stop(struct worker *w);
/* Stops the daemon, which ends all its connections, and frees what the worker owns. All workers must have stopped: any of them
 * may collect metrics from all others. */
void worker_free(struct worker *w);

#endif
