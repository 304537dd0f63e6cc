/* json_in.c - the JSON parser. */
#include "json_in.h"

#include <stdio.h>

#include "base64.h"

_Static_assert(JSON_DEPTH_MAX <= 8 * sizeof(((struct json_in *)0)->objects), "a bit for each level");

struct json_in json_in_make(char *text, size_t len, uint64_t max_depth) {
    return (struct json_in){.start = text,
                            .at = text,
                            .end = text + len,
                            .max_depth = max_depth < JSON_DEPTH_MAX ? (unsigned)max_depth : JSON_DEPTH_MAX,
                            .want = JSON_WANT_VALUE};
}

static enum json_token bad(struct json_in *j, const char *why) {
    j->why = why;
    return JSON_IN_BAD;
}

static void skip_space(struct json_in *j) {
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

/* ---- strings ---------------------------------------------------------------------------------------------------- */

/* The value of four hex digits; -1: malformed. */
static long hex4(const char *at, const char *end) {
    long n = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = (char)(at[i] | 0x20);

        if (at[i] >= '0' && at[i] <= '9')
            n = n * 16 + (at[i] - '0');
        else if (c >= 'a' && c <= 'f')
            n = n * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return n;
}

static char *put_utf8(char *to, unsigned long c) {
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Decodes \uXXXX, two of them for a surrogate pair; j->at is after the u. NULL: malformed. */
static char *read_unicode(struct json_in *j, char *to) {
    long high = hex4(j->at, j->end), low;

    if (high < 0)
        return bad(j, "\\u without four hex digits"), NULL;
    if (high >= 0xdc00 && high <= 0xdfff)
        return bad(j, "a lone surrogate"), NULL;
    j->at += 4;
    if (high < 0xd800 || high > 0xdbff)
        return put_utf8(to, (unsigned long)high);
    low = j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u' ? hex4(j->at + 2, j->end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return bad(j, "a lone surrogate"), NULL;
    j->at += 6;
    return put_utf8(to, 0x10000 + (((unsigned long)high - 0xd800) << 10) + ((unsigned long)low - 0xdc00));
}

/* Decodes an escape; j->at is after the backslash. NULL: malformed. */
static char *read_escape(struct json_in *j, char *to) {
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    if (j->at == j->end)
        return bad(j, "a string that does not end"), NULL;
    if (*j->at == 'u') {
        j->at++;
        return read_unicode(j, to);
    }
    for (const char *l = letters; *l != '\0'; l += 2)
        if (*l == *j->at) {
            *to = l[1];
            j->at++;
            return to + 1;
        }
    return bad(j, "a backslash before a character that needs none"), NULL;
}

/* Reads a string; j->at is after the opening quote. */
static enum json_token read_string(struct json_in *j, struct slice *s, enum json_token token) {
    char *from = j->at, *to = from;

    while (j->at < j->end && *j->at != '"') {
        unsigned char c = (unsigned char)*j->at;
        size_t n = 1;

        if (c == '\\') {
            j->at++;
            if ((to = read_escape(j, to)) == NULL)
                return JSON_IN_BAD;
            continue;
        }
        if (c < ' ')
            return bad(j, "a control character in a string");
        if (c >= 0x80 && (n = utf8_length(slice_of(j->at, (size_t)(j->end - j->at)))) == 0)
            return bad(j, "bytes that are not UTF-8");
        if (to != j->at)
            memmove(to, j->at, n);
        to += n;
        j->at += n;
    }
    if (j->at == j->end)
        return bad(j, "a string that does not end");
    j->at++;
    *s = slice_of(from, (size_t)(to - from));
    return token;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

static bool digits(struct json_in *j) {
    char *from = j->at;

    while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
        j->at++;
    return j->at > from;
}

static bool take(struct json_in *j, const char *chars) {
    if (j->at == j->end || *j->at == '\0' || strchr(chars, *j->at) == NULL)
        return false;
    j->at++;
    return true;
}

static enum json_token read_number(struct json_in *j, struct slice *s) {
    char *from = j->at;

    take(j, "-");
    if (!take(j, "0") && !digits(j))
        return bad(j, "something that is no JSON value");
    if (take(j, ".") && !digits(j))
        return bad(j, "a number that ends in its point");
    if (take(j, "eE")) {
        take(j, "+-");
        if (!digits(j))
            return bad(j, "a number without an exponent behind its e");
    }
    *s = slice_of(from, (size_t)(j->at - from));
    return JSON_IN_NUMBER;
}

static enum json_token read_word(struct json_in *j, struct slice word, enum json_token token) {
    if (!slice_starts(slice_of(j->at, (size_t)(j->end - j->at)), word))
        return bad(j, "something that is no JSON value");
    j->at += word.len;
    return token;
}

static enum json_token open_level(struct json_in *j, enum json_token token) {
    if (j->depth == j->max_depth)
        return bad(j, "arrays and objects too deep in each other");
    j->at++;
    j->objects &= ~(UINT32_C(1) << j->depth);
    j->objects |= (uint32_t)(token == JSON_IN_OBJECT) << j->depth;
    j->depth++;
    j->want = JSON_WANT_FIRST;
    return token;
}

static enum json_token read_value(struct json_in *j, struct slice *s) {
    if (j->at == j->end)
        return bad(j, "the text ends too early");
    j->want = JSON_WANT_NEXT;
    switch (*j->at) {
    case '{':
        return open_level(j, JSON_IN_OBJECT);
    case '[':
        return open_level(j, JSON_IN_ARRAY);
    case '"':
        j->at++;
        return read_string(j, s, JSON_IN_STRING);
    case 'n':
        return read_word(j, SLICE_LIT("null"), JSON_IN_NULL);
    case 't':
        return read_word(j, SLICE_LIT("true"), JSON_IN_TRUE);
    case 'f':
        return read_word(j, SLICE_LIT("false"), JSON_IN_FALSE);
    default:
        return read_number(j, s);
    }
}

static enum json_token read_name(struct json_in *j, struct slice *s) {
    if (!take(j, "\""))
        return bad(j, "a member's name in quotes was expected");
    if (read_string(j, s, JSON_IN_NAME) == JSON_IN_BAD)
        return JSON_IN_BAD;
    skip_space(j);
    if (!take(j, ":"))
        return bad(j, "no colon behind a member's name");
    j->want = JSON_WANT_VALUE;
    return JSON_IN_NAME;
}

enum json_token json_read(struct json_in *j, struct slice *s) {
    bool object = j->depth > 0 && (j->objects >> (j->depth - 1) & 1);

    *s = slice_of("", 0);
    if (j->why != NULL)
        return JSON_IN_BAD;
    skip_space(j);
    if (j->want == JSON_WANT_VALUE)
        return read_value(j, s);
    if (j->depth == 0)
        return j->at == j->end ? JSON_IN_END : bad(j, "something behind the value");
    if (j->at < j->end && *j->at == (object ? '}' : ']')) {
        j->at++;
        j->depth--;
        j->want = JSON_WANT_NEXT;
        return JSON_IN_CLOSE;
    }
    if (j->want == JSON_WANT_NEXT) {
        if (!take(j, ","))
            return bad(j, j->at == j->end ? "the text ends too early" : "a comma was expected");
        skip_space(j);
    }
    return object ? read_name(j, s) : read_value(j, s);
}

bool json_pass(struct json_in *j, enum json_token token) {
    unsigned depth = j->depth - (token == JSON_IN_ARRAY || token == JSON_IN_OBJECT);
    struct slice s;

    while (token != JSON_IN_BAD && j->depth > depth)
        token = json_read(j, &s);
    return token != JSON_IN_BAD;
}

void json_in_explain(const struct json_in *j, char *out, size_t cap) {
    snprintf(out, cap, "not JSON: %s, at byte %zu", j->why, (size_t)(j->at - j->start));
}

bool json_in_decode(struct slice *s, struct slice encoding) {
    if (encoding.len == 0 || slice_eq(encoding, SLICE_LIT("utf8")))
        return true;
    return slice_eq(encoding, SLICE_LIT("base64")) && base64_decode((char *)(uintptr_t)s->ptr, &s->len);
}
