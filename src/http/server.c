/* server.c - libmicrohttpd: the daemons, their callbacks, and the life of a request:
 *
 *     on_target    the raw target -> request_begin
 *     on_request   first call: the headers are complete -> admit; then once for each piece of the body;
 *                  at last, the body complete -> the route's handler, which queues the response;
 *                  the library calls again after a suspension
 *     on_completed the response is sent, or the connection is gone -> request_end */
#include "server.h"

#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <gnutls/abstract.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "access.h"
#include "admit.h"
#include "conn.h"
#include "large.h"
#include "listener.h"
#include "respond.h"
#include "routes.h"
#include "traffic.h"
#include "upload.h"
#include "worker.h"

enum {
    STOP_NS = 1000000000, /* how long http_stop waits for requests in flight */
    /* The library's connection limit: the listener enforces max-connections, which may be raised. */
    NO_LIMIT = 1 << 30,
};

struct http {
    struct server *server;
    struct worker *workers;
    unsigned worker_count; /* that were started */
    struct conn_list conns;
    struct listener listener;
    struct pause_list pauses;
    struct hold_list holds;
    struct crew crew;
    struct access_log *access; /* NULL: off */
    const struct command *get; /* the row of rest.get, the most frequent command */
    _Atomic bool stopping;
};

struct server *http_server(const struct http *h) {
    return h->server;
}

const struct command *http_row_of_get(const struct http *h) {
    return h->get;
}

struct pause_list *http_pauses(struct http *h) {
    return &h->pauses;
}

struct hold_list *http_holds(struct http *h) {
    return &h->holds;
}

struct crew *http_crew(struct http *h) {
    return &h->crew;
}

bool http_traffic(const struct http *h, struct traffic *sum) {
    for (unsigned i = 0; i < h->worker_count; i++)
        if (!traffic_add(sum, h->workers[i].traffic))
            return false;
    return true;
}

bool http_keeps_access_log(const struct http *h) {
    return h->access != NULL;
}

bool http_stopping(const struct http *h) {
    return atomic_load_explicit(&h->stopping, memory_order_relaxed);
}

/* ---- a request --------------------------------------------------------------------------------------------------------- */

/* Responds past the library, which has no room for a response. */
static void refuse_crowded(struct request *r) {
    request_refuse(r, r->raw_len > r->headers.size / 2 ? 414 : 431,
                   "the URL and the headers together are longer than http-memory allows");
    respond_verdict_now(r);
}

/* The headers are complete. A refusal waits until the body is complete, so that the connection stays usable and the client is not
 * cut off while it sends; but not if the framing is in doubt, or the client itself waits for 100 Continue. */
static enum MHD_Result headers_came(struct request *r, const char *url, const char *method,
                                    const char *version) {
    if (r->near.name.ptr != NULL)
        store_prefetch_slot(r->server->store, &r->near);
    r->method = slice_str(method);
    request_headers(r, version);
    if (r->headers.request_id.ptr != NULL || r->headers.traceparent.ptr != NULL)
        trace_read(&r->trace, r->headers.request_id, r->headers.traceparent);
    if (r->logged != NULL && r->trace.id.len == 0)
        trace_make(&r->trace);
    if (!r->answered && request_is_crowded(r))
        refuse_crowded(r);
    if (r->answered)
        return MHD_NO;
    admit(r, url, version);
    if (r->near.name.ptr != NULL)
        store_prefetch_entry(r->server->store, &r->near);
    if (r->verdict.status == 0 || !(r->close || (r->headers.expect.ptr != NULL && admit_has_body(r))))
        return MHD_YES;
    return respond_verdict(r);
}

static enum MHD_Result answer(struct request *r) {
    struct worker *w = conn_of_request(r)->worker;

    gather_begin(&w->gather, r->route != NULL && route_is_quick(r->route));
    if (r->answered)
        return MHD_NO;
    if (r->held != NULL)
        return hold_again(r);
    if (r->verdict.status != 0)
        return respond_verdict(r);
    r->now_ms = worker_wall_ms(w);
    if (r->route->body == BODY_STREAM)
        return upload_ended(r);
    request_body_done(r);
    return r->route->handler(r);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request) {
    struct request *r = *request;
    size_t len = *upload_size;

    (void)cls, (void)connection;
    if (r == NULL)
        return MHD_NO; /* no memory in on_target */
    if (!r->begun) {
        r->begun = true;
        atomic_store_explicit(&conn_of_request(r)->headed, true, memory_order_relaxed);
        return headers_came(r, url, method, version);
    }
    if (len == 0)
        return answer(r);
    return upload_came(r, upload, len, upload_size);
}

