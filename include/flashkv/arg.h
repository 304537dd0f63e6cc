/* arg.h - an argument of a command, borrowed from the front end for the length of the call.
 *
 * A large argument may arrive in a blob (ptr and len then point into it); a handler that stores it passes the blob on to the
 * store instead of copying the bytes. Layer: store. */
#ifndef FLASHKV_ARG_H
#define FLASHKV_ARG_H

#include <flashkv/slice.h>

struct blob;

struct arg {
    const char *ptr;
    size_t len;
    struct blob *blob; /* NULL, or a blob that holds the bytes; the reference is the front end's */
};

static inline struct slice arg_slice(const struct arg *a) {
    return slice_of(a->ptr, a->len);
}

#endif
