/* request.c - parsing headers, the life of a request, and its body. */
#include "request.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdarg.h>
#include <stdio.h>

#include "cors.h"
#include "poll.h"
#include "server.h"

enum { BLOB_FIRST = 256 * 1024, VERDICT_MAX = 160 };

/* ---- headers --------------------------------------------------------------------------------------------------- */

static bool layout_known; /* set before main, then constant */

__attribute__((constructor)) static void layout_ask(void) {
    layout_known = strcmp(MHD_get_version(), "0.9.75") == 0;
}

bool request_layout_is_known(void) {
    return layout_known;
}

/* A token of RFC 9110, 5.6.2: visible characters except delimiters. */
static bool is_token(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i], lower = c | 0x20;

        if ((lower < 'a' || lower > 'z') && c != '-' &&
            (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL))
            return false;
    }
    return len > 0;
}

/* Is it this header's name, which is given in lower case? */
static inline bool is_named(struct slice name, struct slice lower) {
    if (name.len != lower.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((name.ptr[i] | (lower.ptr[i] & 0x40) >> 1) != lower.ptr[i]) /* sets the case bit of a letter */
            return false;
    return true;
}

/* The header's place in *h; NULL: it is not used. */
static struct slice *known_header(struct headers *h, struct slice name) {
    static const struct {
        struct slice name;
        size_t offset;
    } known[] = {
        {SLICE_LIT("host"), offsetof(struct headers, host)},
        {SLICE_LIT("accept"), offsetof(struct headers, accept)},
        {SLICE_LIT("content-length"), offsetof(struct headers, content_length)},
        {SLICE_LIT("content-type"), offsetof(struct headers, content_type)},
        {SLICE_LIT("transfer-encoding"), offsetof(struct headers, transfer_encoding)},
        {SLICE_LIT("expect"), offsetof(struct headers, expect)},
        {SLICE_LIT("if-match"), offsetof(struct headers, if_match)},
        {SLICE_LIT("if-none-match"), offsetof(struct headers, if_none_match)},
        {SLICE_LIT("content-encoding"), offsetof(struct headers, content_encoding)},
        {SLICE_LIT("range"), offsetof(struct headers, range)},
        {SLICE_LIT("if-range"), offsetof(struct headers, if_range)},
        {SLICE_LIT("prefer"), offsetof(struct headers, prefer)},
        {SLICE_LIT("content-range"), offsetof(struct headers, content_range)},
        {SLICE_LIT("x-request-id"), offsetof(struct headers, request_id)},
        {SLICE_LIT("traceparent"), offsetof(struct headers, traceparent)},
        {SLICE_LIT("origin"), offsetof(struct headers, origin)},
        {SLICE_LIT("sec-fetch-site"), offsetof(struct headers, sec_fetch_site)},
        {SLICE_LIT("connection"), offsetof(struct headers, connection)},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (is_named(name, known[i].name))
            return (struct slice *)(void *)((char *)h + known[i].offset);
    return NULL;
}

/* A header is repeated. Two ids are ambiguous, and count as none; so do two Connection headers, which are allowed. */
static void note_again(struct headers *h, const struct slice *place, struct slice *v) {
    if (place == &h->request_id || place == &h->traceparent || place == &h->connection)
        v->len = 0;
    else
        h->repeated = true;
}

static enum MHD_Result note_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len) {
    struct headers *h = cls;
    struct slice v = slice_of(value != NULL ? value : "", value_len),
                 *place = known_header(h, slice_of(name, name_len));

    (void)kind;
    if (memchr(v.ptr, '\r', v.len) != NULL || (place == NULL && !is_token(name, name_len)))
        h->malformed = true;
    if (h->line != NULL) {
        h->malformed |= name != h->line;
        h->line = v.ptr + v.len + 2; /* after CR LF */
    }
    if (place != NULL) {
        if (place->ptr != NULL)
            note_again(h, place, &v);
        *place = v;
    }
    return MHD_YES;
}

void request_headers(struct request *r, const char *version) {
    const union MHD_ConnectionInfo *info;
    struct headers *h = &r->headers;

    r->http11 = !slice_eq(slice_str(version), SLICE_LIT("HTTP/1.0"));
    if (request_layout_is_known())
        h->line = version + strlen(version) + 2;
    h->count = (unsigned)MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, note_header, h);
    info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    h->size = info != NULL ? info->header_size : 0;
    if (h->line != NULL) /* after the last header comes the empty line, and nothing else */
        h->malformed |= h->line + 2 != r->method.ptr + h->size;
}