/* ---- the other callbacks --------------------------------------------------------------------------------------------------- */

static struct conn *conn_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static void *on_target(void *cls, const char *raw, struct MHD_Connection *connection) {
    struct conn *c = conn_of(connection);

    if (c == NULL || !request_begin(&c->request, cls, connection, raw, c->prefix))
        return NULL;
    c->request.public_port = c->public_port;
    if (request_is_crowded(&c->request)) { /* the library may never report the headers */
        refuse_crowded(&c->request);
        shutdown(c->fd, SHUT_WR);
    }
    traffic_begin(c->worker->traffic, &c->request);
    if (((struct http *)cls)->access != NULL)
        access_begin(&c->request, raw, c->prefix);
    atomic_store_explicit(&c->busy, true, memory_order_relaxed);
    return &c->request;
}

static void finish(struct http *h, struct request *r) {
    struct conn *c = conn_of_request(r);
    uint64_t ns = traffic_end(c->worker->traffic, r);

    if (h->access != NULL)
        access_end(h->access, r, ns);
    large_done(c);
    request_end(r);
    atomic_store_explicit(&c->finished, atomic_load_explicit(&c->finished, memory_order_relaxed) + 1,
                          memory_order_relaxed); /* only its worker writes it */
    atomic_store_explicit(&c->headed, false, memory_order_relaxed);
    atomic_store_explicit(&c->busy, false, memory_order_relaxed);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code) {
    (void)connection, (void)code;
    if (*request != NULL)
        finish(cls, *request);
    *request = NULL;
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);

    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0)
        return 0;
    return ntohs(own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                           : ((struct sockaddr_in *)&own)->sin_port);
}

/* Configures the connection's TLS by the server's options, in place of the daemon's own. False: it must be closed. */
static bool start_tls(struct conn *c, struct tls *t, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info;

    if (t == NULL)
        return true;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    c->tls = info != NULL ? tls_prepare(t, info->tls_session) : NULL;
    return c->tls != NULL;
}

static struct conn *welcome(struct worker *w, struct MHD_Connection *connection) {
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct server *srv = w->http->server;
    const struct options *o = srv->options;
    struct conn *c = conn_new(&w->http->conns, w, fd);

    if (c == NULL)
        return NULL;
    if (!start_tls(c, srv->http_tls, connection))
        shutdown(fd, SHUT_RDWR);
    c->public_port = o->admin_port > 0 && port_of(fd) != o->admin_port;
    if (o->upstash_port > 0 && port_of(fd) == o->upstash_port)
        c->prefix = "/upstash";
    return c;
}

/* Uncounts a connection, also of its address. */
static void farewell(struct server *srv, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (info != NULL)
        peers_leave(&srv->peers, peers_id(&srv->peers, info->client_addr));
    atomic_fetch_sub_explicit(&srv->http.connections, 1, memory_order_relaxed);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    struct worker *w = cls;
    struct http *h = w->http;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = welcome(w, connection);
    } else {
        struct conn *c = *context;

        /* The library does not report the end of requests that it has no room to respond to; their memory is freed by now. */
        if (c != NULL && atomic_load_explicit(&c->busy, memory_order_relaxed)) {
            request_orphan(&c->request);
            finish(h, &c->request);
        }
        if (c != NULL)
            gather_forget(&w->gather, c);
        conn_free(&h->conns, c);
        *context = NULL;
        farewell(h->server, connection);
    }
}

/* Keeps the library from decoding: target_parse does it, with explicit lengths. */
static size_t leave_encoded(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls, (void)connection;
    return strlen(text);
}

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void on_log(void *cls, const char *fmt, va_list ap) {
    char line[512];

    (void)cls;
    vsnprintf(line, sizeof(line), fmt, ap);
    log_debug("http: %s", line);
}

/* ---- starting and stopping ---------------------------------------------------------------------------------------------- */

/* The strictest level that this version implements correctly. In 0.9, level 1 responds twice to a missing Host, and its check for
 * a space before the colon is inverted, so that -1 would refuse it, at the cost of two more looks at each line; request_headers
 * finds it anyway. From 1.0 on, 1 is strict; finer levels have an option that 0.9.75's header does not define. */
static int strictness(void) {
    return MHD_get_version()[0] == '0' ? 0 : 1;
}

/* The library requires a certificate callback to start, though each connection has credentials of its own (start_tls). */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *ca_names, int ca_count,
                          const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                          gnutls_pcert_st **chain, unsigned int *chain_len, gnutls_privkey_t *key) {
    (void)session, (void)ca_names, (void)ca_count, (void)algorithms, (void)algorithm_count;
    (void)chain, (void)chain_len, (void)key;
    return -1;
}

