/* reserve.h - reserving memory for edits that are done all or none (mem_reserve_begin of mem.h, need.h). Private to the command
 * layer. */
#ifndef FLASHKV_COMMAND_RESERVE_H
#define FLASHKV_COMMAND_RESERVE_H

#include "multi.h"

/* Are the arguments `first`, `first + step` and so on within the maximum length of a field or member? */
bool names_fit(const struct call *c, size_t first, size_t step);
/* The call's arguments from `first` on, as elements. */
struct edits call_edits(const struct call *c, size_t first);
/* Reserves memory for edits of `o`; mem_reserve_end ends it. False, replied: no memory. */
bool call_reserve(struct call *c, const struct object *o, const struct edits *e);
static inline bool reserve_for_arguments(struct call *c, const struct object *o, size_t first) {
    struct edits e = call_edits(c, first);

    return call_reserve(c, o, &e);
}
/* Reserves memory for setting the call's first key to an existing object in several steps; mem_reserve_end ends it. False: no
 * memory. */
bool reserve_for_key(struct call *c);
/* Reserves memory for the queue, whose shards are held. False: no memory. The reserve is left paused: call_run resumes it for each
 * handler, so that events, effects and replies do not use it. */
bool multi_reserve(struct call *c, const struct multi *m);

#endif
