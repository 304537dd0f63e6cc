/* gather.c - sends that are kept, and what sockets do not take. */
#include "gather.h"

#include <errno.h>
#include <flashkv/buf.h>
#include <flashkv/mem.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conn.h"
#include "worker.h"

/* What a socket did not take. */
struct debt {
    struct waiter waiter; /* for room */
    struct conn *conn;
    struct debt *next;       /* of its bucket */
    struct debt *next_fresh; /* until it waits */
    bool waits;              /* ... in the worker's list */
    bool suspends;           /* the connection is suspended for its sake */
    struct buf bytes;
    size_t paid; /* of the bytes */
};

/* send, sendmsg and shutdown are given nothing but the socket. */
static _Thread_local struct gather *own;

void gather_own(struct gather *g) {
    own = g;
}

/* ---- debts ------------------------------------------------------------------------------------------------------ */

/* The link to a socket's debt, or the one to put it in. */
static struct debt **place_of(struct gather *g, int fd) {
    struct debt **link = &g->debts[(unsigned)fd % GATHER_BUCKETS];

    while (*link != NULL && (*link)->conn->fd != fd)
        link = &(*link)->next;
    return link;
}

static inline struct debt *debt_of(struct gather *g, int fd) {
    return g->debt_count > 0 ? *place_of(g, fd) : NULL;
}

/* A connection that misses a part of a reply must not go on. */
static void cut(const struct conn *c) {
    syscall(SYS_shutdown, c->fd, SHUT_RDWR);
}

