/* conditions.c - entity tags and media types. */
#include "conditions.h"

/* The next tag of the list at *at: false at its end, or where it is no list of tags any more. */
static bool next_tag(struct slice list, size_t *at, struct slice *tag, bool *weak) {
    size_t i = *at, end;

    while (i < list.len && (list.ptr[i] == ' ' || list.ptr[i] == '\t' || list.ptr[i] == ','))
        i++;
    *weak = list.len - i > 2 && list.ptr[i] == 'W' && list.ptr[i + 1] == '/';
    i += *weak ? 2 : 0;
    if (i >= list.len)
        return false;
    if (list.ptr[i] == '*') {
        *tag = slice_of(list.ptr + i, 1);
        *at = i + 1;
        return true;
    }
    if (list.ptr[i] != '"')
        return false;
    for (end = ++i; end < list.len && list.ptr[end] != '"'; end++)
        continue;
    if (end == list.len)
        return false;
    *tag = slice_of(list.ptr + i, end - i);
    *at = end + 1;
    return true;
}

size_t etag_parse(struct slice list, struct slice *tags, size_t cap) {
    size_t n = 0, at = 0;
    struct slice tag;
    bool weak;

    while (next_tag(list, &at, &tag, &weak)) {
        if (n < cap)
            tags[n] = tag;
        n++;
    }
    return n;
}

bool etag_listed(struct slice list, struct slice etag, bool weak_matches) {
    size_t at = 0;
    struct slice tag;
    bool weak;

    while (next_tag(list, &at, &tag, &weak))
        if (slice_eq(tag, SLICE_LIT("*")) || (etag.len > 0 && slice_eq(tag, etag) && (!weak || weak_matches)))
            return true;
    return false;
}

static struct slice trim(struct slice s) {
    while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t'))
        s = slice_of(s.ptr + 1, s.len - 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Cuts `s` at the first `c`; *rest is what follows. */
static struct slice cut(struct slice s, char c, struct slice *rest) {
    const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;
    size_t len = at != NULL ? (size_t)(at - s.ptr) : s.len;

    *rest = at != NULL ? slice_of(at + 1, s.len - len - 1) : slice_of(s.ptr + s.len, 0);
    return trim(slice_of(s.ptr, len));
}

/* "q=0", "q=0.0", "q=0.000": not wanted. */
static bool is_zero_quality(struct slice parameter) {
    if (parameter.len < 3 || (parameter.ptr[0] | 0x20) != 'q' || parameter.ptr[1] != '=')
        return false;
    for (size_t i = 2; i < parameter.len; i++)
        if (parameter.ptr[i] != '0' && parameter.ptr[i] != '.')
            return false;
    return true;
}

bool accepts_type(struct slice accept, struct slice type) {
    while (accept.len > 0) {
        struct slice range = cut(accept, ',', &accept), parameters;
        bool named = slice_caseeq(cut(range, ';', &parameters), type);

        while (named && parameters.len > 0)
            named = !is_zero_quality(cut(parameters, ';', &parameters));
        if (named)
            return true;
    }
    return false;
}

bool accepts_json(struct slice accept) {
    return accepts_type(accept, SLICE_LIT("application/json"));
}

bool keys_pattern(const struct request *r, struct buf *pattern) {
    struct slice prefix, match;
    bool has_prefix = target_query(&r->target, "prefix", &prefix);
    bool has_match = target_query(&r->target, "match", &match);
    bool ok = true;

    if (has_prefix && has_match)
        return false;
    if (has_match)
        return buf_append_slice(pattern, match);
    if (!has_prefix)
        return true;
    for (size_t i = 0; i < prefix.len && ok; i++) {
        if (memchr("*?[]\\^-", prefix.ptr[i], 7) != NULL)
            ok = buf_append(pattern, "\\", 1);
        ok = ok && buf_append(pattern, prefix.ptr + i, 1);
    }
    return ok && buf_append(pattern, "*", 1);
}
