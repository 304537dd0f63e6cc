/* slice.h - a borrowed run of bytes.
 *
 * A slice owns nothing: the function that returns one documents how long the bytes stay valid. The bytes may hold
 * anything, NUL included, and are not terminated. Layer: base. */
#ifndef FLASHKV_SLICE_H
#define FLASHKV_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* The bytes of a string literal, without its NUL. */
#define SLICE_LIT(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_of(const void *ptr, size_t len) {
    return (struct slice){ptr, len};
}

/* The bytes of a C string, without its NUL. */
static inline struct slice slice_str(const char *text) {
    return (struct slice){text, strlen(text)};
}

static inline bool slice_eq(struct slice a, struct slice b) {
    return a.len == b.len && (b.len == 0 || memcmp(a.ptr, b.ptr, b.len) == 0); /* of b: often a constant */
}

/* Equal but for the case of ASCII letters. */
static inline bool slice_caseeq(struct slice a, struct slice b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Less than, equal to or greater than 0 as `a` is before, equal to or after `b` in the order of bytes; a prefix comes before
 * what it is a prefix of. */
static inline int slice_compare(struct slice a, struct slice b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool slice_starts(struct slice s, struct slice prefix) {
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

#endif