/* Not net_send, which is the C library's for the sanitizers, and so the one below. */
static ssize_t send_now(int fd, const void *bytes, size_t len, int flags) {
    return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

/* How much the socket took; all of it, if the connection is lost. */
static size_t send_some(const struct conn *c, const char *bytes, size_t len) {
    ssize_t n;

    do
        n = send_now(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return (size_t)n;
    if (errno == EAGAIN)
        return 0;
    cut(c);
    return len;
}

/* Is all of it paid? */
static bool pay(struct debt *d) {
    d->paid += send_some(d->conn, d->bytes.data + d->paid, d->bytes.len - d->paid);
    return d->paid == d->bytes.len;
}

static void unlist_fresh(struct gather *g, const struct debt *d) {
    struct debt **link = &g->fresh;

    while (*link != NULL && *link != d)
        link = &(*link)->next_fresh;
    if (*link != NULL)
        *link = d->next_fresh;
}

/* Ends a debt that does not wait. */
static void settle(struct gather *g, struct debt *d) {
    unlist_fresh(g, d);
    *place_of(g, d->conn->fd) = d->next;
    g->debt_count--;
    atomic_store_explicit(&d->conn->owes, false, memory_order_relaxed);
    if (d->suspends)
        MHD_resume_connection(d->conn->request.connection);
    buf_free(&d->bytes);
    mem_free(d);
}

/* Pays what the socket takes. True: it waits for room, and is there still; else it has ended, paid or with its connection. */
static bool pay_or_wait(struct gather *g, struct debt *d, bool may_wait) {
    bool paid = pay(d);

    d->waits = !paid && may_wait && worker_wait(d->conn->worker, &d->waiter);
    if (d->waits)
        return true;
    if (!paid)
        cut(d->conn);
    settle(g, d);
    return false;
}

static void on_room(struct waiter *waiter) {
    struct debt *d = (struct debt *)waiter;
    bool worker_ends = waiter->events == 0; /* nothing has come */

    waiter->events = 0;
    pay_or_wait(&d->conn->worker->gather, d, !worker_ends);
}

static bool is_suspended(struct MHD_Connection *c) {
    return MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED)->suspended == MHD_YES;
}

/* Has it wait for room, once the library is not at work. */
static void wait_for_room(struct gather *g, struct debt *d) {
    struct MHD_Connection *connection = d->conn->request.connection;

    if (pay_or_wait(g, d, true) && !is_suspended(connection)) { /* else by a request that waits */
        MHD_suspend_connection(connection);
        d->suspends = true;
    }
}

static struct debt *debt_new(struct gather *g, struct conn *c) {
    struct debt *d = mem_alloc(sizeof(*d));

    if (d == NULL)
        return NULL;
    /* room for an outbox, and for what was added after it was flushed */
    *d = (struct debt){.waiter = {.ready = on_room, .fd = c->fd},
                       .conn = c,
                       .next_fresh = g->fresh,
                       .bytes = buf_make(2 * OUTBOX_BYTES)};
    *place_of(g, c->fd) = d;
    g->debt_count++;
    g->fresh = d;
    atomic_store_explicit(&c->owes, true, memory_order_relaxed);
    return d;
}

/* ---- replies ---------------------------------------------------------------------------------------------------- */

/* Sends a reply, behind the connection's debt if it has one: an outbox_send. */
static void deliver(void *to, const char *bytes, size_t len) {
    struct conn *c = to;
    struct gather *g = &c->worker->gather;
    struct debt *d = debt_of(g, c->fd);
    size_t sent = d == NULL ? send_some(c, bytes, len) : 0;

    if (sent == len)
        return;
    if (d == NULL)
        d = debt_new(g, c);
    if (d == NULL || !buf_append(&d->bytes, bytes + sent, len - sent))
        cut(c);
}

void gather_flush(struct gather *g) {
    outbox_flush(&g->outbox, deliver);
}

void gather_turn_over(struct gather *g) {
    struct debt *d;

    gather_flush(g);
    while ((d = g->fresh) != NULL) {
        g->fresh = d->next_fresh;
        wait_for_room(g, d);
    }
}

void gather_forget(struct gather *g, const struct conn *c) {
    struct debt *d;

    gather_flush(g);
    if (g->expected == c)
        g->expected = NULL;
    d = debt_of(g, c->fd);
    if (d == NULL)
        return;
    if (d->waits)
        worker_unwait(c->worker, &d->waiter);
    d->suspends = false; /* the library is done with it */
    settle(g, d);
}

/* Keeps what is sent, if it was expected. */
static bool keep(struct gather *g, int fd, const struct iovec *parts, size_t count, size_t len) {
    struct conn *c = g->expected;
    char *to;

    if (c == NULL || c->fd != fd)
        return false;
    g->expected = NULL;
    if (len > OUTBOX_REPLY_MAX || debt_of(g, fd) != NULL)
        return false;
    while ((to = outbox_add(&g->outbox, c, len)) == NULL)
        gather_flush(g);
    for (size_t i = 0; i < count; i++) {
        memcpy(to, parts[i].iov_base, parts[i].iov_len);
        to += parts[i].iov_len;
    }
    return true;
}

/* May the thread send something else on the socket? */
static bool is_free(struct gather *g, int fd) {
    struct debt *d;

    gather_flush(g);
    d = debt_of(g, fd);
    if (d == NULL)
        return true;
    if (!pay(d))
        return false;
    if (d->waits)
        worker_unwait(d->conn->worker, &d->waiter);
    settle(g, d);
    return true;
}

/* ---- in place of the C library's ---------------------------------------------------------------------------------- */

static size_t length(const struct iovec *parts, size_t count) {
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += parts[i].iov_len;
    return len;
}

/* Keeps it, or holds it back for a debt: then *result and errno are as of send(2). False: it is to be sent. */
static bool intercept(int fd, const struct iovec *parts, size_t count, int flags, ssize_t *result) {
    size_t len;

    if (own == NULL)
        return false;
    len = length(parts, count);
    if ((flags & MSG_MORE) == 0 && keep(own, fd, parts, count, len)) {
        *result = (ssize_t)len;
        return true;
    }
    if (is_free(own, fd))
        return false;
    errno = EAGAIN;
    *result = -1;
    return true;
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
    ssize_t result;

    return intercept(fd, m->msg_iov, m->msg_iovlen, flags, &result) ? result
                                                                    : syscall(SYS_sendmsg, fd, m, flags);
}

__attribute__((visibility("default"))) ssize_t send(int fd, const void *bytes, size_t len, int flags) {
    struct iovec whole = {(void *)(uintptr_t)bytes, len};
    ssize_t result;

    return intercept(fd, &whole, 1, flags, &result) ? result : send_now(fd, bytes, len, flags);
}

__attribute__((visibility("default"))) int shutdown(int fd, int how) {
    if (own != NULL)
        gather_flush(own);
    return (int)syscall(SYS_shutdown, fd, how);
}
