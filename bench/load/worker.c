/* worker.c - see worker.h. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_BYTES = 256 * 1024, CARRY_BYTES = 1024, EVENTS = 256 };

struct conn {
    int fd;
    unsigned waiting;         /* replies of this batch still to come */
    uint64_t since;           /* when the batch was sent, or due */
    size_t body;              /* bytes of the current reply's body still to come */
    char *rest;               /* the end of the batch that the socket did not take yet, or NULL */
    size_t rest_len, rest_at; /* of it: its length, what has been sent */
    size_t carry_len;
    char carry[CARRY_BYTES]; /* the beginning of a reply's head */
};

struct run {
    struct worker *w;
    const struct worker_spec *spec;
    struct wire_request request[2]; /* by enum wire_op */
    struct keys keys;
    struct conn *conns;
    unsigned conn_count, busy;
    struct conn **idle; /* a ring: waiting for their time, when there is a rate; all of them in turn */
    unsigned idle_first, idle_count;
    uint64_t left; /* requests still to send */
    uint64_t next_due, interval;
    int epoll;
    char *batch, *input;
};

static uint64_t now_ns(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- sending --------------------------------------------------------------------------------------------- */

static bool watch(struct run *r, struct conn *c, uint32_t events, int how) {
    struct epoll_event e = {.events = events, .data.ptr = c};

    return epoll_ctl(r->epoll, how, c->fd, &e) == 0;
}

/* Sends what it can; keeps the rest. False: the connection is lost. */
static bool send_bytes(struct run *r, struct conn *c, const char *bytes, size_t len) {
    ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
    size_t sent = n < 0 ? 0 : (size_t)n;

    if (n < 0 && errno != EAGAIN)
        return false;
    if (sent == len)
        return true;
    c->rest = malloc(len - sent);
    if (c->rest == NULL)
        return false;
    memcpy(c->rest, bytes + sent, len - sent);
    c->rest_len = len - sent;
    c->rest_at = 0;
    return watch(r, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static bool send_rest(struct run *r, struct conn *c) {
    ssize_t n = send(c->fd, c->rest + c->rest_at, c->rest_len - c->rest_at, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN;
    c->rest_at += (size_t)n;
    if (c->rest_at < c->rest_len)
        return true;
    free(c->rest);
    c->rest = NULL;
    return watch(r, c, EPOLLIN, EPOLL_CTL_MOD);
}

static bool send_batch(struct run *r, struct conn *c, uint64_t since) {
    const struct worker_spec *s = r->spec;
    unsigned n = s->pipeline < r->left ? s->pipeline : (unsigned)r->left;
    size_t len = 0;

    for (unsigned i = 0; i < n; i++) {
        bool get = s->reads == 100 || (s->reads > 0 && keys_random(&r->keys) % 100 < s->reads);
        const struct wire_request *q = &r->request[get ? WIRE_GET : WIRE_SET];
        wire_request_put(q, keys_next(&r->keys), r->batch + len);
        len += q->len;
    }
    r->left -= n;
    r->busy++;
    c->waiting = n;
    c->since = since;
    return send_bytes(r, c, r->batch, len);
}

/* A connection whose batch is answered: the next batch, at once or when it is due. */
static bool conn_free(struct run *r, struct conn *c, uint64_t now) {
    if (r->left == 0)
        return true;
    if (r->interval == 0)
        return send_batch(r, c, now);
    r->idle[(r->idle_first + r->idle_count++) % r->conn_count] = c;
    return true;
}

static struct conn *take_idle(struct run *r) {
    struct conn *c = r->idle[r->idle_first];

    r->idle_first = (r->idle_first + 1) % r->conn_count;
    r->idle_count--;
    return c;
}

static bool send_due(struct run *r) {
    uint64_t now = now_ns();

    while (r->idle_count > 0 && r->left > 0 && r->next_due <= now) {
        if (!send_batch(r, take_idle(r), r->next_due))
            return false;
        r->next_due += r->interval;
    }
    return true;
}

/* ---- receiving ------------------------------------------------------------------------------------------- */

/* Takes the replies in `len` bytes of input. False: more of them than requests, or a head too long. */
static bool take_replies(struct run *r, struct conn *c, const char *p, size_t len, uint64_t now) {
    while (len > 0) {
        struct wire_reply reply;
        size_t n;

        if (c->body > 0) {
            n = c->body < len ? c->body : len;
            c->body -= n;
        } else {
            n = c->waiting == 0 ? 0 : wire_reply_head(r->spec->wire.protocol, p, len, &reply);
            if (n == 0)
                break;
            c->body = reply.body;
            r->w->misses += reply.outcome == WIRE_MISS;
            r->w->errors += reply.outcome == WIRE_ERROR;
        }
        p += n;
        len -= n;
        if (c->body == 0) {
            c->waiting--;
            r->w->done++;
            histogram_add(&r->w->latency, now - c->since);
        }
    }
    if (len > CARRY_BYTES || (len > 0 && c->waiting == 0))
        return false;
    memcpy(c->carry, p, len);
    c->carry_len = len;
    return true;
}

static bool conn_read(struct run *r, struct conn *c) {
    size_t kept = c->carry_len;
    uint64_t now;
    ssize_t n = recv(c->fd, r->input + kept, INPUT_BYTES - kept, 0);

    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    memcpy(r->input, c->carry, kept);
    now = now_ns();
    if (!take_replies(r, c, r->input, kept + (size_t)n, now))
        return false;
    if (c->waiting > 0)
        return true;
    r->busy--;
    return conn_free(r, c, now);
}

/* ---- running --------------------------------------------------------------------------------------------- */

static bool conn_open(struct run *r, struct conn *c, uint16_t port) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
           setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
           fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0 && watch(r, c, EPOLLIN, EPOLL_CTL_ADD);
}

/* This thread's share of `all`. */
static uint64_t share(const struct worker *w, uint64_t all) {
    return all / w->spec->threads + (w->number < all % w->spec->threads);
}

static bool run_open(struct run *r) {
    const struct worker_spec *s = r->spec;
    size_t longest;

    r->conn_count = (unsigned)share(r->w, s->connections);
    r->left = share(r->w, s->ops);
    r->interval = s->rate > 0 ? (uint64_t)(1e9 * s->pipeline * s->threads / s->rate) : 0;
    keys_init(&r->keys, s->order, s->keys, r->w->number, s->threads);
    if (!wire_request_init(&r->request[WIRE_GET], &s->wire, WIRE_GET) ||
        !wire_request_init(&r->request[WIRE_SET], &s->wire, WIRE_SET))
        return false;
    longest = r->request[s->reads == 100 ? WIRE_GET : WIRE_SET].len;
    longest = longest < r->request[WIRE_GET].len ? r->request[WIRE_GET].len : longest;
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->conns = calloc(r->conn_count, sizeof(*r->conns));
    r->idle = calloc(r->conn_count, sizeof(*r->idle));
    r->batch = malloc(longest * s->pipeline);
    r->input = malloc(INPUT_BYTES);
    if (r->epoll < 0 || r->conns == NULL || r->idle == NULL || r->batch == NULL || r->input == NULL)
        return false;
    for (unsigned i = 0; i < r->conn_count; i++)
        if (!conn_open(r, &r->conns[i], s->ports[i % s->port_count]))
            return false;
    return true;
}

/* Waits for events, or until a batch is due: without sleeping when that is soon, for it could oversleep. */
static int wait_events(struct run *r, struct epoll_event *events) {
    uint64_t now = now_ns(), soon = now + r->spec->spin_ns;
    struct timespec nap = {0};

    if (r->interval == 0)
        return epoll_wait(r->epoll, events, EVENTS, 1000);
    if (r->left > 0 && r->next_due > soon)
        nap.tv_nsec = (long)(r->next_due - soon);
    return epoll_pwait2(r->epoll, events, EVENTS, &nap, NULL);
}

static bool run_loop(struct run *r) {
    uint64_t start = now_ns(), end = start + (uint64_t)(r->spec->seconds * 1e9);
    struct epoll_event events[EVENTS];

    r->next_due = start;
    for (unsigned i = 0; i < r->conn_count; i++)
        if (!conn_free(r, &r->conns[i], start))
            return false;
    while (r->busy > 0 || r->left > 0) {
        int n;

        if (now_ns() >= end)
            r->left = 0;
        if (r->interval > 0 && !send_due(r))
            return false;
        n = wait_events(r, events);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) && c->rest != NULL && !send_rest(r, c))
                return false;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) && !conn_read(r, c))
                return false;
        }
        if (now_ns() > end + UINT64_C(10000000000))
            return false; /* replies that never come */
    }
    r->w->seconds = (double)(now_ns() - start) / 1e9;
    return true;
}

static void run_close(struct run *r) {
    for (unsigned i = 0; r->conns != NULL && i < r->conn_count; i++) {
        if (r->conns[i].fd > 0)
            close(r->conns[i].fd);
        free(r->conns[i].rest);
    }
    if (r->epoll >= 0)
        close(r->epoll);
    free(r->request[WIRE_GET].bytes);
    free(r->request[WIRE_SET].bytes);
    free(r->conns);
    free(r->idle);
    free(r->batch);
    free(r->input);
}

void *worker_run(void *arg) {
    struct worker *w = arg;
    struct run r = {.w = w, .spec = w->spec, .epoll = -1};

    w->failed = !run_open(&r) || !run_loop(&r);
    if (w->failed)
        perror("load: thread gave up");
    run_close(&r);
    return NULL;
}
