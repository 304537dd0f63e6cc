/* respond.c - responses, and the headers that each of them carries. */
#include "respond.h"

#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <stdio.h>

#include "conditions.h"
#include "cors.h"
#include "hold.h"
#include "large.h"
#include "respond_impl.h"
#include "server.h"
#include "worker.h"

#define VALUE_LINES "\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox"
enum { VALUE_LINES_MAX = ENTRY_CONTENT_TYPE_MAX + 160 };

void respond_header(void *response, const char *name, const char *value) {
    if (value[0] != '\0' && MHD_add_response_header(response, name, value) != MHD_YES)
        return; /* a value with a line break, or no memory: the response is sent without it */
}

void respond_each_header(const struct request *r, header_put *put, void *to) {
    if (r->trace.id.len > 0) /* C strings, both */
        put(to, "X-Request-Id", r->trace.id.ptr);
    if (r->trace.parent.len > 0)
        put(to, "traceparent", r->trace.parent.ptr);
    cors_headers(r, put, to);
}

static NOINLINE bool says_keep_alive(const struct request *r) {
    return slice_caseeq(r->headers.connection, SLICE_LIT("keep-alive"));
}

/* Does the connection stay open behind the response? False where that is not sure. */
static inline bool stays_open(const struct request *r) {
    return r->http11 && (r->headers.connection.ptr == NULL || says_keep_alive(r));
}

/* A response that the library sends by one call. */
static inline enum MHD_Result queue_small(struct request *r, unsigned status, struct MHD_Response *response) {
    struct conn *c = conn_of_request(r);
    enum MHD_Result queued = MHD_queue_response(r->connection, status, response);

    if (queued == MHD_YES && c->tls == NULL && stays_open(r))
        gather_expect(&c->worker->gather, c);
    return queued;
}

enum MHD_Result respond_queue(struct request *r, unsigned status, struct MHD_Response *response) {
    bool closes = r->close || http_stopping(r->http);
    enum MHD_Result queued;

    if (response == NULL)
        return MHD_NO;
    r->status = status;
    if (closes)
        respond_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    respond_each_header(r, respond_header, response);
    if (status >= 400)
        atomic_fetch_add_explicit(&r->server->http.errors, 1, memory_order_relaxed);
    if (hold_needed(r))
        return hold_response(r, status, response);
    if (!closes && (status == 201 || status == 204))
        queued = queue_small(r, status, response);
    else
        queued = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

struct MHD_Response *respond_copy(struct request *r, struct slice body) {
    r->sent_bytes = body.len;
    return MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
}

void respond_header_etag(struct MHD_Response *response, struct slice etag) {
    char quoted[ETAG_LEN + 3] = "\"";

    if (etag.len != ETAG_LEN)
        return;
    memcpy(quoted + 1, etag.ptr, ETAG_LEN);
    quoted[ETAG_LEN + 1] = '"';
    respond_header(response, MHD_HTTP_HEADER_ETAG, quoted);
}

static void header_expiry(const struct request *r, struct MHD_Response *response, int64_t expire_at) {
    char ms[24];

    if (expire_at == NO_EXPIRY)
        return;
    snprintf(ms, sizeof(ms), "%lld", (long long)(expire_at - r->now_ms));
    respond_header(response, "FlashKV-TTL-Ms", ms);
    if (slice_eq(r->method, SLICE_LIT("GET")) || slice_eq(r->method, SLICE_LIT("HEAD"))) {
        char age[40];

        snprintf(age, sizeof(age), "max-age=%lld", (long long)(expire_at - r->now_ms) / 1000);
        respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, age);
    }
}

enum MHD_Result respond_tagged(struct request *r, unsigned status, struct slice etag, int64_t expire_at) {
    struct MHD_Response *response = respond_copy(r, slice_of("", 0));

    if (response != NULL) {
        respond_header_etag(response, etag);
        header_expiry(r, response, expire_at);
    }
    return respond_queue(r, status, response);
}

static ssize_t no_body(void *cls, uint64_t at, char *to, size_t max) {
    (void)cls, (void)at, (void)to, (void)max;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

enum MHD_Result respond_not_modified(struct request *r, struct slice etag, int64_t expire_at, size_t length) {
    /* The library sends this length, and no body. (0 would be taken for the length of the value, RFC 9110, 8.6.) */
    struct MHD_Response *response = MHD_create_response_from_callback(length, 1, no_body, NULL, NULL);

    if (response != NULL) {
        respond_header_etag(response, etag);
        header_expiry(r, response, expire_at);
        respond_header(response, MHD_HTTP_HEADER_VARY, "Accept");
    }
    return respond_queue(r, 304, response);
}

enum MHD_Result respond_empty(struct request *r, unsigned status) {
    return respond_tagged(r, status, slice_of("", 0), NO_EXPIRY);
}

enum MHD_Result respond_json_of_key(struct request *r, char *text, struct slice etag, int64_t expire_at) {
    struct MHD_Response *response;

    if (text == NULL) /* the command may have run: a closed connection claims neither success nor failure */
        return respond_queue(r, 503, NULL);
    response = respond_copy(r, slice_str(text));
    mem_free(text);
    if (response != NULL) {
        respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        if (etag.len > 0)
            respond_header(response, MHD_HTTP_HEADER_VARY, "Accept");
        respond_header_etag(response, etag);
        header_expiry(r, response, expire_at);
    }
    return respond_queue(r, 200, response);
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
    respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    respond_header(response, name, value);
    return respond_queue(r, status, response);
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
    respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return respond_queue(r, 200, response);
}

/* A response with bytes that live as long as the process. */
static struct MHD_Response *from_static(struct request *r, const char *type, struct slice body) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_PERSISTENT);

    r->sent_bytes = body.len;
    if (response != NULL) {
        respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        respond_header(response, "X-Content-Type-Options", "nosniff");
    }
    return response;
}

