/* trace.c - validating and generating identifiers of requests. */
#include "trace.h"

#include <flashkv/random.h>
#include <stdio.h>
#include <string.h>

static bool is_id(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i], lower = c | 0x20;

        if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9') && (c == '\0' || !strchr("-_.~:/+=@", c)))
            return false;
    }
    return s.len > 0 && s.len <= TRACE_ID_MAX;
}

/* Are these `len` lower-case hex digits? *zero: all of them are 0. */
static bool is_hex(const char *at, size_t len, bool *zero) {
    *zero = true;
    for (size_t i = 0; i < len; i++) {
        if ((at[i] < '0' || at[i] > '9') && (at[i] < 'a' || at[i] > 'f'))
            return false;
        *zero &= at[i] == '0';
    }
    return true;
}

/* version "-" trace-id "-" parent-id "-" flags; later versions may append more. */
static bool is_parent(struct slice s) {
    enum { LEN = 55 };
    const char *p = s.ptr;
    bool zero, no_trace, no_parent;

    if (s.len < LEN || s.len > TRACE_ID_MAX || p[2] != '-' || p[35] != '-' || p[52] != '-')
        return false;
    if (!is_hex(p, 2, &zero) || memcmp(p, "ff", 2) == 0 || !is_hex(p + 3, 32, &no_trace) ||
        !is_hex(p + 36, 16, &no_parent) || no_trace || no_parent)
        return false;
    if (!is_hex(p + 53, 2, &no_trace))
        return false;
    return s.len == LEN || (!zero && p[LEN] == '-');
}

void trace_read(struct trace *t, struct slice id, struct slice parent) {
    t->id = is_id(id) ? id : slice_of("", 0);
    t->parent = is_parent(parent) ? parent : slice_of("", 0);
}

void trace_make(struct trace *t) {
    snprintf(t->made, sizeof(t->made), "%016llx", (unsigned long long)random_u64());
    t->id = slice_of(t->made, TRACE_MADE);
}
