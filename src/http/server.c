/* server.c - libmicrohttpd: daemons, callbacks, and what is refused before a handler sees it.
 *
 * What the library lets through and a proxy would read otherwise is refused with the connection's end, before
 * anything is done: framing that two readers could divide differently is how requests are smuggled (RFC 9112, 11.2). */
#include "server.h"

#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <flashkv/num.h>
#include <stdio.h>
#include <unistd.h>

#include "respond.h"
#include "routes.h"

enum { DRAIN_NS = 1000000000 };

struct http {
    struct server *server;
    struct MHD_Daemon *daemons[NET_LISTENERS_MAX];
    unsigned count;
    _Atomic uint64_t in_flight; /* requests begun and not completed */
};

struct server *http_server(const struct http *h) {
    return h->server;
}

/* ---- refusals ---------------------------------------------------------------------------------------------------------- */

static enum MHD_Result refuse_target(struct request *r) {
    switch (r->target_result) {
    case TARGET_OK:
        break;
    case TARGET_BAD_ESCAPE:
        return respond_problem(r, 400, "the URL has a %% that two hex digits do not follow");
    case TARGET_BAD_BYTE:
        respond_and_close(r);
        return respond_problem(r, 400, "the request target is not an absolute path of visible characters");
    case TARGET_TOO_MANY_PARAMETERS:
        return respond_problem(r, 400, "more than %d query parameters", QUERY_MAX);
    }
    return MHD_NO;
}

/* What is wrong with the framing or the host; 0: nothing. The connection is closed after it. */
static unsigned bad_framing(const struct request *r, bool http11, const char **why) {
    const struct headers *h = &r->headers;
    uint64_t n;

    *why = NULL;
    if (h->malformed)
        *why = "a header's name is no token, or a line break stands in its value";
    else if (h->transfer_encoding.len > 0 && h->content_lengths > 0)
        *why = "both Transfer-Encoding and Content-Length";
    else if (h->content_lengths > 1)
        *why = h->lengths_differ ? "two Content-Length that differ" : "two Content-Length";
    else if (h->content_lengths == 1 && !num_parse_u64(h->content_length, &n))
        *why = "a Content-Length that is no number";
    else if (h->hosts > 1)
        *why = "two Host headers";
    else if (h->hosts == 0 && http11)
        *why = "no Host header";
    if (*why != NULL)
        return 400;
    if (h->transfer_encoding.len > 0 && !slice_caseeq(h->transfer_encoding, SLICE_LIT("chunked"))) {
        *why = "a Transfer-Encoding other than chunked";
        return 501;
    }
    return 0;
}

/* A body that is not to be read: the response leaves before it, and the connection ends. */
static bool refuse_body(struct request *r, enum MHD_Result *result) {
    uint64_t length = 0;

    if (r->headers.expect.len > 0 && !slice_caseeq(r->headers.expect, SLICE_LIT("100-continue"))) {
        respond_and_close(r);
        *result = respond_problem(r, 417, "the only expectation that is met is 100-continue");
        return true;
    }
    /* 0.9.75 takes a header without a name for the end of the headers; a length behind it would go unseen, and the
     * body be taken for a request. So where a body belongs, its length must be known. */
    if (r->route != NULL && r->route->body == BODY_RAW && r->headers.content_lengths == 0 &&
        r->headers.transfer_encoding.len == 0) {
        respond_and_close(r);
        *result = respond_problem(r, 411, "a body is expected: send Content-Length (0 for none) or chunks");
        return true;
    }
    num_parse_u64(r->headers.content_length, &length);
    if (length > r->server->options->max_value_bytes) {
        respond_and_close(r);
        *result = respond_problem(r, 413, "the body is longer than max-value-bytes (%llu)",
                                  (unsigned long long)r->server->options->max_value_bytes);
        return true;
    }
    return false;
}

/* A NUL in the target cuts it short before the library hands it over. But 0.9.75 keeps the request line in one
 * piece, so the version tells where the target really ended; 1.0 refuses a NUL itself. */
static bool target_was_cut(const struct request *r, const char *version) {
    uintptr_t at = (uintptr_t)r->target_at, end = (uintptr_t)version;

    return end > at && end - at < r->server->options->http_memory && end - at != r->target_len + 1;
}

/* Looks at the headers. True: refused, and *result is what the callback returns. */
static bool refuse_early(struct request *r, const char *version, enum MHD_Result *result) {
    const char *why;
    unsigned status;

    request_headers(r);
    status = bad_framing(r, strcmp(version, "HTTP/1.1") == 0, &why);
    if (status != 0) {
        respond_and_close(r);
        *result = respond_problem(r, status, "%s", why);
        return true;
    }
    if (target_was_cut(r, version))
        r->target_result = TARGET_BAD_BYTE;
    if (r->target_result == TARGET_BAD_BYTE) {
        *result = refuse_target(r);
        return true;
    }
    if (r->target_result == TARGET_OK)
        r->found = route_find(r);
    return refuse_body(r, result);
}