enum MHD_Result respond_static(struct request *r, const char *type, struct slice body) {
    return respond_queue(r, 200, from_static(r, type, body));
}

enum MHD_Result respond_own_page(struct request *r, const char *type, struct slice body) {
    struct MHD_Response *response = from_static(r, type, body);

    if (response != NULL) {
        respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
        respond_header(
            response, "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
    }
    return respond_queue(r, 200, response);
}

enum MHD_Result respond_stream(struct request *r, const char *type, struct MHD_Response *response) {
    respond_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    respond_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    return respond_queue(r, 200, response);
}

static void drop_blob(void *blob) {
    blob_unref(blob);
}

/* A response with the blob's bytes, which holds a reference until it is sent. */
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

/* Adds several headers as one: the first value, then "\r\nName: value" for each that follows. For each header the library
 * allocates three times, and visits as many places in memory whenever it sends it: five as one save 3 % of the CPU of a GET of
 * a small value. It rejects line ends in a value, but sends the value as it is stored, so they are written into its copy. */
static void respond_lines(struct MHD_Response *response, const char *name, const char *lines) {
    size_t len = strlen(lines);
    char flat[VALUE_LINES_MAX];
    const char *own;

    for (size_t i = 0; i <= len; i++)
        flat[i] = lines[i] == '\r' || lines[i] == '\n' ? ' ' : lines[i];
    respond_header(response, name, flat);
    own = MHD_get_response_header(response, name);
    if (own != NULL) /* else no memory: the response is sent without them */
        memcpy((char *)(uintptr_t)own, lines, len);
}

/* The headers of a stored value's response, whole or in part. A value is data, never a page of this service: whatever it
 * contains, a browser must not run it. A value with a tag is available as JSON too (Vary). */
static void header_value(struct MHD_Response *response, struct slice type, struct slice etag) {
    char lines[VALUE_LINES_MAX];

    if (type.len == 0 || !media_type_fits(type))
        type = SLICE_LIT("application/octet-stream");
    snprintf(lines, sizeof(lines),
             etag.len > 0 ? "%.*s" VALUE_LINES "\r\nVary: Accept\r\nETag: \"%.*s\"" : "%.*s" VALUE_LINES,
             (int)type.len, type.ptr, (int)etag.len, etag.ptr);
    respond_lines(response, MHD_HTTP_HEADER_CONTENT_TYPE, lines);
}

static struct MHD_Response *value_response(struct request *r, const struct token *t, struct slice value,
                                           struct slice type, struct slice etag) {
    struct MHD_Response *response = t->kind == TOKEN_BLOB ? from_blob(r, t->blob) : respond_copy(r, value);

    if (response != NULL)
        header_value(response, type, etag);
    return response;
}

/* A response with a part of the blob, which holds a reference until it is sent. */
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
        response = problem_response(r, 416, "the value has none of the bytes that Range asks for");
    } else {
        snprintf(range, sizeof(range), "bytes %llu-%llu/%zu", (unsigned long long)from,
                 (unsigned long long)(from + count - 1), bytes.len);
        response = t->kind == TOKEN_BLOB ? part_of_blob(r, t->blob, from, count)
                                         : respond_copy(r, slice_of(bytes.ptr + from, count));
        if (response != NULL) {
            header_value(response, type, etag);
            header_expiry(r, response, expire_at);
        }
    }
    if (response != NULL)
        respond_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
    return respond_queue(r, count == 0 ? 416 : 206, response);
}

enum MHD_Result respond_representation(struct request *r, unsigned status, struct slice etag,
                                       int64_t expire_at) {
    struct MHD_Response *response =
        r->body != NULL ? part_of_blob(r, r->body, 0, r->body->len) : respond_copy(r, request_body(r));

    if (response != NULL) {
        header_value(response, r->headers.content_type, etag);
        header_expiry(r, response, expire_at);
        respond_header(response, "Preference-Applied", "return=representation");
    }
    return respond_queue(r, status, response);
}

/* May the response be shared through the cache? It contains nothing that is specific to this request. */
static bool is_plain(struct request *r, size_t len, int64_t expire_at) {
    return len <= CACHE_VALUE_MAX && expire_at == NO_EXPIRY && !cors_is_on(r) && !r->close &&
           !http_stopping(r->http) && !hold_needed(r) && trace_name(&r->trace).len == 0;
}

bool respond_kept(struct request *r, uint64_t digest, struct slice value, struct slice type,
                  int64_t expire_at, enum MHD_Result *result) {
    struct MHD_Response *response;

    if (!is_plain(r, value.len, expire_at))
        return false;
    response = cache_find(&conn_of_request(r)->worker->cache, digest, value, type, r->now_ms);
    if (response == NULL)
        return false;
    r->sent_bytes = value.len;
    r->status = 200;
    *result = queue_small(r, 200, response); /* takes a reference of its own */
    return true;
}

enum MHD_Result respond_value(struct request *r, const struct capture *c, size_t value, struct slice type,
                              uint64_t digest, struct slice etag, int64_t expire_at) {
    struct slice bytes = capture_text(c, value);
    struct MHD_Response *response = value_response(r, &c->tokens[value], bytes, type, etag);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    if (etag.len == 0 || !is_plain(r, bytes.len, expire_at)) {
        header_expiry(r, response, expire_at);
        return respond_queue(r, 200, response);
    }
    r->status = 200;
    result = queue_small(r, 200, response);
    cache_offer(&conn_of_request(r)->worker->cache, digest, bytes, type, response);
    return result;
}
