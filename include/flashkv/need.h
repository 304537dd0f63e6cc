/* need.h - upper bounds of what edits allocate: how much to reserve (mem_reserve_begin of mem.h) before several edits that are
 * done all or none.
 *
 * A bound, not an estimate: it may be far too high, since a reserve is mostly released untouched, but never too low. A change
 * of how a structure allocates needs a change of its *_need function; tests/unit/test_atomic.c refuses every allocation that
 * exceeds the reserve, so it fails if a bound is too low. Layer: store. */
#ifndef FLASHKV_NEED_H
#define FLASHKV_NEED_H

#include <stdbool.h>
#include <stddef.h>

/* The edits of one key or collection. */
struct edits {
    size_t commands; /* number of commands that make them */
    size_t elements; /* added or replaced */
    size_t bytes;    /* total of all arguments: keys, values, elements */
    size_t appends;  /* how many of the commands extend a string in place */
    bool shared;     /* a reference may be taken between two of them, so each may have to copy the value */
    bool collection; /* some command may create a collection */
    bool expiries;   /* fields may get an expiry */
};

enum {
    /* The overhead of an entry, or of a blob and its entry, beyond twice their bytes; MEM_RESERVE_BLOCK included. */
    NEED_ENTRY = 192,
    NEED_ENTRIES_FACTOR = 2,
};
static inline size_t need_entries(size_t count, size_t bytes) {
    return count * NEED_ENTRY + NEED_ENTRIES_FACTOR * bytes;
}

#endif
