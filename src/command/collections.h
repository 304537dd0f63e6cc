/* collections.h - hashes and sets, for the files of the command layer beside their own. Private to it. */
#ifndef FLASHKV_COMMAND_COLLECTIONS_H
#define FLASHKV_COMMAND_COLLECTIONS_H

#include <flashkv/command.h>

/* The set of the call's key number `key`, NULL if there is none; false: replied an error. */
bool read_set(struct call *c, size_t key, const struct set **s);
/* False: the result is a failure, and replied. */
bool set_stored(struct call *c, enum set_result result);
/* All fields and their values, as a map; none for NULL. */
void reply_fields(struct call *c, const struct hash *h);
/* All members, as a set; none for NULL. */
void reply_members(struct call *c, const struct set *s);

#endif
