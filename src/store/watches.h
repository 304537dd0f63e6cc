/* watches.h - the watched keys of a shard: a chained hash table. Private to the store; guarded by the shard's lock.
 *
 * A shard without watches has a NULL pointer: functions that may end the last watch take its address, and reset it. */
#ifndef FLASHKV_STORE_WATCHES_H
#define FLASHKV_STORE_WATCHES_H

#include <flashkv/watch.h>

struct watches;

/* Frees the table, which must be empty. */
void watches_free(struct watches **of);
/* Notifies the watches of the event's key. */
void watches_notify(struct watches **of, const struct event *ev);
/* Calls `each` for every watched key; it must not start or end a watch. */
void watches_each(struct watches *w, void (*each)(void *ctx, const struct key *k, bool *marked), void *ctx);
/* Notifies the watches of all keys that `each` marked of "flushall", and clears the marks. */
void watches_notify_marked(struct watches **of, struct txn *t);

#endif
