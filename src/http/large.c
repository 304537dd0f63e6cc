/* large.c - sending a blob past the library. */
#include "large.h"

#include <errno.h>
#include <flashkv/mem.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "worker.h"

enum { TURN_BYTES = 4 * 1024 * 1024 }; /* sent in one turn at most, so that others have theirs */

struct large {
    struct waiter waiter;
    struct worker *worker;
    struct MHD_Connection *connection;
    struct blob *blob;
    char head[24]; /* the chunk's header: its size */
    size_t head_len;
    size_t at; /* bytes sent, of the header, the blob and the CR LF after it */
};

static size_t large_len(const struct large *s) {
    return s->head_len + s->blob->len + 2;
}

/* As send(2), of the next bytes. */
static ssize_t send_some(struct large *s) {
    enum { FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE };
    size_t at = s->at;

    if (at < s->head_len)
        return send(s->waiter.fd, s->head + at, s->head_len - at, FLAGS);
    at -= s->head_len;
    if (at < s->blob->len)
        return splicer_send(&s->worker->splicer, s->waiter.fd, s->blob->data + at, s->blob->len - at, true);
    at -= s->blob->len;
    return send(s->waiter.fd, &"\r\n"[at], 2 - at, FLAGS);
}

enum pump { PUMP_DONE, PUMP_FULL, PUMP_LOST };

/* Sends as much as the socket accepts, or as a turn allows (PUMP_FULL). */
static enum pump pump(struct large *s) {
    size_t stop = s->at + TURN_BYTES;

    while (s->at < large_len(s)) {
        ssize_t n = send_some(s);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? PUMP_FULL : PUMP_LOST;
        s->at += (size_t)n;
        if (s->at >= stop)
            return PUMP_FULL;
    }
    return PUMP_DONE;
}

/* The library's callback for the first chunk, once the headers are sent: the body is sent here, past it, and then it is told
 * the end. */
static ssize_t read_nothing(void *large, uint64_t pos, char *to, size_t max) {
    struct large *s = large;

    (void)pos, (void)to, (void)max;
    switch (pump(s)) {
    case PUMP_DONE:
        return MHD_CONTENT_READER_END_OF_STREAM;
    case PUMP_FULL:
        if (!worker_wait(s->worker, &s->waiter))
            break;
        MHD_suspend_connection(s->connection);
        return 0;
    case PUMP_LOST:
        break;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void writable(struct waiter *w) {
    MHD_resume_connection(((struct large *)w)->connection); /* calls read_nothing again */
}

static void large_free(void *large) {
    struct large *s = large;

    blob_unref(s->blob);
    mem_free(s);
}

/* The headers and the last chunk shall share segments with the body between them. */
static void cork(struct conn *c, int on) {
    c->corked = setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0 && on;
}

void large_done(struct conn *c) {
    if (c->corked)
        cork(c, 0);
}

struct MHD_Response *large_response(struct conn *c, struct MHD_Connection *connection, struct blob *b) {
    struct large *s = c->worker->splices ? mem_alloc(sizeof(*s)) : NULL;
    struct MHD_Response *response;

    if (s == NULL)
        return NULL;
    *s = (struct large){{.ready = writable, .fd = c->fd}, c->worker, connection, blob_ref(b), "", 0, 0};
    s->head_len = (size_t)snprintf(s->head, sizeof(s->head), "%zX\r\n", b->len);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_nothing, s, large_free);
    if (response == NULL)
        large_free(s);
    else
        cork(c, 1);
    return response;
}
