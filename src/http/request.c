/* request.c - taking a request apart. */
#include "request.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdarg.h>
#include <stdio.h>

#include "cors.h"
#include "poll.h"
#include "server.h"

enum { BLOB_FIRST = 256 * 1024, VERDICT_MAX = 160 };

/* ---- the target ------------------------------------------------------------------------------------------------ */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [from, end) in place. False: a % without two hex digits. */
static bool decode(char *from, const char *end, bool plus_is_space, struct slice *out) {
    char *to = from;

    out->ptr = from;
    if (!plus_is_space && memchr(from, '%', (size_t)(end - from)) == NULL) { /* most keys */
        out->len = (size_t)(end - from);
        return true;
    }
    while (from < end) {
        if (*from == '%') {
            int high = end - from > 2 ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;

            if (low < 0)
                return false;
            *to++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *to++ = *from == '+' && plus_is_space ? ' ' : *from;
            from++;
        }
    }
    out->len = (size_t)(to - out->ptr);
    return true;
}

static enum target_result parse_query(char *at, struct target *t) {
    while (*at != '\0') {
        char *end = at + strcspn(at, "&"), *equals = memchr(at, '=', (size_t)(end - at));
        char *name_end = equals != NULL ? equals : end;
        char *next = *end != '\0' ? end + 1 : end;
        struct pair *p = &t->query[t->query_count];

        if (end > at) {
            if (t->query_count == QUERY_MAX)
                return TARGET_TOO_MANY_PARAMETERS;
            if (!decode(at, name_end, true, &p->name) ||
                !decode(equals != NULL ? equals + 1 : end, end, true, &p->value))
                return TARGET_BAD_ESCAPE;
            t->query_count++;
        }
        at = next;
    }
    return TARGET_OK;
}

static enum target_result parse_path(char *at, char *end, struct target *t) {
    while (at < end) {
        char *stop = memchr(at, '/', (size_t)(end - at));
        char *segment_end = stop != NULL ? stop : end;

        if (t->segment_count == SEGMENTS_MAX) {
            t->too_deep = true;
            t->rest = at;
            t->rest_end = end;
            return TARGET_OK;
        }
        if (!decode(at, segment_end, false, &t->segments[t->segment_count++]))
            return TARGET_BAD_ESCAPE;
        if (stop == NULL)
            return TARGET_OK;
        at = stop + 1;
        if (at == end) { /* "/keys/" has an empty last segment: the empty key */
            if (t->segment_count == SEGMENTS_MAX) {
                t->too_deep = true;
                t->rest = t->rest_end = at;
            } else
                t->segments[t->segment_count++] = slice_of(at, 0);
        }
    }
    return TARGET_OK;
}

unsigned target_parameters(const char *raw) {
    const char *at = strchr(raw, '?');
    unsigned n = 0;

    for (; at != NULL && n < QUERY_MAX; at = strchr(at + 1, '&'))
        n++;
    return n;
}

/* A control character, a space or "#". One test for most bytes: all of those are below "$" but DEL. */
static bool has_bad_byte(const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c < '$' && c != '!' && c != '"') || c == 0x7f)
            return true;
    }
    return false;
}

enum target_result target_parse(char *raw, struct pair *pairs, struct target *t) {
    char *path = raw, *end, *query;
    enum target_result r;

    t->query = pairs;
    t->segment_count = t->query_count = 0;
    t->rest = NULL;
    t->too_deep = t->is_asterisk = false;
    if (has_bad_byte(raw) || *raw == '\0') /* two spaces behind the method; 1.0 of the library lets it pass */
        return TARGET_BAD_BYTE;
    t->is_asterisk = t->too_deep = raw[0] == '*' && raw[1] == '\0'; /* no path has this */
    if (t->is_asterisk)
        return TARGET_OK;
    if (*raw != '/' && (strncasecmp(raw, "http://", 7) == 0 || strncasecmp(raw, "https://", 8) == 0)) {
        path = strstr(raw, "://") + 3;
        path += strcspn(path, "/?");
    }
    end = strchrnul(path, '?');
    query = *end == '?' ? end + 1 : end;
    if (path < end && *path != '/')
        return TARGET_BAD_BYTE;
    r = path < end ? parse_path(path + 1, end, t) : TARGET_OK;
    return r == TARGET_OK ? parse_query(query, t) : r;
}

bool target_next(struct target *t, struct slice *segment, enum target_result *result) {
    char *at = t->rest, *stop;

    if (at == NULL)
        return false;
    stop = memchr(at, '/', (size_t)(t->rest_end - at));
    t->rest = stop != NULL ? stop + 1 : NULL;
    if (!decode(at, stop != NULL ? stop : t->rest_end, false, segment))
        *result = TARGET_BAD_ESCAPE;
    return *result == TARGET_OK;
}

