/* condition.h - "if the string is this, or is not": SET's and DELEX's IFEQ, IFNE, IFDEQ and IFDNE.
 * Source: https://redis.io/commands/delex. Private to the command layer. */
#ifndef FLASHKV_COMMAND_CONDITION_H
#define FLASHKV_COMMAND_CONDITION_H

#include <flashkv/command.h>

struct condition {
    size_t value_at; /* the argument that is compared with; 0: no condition */
    bool digest;     /* it is a digest (16 hex digits), not the value itself */
    bool equal;      /* it has to be equal */
};

/* Is argument `i` one of the words, with a value behind it? */
bool arg_condition(const struct call *c, size_t i, struct condition *out);
/* False, replied an error: what is to be compared with is no digest. */
bool condition_valid(struct call *c, const struct condition *cond);
/* Does it hold for an entry that is a string, or for none (NULL), which is not equal to anything? */
bool condition_holds(const struct call *c, const struct condition *cond, const struct entry *e);

#endif