/* ---- answering ---------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct request *r) {
    const struct pair *bad;
    unsigned status = r->found;

    r->now_ms = clock_wall_ms();
    if (r->target_result != TARGET_OK)
        return refuse_target(r);
    if (slice_eq(r->method, SLICE_LIT("OPTIONS")) && (status != 404 || r->target.segment_count == 0))
        return respond_allow(r, 204);
    if (status == 404)
        return respond_problem(r, 404, "there is nothing at this path; a slash inside a key is written %%2F");
    if (status == 405)
        return respond_allow(r, 405);
    bad = route_bad_parameter(r);
    if (bad != NULL)
        return respond_problem(r, 400, "query parameter '%.*s' is unknown here, or given twice",
                               (int)(bad->name.len < 64 ? bad->name.len : 64), bad->name.ptr);
    if (r->too_long) {
        respond_and_close(r);
        return respond_problem(r, 413, "the body is longer than max-value-bytes (%llu)",
                               (unsigned long long)r->server->options->max_value_bytes);
    }
    return r->route->handler(r);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request) {
    struct request *r = *request;
    enum MHD_Result result;

    (void)cls, (void)connection, (void)url;
    if (r == NULL)
        return MHD_NO; /* no memory when it began */
    if (!r->begun) {
        r->begun = true;
        r->method = slice_str(method);
        return refuse_early(r, version, &result) ? result : MHD_YES;
    }
    if (*upload_size > 0) {
        if (!request_body_add(r, upload, *upload_size))
            return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(r);
}

static void *on_target(void *cls, const char *raw, struct MHD_Connection *connection) {
    struct http *h = cls;

    atomic_fetch_add_explicit(&h->in_flight, 1, memory_order_relaxed);
    return request_new(h, connection, raw);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code) {
    struct http *h = cls;

    (void)connection, (void)code;
    atomic_fetch_sub_explicit(&h->in_flight, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->server->http.requests, 1, memory_order_relaxed);
    request_free(*request);
    *request = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **unused,
                          enum MHD_ConnectionNotificationCode code) {
    struct front_stats *f = &((struct http *)cls)->server->http;

    (void)connection, (void)unused;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add_explicit(&f->connections, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&f->accepted, 1, memory_order_relaxed);
    } else {
        atomic_fetch_sub_explicit(&f->connections, 1, memory_order_relaxed);
    }
}

/* Keeps the library from decoding: target_parse does, with lengths. */
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

/* The strictest that the version at hand does right: on 0.9.75 level 1 answers a missing Host twice, and its check for
 * a space before the colon is inverted, so that -1 is what refuses it; from 0.9.77 on levels are finer. */
static struct MHD_OptionItem strictness(void) {
#if MHD_VERSION >= 0x00097701
    if (strcmp(MHD_get_version(), "0.9.77") >= 0 || MHD_get_version()[0] != '0')
        return (struct MHD_OptionItem){MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL};
#endif
    return (struct MHD_OptionItem){MHD_OPTION_STRICT_FOR_CLIENT, -1, NULL};
}

static struct MHD_Daemon *start_daemon(struct http *h, int fd) {
    const struct options *o = h->server->options;
    unsigned threads = o->http_threads > 0 ? (unsigned)o->http_threads : net_cores();
    struct MHD_OptionItem more[] = {
        strictness(),
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    if (threads == 1) /* a pool of one is no pool to the library */
        more[1] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, h,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)o->http_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)o->http_timeout, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

struct http *http_start(struct server *srv, char *why, size_t cap) {
    struct http *h = mem_zalloc(sizeof(*h));
    uint16_t port = (uint16_t)srv->options->http_port;
    int fds[NET_LISTENERS_MAX];
    unsigned n;

    snprintf(why, cap, "out of memory");
    if (h == NULL)
        return NULL;
    h->server = srv;
    n = net_listen(srv->options->bind, &port, fds, why, cap);
    srv->http_port = port;
    while (h->count < n && (h->daemons[h->count] = start_daemon(h, fds[h->count])) != NULL)
        h->count++;
    if (n > 0 && h->count == n)
        return h;
    if (n > 0)
        snprintf(why, cap, "libmicrohttpd does not start");
    for (unsigned i = h->count; i < n; i++)
        close(fds[i]);
    http_stop(h);
    return NULL;
}

void http_stop(struct http *h) {
    int64_t until = clock_mono_ns() + DRAIN_NS;

    if (h == NULL)
        return;
    while (atomic_load_explicit(&h->in_flight, memory_order_relaxed) > 0 && clock_mono_ns() < until)
        usleep(2000);
    for (unsigned i = 0; i < h->count; i++)
        MHD_stop_daemon(h->daemons[i]);
    mem_free(h);
}
