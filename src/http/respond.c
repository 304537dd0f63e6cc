/* respond.c - responses, and what every one of them carries. */
#include "respond.h"

#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "conditions.h"
#include "cors.h"
#include "json.h"
#include "large.h"
#include "routes.h"
#include "server.h"
#include "worker.h"

/* ---- asking ------------------------------------------------------------------------------------------------------- */

struct arg arg_of(struct slice s) {
    return (struct arg){s.ptr, s.len, NULL};
}

struct arg arg_text(const char *text) {
    return arg_of(slice_str(text));
}

struct arg arg_body(const struct request *r) {
    struct slice body = request_body(r);

    return (struct arg){body.ptr, body.len, r->body};
}

struct session request_session(struct request *r) {
    const struct conn *c = conn_of_request(r);

    return (struct session){.front = SESSION_HTTP,
                            .now_ms = r->now_ms,
                            .protocol = 2,
                            .rights = r->rights,
                            .fd = c->fd,
                            .stats = c->worker->commands,
                            .ticks = clock_ticks(),
                            .request_id = trace_name(&r->trace)};
}

bool run_command(struct server *srv, struct session *s, struct capture *c, size_t max, size_t argc,
                 const struct arg *argv) {
    const struct command *cmd = command_private(arg_slice(&argv[0]));

    capture_init(c, max);
    if (cmd != NULL)
        command_run(srv, s, cmd, argc, argv, &c->reply);
    else
        command_execute(srv, s, argc, argv, &c->reply);
    return !c->reply.failed && !c->overflow;
}

bool arg_hold(struct arg *a) {
    struct blob *b;

    if (a->len <= STRING_INLINE_MAX)
        return true;
    if ((b = blob_new(a->len, a->len)) == NULL)
        return false;
    memcpy(b->data, a->ptr, a->len);
    blob_digest(b);
    *a = (struct arg){b->data, b->len, b};
    return true;
}

void arg_release(struct arg *a) {
    blob_unref(a->blob);
}

bool http_may_run(struct slice command) {
    const struct command *cmd = command_lookup(command);

    return cmd == NULL || !(cmd->flags & CMD_CONNECTION);
}

bool ask(struct request *r, struct capture *c, enum MHD_Result *result, size_t argc, const struct arg *argv) {
    struct session s = request_session(r);

    bool ok = run_command(r->server, &s, c, r->server->options->max_output_bytes, argc, argv);

    hold_until(r, s.reach);
    if (ok)
        return true;
    *result = c->overflow ? respond_problem(r, 507, "the reply would be larger than max-output-bytes")
                          : respond_error(r, c->error);
    capture_free(c);
    return false;
}

/* ---- queueing ------------------------------------------------------------------------------------------------------ */

static void header(struct MHD_Response *response, const char *name, const char *value) {
    if (value[0] != '\0' && MHD_add_response_header(response, name, value) != MHD_YES)
        return; /* a value with a line break, or no memory: the response goes without it */
}

/* What names the request beyond this service; the slices are C strings. */
static void header_trace(const struct request *r, struct MHD_Response *response) {
    if (r->trace.id.len > 0)
        header(response, "X-Request-Id", r->trace.id.ptr);
    if (r->trace.parent.len > 0)
        header(response, "traceparent", r->trace.parent.ptr);
}

static enum MHD_Result queue(struct request *r, unsigned status, struct MHD_Response *response) {
    enum MHD_Result queued;

    if (response == NULL)
        return MHD_NO;
    r->status = status;
    if (r->close || http_stopping(r->http))
        header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    header_trace(r, response);
    cors_headers(r, response);
    if (status >= 400)
        atomic_fetch_add_explicit(&r->server->http.errors, 1, memory_order_relaxed);
    if (hold_needed(r))
        return hold_response(r, status, response);
    queued = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* A response with a copy of the bytes. */
static struct MHD_Response *copied(struct request *r, struct slice body) {
    r->sent_bytes = body.len;
    return MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
}

/* `etag` without quotes; empty: there is none. */
static void header_etag(struct MHD_Response *response, struct slice etag) {
    char quoted[ETAG_LEN + 3] = "\"";

    if (etag.len != ETAG_LEN)
        return;
    memcpy(quoted + 1, etag.ptr, ETAG_LEN);
    quoted[ETAG_LEN + 1] = '"';
    header(response, MHD_HTTP_HEADER_ETAG, quoted);
}

static void header_expiry(const struct request *r, struct MHD_Response *response, int64_t expire_at) {
    char ms[24];

    if (expire_at == NO_EXPIRY)
        return;
    snprintf(ms, sizeof(ms), "%lld", (long long)(expire_at - r->now_ms));
    header(response, "FlashKV-TTL-Ms", ms);
    if (slice_eq(r->method, SLICE_LIT("GET")) || slice_eq(r->method, SLICE_LIT("HEAD"))) {
        char age[40];

        snprintf(age, sizeof(age), "max-age=%lld", (long long)(expire_at - r->now_ms) / 1000);
        header(response, MHD_HTTP_HEADER_CACHE_CONTROL, age);
    }
}

enum MHD_Result respond_tagged(struct request *r, unsigned status, struct slice etag, int64_t expire_at) {
    struct MHD_Response *response = copied(r, slice_of("", 0));

