/* lines.c - splitting a body into lines. */
#include "lines.h"

bool lines_add(struct lines *l, const char *bytes, size_t len) {
    const char *end = memchr(bytes, '\n', len);

    buf_consume(&l->held, l->at);
    l->searched -= l->at;
    l->at = 0;
    if (l->held.len + (end != NULL ? (size_t)(end - bytes) : len) > l->max)
        return false;
    l->held.max = l->max + len; /* the bytes after the line's end belong to other lines */
    return buf_append(&l->held, bytes, len);
}

/* Finds the end of the line that begins at l->at; false: it is not complete. */
static bool find_end(struct lines *l, bool last, size_t *end) {
    const char *from = l->held.data + l->searched,
               *found = l->held.len > l->searched ? memchr(from, '\n', l->held.len - l->searched) : NULL;

    l->searched = found != NULL ? (size_t)(found - l->held.data) + 1 : l->held.len;
    *end = found != NULL ? l->searched - 1 : l->held.len;
    return found != NULL || (last && l->at < l->held.len);
}

bool lines_next(struct lines *l, bool last, char **line, size_t *len) {
    size_t end;

    while (find_end(l, last, &end)) {
        *line = l->held.data + l->at;
        *len = end - l->at;
        l->at = l->searched;
        l->number++;
        if (*len > 0 && (*line)[*len - 1] == '\r')
            --*len;
        if (*len > 0)
            return true;
    }
    return false;
}
