/* listener.c - accepting.
 *
 * The first loop accepts for all and hands each connection to the loop with the fewest. With a listening socket
 * for each loop (SO_REUSEPORT) the kernel would distribute them by a hash of the addresses: four clients on two
 * threads all land on the same one once in eight times, and stay there. */
#include "listener.h"

#include <errno.h>
#include <flashkv/log.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"

enum {
    ACCEPT_MAX = 64, /* in one turn, so that connected clients are served in between */
    WARN_TICKS = 60, /* seconds between warnings that file descriptors are exhausted */
    SINK_READS = 16,
};

static struct loop *least_loaded(const struct listeners *ls) {
    struct loop *least = &ls->loops[0];
    uint32_t least_load = UINT32_MAX;

    for (unsigned i = 0; i < ls->loop_count; i++) {
        uint32_t load = atomic_load_explicit(&ls->loops[i].load, memory_order_relaxed);

        if (load < least_load) {
            least_load = load;
            least = &ls->loops[i];
        }
    }
    return least;
}

static void refuse(struct listeners *ls, int fd, const char *text) {
    char sink[1024];

    atomic_fetch_add_explicit(&ls->server->resp.refused, 1, memory_order_relaxed);
    if (ls->server->resp_tls == NULL && send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 &&
        shutdown(fd, SHUT_WR) == 0)
        for (int i = 0; i < SINK_READS && recv(fd, sink, sizeof(sink), 0) > 0; i++)
            ; /* closing with unread input would reset the connection, and lose the text */
    close(fd);
}

static void welcome(struct listeners *ls, int fd, uint64_t peer) {
    static const int on = 1;
    struct loop *l = least_loaded(ls);
    struct conn *c;

    atomic_fetch_add_explicit(&ls->server->resp.accepted, 1, memory_order_relaxed);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    c = conn_open(l, fd, peer);
    if (c == NULL) {
        peers_leave(&ls->server->peers, peer);
        close(fd);
    } else if (l == &ls->loops[0]) {
        conn_attach(c);
    } else {
        loop_hand_over(l, c);
    }
}

static bool full(const struct listeners *ls) {
    return atomic_load_explicit(&ls->server->resp.connections, memory_order_relaxed) >=
           ls->server->options->max_connections;
}

static void arrived(struct listeners *ls, int fd, const struct sockaddr *from) {
    uint64_t peer = peers_id(&ls->server->peers, from);

    if (full(ls))
        refuse(ls, fd, "-ERR max number of clients reached\r\n");
    else if (!peers_enter(&ls->server->peers, peer))
        refuse(ls, fd, "-ERR max number of clients reached for your address\r\n");
    else
        welcome(ls, fd, peer);
}

/* ---- pausing ------------------------------------------------------------------------------------------------- */

/* A pending connection that cannot be accepted would wake the thread endlessly. */
static void pause_accepting(struct listeners *ls) {
    const struct loop *l = &ls->loops[0];

    if ((int32_t)(l->ticks - ls->quiet_until) >= 0)
        log_warn("resp: cannot accept: %s; connections wait until others end", strerror(errno));
    ls->quiet_until = l->ticks + WARN_TICKS;
    ls->paused = true;
    for (unsigned i = 0; i < ls->count; i++)
        loop_rewatch(&ls->each[i].source, 0);
}

static void resume_accepting(struct loop *l, void *ctx) {
    struct listeners *ls = ctx;

    (void)l;
    if (!ls->paused)
        return;
    ls->paused = false;
    for (unsigned i = 0; i < ls->count; i++)
        loop_rewatch(&ls->each[i].source, EPOLLIN);
}

static void each_second(struct loop *l, void *listeners) {
    struct listeners *ls = listeners;

    resume_accepting(l, ls);
    front_tick(&ls->server->resp);
}

static void listener_ready(struct source *s, uint32_t events) {
    struct listeners *ls = ((struct listener *)s)->all;

    (void)events;
    for (int i = 0; i < ACCEPT_MAX && !ls->paused; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            arrived(ls, fd, (const struct sockaddr *)&from);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(ls);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* ---- opening and closing ------------------------------------------------------------------------------------- */

bool listeners_open(struct listeners *ls, struct server *srv, struct loop *loops, unsigned loop_count,
                    char *why, size_t cap) {
    uint16_t port = (uint16_t)srv->options->resp_port;
    int fds[NET_LISTENERS_MAX];

    *ls = (struct listeners){.server = srv, .loops = loops, .loop_count = loop_count};
    ls->count = net_listen(srv->options->bind, &port, fds, why, cap);
    srv->resp_port = port;
    for (unsigned i = 0; i < ls->count; i++)
        ls->each[i] = (struct listener){{listener_ready, &loops[0], fds[i]}, ls};
    for (unsigned i = 0; i < ls->count; i++)
        if (!loop_watch(&ls->each[i].source, EPOLLIN)) {
            snprintf(why, cap, "epoll: %s", strerror(errno));
            listeners_close(ls);
            return false;
        }
    loops[0].on_tick = each_second;
    loops[0].on_tick_ctx = ls;
    return ls->count > 0;
}

void listeners_stop(struct listeners *ls) {
    for (unsigned i = 0; i < ls->count; i++)
        loop_unwatch(&ls->each[i].source);
}

void listeners_close(struct listeners *ls) {
    for (unsigned i = 0; i < ls->count; i++)
        close(ls->each[i].source.fd);
    ls->count = 0;
}
