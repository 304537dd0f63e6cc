/* request.c - taking a request apart. */
#include "request.h"

#include <flashkv/mem.h>

#include "server.h"

enum { BLOB_FIRST = 64 * 1024, THROW_AWAY_MAX = 1024 * 1024 };

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
            return TARGET_OK;
        }
        if (!decode(at, segment_end, false, &t->segments[t->segment_count++]))
            return TARGET_BAD_ESCAPE;
        if (stop == NULL)
            return TARGET_OK;
        at = stop + 1;
        if (at == end) { /* "/keys/" has an empty last segment: the empty key */
            if (t->segment_count == SEGMENTS_MAX)
                t->too_deep = true;
            else
                t->segments[t->segment_count++] = slice_of(at, 0);
        }
    }
    return TARGET_OK;
}

enum target_result target_parse(char *raw, struct target *t) {
    char *path = raw, *end, *query;
    enum target_result r;

    t->segment_count = t->query_count = 0;
    t->too_deep = false;
    for (const char *c = raw; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '#')
            return TARGET_BAD_BYTE;
    if (strcmp(raw, "*") == 0)
        return TARGET_OK;
    if (strncasecmp(raw, "http://", 7) == 0 || strncasecmp(raw, "https://", 8) == 0) {
        path = strstr(raw, "://") + 3;
        path += strcspn(path, "/?");
    }
    end = path + strcspn(path, "?");
    query = *end == '?' ? end + 1 : end;
    if (path < end && *path != '/')
        return TARGET_BAD_BYTE;
    r = path < end ? parse_path(path + 1, end, t) : TARGET_OK;
    return r == TARGET_OK ? parse_query(query, t) : r;
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

static bool is_token(const char *name, size_t len) {
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || (unsigned char)name[i] >= 0x7f ||
            strchr("\"(),/:;<=>?@[\\]{}", name[i]) != NULL)
            return false;
    return len > 0;
}

static enum MHD_Result note_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                   const char *value, size_t value_len) {
    static const struct {
        const char *name;
        size_t offset;
    } known[] = {
        {"accept", offsetof(struct headers, accept)},
        {"content-type", offsetof(struct headers, content_type)},
        {"expect", offsetof(struct headers, expect)},
        {"if-match", offsetof(struct headers, if_match)},
        {"if-none-match", offsetof(struct headers, if_none_match)},
        {"transfer-encoding", offsetof(struct headers, transfer_encoding)},
    };
    struct headers *h = cls;
    struct slice n = slice_of(name, name_len), v = slice_of(value != NULL ? value : "", value_len);

    (void)kind;
    h->malformed |= !is_token(name, name_len) || (v.len > 0 && memchr(v.ptr, '\r', v.len) != NULL);
    if (slice_caseeq(n, SLICE_LIT("host"))) {
        h->hosts++;
    } else if (slice_caseeq(n, SLICE_LIT("content-length"))) {
        h->lengths_differ |= h->content_lengths > 0 && !slice_eq(v, h->content_length);
        h->content_length = v;
        h->content_lengths++;
    } else {
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            if (slice_caseeq(n, slice_str(known[i].name)))
                *(struct slice *)((char *)h + known[i].offset) = v;
    }
    return MHD_YES;
}

void request_headers(struct request *r) {
    MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, note_header, &r->headers);
}

/* ---- the request ------------------------------------------------------------------------------------------------ */

struct request *request_new(struct http *h, struct MHD_Connection *connection, const char *raw) {
    struct request *r = mem_alloc(sizeof(*r));
    size_t len = strlen(raw) + 1;

    if (r == NULL)
        return NULL;
    memset(r, 0, offsetof(struct request, room));
    r->http = h;
    r->server = http_server(h);
    r->connection = connection;
    r->raw = len <= sizeof(r->room) ? r->room : mem_alloc(len);
    if (r->raw == NULL) {
        mem_free(r);
        return NULL;
    }
    memcpy(r->raw, raw, len);
    r->target_at = raw;
    r->target_len = len - 1;
    r->target_result = target_parse(r->raw, &r->target);
    return r;
}

void request_free(struct request *r) {
    if (r == NULL)
        return;
    blob_unref(r->body);
    if (r->raw != r->room)
        mem_free(r->raw);
    mem_free(r);
}

/* Room for `more` bytes in the blob, which takes over from the small buffer. */
static bool body_room(struct request *r, size_t more) {
    struct blob *b = r->body;
    size_t need;

    if (b == NULL) {
        b = blob_new(r->body_len, BLOB_FIRST + more);
        if (b == NULL)
            return false;
        memcpy(b->data, r->small, r->body_len);
        r->body = b;
    }
    need = b->len + more;
    if (need <= b->cap)
        return true;
    b = blob_grow(b, need + need / 2);
    if (b == NULL)
        return false;
    r->body = b;
    return true;
}

bool request_body_add(struct request *r, const char *bytes, size_t len) {
    size_t have = r->body != NULL ? r->body->len : r->body_len;

    if (r->too_long || len > r->server->options->max_value_bytes - have) {
        r->too_long = true;
        r->thrown_away += len;
        return r->thrown_away <= THROW_AWAY_MAX; /* then the connection is cut */
    }
    if (r->body == NULL && have + len <= sizeof(r->small)) {
        memcpy(r->small + have, bytes, len);
        r->body_len += len;
        return true;
    }
    if (!body_room(r, len))
        return false;
    memcpy(r->body->data + r->body->len, bytes, len);
    r->body->len += len;
    return true;
}

struct slice request_body(const struct request *r) {
    return r->body != NULL ? blob_slice(r->body) : slice_of(r->small, r->body_len);
}
