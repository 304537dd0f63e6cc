/* watch.h - notification of changes to one key: WATCH, clients blocked on a key, HTTP long polls.
 *
 * A watch is a struct that its owner allocates, linked into a list of its key, which the key's shard keeps under its lock.
 * Two kinds:
 *
 *     notified  `changed` is called for each change event (event.h) of the key, and for a flush that deletes it
 *     waiting   `changed` is NULL: no callback. A change puts the key on the transaction's list of ready keys, and
 *               the code that ends the transaction serves the waiting ones, in order of arrival
 *
 * A writer pays nothing for watches of other shards, and a look-up for those of its own. The key need not exist.
 * All functions need the key's shard held exclusively. Layer: store. */
#ifndef FLASHKV_WATCH_H
#define FLASHKV_WATCH_H

#include <flashkv/store.h>

struct key_watch;

/* Called under the shard's lock, with the rules of an event sink: it copies, signals, and never blocks. Of the store it may
 * only store_peek the event's key. False: ends the watch (but the struct must stay until its owner has called store_unwatch). */
typedef bool key_changed(struct key_watch *w, const struct event *ev);

struct key_watch {
    struct key_watch *prev, *next;
    struct watched_key *of; /* NULL: watches nothing */
    key_changed *changed;   /* set by the owner before store_watch */
};

/* Starts a watch; the bytes of the key are copied. False: no memory. */
bool store_watch(struct txn *t, const struct key *k, struct key_watch *w);
/* Ends it; does nothing if it has ended already. */
void store_unwatch(struct txn *t, const struct key *k, struct key_watch *w);

/* ---- waiting ------------------------------------------------------------------------------------------------- */

/* Ready keys (txn.ready), in the order in which they became ready. A key that is on one transaction's list is not put on
 * another's: the owner of the list serves it in its state at that time. A list that was taken outlives its transaction, and
 * each key on it has to be released under another one; keys still on the list at the end of a transaction are not served. */
/* Takes the whole list. */
struct ready_keys txn_take_ready(struct txn *t);
/* Takes the first key off a list; NULL: none. */
struct watched_key *ready_keys_pop(struct ready_keys *r);
/* Appends a key that was popped from another list. */
void ready_keys_push(struct ready_keys *r, struct watched_key *k);
/* Releases a key that was popped. */
void watched_key_release(struct txn *t, struct watched_key *k);

/* The key; its bytes are valid until it is released. */
const struct key *watched_key(const struct watched_key *k);
/* The first of the waiting watches, in order of arrival; NULL: there are none any more. */
struct key_watch *watched_key_waiting(const struct watched_key *k);
static inline struct key_watch *key_watch_next(const struct key_watch *w) {
    return w->next;
}

#endif
