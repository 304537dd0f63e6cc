/* watch.h - being told of changes to one key: WATCH, clients blocked on a key, HTTP long polls.
 *
 * A watch is a struct of its owner's, linked into a list of its key, which the key's shard keeps and its lock guards.
 * Two kinds:
 *
 *     told      `changed` is called for each change event (event.h) of the key, and for a flush that takes it
 *     waiting   `changed` is NULL: nobody is called. A change puts the key on the transaction's list of ready keys, and
 *               whoever ends the transaction serves those who wait, first come first served
 *
 * A writer pays nothing for watches of other shards, and a look-up for those of its own. The key need not exist.
 * All functions need the key's shard held exclusively. Layer: store. */
#ifndef FLASHKV_WATCH_H
#define FLASHKV_WATCH_H

#include <flashkv/store.h>

struct key_watch;

/* Under the shard's lock, as a sink of events: copies, signals, and never blocks. May store_peek the event's key, nothing
 * else of the store. False: the watch has ended (but it must stay until its owner has called store_unwatch). */
typedef bool key_changed(struct key_watch *w, const struct event *ev);

struct key_watch {
    struct key_watch *prev, *next;
    struct watched_key *of; /* NULL: watches nothing */
    key_changed *changed;   /* set by the owner before store_watch */
};

/* Starts; the bytes of the key are copied. False: no memory. */
bool store_watch(struct txn *t, const struct key *k, struct key_watch *w);
/* Ends; nothing if it has ended already. */
void store_unwatch(struct txn *t, const struct key *k, struct key_watch *w);

/* ---- those who wait ------------------------------------------------------------------------------------------ */

/* Ready keys (txn.ready), in the order in which they became so. A key that is on one transaction's list is not put on
 * another's: whoever has it serves it as it is then. A list that was taken outlives its transaction, and each key on
 * it has to be released under another; what is still on the list when a transaction ends, nobody serves. */
/* Takes the whole list. */
struct ready_keys txn_take_ready(struct txn *t);
/* Takes the first key off a list; NULL: none. */
struct watched_key *ready_keys_pop(struct ready_keys *r);
/* Adds a key that was popped from another. */
void ready_keys_push(struct ready_keys *r, struct watched_key *k);
/* Done with a key that was popped. */
void watched_key_release(struct txn *t, struct watched_key *k);

/* The key; its bytes are valid until it is released. */
const struct key *watched_key(const struct watched_key *k);
/* Who waits for it, first come first; NULL: nobody (any more). */
struct key_watch *watched_key_waiting(const struct watched_key *k);
static inline struct key_watch *key_watch_next(const struct key_watch *w) {
    return w->next;
}

#endif
