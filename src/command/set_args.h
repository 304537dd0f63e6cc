/* set_args.h - what the files of the set commands share. Private to the command layer. */
#ifndef FLASHKV_COMMAND_SET_ARGS_H
#define FLASHKV_COMMAND_SET_ARGS_H

#include <flashkv/command.h>

/* The set of the call's key number `key`, NULL if there is none; false: replied an error. */
bool read_set(struct call *c, size_t key, const struct set **s);
/* False: the result is a failure, and replied. */
bool set_stored(struct call *c, enum set_result result);
/* All members, as a set; none for NULL. */
void reply_members(struct call *c, const struct set *s);

#endif