    if (response != NULL) {
        header_etag(response, etag);
        header_expiry(r, response, expire_at);
        if (status == 304)
            header(response, MHD_HTTP_HEADER_VARY, "Accept");
    }
    return queue(r, status, response);
}

enum MHD_Result respond_empty(struct request *r, unsigned status) {
    return respond_tagged(r, status, slice_of("", 0), NO_EXPIRY);
}

enum MHD_Result respond_json_of_key(struct request *r, char *text, struct slice etag, int64_t expire_at) {
    struct MHD_Response *response;

    if (text == NULL) /* what was asked for may be done: the connection's end says neither yes nor no */
        return queue(r, 503, NULL);
    response = copied(r, slice_str(text));
    mem_free(text);
    if (response != NULL) {
        header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        if (etag.len > 0)
            header(response, MHD_HTTP_HEADER_VARY, "Accept");
        header_etag(response, etag);
        header_expiry(r, response, expire_at);
    }
    return queue(r, 200, response);
}

enum MHD_Result respond_json(struct request *r, char *text) {
    return respond_json_of_key(r, text, slice_of("", 0), NO_EXPIRY);
}

enum MHD_Result respond_out(struct request *r, unsigned status, const char *type, struct json_out *o) {
    return respond_out_with(r, status, type, o, "", "");
}

enum MHD_Result respond_out_with(struct request *r, unsigned status, const char *type, struct json_out *o,
                                 const char *name, const char *value) {
    struct MHD_Response *response;

    if (o->failed) {
        buf_free(&o->buf);
        return respond_problem(r, 507, "the response would be larger than max-output-bytes");
    }
    r->sent_bytes = o->buf.len;
    response = MHD_create_response_from_buffer_with_free_callback(o->buf.len, o->buf.data, mem_free);
    if (response == NULL) {
        buf_free(&o->buf);
        return MHD_NO;
    }
    o->buf = buf_make(0); /* the response's now */
    header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    header(response, name, value);
    return queue(r, status, response);
}

enum MHD_Result respond_buf(struct request *r, const char *type, struct buf *body) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->len, body->data, mem_free);

    if (response == NULL) {
        buf_free(body);
        return MHD_NO;
    }
    r->sent_bytes = body->len;
    *body = buf_make(0); /* the response's now */
    header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return queue(r, 200, response);
}

/* Bytes that live as long as the process. */
static struct MHD_Response *from_static(struct request *r, const char *type, struct slice body) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_PERSISTENT);

    r->sent_bytes = body.len;
    if (response != NULL) {
        header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        header(response, "X-Content-Type-Options", "nosniff");
    }
    return response;
}

enum MHD_Result respond_static(struct request *r, const char *type, struct slice body) {
    return queue(r, 200, from_static(r, type, body));
}

enum MHD_Result respond_own_page(struct request *r, const char *type, struct slice body) {
    struct MHD_Response *response = from_static(r, type, body);

    if (response != NULL) {
        header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
        header(
            response, "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
    }
    return queue(r, 200, response);
}

enum MHD_Result respond_stream(struct request *r, const char *type, struct MHD_Response *response) {
    header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    return queue(r, 200, response);
}

static void drop_blob(void *blob) {
    blob_unref(blob);
}

/* The blob's bytes as a response that holds a reference until it is sent. */
static struct MHD_Response *from_blob(struct request *r, struct blob *b) {
    struct MHD_Response *response = NULL;

