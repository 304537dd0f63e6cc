/* problem.c - error responses, in the words and form that the client expects. */
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "conn.h"
#include "json.h"
#include "respond.h"
#include "respond_impl.h"
#include "routes.h"

enum { NOW_MAX = 4096 }; /* a response past the library: one TLS record, and accepted by a socket at once */

static const char *reason(unsigned status) {
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

/* The text of a problem, in the form that the resource's clients expect. NULL: no memory. */
static char *problem_text(const struct request *r, unsigned status, const char *detail, const char **type) {
    bool upstash = target_is_upstash(&r->target);

    *type = upstash ? "application/json" : "application/problem+json";
    return upstash ? json_upstash_problem(detail) : json_problem(status, reason(status), detail);
}

struct MHD_Response *problem_response(struct request *r, unsigned status, const char *detail) {
    const char *type;
    char *text = problem_text(r, status, detail, &type);
    struct MHD_Response *response;

    if (text == NULL)
        return NULL;
    response = respond_copy(r, slice_str(text));
    mem_free(text);
    if (response != NULL)
        respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

enum MHD_Result respond_problem(struct request *r, unsigned status, const char *fmt, ...) {
    char detail[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return respond_queue(r, status, problem_response(r, status, detail));
}

enum MHD_Result respond_refused(struct request *r, struct slice etag) {
    struct MHD_Response *response =
        problem_response(r, 412, "the condition of the request does not hold; nothing was changed");

    if (response != NULL)
        respond_header_etag(response, etag);
    return respond_queue(r, 412, response);
}

/* The headers of a verdict's response. */
static void verdict_headers(const struct request *r, header_put *put, void *to) {
    /* Both, for the client to choose; a header each, since not all clients can split one. */
    static const char *const challenges[] = {"Bearer realm=\"FlashKV\"",
                                             "Basic realm=\"FlashKV\", charset=\"UTF-8\""};
    unsigned status = r->verdict.status;
    char allow[64];

    if (status == 401)
        for (size_t i = 0; i < sizeof(challenges) / sizeof(*challenges); i++)
            put(to, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenges[i]);
    if (status == 204 || status == 405) {
        routes_allow(r, allow, sizeof(allow));
        put(to, MHD_HTTP_HEADER_ALLOW, allow);
    }
}

enum MHD_Result respond_verdict(struct request *r) {
    const struct verdict *v = &r->verdict;
    struct MHD_Response *response = v->status == 204 ? respond_copy(r, slice_of("", 0))
                                                     : problem_response(r, v->status, verdict_detail(v));

    if (response != NULL)
        verdict_headers(r, respond_header, response);
    return respond_queue(r, v->status, response);
}

/* Sends past the library. False: the client did not receive all of it. */
static bool send_now(struct request *r, struct slice text) {
    const struct conn *c = conn_of_request(r);
    const union MHD_ConnectionInfo *info;

    if (c->tls == NULL)
        return send(c->fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.len;
    info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL && tls_send_record(info->tls_session, text.ptr, text.len);
}

static void put_line(void *to, const char *name, const char *value) {
    buf_printf(to, "%s: %s\r\n", name, value);
}

void respond_verdict_now(struct request *r) {
    const struct verdict *v = &r->verdict;
    struct buf out = buf_make(NOW_MAX);
    const char *type;
    char *text = problem_text(r, v->status, verdict_detail(v), &type);

    buf_printf(&out, "HTTP/1.1 %u %s\r\n", v->status, reason(v->status));
    verdict_headers(r, put_line, &out);
    respond_each_header(r, put_line, &out);
    if (text != NULL &&
        (!buf_printf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", type,
                     strlen(text), text) ||
         !send_now(r, buf_slice(&out))))
        log_debug("http: a client did not take its refusal");
    mem_free(text);
    buf_free(&out);
    atomic_fetch_add_explicit(&r->server->http.errors, 1, memory_order_relaxed);
    r->answered = true;
    r->status = v->status;
}

unsigned status_of_error(const char *error) {
    static const struct slice exec_because = SLICE_LIT("EXECABORT Transaction discarded because of: ");
    /* By the beginning of the text; the first match counts. */
    static const struct {
        const char *begins;
        unsigned status;
    } statuses[] = {
        {"WRONGTYPE", 409},
        {"ERR value is not an integer", 409},
        {"ERR increment or decrement would overflow", 409},
        {"ERR no such key", 404},
        {"ERR index out of range", 404},
        {"ERR string exceeds", 413},
        {"ERR key is too long", 414},
        {"ERR out of memory", 503},
        {"out of memory", 503},
        {"ERR Background save already", 409},
        {"ERR nothing is kept", 409},
        {"NOPERM", 403},
        {"LOADING", 503},
        {"MISCONF", 507},
        {"OOM", 507},
    };

    if (slice_starts(slice_str(error), exec_because))
        error += exec_because.len;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        if (slice_starts(slice_str(error), slice_str(statuses[i].begins)))
            return statuses[i].status;
    return 400;
}

enum MHD_Result respond_error(struct request *r, const char *error) {
    const char *detail =
        target_is_upstash(&r->target) ? NULL : strchr(error, ' '); /* they expect the code too */

    return respond_problem(r, status_of_error(error), "%s", detail != NULL ? detail + 1 : error);
}
