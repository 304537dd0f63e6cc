/* buf.h - a growing byte buffer with a ceiling that is set when it is made.
 * Layer: base. Not thread-safe: one owner. */
#ifndef FLASHKV_BUF_H
#define FLASHKV_BUF_H

#include <flashkv/hints.h>
#include <flashkv/slice.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* ceiling of len */
};

/* An empty buffer that allocates nothing yet. */
static inline struct buf buf_make(size_t max) {
    return (struct buf){NULL, 0, 0, max};
}
/* Sets *cap to the capacity needed for `extra` more bytes: the present one, or at least half as much again. False: over the
 * ceiling. */
bool buf_next_cap(const struct buf *b, size_t extra, size_t *cap);
/* Makes room for `extra` more bytes after len, growing by at least a half; false (and nothing changed) at
 * the ceiling or out of memory. */
COLD bool buf_grow(struct buf *b, size_t extra);
static inline bool buf_reserve(struct buf *b, size_t extra) {
    return extra <= b->cap - b->len || buf_grow(b, extra);
}
/* Appends; false, with nothing appended, when buf_reserve refuses. */
static inline bool buf_append(struct buf *b, const void *bytes, size_t len) {
    if (!buf_reserve(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    return true;
}
static inline bool buf_append_slice(struct buf *b, struct slice s) {
    return buf_append(b, s.ptr, s.len);
}
/* Appends formatted text; false, with nothing appended, when there is no room for it and its terminating NUL (so one byte of
 * the ceiling stays unused). */
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `n` bytes (n <= len), moving the rest down. */
void buf_consume(struct buf *b, size_t n);
/* Shrinks the allocation to the bytes in use. Never fails: if it cannot shrink, it stays. */
void buf_trim(struct buf *b);
/* Frees the storage; the buffer is empty and usable again. */
void buf_free(struct buf *b);
static inline struct slice buf_slice(const struct buf *b) {
    return slice_of(b->data, b->len);
}

#endif
