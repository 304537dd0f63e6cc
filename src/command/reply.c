/* reply.c - error replies, and default operations of sinks. */
#include <flashkv/num.h>
#include <flashkv/reply.h>
#include <stdarg.h>
#include <stdio.h>

enum { ERROR_MAX = 512 };

void reply_error(struct reply *r, const char *fmt, ...) {
    char text[ERROR_MAX];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof(text))
        n = sizeof(text) - 1;
    for (int i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
    r->failed = true;
    snprintf(r->code, sizeof(r->code), "%.*s", (int)strcspn(text, " "), text);
    r->ops->error(r, slice_of(text, (size_t)n));
}

void reply_blob_as_bulk(struct reply *r, struct blob *b) {
    r->ops->bulk(r, blob_slice(b));
}

void reply_real_as_bulk(struct reply *r, double d) {
    char text[NUM_DOUBLE_MAX];

    r->ops->bulk(r, slice_of(text, num_format_double(d, text)));
}

void reply_boolean_as_integer(struct reply *r, bool b) {
    r->ops->integer(r, b);
}