    r->sent_bytes = b->len;
    if (blob_paged(b) && r->http11 && conn_of_request(r)->tls == NULL &&
        slice_eq(r->method, SLICE_LIT("GET")))
        response = large_response(conn_of_request(r), r->connection, b);
    if (response != NULL)
        return response;
    response =
        MHD_create_response_from_buffer_with_free_callback_cls(b->len, b->data, drop_blob, blob_ref(b));
    if (response == NULL)
        blob_unref(b);
    return response;
}

static struct MHD_Response *problem(struct request *r, unsigned status, const char *detail);

/* What a stored value's response has, whole or in part. */
static void header_value(struct MHD_Response *response, struct slice type, struct slice etag) {
    char text[ENTRY_CONTENT_TYPE_MAX + 1];

    memcpy(text, type.ptr, type.len);
    text[type.len] = '\0';
    header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type.len > 0 ? text : "application/octet-stream");
    header_etag(response, etag);
    /* A value is data, never a page of this service: whatever it holds, a browser must not run it. */
    header(response, "X-Content-Type-Options", "nosniff");
    header(response, "Content-Security-Policy", "sandbox");
    if (etag.len > 0) /* it may be had as JSON too */
        header(response, MHD_HTTP_HEADER_VARY, "Accept");
}

static struct MHD_Response *value_response(struct request *r, const struct token *t, struct slice value,
                                           struct slice type, struct slice etag) {
    struct MHD_Response *response = t->kind == TOKEN_BLOB ? from_blob(r, t->blob) : copied(r, value);

    if (response != NULL)
        header_value(response, type, etag);
    return response;
}

/* Some of the blob's bytes, which are held until they are sent. */
static struct MHD_Response *part_of_blob(struct request *r, struct blob *b, uint64_t from, uint64_t count) {
    struct slice bytes = blob_slice(b);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        count, (void *)(uintptr_t)(bytes.ptr + from), drop_blob, blob_ref(b));

    r->sent_bytes = count;
    if (response == NULL)
        blob_unref(b);
    return response;
}

enum MHD_Result respond_part(struct request *r, const struct capture *c, size_t value, struct slice type,
                             struct slice etag, int64_t expire_at, uint64_t from, uint64_t count) {
    const struct token *t = &c->tokens[value];
    struct slice bytes = capture_text(c, value);
    struct MHD_Response *response;
    char range[80];

    if (count == 0) {
        snprintf(range, sizeof(range), "bytes */%zu", bytes.len);
        response = problem(r, 416, "the value has none of the bytes that Range asks for");
    } else {
        snprintf(range, sizeof(range), "bytes %llu-%llu/%zu", (unsigned long long)from,
                 (unsigned long long)(from + count - 1), bytes.len);
        response = t->kind == TOKEN_BLOB ? part_of_blob(r, t->blob, from, count)
                                         : copied(r, slice_of(bytes.ptr + from, count));
        if (response != NULL) {
            header_value(response, type, etag);
            header_expiry(r, response, expire_at);
        }
    }
    if (response != NULL)
        header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
    return queue(r, count == 0 ? 416 : 206, response);
}

enum MHD_Result respond_representation(struct request *r, unsigned status, struct slice etag,
                                       int64_t expire_at) {
    struct MHD_Response *response =
        r->body != NULL ? part_of_blob(r, r->body, 0, r->body->len) : copied(r, request_body(r));

    if (response != NULL) {
        header_value(response, r->headers.content_type, etag);
        header_expiry(r, response, expire_at);
        header(response, "Preference-Applied", "return=representation");
    }
    return queue(r, status, response);
}

enum MHD_Result respond_value(struct request *r, const struct capture *c, size_t value, struct slice type,
                              struct slice etag, int64_t expire_at) {
    struct slice bytes = capture_text(c, value);
    bool keeps = !cors_is_on(r) && etag.len > 0 && bytes.len <= CACHE_VALUE_MAX && expire_at == NO_EXPIRY &&
                 !r->close && !http_stopping(r->http) && !hold_needed(r) && trace_name(&r->trace).len == 0;
    enum cache_answer answer = CACHE_NO;
    struct MHD_Response *response;
    enum MHD_Result result;

    if (keeps)
        answer = cache_queue(http_cache(r->http), etag, bytes, type, r->connection, &result);
    if (answer == CACHE_QUEUED) {
        r->sent_bytes = bytes.len;
        r->status = 200;
        return result;
    }
    response = value_response(r, &c->tokens[value], bytes, type, etag);
    if (answer != CACHE_WANTED || response == NULL) {
        if (response != NULL)
            header_expiry(r, response, expire_at);
        return queue(r, 200, response);
    }
    r->status = 200;
    result = MHD_queue_response(r->connection, 200, response);
    cache_keep(http_cache(r->http), etag, bytes, type, response);
    return result;
}

/* ---- problems ------------------------------------------------------------------------------------------------------ */

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
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

