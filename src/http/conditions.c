/* conditions.c - parsing entity tags, ranges and media types. */
#include "conditions.h"

#include <flashkv/num.h>

/* Takes one tag off the front of *list: "opaque" or W/"opaque". False: malformed. */
static bool take_tag(struct slice *list, struct slice *tag, bool *weak) {
    const char *quote;

    *weak = slice_starts(*list, SLICE_LIT("W/"));
    if (*weak)
        *list = slice_of(list->ptr + 2, list->len - 2);
    if (list->len < 2 || *list->ptr != '"' || (quote = memchr(list->ptr + 1, '"', list->len - 1)) == NULL)
        return false;
    *tag = slice_of(list->ptr + 1, (size_t)(quote - list->ptr) - 1);
    *list = slice_of(quote + 1, list->len - tag->len - 2);
    return true;
}

static void skip(struct slice *s, const char *chars) {
    while (s->len > 0 && strchr(chars, *s->ptr) != NULL)
        *s = slice_of(s->ptr + 1, s->len - 1);
}

bool etags_parse(struct slice list, bool weak, struct etags *out) {
    struct slice tag;
    bool is_weak;

    *out = (struct etags){.any = false};
    for (skip(&list, ", \t"); list.len > 0; skip(&list, ", \t")) {
        if (*list.ptr == '*') {
            out->any = true;
            list = slice_of(list.ptr + 1, list.len - 1);
        } else if (!take_tag(&list, &tag, &is_weak)) {
            return false;
        } else if (tag.len == ETAG_LEN && (weak || !is_weak)) {
            if (out->count == ETAGS_MAX)
                return false;
            out->tags[out->count++] = tag;
        }
        skip(&list, " \t");
        if (list.len > 0 && *list.ptr != ',')
            return false;
    }
    return true;
}

bool etags_include(const struct etags *e, struct slice etag) {
    if (e->any)
        return true;
    for (unsigned i = 0; i < e->count && etag.len > 0; i++)
        if (slice_eq(e->tags[i], etag))
            return true;
    return false;
}

/* A position: digits only. A number that does not fit is past every end. */
static bool parse_position(struct slice s, uint64_t *n) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    while (s.len > 1 && *s.ptr == '0')
        s = slice_of(s.ptr + 1, s.len - 1);
    if (s.len > 0 && !num_parse_u64(s, n))
        *n = UINT64_MAX;
    return s.len > 0;
}

enum range_result range_parse(struct slice header, uint64_t len, uint64_t *from, uint64_t *count) {
    struct slice unit = SLICE_LIT("bytes="), first, last;
    uint64_t a, b;
    const char *dash;

    if (header.len <= unit.len || !slice_caseeq(slice_of(header.ptr, unit.len), unit))
        return RANGE_IGNORED;
    header = slice_of(header.ptr + unit.len, header.len - unit.len);
    if ((dash = memchr(header.ptr, '-', header.len)) == NULL)
        return RANGE_IGNORED;
    first = slice_of(header.ptr, (size_t)(dash - header.ptr));
    last = slice_of(dash + 1, header.len - first.len - 1);
    if (first.len == 0) { /* a suffix: the last `b` bytes */
        if (!parse_position(last, &b))
            return RANGE_IGNORED;
        *count = b < len ? b : len;
        *from = len - *count;
        return *count > 0 ? RANGE_PART : RANGE_UNSATISFIABLE;
    }
    b = UINT64_MAX;
    if (!parse_position(first, &a) || (last.len > 0 && !parse_position(last, &b)) || b < a)
        return RANGE_IGNORED;
    if (a >= len)
        return RANGE_UNSATISFIABLE;
    *from = a;
    *count = (b < len ? b + 1 : len) - a;
    return RANGE_PART;
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

/* "q=0", "q=0.0", "q=0.000": not acceptable. */
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

bool media_type_fits(struct slice type) {
    for (size_t i = 0; i < type.len; i++)
        if (((unsigned char)type.ptr[i] < ' ' && type.ptr[i] != '\t') || type.ptr[i] == 0x7f)
            return false;
    return type.len <= ENTRY_CONTENT_TYPE_MAX;
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
