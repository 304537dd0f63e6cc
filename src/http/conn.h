/* conn.h - HTTP connections: what each holds, and the watch that ends those that stand still. Private to http.
 *
 * libmicrohttpd's own timeout starts again with every byte, so a client that sends one now and then would hold its
 * connection for ever, and it costs each request a walk of lists. The watch looks once in a while instead: a
 * connection that has finished no request and moved less than CONN_PROGRESS bytes in http-timeout is shut down,
 * whether it waits, sends headers or a body, or takes its response.
 *
 * Headers have a time of their own, http-header-timeout, however they move: from the beginning of the connection, or from when
 * the watch first sees bytes behind the last request, to their end. */
#ifndef FLASHKV_HTTP_CONN_H
#define FLASHKV_HTTP_CONN_H

#include <flashkv/lock.h>

#include "request.h"

struct worker;

enum { CONN_PROGRESS = 16 * 1024 };

struct conn {
    struct request request; /* first: see conn_of_request; a connection has one at a time */
    struct worker *worker;
    int fd;
    struct tls_creds *tls;     /* of its TLS, a reference; NULL: it has none */
    bool public_port;          /* there is an admin-port, and it came to another */
    const char *prefix;        /* what its targets begin with, unsaid: that of the port it came to */
    bool corked;               /* its socket, see large.c */
    _Atomic bool busy;         /* a request has begun, and its response is not out */
    _Atomic bool headed;       /* ... and its headers have come */
    _Atomic bool waits;        /* suspended (stream.h): it may stand still */
    _Atomic uint32_t finished; /* requests, so far */

    /* the watch's own */
    uint32_t seen_finished;
    uint64_t seen_bytes;
    int64_t since_ns;
    int64_t head_ns;        /* headers are awaited since then; 0: they are not */
    uint64_t head_bytes;    /* received by the end of the last request, or soon after */
    uint32_t head_finished; /* requests, by then */
    struct conn *prev, *next;
};

/* The request's own connection: it is the first member. */
static inline struct conn *conn_of_request(struct request *r) {
    return (struct conn *)(void *)r;
}

/* The role of conn_list.mutex (flashkv/thread_safety.h). */
extern struct mutex conn_list_role;

struct conn_list {
    struct mutex mutex;
    struct conn *head GUARDED_BY(conn_list_role);
};

void conn_list_init(struct conn_list *l);
void conn_list_destroy(struct conn_list *l);
/* A worker's connection on the socket, listed; NULL: no memory. Thread-safe, as the rest. */
struct conn *conn_new(struct conn_list *l, struct worker *w, int fd);
/* Takes it off the list and frees it; the socket stays. Must happen before the socket is closed. NULL is ignored. */
void conn_free(struct conn_list *l, struct conn *c);
/* Shuts down what has stood still for `timeout_ns`, or awaits headers for `header_ns` (0: for neither). Returns how many. */
unsigned conn_list_watch(struct conn_list *l, int64_t timeout_ns, int64_t header_ns);
/* Is any request unanswered? */
bool conn_list_busy(struct conn_list *l);

#endif
