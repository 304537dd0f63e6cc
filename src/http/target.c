/* target.c - parsing the target of a request. */
#include "request.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [from, end) in place. False: a % that two hex digits do not follow. */
static bool decode(char *from, const char *end, bool plus_is_space, struct slice *out) {
    char *to = from;

    out->ptr = from;
    if (!plus_is_space && memchr(from, '%', (size_t)(end - from)) == NULL) { /* as in most keys */
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
        if (at == end) { /* "/keys/" ends in an empty segment: the empty key */
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

/* A control character, a space or "#". Most bytes need one comparison: all of those but DEL are below "$". */
static bool has_bad_byte(const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c < '$' && c != '!' && c != '"') || c == 0x7f)
            return true;
    }
    return false;
}

/* Bytes that need no decoding in a segment, except "!", "\"" and "$", which are rare. */
static const bool plain[256] = {
    ['&' ... '.'] = true, ['0' ... '>'] = true, ['@' ... '~'] = true, [0x80 ... 0xff] = true};

bool target_parse_plain(const char *raw, struct target *t, size_t *len) {
    const char *at = raw;
    unsigned n = 0;

    if (*raw != '/')
        return false;
    while (*at == '/' && n < SEGMENTS_MAX) {
        const char *from = ++at;

        while (plain[(unsigned char)*at])
            at++;
        t->segments[n++] = slice_of(from, (size_t)(at - from));
    }
    if (*at != '\0')
        return false;
    *len = (size_t)(at - raw);
    t->segment_count = *len > 1 ? n : 0;
    t->query = NULL;
    t->query_count = 0;
    t->rest = NULL;
    t->too_deep = t->is_asterisk = false;
    return true;
}

enum target_result target_parse(char *raw, struct pair *pairs, struct target *t) {
    char *path = raw, *end, *query;
    enum target_result r;

    t->query = pairs;
    t->segment_count = t->query_count = 0;
    t->rest = NULL;
    t->too_deep = t->is_asterisk = false;
    if (has_bad_byte(raw) || *raw == '\0') /* two spaces after the method; the library's 1.0 accepts them */
        return TARGET_BAD_BYTE;
    t->is_asterisk = t->too_deep = raw[0] == '*' && raw[1] == '\0'; /* matches no path */
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
