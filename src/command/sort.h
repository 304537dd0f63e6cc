/* sort.h - the keys of SORT's options, for dispatch. Private to the command layer. */
#ifndef FLASHKV_COMMAND_SORT_H
#define FLASHKV_COMMAND_SORT_H

#include <flashkv/command.h>

/* The shards of the keys in SORT's options: that of STORE; and all shards if BY or GET have a pattern, since its keys are
 * known only when the sorted key is read. */
uint64_t sort_shards(const struct call *c);

/* The argument that is the key of STORE, the last one if there are several; 0: none. Unknown words are skipped. */
size_t sort_store_at(const struct call *c);

#endif
