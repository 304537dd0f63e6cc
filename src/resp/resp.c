/* resp.c - listening, and dealing connections out.
 *
 * The first loop accepts and deals connections out in turn: with SO_REUSEPORT the kernel would hash them, and some
 * threads would get twice as many as others. Adding to another thread's epoll is thread-safe, so it costs nothing
 * but the accept. */
#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"

struct resp {
    struct server *server;
    struct loop *loops;
    unsigned loop_count, started, next; /* `next` is the accepting thread's */
    struct source listeners[NET_LISTENERS_MAX];
    unsigned listener_count;
    _Atomic bool stop;
};

/* ---- accepting ------------------------------------------------------------------------------------------------ */

static void refuse(struct resp *r, int fd) {
    static const char text[] = "-ERR max number of clients reached\r\n";

    atomic_fetch_add_explicit(&r->server->resp.refused, 1, memory_order_relaxed);
    if (send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("resp: a refused client was gone already");
    close(fd);
}

static bool full(const struct resp *r) {
    return atomic_load_explicit(&r->server->resp.connections, memory_order_relaxed) >=
           r->server->options->max_connections;
}

static void welcome(struct resp *r, int fd) {
    static const int on = 1;

    atomic_fetch_add_explicit(&r->server->resp.accepted, 1, memory_order_relaxed);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (!conn_open(&r->loops[r->next++ % r->loop_count], fd))
        close(fd);
}

bool listener_accept(struct resp *r, int fd) {
    for (;;) {
        int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (got >= 0 && full(r))
            refuse(r, got);
        else if (got >= 0)
            welcome(r, got);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        else if (errno != EINTR && errno != ECONNABORTED)
            return true;
    }
}

/* ---- starting and stopping ------------------------------------------------------------------------------------ */

static bool listen_all(struct resp *r, char *why, size_t cap) {
    uint16_t port = (uint16_t)r->server->options->resp_port;
    int fds[NET_LISTENERS_MAX];

    r->listener_count = net_listen(r->server->options->bind, &port, fds, why, cap);
    r->server->resp_port = port;
    for (unsigned i = 0; i < r->listener_count; i++)
        r->listeners[i] = (struct source){SOURCE_LISTENER, fds[i]}; /* all, for resp_stop closes them */
    for (unsigned i = 0; i < r->listener_count; i++) {
        if (!loop_watch(&r->loops[0], &r->listeners[i], EPOLLIN)) {
            snprintf(why, cap, "cannot watch the listening socket");
            return false;
        }
    }
    return r->listener_count > 0;
}

static bool start_loops(struct resp *r) {
    unsigned want = (unsigned)r->server->options->resp_threads;

    if (want == 0)
        want = net_cores();
    r->loops = mem_zalloc(want * sizeof(*r->loops));
    if (r->loops == NULL)
        return false;
    while (r->loop_count < want && loop_init(&r->loops[r->loop_count], r->server, r, &r->stop))
        r->loop_count++;
    return r->loop_count == want;
}

struct resp *resp_start(struct server *srv, char *why, size_t cap) {
    struct resp *r = mem_zalloc(sizeof(*r));

    snprintf(why, cap, "out of memory or file descriptors");
    if (r == NULL)
        return NULL;
    r->server = srv;
    if (!start_loops(r) || !listen_all(r, why, cap))
        goto fail;
    while (r->started < r->loop_count) {
        if (!loop_start(&r->loops[r->started])) {
            snprintf(why, cap, "cannot start a thread");
            goto fail;
        }
        r->started++;
    }
    return r;

fail:
    resp_stop(r);
    return NULL;
}

void resp_stop(struct resp *r) {
    if (r == NULL)
        return;
    atomic_store_explicit(&r->stop, true, memory_order_release);
    for (unsigned i = 0; i < r->started; i++)
        loop_wake(&r->loops[i]);
    for (unsigned i = 0; i < r->started; i++)
        pthread_join(r->loops[i].thread, NULL);
    for (unsigned i = 0; i < r->listener_count; i++)
        close(r->listeners[i].fd);
    for (unsigned i = 0; i < r->loop_count; i++)
        loop_destroy(&r->loops[i]);
    mem_free(r->loops);
    mem_free(r);
}
