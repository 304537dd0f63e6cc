/* glob.c - wildcard matching without backtracking beyond the last star.
 *
 * On a mismatch matching resumes at the last `*`, one byte further in the text; earlier stars need no second try,
 * since whatever they could match, the last one can too. Time is at most pattern length times text length. */
#include <flashkv/glob.h>
#include <stdint.h>

/* Matches one byte against the pattern's element at *at and steps over the element. */
static bool match_class(struct slice p, size_t *at, unsigned char c) {
    size_t i = *at + 1;
    bool negate = i < p.len && p.ptr[i] == '^', hit = false;

    i += negate;
    for (; i < p.len && p.ptr[i] != ']'; i++) {
        unsigned char low, high;

        if (p.ptr[i] == '\\' && i + 1 < p.len) {
            hit |= (unsigned char)p.ptr[++i] == c;
            continue;
        }
        low = high = (unsigned char)p.ptr[i];
        if (i + 2 < p.len && p.ptr[i + 1] == '-') {
            high = (unsigned char)p.ptr[i + 2];
            i += 2;
        }
        hit |= low <= high ? low <= c && c <= high : high <= c && c <= low;
    }
    *at = i < p.len ? i + 1 : i; /* an unterminated class ends with the pattern */
    return hit != negate;
}

static bool match_one(struct slice p, size_t *at, unsigned char c) {
    switch (p.ptr[*at]) {
    case '?':
        ++*at;
        return true;
    case '[':
        return match_class(p, at, c);
    case '\\':
        if (*at + 1 < p.len)
            ++*at;
        break;
    default:
        break;
    }
    return (unsigned char)p.ptr[(*at)++] == c;
}

bool glob_match(struct slice p, struct slice text) {
    size_t at = 0, pos = 0, star = SIZE_MAX, star_pos = 0;

    while (pos < text.len) {
        size_t next = at;

        if (at < p.len && p.ptr[at] == '*') {
            star = ++at;
            star_pos = pos;
        } else if (at < p.len && match_one(p, &next, (unsigned char)text.ptr[pos])) {
            at = next;
            pos++;
        } else if (star != SIZE_MAX) {
            at = star;
            pos = ++star_pos;
        } else {
            return false;
        }
    }
    while (at < p.len && p.ptr[at] == '*')
        at++;
    return at == p.len;
}

size_t glob_literal_prefix(struct slice p, char *out) {
    size_t n = 0;

    for (size_t i = 0; i < p.len && memchr("*?[", p.ptr[i], 3) == NULL; i++) {
        if (p.ptr[i] == '\\' && i + 1 < p.len)
            i++;
        out[n++] = p.ptr[i];
    }
    return n;
}
