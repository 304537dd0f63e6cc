/* need.h - how much memory an edit may take, at most: what has to be set aside (mem_reserve_begin of mem.h) so that several
 * edits are done all or none.
 *
 * An upper bound, not an estimate: it may be far too much, since what is set aside is mostly given back untouched, but never too
 * little. Whoever changes how a structure allocates changes its *_need beside it; tests/unit/test_atomic.c refuses every
 * allocation behind the reserve, so that a bound which is too low shows. Layer: store. */
#ifndef FLASHKV_NEED_H
#define FLASHKV_NEED_H

#include <stdbool.h>
#include <stddef.h>

/* What is to be done to a key, or to a collection. */
struct edits {
    size_t commands; /* that it is done by */
    size_t elements; /* added or replaced */
    size_t bytes;    /* of all that is given: keys, values, elements */
    size_t appends;  /* of the commands: those that make a string longer where it is */
    bool shared;     /* between them somebody may take a reference to it, so that each has to copy it */
    bool collection; /* some command may make a collection */
    bool expiries;   /* fields may be given an expiry */
};

enum {
    NEED_ENTRY =
        192, /* an entry, or a blob and its entry, but for twice their bytes; the reserve's block included */
    NEED_ENTRIES_FACTOR = 2,
};
static inline size_t need_entries(size_t count, size_t bytes) {
    return count * NEED_ENTRY + NEED_ENTRIES_FACTOR * bytes;
}

#endif
