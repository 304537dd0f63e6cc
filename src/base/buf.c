/* buf.c - growing, formatting and trimming of bounded buffers. */
#include <flashkv/buf.h>
#include <flashkv/mem.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CAP = 64 };

bool buf_next_cap(const struct buf *b, size_t extra, size_t *cap) {
    size_t need, more = b->cap + b->cap / 2;

    if (b->len > b->max || extra > b->max - b->len)
        return false;
    need = b->len + extra;
    if (more < FIRST_CAP)
        more = FIRST_CAP;
    if (more < need)
        more = need;
    if (more > b->max)
        more = b->max;
    *cap = need <= b->cap ? b->cap : more;
    return true;
}

bool buf_grow(struct buf *b, size_t extra) {
    size_t cap;
    char *data;

    if (!buf_next_cap(b, extra, &cap))
        return false;
    if (cap == b->cap)
        return true;
    data = mem_realloc(b->data, cap);
    if (data == NULL)
        return false;
    b->data = data;
    b->cap = cap;
    return true;
}

bool buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !buf_reserve(b, (size_t)n + 1)) /* one for the NUL that vsnprintf writes */
        return false;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return true;
}

void buf_consume(struct buf *b, size_t n) {
    if (n == 0)
        return;
    b->len -= n;
    if (b->len > 0)
        memmove(b->data, b->data + n, b->len);
}

void buf_trim(struct buf *b) {
    char *data;

    if (b->len == 0) {
        buf_free(b);
    } else if (b->len < b->cap && (data = mem_realloc(b->data, b->len)) != NULL) {
        b->data = data;
        b->cap = b->len;
    }
}

void buf_free(struct buf *b) {
    mem_free(b->data);
    *b = buf_make(b->max);
}
