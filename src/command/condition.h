/* condition.h - conditions on a string's value: IFEQ, IFNE, IFDEQ and IFDNE of SET and DELEX.
 * Source: https://redis.io/commands/delex. Private to the command layer. */
#ifndef FLASHKV_COMMAND_CONDITION_H
#define FLASHKV_COMMAND_CONDITION_H

#include <flashkv/command.h>

struct condition {
    size_t value_at; /* the argument to compare with; 0: no condition */
    bool digest;     /* compare digests (16 hex digits), not values */
    bool equal;      /* must be equal; else must differ */
};

/* Is argument `i` one of the words, followed by a value? */
bool arg_condition(const struct call *c, size_t i, struct condition *out);
/* False, replied an error: the argument is not a digest. */
bool condition_valid(struct call *c, const struct condition *cond);
/* Does it hold for a string's entry? NULL, no such key, differs from every value. */
bool condition_holds(const struct call *c, const struct condition *cond, const struct entry *e);

#endif
