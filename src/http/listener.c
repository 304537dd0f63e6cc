/* listener.c - accepting connections, distributing them, and periodic work. */
#include "listener.h"

#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_BURST = 64, PAUSE_MS = 100, TICK_LEAST_MS = 50, TICK_MOST_MS = 1000 };
#define MS_NS INT64_C(1000000)

static void refuse(struct listener *l, int fd, unsigned status, const char *title, const char *detail) {
    char text[512], body[256];
    int len = snprintf(body, sizeof(body),
                       "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"}", title,
                       status, detail);

    len = snprintf(text, sizeof(text),
                   "HTTP/1.1 %u %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"
                   "Retry-After: 1\r\nConnection: close\r\n\r\n%s",
                   status, title, len, body);
    atomic_fetch_add_explicit(&l->server->http.refused, 1, memory_order_relaxed);
    if (l->server->http_tls == NULL && send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("http: a refused client was gone already");
    close(fd);
}

static void welcome(struct listener *l, int fd, const struct sockaddr_storage *from, socklen_t len) {
    struct worker *w = &l->workers[l->next_worker++ % l->worker_count];
    struct front_stats *f = &l->server->http;

    atomic_fetch_add_explicit(&f->accepted, 1, memory_order_relaxed);
    /* Counted here, not when a worker takes it on: a burst must not exceed the limit. */
    atomic_fetch_add_explicit(&f->connections, 1, memory_order_relaxed);
    if (worker_give(w, fd, from, len))
        return;
    peers_leave(&l->server->peers, peers_id(&l->server->peers, (const struct sockaddr *)from));
    close(fd);
    atomic_fetch_sub_explicit(&f->connections, 1, memory_order_relaxed);
}

static void arrived(struct listener *l, int fd, const struct sockaddr_storage *from, socklen_t len) {
    struct server *srv = l->server;

    if (atomic_load_explicit(&srv->http.connections, memory_order_relaxed) >= srv->options->max_connections)
        refuse(l, fd, 503, "Service Unavailable", "max-connections are open already");
    else if (!peers_enter(&srv->peers, peers_id(&srv->peers, (const struct sockaddr *)from)))
        refuse(l, fd, 429, "Too Many Requests", "max-connections-per-address are open already");
    else
        welcome(l, fd, from, len);
}

/* Accepts what is pending, but at most a burst. False: no file descriptors or memory left. */
static bool accept_some(struct listener *l, int fd) {
    for (int i = 0; i < ACCEPT_BURST; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int got = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (got < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        arrived(l, got, &from, len);
    }
    return true;
}

/* The watch's period: an eighth of the shorter timeout, within limits. */
static int tick_ms(const struct listener *l) {
    uint64_t still = l->server->options->http_timeout, headers = l->server->options->http_header_timeout;
    uint64_t ms = (still == 0 || (headers > 0 && headers < still) ? headers : still) * 1000 / 8;

    if (ms == 0) /* no timeouts, but streams have heartbeats */
        return TICK_MOST_MS;
    return ms < TICK_LEAST_MS ? TICK_LEAST_MS : ms > TICK_MOST_MS ? TICK_MOST_MS : (int)ms;
}

static void watch(struct listener *l) {
    int64_t timeout_ns = (int64_t)l->server->options->http_timeout * 1000000000;
    int64_t header_ns = (int64_t)l->server->options->http_header_timeout * 1000000000;
    unsigned n = conn_list_watch(l->conns, timeout_ns, header_ns);

    if (n > 0)
        log_debug(
            "http: %u connections stood still for http-timeout, or had no headers in http-header-timeout", n);
}

/* Waits for the waker and, unless `paused`, the listening sockets. False: stop. */
static bool wait_ready(struct listener *l, struct pollfd *polls, bool paused, int timeout_ms) {
    nfds_t count = paused ? 1 : l->count + 1;

    for (nfds_t i = 0; i < count; i++)
        polls[i].revents = 0;
    if (poll(polls, count, timeout_ms) < 0 && errno != EINTR)
        log_error("http: poll: %s", strerror(errno));
    return polls[0].revents == 0;
}

/* The periodic work: when each is due. */
struct rounds {
    int64_t watch_ns, pauses_ns;
};

/* Does what is due. Returns in how many ms something is due next. */
static int go_round(struct listener *l, struct rounds *next) {
    int64_t now_ns = clock_mono_ns();
    int ms = tick_ms(l), pauses_ms;

    if (now_ns >= next->watch_ns) {
        watch(l);
        next->watch_ns = now_ns + ms * MS_NS;
    }
    if (now_ns >= next->pauses_ns) {
        pauses_ms = pause_list_tick(l->pauses);
        if (pauses_ms >= 0 && pauses_ms < ms)
            ms = pauses_ms;
        next->pauses_ns = now_ns + ms * MS_NS;
    }
    return (int)((next->pauses_ns - now_ns) / MS_NS) + 1;
}

static void *run(void *listener) {
    struct listener *l = listener;
    struct pollfd polls[LISTENER_FDS_MAX + 1] = {{l->waker, POLLIN, 0}};
    struct rounds next = {0, 0};
    bool paused = false;

    for (unsigned i = 0; i < l->count; i++)
        polls[i + 1] = (struct pollfd){l->fds[i], POLLIN, 0};
    while (true) {
        int ms = go_round(
            l, &next); /* whether paused or not: it ends idle connections, which gives descriptors back */
        bool was_paused = paused;

        if (!wait_ready(l, polls, paused, paused && PAUSE_MS < ms ? PAUSE_MS : ms))
            break;

        paused = false;
        for (unsigned i = 0; i < l->count; i++)
            if ((was_paused || polls[i + 1].revents != 0) && !accept_some(l, l->fds[i]))
                paused = true;
        if (paused && !was_paused)
            log_warn("http: no file descriptors left; new connections wait");
    }
    return NULL;
}

bool listener_start(struct listener *l, struct server *srv, struct worker *workers, unsigned worker_count,
                    struct conn_list *conns, struct pause_list *pauses, const int *fds, unsigned count) {
    *l = (struct listener){.server = srv,
                           .workers = workers,
                           .worker_count = worker_count,
                           .conns = conns,
                           .pauses = pauses,
                           .count = count};
    memcpy(l->fds, fds, count * sizeof(*fds));
    l->waker = eventfd(0, EFD_CLOEXEC);
    if (l->waker < 0)
        return false;
    if (pthread_create(&l->thread, NULL, run, l) == 0)
        return true;
    close(l->waker);
    return false;
}

void listener_stop(struct listener *l) {
    uint64_t one = 1;

    if (write(l->waker, &one, sizeof(one)) != (ssize_t)sizeof(one))
        log_error("http: cannot wake the listener");
    pthread_join(l->thread, NULL);
    for (unsigned i = 0; i < l->count; i++)
        close(l->fds[i]);
    close(l->waker);
}
