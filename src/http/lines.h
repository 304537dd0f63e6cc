/* lines.h - splits a body into lines, each returned when it is complete. Private to http.
 *
 * Buffered at once: one incomplete line, and the piece that it arrived with. A line ends in LF or CR LF; the last may lack it.
 * Empty lines are skipped, but counted. */
#ifndef FLASHKV_HTTP_LINES_H
#define FLASHKV_HTTP_LINES_H

#include <flashkv/buf.h>

struct lines {
    struct buf held;
    size_t max;
    size_t at;       /* offset of the next line in `held` */
    size_t searched; /* there is no LF between `at` and here */
    uint64_t number; /* of the last line returned or skipped, from 1 */
};

static inline struct lines lines_make(size_t max) {
    return (struct lines){.held = buf_make(max), .max = max};
}
static inline void lines_free(struct lines *l) {
    buf_free(&l->held);
}
/* Adds a piece; then lines_next is called until it returns false, then comes the next piece. False: the current line exceeds
 * `max`, however the pieces divide it, or no memory. */
bool lines_add(struct lines *l, const char *bytes, size_t len);
/* The next line, which the caller may overwrite; valid until lines_add. `last`: no more pieces follow, so the end of the input
 * ends a line too. False: there is none. */
bool lines_next(struct lines *l, bool last, char **line, size_t *len);

#endif
