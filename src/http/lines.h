/* lines.h - a body that is divided into lines, each handed on when it is whole. Private to http.
 *
 * Held at once: a line that is not whole yet, and what came with it. A line ends in LF, or CR LF; the last may do
 * without. Lines without anything are passed over, but counted. */
#ifndef FLASHKV_HTTP_LINES_H
#define FLASHKV_HTTP_LINES_H

#include <flashkv/buf.h>

struct lines {
    struct buf held;
    size_t max;
    size_t at;       /* where the next line begins in `held` */
    size_t searched; /* no LF before */
    uint64_t number; /* of the line that came last, from 1 */
};

static inline struct lines lines_make(size_t max) {
    return (struct lines){.held = buf_make(max), .max = max};
}
static inline void lines_free(struct lines *l) {
    buf_free(&l->held);
}
/* Adds a piece; then lines_next until it gives no more, then the next piece. False: the line that it goes on with is longer than
 * `max`, wherever the pieces begin; or no memory. */
bool lines_add(struct lines *l, const char *bytes, size_t len);
/* The next line, to be written over at will; valid until lines_add. `last`: nothing more comes, so that the end is a
 * line's end too. False: none. */
bool lines_next(struct lines *l, bool last, char **line, size_t *len);

#endif