/* A single-threaded daemon, driven by a worker. */
static struct MHD_Daemon *start_daemon(struct http *h, struct worker *w) {
    const struct options *o = h->server->options;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)no_certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    bool tls = h->server->http_tls != NULL;

    if (!tls)
        secure[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        (tls ? MHD_USE_TLS : 0) | MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
            MHD_ALLOW_SUSPEND_RESUME,
        0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, w, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)NO_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)o->http_memory,
        MHD_OPTION_STRICT_FOR_CLIENT, strictness(), MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
}

/* False: not all of them run. */
static bool start_workers(struct http *h) {
    unsigned count = server_threads(h->server, h->server->options->http_threads);

    h->workers = mem_zalloc(count * sizeof(*h->workers));
    while (h->workers != NULL && h->worker_count < count) {
        struct worker *w = &h->workers[h->worker_count];
        struct MHD_Daemon *daemon = start_daemon(h, w);

        if (daemon == NULL)
            return false;
        if (!worker_start(w, h, daemon)) {
            MHD_stop_daemon(daemon);
            return false;
        }
        h->worker_count++;
    }
    return h->workers != NULL;
}

static void destroy(struct http *h) {
    for (unsigned i = 0; i < h->worker_count; i++)
        worker_stop(&h->workers[i]);
    while (h->worker_count > 0)
        worker_free(&h->workers[--h->worker_count]);
    mem_free(h->workers);
    pause_list_destroy(&h->pauses);
    hold_list_destroy(&h->holds, h->server);
    conn_list_destroy(&h->conns);
    access_log_close(h->access);
    mem_free(h);
}

/* False: `why`. */
static bool open_access_log(struct http *h, char *why, size_t cap) {
    const struct options *o = h->server->options;

    if (strcmp(o->access_log, "off") == 0)
        return true;
    h->access = access_log_open(o->access_log, (enum log_format)o->log_format, why, cap);
    return h->access != NULL;
}

void http_reopen_logs(struct http *h) {
    if (h->access != NULL)
        access_log_reopen(h->access);
}

uint64_t http_access_log_dropped(const struct http *h) {
    return h->access != NULL ? access_log_dropped(h->access) : 0;
}

/* Opens all listening sockets, those of extra ports last. Returns how many; 0: `why`, and none is open. */
static unsigned listen_all(struct server *srv, int fds[LISTENER_FDS_MAX], char *why, size_t cap) {
    const struct options *o = srv->options;
    const struct {
        const char *bind;
        uint64_t port;
    } more[] = {{o->bind, o->upstash_port}, {o->admin_bind, o->admin_port}};
    uint16_t port = (uint16_t)o->http_port;
    unsigned n = net_listen(o->bind, &port, fds, why, cap), added = n;

    srv->http_port = port;
    for (size_t i = 0; i < sizeof(more) / sizeof(*more) && added > 0; i++) {
        port = (uint16_t)more[i].port;
        if (port > 0)
            n += added = net_listen(more[i].bind, &port, fds + n, why, cap);
    }
    while (added == 0 && n > 0)
        close(fds[--n]);
    return n;
}

struct http *http_start(struct server *srv, char *why, size_t cap) {
    struct http *h = mem_zalloc(sizeof(*h));
    int fds[LISTENER_FDS_MAX];
    unsigned n = 0;

    snprintf(why, cap, "out of memory");
    if (h == NULL)
        return NULL;
    h->server = srv;
    h->get = command_private(SLICE_LIT("rest.get"));
    conn_list_init(&h->conns);
    pause_list_init(&h->pauses);
    hold_list_init(&h->holds);
    if (!open_access_log(h, why, cap) || (n = listen_all(srv, fds, why, cap)) == 0)
        goto fail;
    snprintf(why, cap, "libmicrohttpd or a thread does not start");
    if (start_workers(h) &&
        listener_start(&h->listener, srv, h->workers, h->worker_count, &h->conns, &h->pauses, fds, n))
        return h;
    while (n > 0)
        close(fds[--n]);

fail:
    destroy(h);
    return NULL;
}

void http_stop(struct http *h) {
    int64_t until = clock_mono_ns() + STOP_NS;

    if (h == NULL)
        return;
    atomic_store_explicit(&h->stopping, true, memory_order_relaxed);
    listener_stop(&h->listener);
    pause_list_stop(&h->pauses);
    while (conn_list_busy(&h->conns) && clock_mono_ns() < until)
        usleep(2000);
    destroy(h);
}