/* What is wrong, in the form that the resource's clients want. NULL: no memory. */
static char *problem_text(const struct request *r, unsigned status, const char *detail, const char **type) {
    bool upstash = target_is_upstash(&r->target);

    *type = upstash ? "application/json" : "application/problem+json";
    return upstash ? json_upstash_problem(detail) : json_problem(status, reason(status), detail);
}

static struct MHD_Response *problem(struct request *r, unsigned status, const char *detail) {
    const char *type;
    char *text = problem_text(r, status, detail, &type);
    struct MHD_Response *response;

    if (text == NULL)
        return NULL;
    response = copied(r, slice_str(text));
    mem_free(text);
    if (response != NULL)
        header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

enum MHD_Result respond_problem(struct request *r, unsigned status, const char *fmt, ...) {
    char detail[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return queue(r, status, problem(r, status, detail));
}

enum MHD_Result respond_refused(struct request *r, struct slice etag) {
    struct MHD_Response *response =
        problem(r, 412, "the condition of the request does not hold; nothing was changed");

    if (response != NULL)
        header_etag(response, etag);
    return queue(r, 412, response);
}

static enum MHD_Result respond_allow(struct request *r) {
    const struct verdict *v = &r->verdict;
    struct MHD_Response *response =
        v->status == 405 ? problem(r, 405, verdict_detail(v)) : copied(r, slice_of("", 0));
    char allow[64];

    routes_allow(r, allow, sizeof(allow));
    if (response != NULL)
        header(response, MHD_HTTP_HEADER_ALLOW, allow);
    return queue(r, v->status, response);
}

/* Both, for clients to choose from; a line of its own each, since not all can divide one. */
static const char *const challenges[] = {"Bearer realm=\"FlashKV\"",
                                         "Basic realm=\"FlashKV\", charset=\"UTF-8\""};

static enum MHD_Result respond_denied(struct request *r) {
    struct MHD_Response *response = problem(r, r->verdict.status, verdict_detail(&r->verdict));

    for (size_t i = 0; response != NULL && i < sizeof(challenges) / sizeof(*challenges); i++)
        header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenges[i]);
    return queue(r, r->verdict.status, response);
}

enum MHD_Result respond_verdict(struct request *r) {
    switch (r->verdict.status) {
    case 204:
    case 405:
        return respond_allow(r);
    case 401:
        return respond_denied(r);
    default:
        return respond_problem(r, r->verdict.status, "%s", verdict_detail(&r->verdict));
    }
}

/* Past the library. False: the client did not take it. */
static bool say_now(struct request *r, const char *text, size_t len) {
    const struct conn *c = conn_of_request(r);
    const union MHD_ConnectionInfo *info;

    if (c->tls == NULL)
        return send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
    info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL && tls_say(info->tls_session, text, len);
}

void respond_verdict_now(struct request *r) {
    const struct verdict *v = &r->verdict;
    const char *type;
    char *text = problem_text(r, v->status, verdict_detail(v), &type), authenticate[200] = "",
         trace[2 * TRACE_ID_MAX + 40] = "", out[1536];
    int n = 0;

    if (v->status == 401)
        snprintf(authenticate, sizeof(authenticate), "WWW-Authenticate: %s\r\nWWW-Authenticate: %s\r\n",
                 challenges[0], challenges[1]);
    if (r->trace.id.len > 0)
        snprintf(trace, sizeof(trace), "X-Request-Id: %s\r\n", r->trace.id.ptr);
    if (text != NULL)
        n = snprintf(out, sizeof(out),
                     "HTTP/1.1 %u %s\r\nContent-Type: %s\r\n%s%sContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     v->status, reason(v->status), type, authenticate, trace, strlen(text), text);
    mem_free(text);
    if (n > 0 && !say_now(r, out, (size_t)n))
        log_debug("http: a client did not take its refusal");
    atomic_fetch_add_explicit(&r->server->http.errors, 1, memory_order_relaxed);
    r->answered = true;
    r->status = v->status;
}

unsigned status_of_error(const char *error) {
    /* By how the text begins; the first that fits. */
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
        {"ERR Background save already", 409},
        {"ERR nothing is kept", 409},
        {"NOPERM", 403},
        {"LOADING", 503},
        {"MISCONF", 507},
        {"OOM", 507},
    };

    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
        if (slice_starts(slice_str(error), slice_str(statuses[i].begins)))
            return statuses[i].status;
    return 400;
}

enum MHD_Result respond_error(struct request *r, const char *error) {
    const char *detail =
        target_is_upstash(&r->target) ? NULL : strchr(error, ' '); /* they want the code too */

    return respond_problem(r, status_of_error(error), "%s", detail != NULL ? detail + 1 : error);
}
