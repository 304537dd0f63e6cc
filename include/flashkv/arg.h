/* arg.h - an argument of a command, borrowed from the front end for the length of the call.
 *
 * A large one may arrive as a blob that already holds it (ptr and len then point into it); a handler that keeps it
 * passes the blob on to the store. Layer: store. */
#ifndef FLASHKV_ARG_H
#define FLASHKV_ARG_H

#include <flashkv/slice.h>

struct blob;

struct arg {
    const char *ptr;
    size_t len;
    struct blob *blob; /* NULL, or the front end's reference */
};

static inline struct slice arg_slice(const struct arg *a) {
    return slice_of(a->ptr, a->len);
}

#endif
