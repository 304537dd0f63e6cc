/* reserve.h - memory set aside before something begins that is to be done all or none (mem_reserve_begin of mem.h, need.h).
 * Private to the command layer. */
#ifndef FLASHKV_COMMAND_RESERVE_H
#define FLASHKV_COMMAND_RESERVE_H

#include "multi.h"

/* Is none of the arguments `first`, `first + step` and so on longer than a field or member may be? */
bool names_fit(const struct call *c, size_t first, size_t step);
/* The call's arguments from `first` on, as elements. */
struct edits call_edits(const struct call *c, size_t first);
/* For the call, which does that to `o`; mem_reserve_end ends it. False, replied: no memory. */
bool call_reserve(struct call *c, const struct object *o, const struct edits *e);
static inline bool reserve_for_arguments(struct call *c, const struct object *o, size_t first) {
    struct edits e = call_edits(c, first);

    return call_reserve(c, o, &e);
}
/* For setting the call's first key to a value that is there, in several steps; mem_reserve_end. False: no memory. */
bool reserve_for_key(struct call *c);
/* For the queue, all whose shards are held. False: no memory. It is paused: a queued command goes on with it (call_run), while what is
 * told of it, and replied, takes none. */
bool multi_reserve(struct call *c, const struct multi *m);

#endif
