/* sort.h - what dispatch has to know of SORT before it locks. Private to the command layer. */
#ifndef FLASHKV_COMMAND_SORT_H
#define FLASHKV_COMMAND_SORT_H

#include <flashkv/command.h>

/* The shards of the keys that SORT's options name: of STORE's, and all if BY or GET have a pattern, since which keys
 * it stands for is known only once the sorted key is read. */
uint64_t sort_shards(const struct call *c);

/* Where in the arguments the key of STORE is, the last if there are several; 0: nowhere. Words that are no option are
 * passed over. */
size_t sort_store_at(const struct call *c);

#endif