bool target_query(const struct target *t, const char *name, struct slice *value) {
    for (unsigned i = 0; i < t->query_count; i++)
        if (slice_eq(t->query[i].name, slice_str(name))) {
            *value = t->query[i].value;
            return true;
        }
    return false;
}

/* ---- headers --------------------------------------------------------------------------------------------------- */

static bool layout_known; /* from before main on */

__attribute__((constructor)) static void layout_ask(void) {
    layout_known = strcmp(MHD_get_version(), "0.9.75") == 0;
}

bool request_layout_is_known(void) {
    return layout_known;
}

/* RFC 9110, 5.6.2: visible characters but delimiters. */
static bool is_token(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i], lower = c | 0x20;

        if ((lower < 'a' || lower > 'z') && c != '-' &&
            (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL))
            return false;
    }
    return len > 0;
}

/* The header's place in *h, or NULL: nobody looks at it. */
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
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_caseeq(name, known[i].name))
            return (struct slice *)(void *)((char *)h + known[i].offset);
    return NULL;
}

/* A header is given twice: of two ids nobody knows which is meant. */
static void note_again(struct headers *h, const struct slice *place, struct slice *v) {
    if (place == &h->request_id || place == &h->traceparent)
        v->len = 0;
    else
        h->repeated = true;
}

static enum MHD_Result note_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len) {
    struct headers *h = cls;
    struct slice v = slice_of(value != NULL ? value : "", value_len), *place;

    (void)kind;
    h->malformed |= !is_token(name, name_len) || memchr(v.ptr, '\r', v.len) != NULL;
    if (h->line != NULL) {
        h->malformed |= name != h->line;
        h->line = v.ptr + v.len + 2; /* behind CR LF */
    }
    place = known_header(h, slice_of(name, name_len));
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

    if (request_layout_is_known())
        h->line = version + strlen(version) + 2;
    h->count = (unsigned)MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, note_header, h);
    info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    h->size = info != NULL ? info->header_size : 0;
    if (h->line != NULL) /* the empty line, and nothing after it */
        h->malformed |= h->line + 2 != r->method.ptr + h->size;
}

bool request_is_crowded(const struct request *r) {
    enum {
        NOTE = 64, /* what the library takes beside for a header, or a parameter */
        RESPONSE =
            840, /* lines of a response: a long Content-Type, tag, range, expiry, policies, names of the request */
        OF_CORS = 960,
    };
    uint64_t room = r->server->options->http_memory, answer = room / 4 < RESPONSE ? room / 4 : RESPONSE;

    if (r->headers.origin.ptr != NULL && cors_is_on(r))
        answer += OF_CORS;
    return (r->headers.size > 0 ? r->headers.size : r->raw_len) +
               (uint64_t)NOTE * (r->headers.count + r->target.query_count) + answer >
           room;
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

bool request_begin(struct request *r, struct http *h, struct MHD_Connection *connection, const char *raw,
                   const char *prefix) {
    size_t len = strlen(raw), before = strlen(prefix), parameters = target_parameters(raw);
    struct pair *query = NULL;

    memset(r, 0, offsetof(struct request, room));
    r->http = h;
    r->server = http_server(h);
    r->connection = connection;
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
    /* Only a path can follow a prefix: an absolute form would lead past it. */
    r->target_result = before > 0 && *raw != '/' ? TARGET_BAD_BYTE : target_parse(r->raw, query, &r->target);
    r->target.query = query;
    return true;
}

void request_end(struct request *r) {
    hold_drop(r);
    poll_end(r); /* before what it wakes */
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
    mem_free(r->small); /* an idle connection is not to hold it */
    r->small = NULL;
    mem_free(r->target.query);
    r->target.query = NULL;
    if (r->raw != r->room)
        mem_free(r->raw);
    r->raw = r->room;
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

/* A blob's room for `need` bytes: what has come and as much again, never more than was announced or allowed. */
static size_t body_cap(const struct request *r, size_t need) {
    uint64_t most = r->server->options->max_value_bytes, length;
    size_t cap = need < BLOB_FIRST / 2 ? BLOB_FIRST : 2 * need;

    if (num_parse_u64(r->headers.content_length, &length))
        most = length;
    return cap < most ? cap : need > most ? need : (size_t)most;
}

/* Room for `more` bytes in the blob, which takes over from the small buffer. */
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
