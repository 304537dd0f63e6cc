/* watches.h - the watched keys of a shard: a chained hash table. Private to the store; guarded by the shard's lock.
 *
 * A shard without watches has none: functions that may end the last watch take the shard's pointer, and make it NULL. */
#ifndef FLASHKV_STORE_WATCHES_H
#define FLASHKV_STORE_WATCHES_H

#include <flashkv/watch.h>

struct watches;

/* Frees the table, not the keys, of which there are none. */
void watches_free(struct watches **of);
/* Tells those who watch the event's key. */
void watches_tell(struct watches **of, const struct event *ev);
/* Calls `each` for every watched key; it must not start or end a watch. */
void watches_each(struct watches *w, void (*each)(void *ctx, const struct key *k, bool *marked), void *ctx);
/* Tells "flushall" of all keys that `each` marked, and takes the marks off. */
void watches_tell_marked(struct watches **of, struct txn *t);

#endif