bool request_fills(const struct request *r, uint64_t taken) {
    uint64_t room = r->server->options->http_memory;
    uint64_t answer = room / 4 < CROWD_RESPONSE ? room / 4 : CROWD_RESPONSE;

    if (r->headers.origin.ptr != NULL && cors_is_on(r))
        answer += CROWD_CORS;
    return taken + answer > room;
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

/* The slow path of request_begin: the target has to be decoded, prefixed, or kept longer than the library keeps it. */
static COLD bool begin_with_copy(struct request *r, const char *raw, const char *prefix) {
    size_t len = strlen(raw), before = strlen(prefix), parameters = target_parameters(raw);
    struct pair *query = NULL;

    r->raw_len = len;
    r->raw = before + len < sizeof(r->room) ? r->room : mem_alloc(before + len + 1);
    if (parameters > 0)
        query = mem_alloc(parameters * sizeof(*query));
    if (r->raw == NULL || (query == NULL && parameters > 0)) {
        mem_free(query);
        if (r->raw != r->room)
            mem_free(r->raw);
        r->raw = r->room;
        return false;
    }
    memcpy(r->raw, prefix, before);
    memcpy(r->raw + before, raw, len + 1);
    /* Only a path can follow a prefix: an absolute form would escape from it. */
    r->target_result = before > 0 && *raw != '/' ? TARGET_BAD_BYTE : target_parse(r->raw, query, &r->target);
    r->target.query = query;
    return true;
}

bool request_begin(struct request *r, struct http *h, struct MHD_Connection *connection, const char *raw,
                   const char *prefix) {
    memset(r, 0, offsetof(struct request, room));
    r->http = h;
    r->server = http_server(h);
    r->connection = connection;
    r->raw = r->room;
    if (*prefix != '\0' || http_keeps_access_log(h) || !target_parse_plain(raw, &r->target, &r->raw_len))
        return begin_with_copy(r, raw, prefix);
    if (r->target.segment_count > 1) {
        r->near = store_key(r->server->store, r->target.segments[1]);
        store_prefetch_shard(r->server->store, &r->near);
    }
    return true;
}

/* Is there nothing to release? That is so for most requests. */
static inline bool holds_nothing(const struct request *r) {
    return r->raw == r->room && r->small == NULL && r->body == NULL && r->logged == NULL &&
           r->intake == NULL && r->pause == NULL && r->poll == NULL && r->verdict.detail == NULL &&
           r->held == NULL && r->target.query == NULL;
}

static COLD void give_back(struct request *r) {
    hold_drop(r);
    poll_end(r); /* before the pause that it would wake */
    if (r->intake != NULL)
        r->intake->free(r->intake_ctx);
    r->intake = NULL;
    pause_free(r->pause);
    r->pause = NULL;
    blob_unref(r->body);
    r->body = NULL;
    mem_free(r->logged);
    r->logged = NULL;
    mem_free(r->verdict.detail);
    r->verdict.detail = NULL;
    mem_free(r->small); /* an idle connection must not keep it */
    r->small = NULL;
    mem_free(r->target.query);
    r->target.query = NULL;
    if (r->raw != r->room)
        mem_free(r->raw);
    r->raw = r->room;
}

void request_end(struct request *r) {
    if (!holds_nothing(r))
        give_back(r);
}

void request_orphan(struct request *r) {
    r->method = slice_of("", 0);
    r->headers = (struct headers){.count = 0};
    r->trace.parent = r->method;
    if (r->trace.id.ptr != r->trace.made)
        r->trace.id = r->method;
}

/* ---- the body ----------------------------------------------------------------------------------------------------- */

enum MHD_Result request_refuse(struct request *r, unsigned status, const char *fmt, ...) {
    char detail[VERDICT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    mem_free(r->verdict.detail);
    r->verdict = (struct verdict){status, mem_dup(detail, strlen(detail) + 1)};
    return MHD_NO;
}

enum MHD_Result request_take(struct request *r, const struct intake *intake, void *ctx) {
    r->intake = intake;
    r->intake_ctx = ctx;
    return MHD_YES;
}

/* The capacity for `need` bytes: twice as much, but not more than was announced or is allowed. */
static size_t body_cap(const struct request *r, size_t need) {
    uint64_t most = r->server->options->max_value_bytes, length;
    size_t cap = need < BLOB_FIRST / 2 ? BLOB_FIRST : 2 * need;

    if (num_parse_u64(r->headers.content_length, &length))
        most = length;
    return cap < most ? cap : need > most ? need : (size_t)most;
}

/* Makes room for `more` bytes in the blob, which replaces the small buffer. */
static bool body_room(struct request *r, size_t more) {
    struct blob *b = r->body;
    size_t need;

    if (b == NULL) {
        b = blob_new(r->body_len, body_cap(r, r->body_len + more));
        if (b == NULL)
            return false;
        if (r->body_len > 0)
            memcpy(b->data, r->small, r->body_len);
        r->body = b;
    }
    need = b->len + more;
    if (need <= b->cap)
        return true;
    b = blob_grow(b, body_cap(r, need));
    if (b == NULL)
        return false;
    r->body = b;
    return true;
}

enum body_result request_body_add(struct request *r, const char *bytes, size_t len) {
    size_t have = r->body != NULL ? r->body->len : r->body_len;

    if (len > r->server->options->max_value_bytes - have)
        return BODY_TOO_LONG;
    if (r->body == NULL && have + len <= SMALL_BODY) {
        if (r->small == NULL && (r->small = mem_alloc(SMALL_BODY)) == NULL)
            return BODY_NO_MEMORY;
        memcpy(r->small + have, bytes, len);
        r->body_len += len;
        return BODY_OK;
    }
    if (!body_room(r, len))
        return BODY_NO_MEMORY;
    memcpy(r->body->data + r->body->len, bytes, len);
    r->body->len += len;
    return BODY_OK;
}

void request_body_done(struct request *r) {
    if (r->body != NULL)
        r->body = blob_trim(r->body);
}

struct slice request_body(const struct request *r) {
    return r->body != NULL ? blob_slice(r->body) : slice_of(r->small, r->body_len);
}
