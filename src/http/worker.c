/* worker.c - the loop: wait for events, take on connections, run the daemon. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <flashkv/log.h>
#include <flashkv/server.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server.h"
#include "traffic.h"

/* Written to the pipe atomically, since it is smaller than PIPE_BUF. */
struct arrival {
    int fd;
    socklen_t len;
    struct sockaddr_storage from;
};

_Static_assert(sizeof(struct arrival) <= PIPE_BUF, "written to a pipe in one piece");

/* RESUMES: measured with 1000 streams that all get a message 50 times a second and two threads on one core, the p99 of small GETs
 * is 8.5 ms if all are resumed at once, 1.3 at 32 a turn, 1.0 at 16, 0.7 at 8, and 0.5 at 4, which costs a tenth more CPU than 8:
 * worth it, by bench/under-load. */
enum { EVENTS = 32, ARRIVALS = 16, RESUMES = 4 };

static void lost(struct worker *w, const struct arrival *a) {
    struct server *srv = http_server(w->http);

    peers_leave(&srv->peers, peers_id(&srv->peers, (const struct sockaddr *)&a->from));
    atomic_fetch_sub_explicit(&srv->http.connections, 1, memory_order_relaxed);
}

/* Takes on connections from the inbox. False: the inbox was closed, and is empty. */
static bool take_on(struct worker *w) {
    struct arrival arrivals[ARRIVALS];
    ssize_t n = read(w->inbox[0], arrivals, sizeof(arrivals));

    for (ssize_t i = 0; i < n / (ssize_t)sizeof(*arrivals); i++) {
        const struct arrival *a = &arrivals[i];

        if (MHD_add_connection(w->daemon, a->fd, (const struct sockaddr *)&a->from, a->len) != MHD_YES)
            lost(w, a); /* and the library has closed it */
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

/* How many ms the daemon has nothing to do if no event occurs; -1: for ever. */
static int patience(struct worker *w) {
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(w->daemon, &ms) != MHD_YES)
        return -1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

/* `source`: NULL for the daemon, the worker for its inbox, &w->waker for the waker, else a waiter. */
static bool watch(struct worker *w, int fd, uint32_t events, void *source) {
    struct epoll_event e = {.events = events, .data.ptr = source};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* Something else may be told of the socket already, and epoll takes each descriptor once. */
static bool watch_for_room(struct worker *w, struct waiter *waiter) {
    waiter->polled = waiter->fd;
    if (watch(w, waiter->polled, EPOLLOUT, waiter))
        return true;
    waiter->polled = errno == EEXIST ? fcntl(waiter->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (waiter->polled < 0)
        return false;
    if (watch(w, waiter->polled, EPOLLOUT, waiter))
        return true;
    close(waiter->polled);
    return false;
}

bool worker_wait(struct worker *w, struct waiter *waiter) {
    if (!watch_for_room(w, waiter))
        return false;
    waiter->prev = NULL;
    waiter->next = w->waiting;
    if (w->waiting != NULL)
        w->waiting->prev = waiter;
    w->waiting = waiter;
    return true;
}

void worker_unwait(struct worker *w, struct waiter *waiter) {
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, waiter->polled, NULL);
    if (waiter->polled != waiter->fd)
        close(waiter->polled);
    if (waiter->prev != NULL)
        waiter->prev->next = waiter->next;
    else
        w->waiting = waiter->next;
    if (waiter->next != NULL)
        waiter->next->prev = waiter->prev;
}

static void notify(struct worker *w, struct waiter *waiter) {
    worker_unwait(w, waiter);
    waiter->ready(waiter);
}

static void on_waiter(struct worker *w, struct waiter *waiter, uint32_t events) {
    waiter->events = events;
    if (waiter->stays)
        waiter->ready(waiter);
    else
        notify(w, waiter);
}

bool worker_watch(struct worker *w, struct waiter *waiter) {
    waiter->stays = watch(w, waiter->fd, EPOLLRDHUP | EPOLLET, waiter);
    return waiter->stays;
}

void worker_unwatch(struct worker *w, struct waiter *waiter) {
    if (waiter->stays)
        epoll_ctl(w->epoll, EPOLL_CTL_DEL, waiter->fd, NULL);
    waiter->stays = false;
}

void worker_resume(struct worker *w, struct resumption *r) {
    uint64_t one = 1;

    resume_add(&w->resumes, r);
    if (atomic_exchange(&w->woken, true))
        return;
    if (write(w->waker, &one, sizeof(one)) != (ssize_t)sizeof(one))
        log_error("http: cannot wake a worker: %s", strerror(errno));
}

static void woken(struct worker *w) {
    uint64_t times;

    if (read(w->waker, &times, sizeof(times)) < 0 && errno != EAGAIN)
        log_error("http: a worker's eventfd: %s", strerror(errno));
    /* After the read, which would otherwise consume a later signal and leave the flag set for ever; before the queue is looked
     * at, which contains everything that was added by threads that found the flag set. */
    atomic_store(&w->woken, false);
}

/* Resumes at most `most` of each kind. The library serves all resumed connections before it looks for new events. */
static void resume_some(struct worker *w, unsigned most) {
    for (enum resume_kind kind = 0; kind < RESUME_KINDS; kind++) {
        struct resumption *r;

        for (unsigned n = 0; n < most && (r = resume_next(&w->resumes, kind)) != NULL; n++)
            MHD_resume_connection(r->connection);
    }
}

/* The timeout of the wait between two turns. */
static int rest(struct worker *w) {
    return resume_waits(&w->resumes) ? 0 : patience(w);
}

/* The inbox is checked each turn, so that a connection that always has something to send does not keep others out. */
static void *run(void *worker) {
    struct worker *w = worker;
    bool going = true;

    gather_own(&w->gather);
    while (going) {
        struct epoll_event events[EVENTS];
        int n = turns_next(&w->turns, events, EVENTS, rest(w));

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == w)
                going = take_on(w);
            else if (events[i].data.ptr == &w->waker)
                woken(w);
            else if (events[i].data.ptr != NULL)
                on_waiter(w, events[i].data.ptr, events[i].events);
        }
        resume_some(w, RESUMES);
        MHD_run(w->daemon);
        gather_turn_over(&w->gather);
        traffic_publish(w->traffic, &http_server(w->http)->http);
    }
    return NULL;
}

void worker_ask_wall(struct worker *w, int64_t ticks) {
    w->wall_ms = clock_wall_ms();
    w->wall_ticks = ticks;
}

/* ---- starting and stopping -------------------------------------------------------------------------------------- */

bool worker_start(struct worker *w, struct http *h, struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

    *w = (struct worker){.http = h, .daemon = daemon, .epoll = -1};
    resume_init(&w->resumes);
    w->traffic = traffic_new();
    w->commands = stats_block_new(&http_server(h)->stats);
    if (!cache_init(&w->cache) || w->traffic == NULL || w->commands == NULL || info == NULL ||
        pipe2(w->inbox, O_CLOEXEC) != 0) {
        cache_destroy(&w->cache);
        traffic_free(w->traffic);
        return false;
    }
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->splices = splicer_init(&w->splicer);
    turns_init(&w->turns, http_crew(h), w->epoll);
    if (w->epoll >= 0 && w->waker >= 0 && watch(w, info->epoll_fd, EPOLLIN, NULL) &&
        watch(w, w->inbox[0], EPOLLIN, w) && watch(w, w->waker, EPOLLIN, &w->waker) &&
        pthread_create(&w->thread, NULL, run, w) == 0) {
        pthread_setname_np(w->thread, "http");
        turns_join(&w->turns);
        return true;
    }
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->waker >= 0)
        close(w->waker);
    if (w->splices)
        splicer_destroy(&w->splicer);
    close(w->inbox[0]);
    close(w->inbox[1]);
    cache_destroy(&w->cache);
    traffic_free(w->traffic);
    return false;
}

bool worker_give(struct worker *w, int fd, const struct sockaddr_storage *from, socklen_t len) {
    struct arrival a = {.fd = fd, .len = len};
    ssize_t n;

    memcpy(&a.from, from, len < sizeof(a.from) ? len : sizeof(a.from));
    do
        n = write(w->inbox[1], &a, sizeof(a));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        log_error("http: cannot hand out a connection: %s", strerror(errno));
    return n > 0;
}

void worker_stop(struct worker *w) {
    close(w->inbox[1]);
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w) {
    while (w->waiting != NULL) /* the library aborts if a connection is still suspended */
        notify(w, w->waiting);
    resume_some(w, UINT_MAX);
    MHD_stop_daemon(w->daemon); /* ends the requests that are cut off */
    cache_destroy(&w->cache);
    traffic_free(w->traffic);
    if (w->splices)
        splicer_destroy(&w->splicer);
    close(w->inbox[0]);
    close(w->waker);
    close(w->epoll);
}
