/* ahead.c - scans multibulk commands for their keys: reads the lengths, skips the rest. */
#include "ahead.h"

#include <stdbool.h>
#include <stdint.h>

enum { DIGITS_MAX = 9 };

/* Reads a type byte, digits and CR LF, and advances *at. False: it is something else, or incomplete. */
static bool header(char mark, const char **at, const char *end, size_t *n) {
    const char *p = *at, *first;

    if (p == end || *p++ != mark)
        return false;
    *n = 0;
    for (first = p; p < end && *p >= '0' && *p <= '9' && p - first < DIGITS_MAX; p++)
        *n = *n * 10 + (size_t)(*p - '0');
    if (p == first || end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return false;
    *at = p + 2;
    return true;
}

static bool bulk(const char **at, const char *end, struct slice *bytes) {
    size_t len;

    if (!header('$', at, end, &len) || (size_t)(end - *at) < len + 2)
        return false;
    *bytes = slice_of(*at, len);
    *at += len + 2;
    return true;
}

/* Skips one command. False: there is no complete one. *name is empty if it has no argument. */
static bool command(const char **at, const char *end, struct slice *name) {
    struct slice bytes;
    size_t argc;

    *name = slice_of("", 0);
    if (!header('*', at, end, &argc))
        return false;
    for (size_t i = 0; i < argc; i++) {
        if (!bulk(at, end, &bytes))
            return false;
        if (i == 1)
            *name = bytes;
    }
    return true;
}

size_t ahead_names(const char *in, size_t len, struct slice *names, size_t max) {
    const char *at = in, *end = in + len;
    size_t n = 0;

    while (n < max && command(&at, end, &names[n]))
        n++;
    return n;
}
