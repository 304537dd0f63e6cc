/* conn.h - HTTP connections: the state of each, and the watch that closes stalled ones. Private to http.
 *
 * libmicrohttpd's own timeout restarts with every byte, so a client that sends one now and then could hold its connection for
 * ever; and it costs each request a walk of lists. The watch runs periodically instead: a connection that has finished no
 * request and moved fewer than CONN_PROGRESS bytes within http-timeout is shut down, whether it idles, sends headers or a body,
 * or receives its response.
 *
 * Headers have their own timeout, http-header-timeout, whatever the progress: from the start of the connection, or from when
 * the watch first sees bytes after the last request, until their end. */
#ifndef FLASHKV_HTTP_CONN_H
#define FLASHKV_HTTP_CONN_H

#include <flashkv/lock.h>

#include "request.h"

struct worker;

enum { CONN_PROGRESS = 16 * 1024 };

struct conn {
    struct request request; /* first: see conn_of_request; a connection has one request at a time */
    struct worker *worker;
    int fd;
    struct tls_creds *tls;     /* its TLS credentials, a reference; NULL: no TLS */
    bool public_port;          /* there is an admin-port, and the connection was accepted on another port */
    const char *prefix;        /* of its port; put before every target ("/upstash" or "") */
    bool corked;               /* TCP_CORK is set on the socket (large.c) */
    _Atomic bool busy;         /* a request has begun, and its response is not sent completely */
    _Atomic bool owes;         /* a part of a reply that counts as sent, see gather.c */
    _Atomic bool headed;       /* ... and its headers have been received */
    _Atomic bool waits;        /* suspended (stream.h): http-timeout does not apply */
    _Atomic uint32_t finished; /* number of finished requests */

    /* the rest is the watch's, guarded by the list's mutex */
    uint32_t seen_finished;
    uint64_t seen_bytes;
    int64_t since_ns;
    int64_t head_ns;        /* headers have been awaited since then; 0: they are not awaited */
    uint64_t head_bytes;    /* bytes received by the end of the last request, or soon after */
    uint32_t head_finished; /* `finished` at that time */
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
/* Adds a connection of the worker's to the list; the socket stays the caller's. NULL: no memory. Thread-safe, as the rest. */
struct conn *conn_new(struct conn_list *l, struct worker *w, int fd);
/* Removes it from the list and frees it. Must be called before the socket is closed. NULL is ignored. */
void conn_free(struct conn_list *l, struct conn *c);
/* Shuts down connections that have stalled for `timeout_ns`, or awaited headers for `header_ns` (0: no such timeout). Returns
 * how many. */
unsigned conn_list_watch(struct conn_list *l, int64_t timeout_ns, int64_t header_ns);
/* Is any request without its complete response, or a part of one not sent? */
bool conn_list_busy(struct conn_list *l);

#endif
