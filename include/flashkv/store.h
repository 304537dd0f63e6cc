/* store.h - the keyspace: 64 shards, each a hash table behind a writer-preferring reader-writer lock.
 *
 *     store_key()   hash the key: its top 6 bits name the shard
 *     txn_begin()   lock the shards of all keys, in ascending order
 *     store_get(), store_set_string(), ...
 *     txn_end()     unlock, then free what was unlinked
 *
 * A transaction is the unit of atomicity: what one does to several keys on several shards, others see whole
 * or not at all. Since shards are always taken in ascending order, transactions cannot deadlock. A thread
 * has one transaction at a time.
 *
 * An expired key does not exist: no function here ever returns or counts one, swept or not.
 * Every store_* function that takes a `struct key` needs its shard held by the transaction (exclusively, to
 * change something); debug builds abort otherwise. Layer: store. */
#ifndef FLASHKV_STORE_H
#define FLASHKV_STORE_H

#include <flashkv/entry.h>
#include <flashkv/event.h>
#include <flashkv/need.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stdint.h>

enum { STORE_SHARDS = 64 };

enum store_result {
    STORE_OK,
    STORE_NO_MEMORY,
    STORE_TOO_LARGE,  /* the value would pass max_value */
    STORE_WRONG_TYPE, /* the key holds another type */
};

struct store;
struct journal;
struct effects;

struct store_config {
    uint64_t max_value;          /* bytes of one string value, or of one list element */
    const unsigned char *secret; /* STORE_SECRET_SIZE bytes to key the hashes, copied; NULL: random ones */
};
enum { STORE_SECRET_SIZE = 192 };

/* NULL: no memory, or no random bytes for the hash secret. */
struct store *store_create(const struct store_config *config);
/* Nobody may use the store any more. NULL is ignored. */
void store_destroy(struct store *s);

/* ---- keys and transactions -------------------------------------------------------------------------- */

/* A key with its hash (XXH3-64 under the store's secret). Borrows the bytes. */
struct key {
    struct slice name;
    uint64_t hash;
};
struct key store_key(const struct store *s, struct slice name);
static inline unsigned key_shard(const struct key *k) {
    return (unsigned)(k->hash >> 58);
}
static inline uint64_t key_shard_bit(const struct key *k) {
    return UINT64_C(1) << key_shard(k);
}

/* Are the keys too many for the processor's cache to hold, so that store_bring_near pays? */
bool store_is_far(const struct store *s);
enum { STORE_NEAR_MAX = 32 };
/* Brings what look-ups of these keys (STORE_NEAR_MAX at most, there or not) will touch into the cache, all at the same time.
 * Changes nothing but how long they take. Takes the keys' shards for reading, one at a time: no transaction may be open. */
void store_bring_near(struct store *s, const struct slice *names, size_t n);
/* The same of one key, for who has something else to do before it is looked up, in three steps some 50 ns or more apart, since each
 * finds its way in what the one before has brought: the shard, which takes no lock; its slot; the entry. */
void store_near_shard(const struct store *s, const struct key *k);
void store_near_slot(struct store *s, const struct key *k);
void store_near_entry(struct store *s, const struct key *k);

enum txn_mode { TXN_READ, TXN_WRITE };
#define TXN_ALL_SHARDS UINT64_MAX

struct watched_key;
struct ready_keys {
    struct watched_key *first, *last;
};

struct txn {
    struct store *store;
    int64_t now_ms;  /* the instant all of it happens at */
    uint64_t shards; /* bit i: shard i is held */
    enum txn_mode mode;
    struct object *dead; /* unlinked values, freed by txn_end after the locks are gone */
    uint64_t changes;    /* events so far */
    uint32_t heard; /* their classes that are listened to; all, if a key of one of the shards is watched */
    bool no_touch;  /* the keys it uses do not count as used (access.h) */
    struct ready_keys ready; /* keys that changed and that somebody waits for (watch.h) */
    /* Where the effects are logged; NULL: nowhere. Whoever begins a transaction for a command sets it (journal.h). */
    struct journal *journal;
    struct effects *effects; /* gathered so far; NULL: none */
};
/* Takes the shards whose bits are set (none is fine). Blocks. */
void txn_begin(struct txn *t, struct store *s, int64_t now_ms, uint64_t shards, enum txn_mode mode);
void txn_end(struct txn *t);

/* The position of the log behind which nothing has happened to any shard of the transaction. */
uint64_t store_logged(const struct txn *t);
/* It is `position` now for these shards, which the caller holds exclusively. */
void store_note_logged(struct store *s, uint64_t shards, uint64_t position);

/* ---- one key ------------------------------------------------------------------------------------------ */

/* The live entry, or NULL. store_get counts a hit or a miss, and the key as used (access.h); store_inspect only the hit or
 * miss, store_peek nothing. Functions that change a key count it as used. */
const struct entry *store_get(struct txn *t, const struct key *k);
const struct entry *store_inspect(struct txn *t, const struct key *k);
const struct entry *store_peek(struct txn *t, const struct key *k);
/* The bytes that a key takes, its value and the allocator's rounding included; 0: there is none. */
uint64_t store_footprint(struct txn *t, const struct key *k);

/* What a string is set to. `bytes` are copied, unless `blob` is given: then it is the value and the store
 * takes a reference of its own when it keeps it (the caller's stays the caller's). */
struct string_value {
    struct slice bytes;
    struct blob *blob;
    int64_t expire_at;         /* wall ms or NO_EXPIRY; already past: the key is deleted */
    struct slice content_type; /* at most ENTRY_CONTENT_TYPE_MAX bytes */
};
/* Sets the key whatever it held. On failure the key is as it was. */
enum store_result store_set_string(struct txn *t, const struct key *k, const struct string_value *v);
/* If the key's value is the blob `old`, of which the caller has a reference, makes it `fresh`, of which the store takes one:
 * the same bytes, held in another way. The key does not change. */
void store_swap_blob(struct txn *t, const struct key *k, const struct blob *old, struct blob *fresh);
/* Sets `n` keys, in their order: all of them, or on failure none. No value has an expiry. `stored` (NULL: nobody) is
 * told of each as it is set, to say so by store_changed. */
typedef void store_stored(void *ctx, size_t i);
enum store_result store_set_strings(struct txn *t, size_t n, const struct key *keys,
                                    const struct string_value *values, store_stored *stored, void *ctx);
/* Makes the string `len` bytes long, created empty if missing, and gives the bytes to write to, in place
 * where possible: old bytes stay up to `len`, new ones are zero. Expiry and content type stay. *bytes is
 * valid until the transaction's next change. On failure the key is as it was. `raw`: what entry_is_raw shall say. */
enum store_result store_edit_string(struct txn *t, const struct key *k, size_t len, bool raw, char **bytes);

/* A collection is an object of its type: a list of TYPE_LIST is a `struct list`, which begins with its
 * `struct object`, and so for every type that is not a string. The caller casts.
 *
 * A live object to read, counted as a hit or a miss; *o NULL if there is no key. */
enum store_result store_read_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o);
/* The same, counting nothing: for commands that look before they write. */
enum store_result store_peek_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o);
/* An object to change, made empty if missing and `create`; else *o NULL. On STORE_OK and *o not NULL, nothing
 * but calls of that type's own header on it may happen until store_object_done, which accounts for the change
 * and deletes the key if the object is empty (false); what it was is freed after the locks are gone. */
enum store_result store_edit_object(struct txn *t, const struct key *k, enum value_type type, bool create,
                                    struct object **o);
bool store_object_done(struct txn *t, const struct key *k);

/* Before an edit of a hash, if there is one, that gives fields an expiry (hash_expire): the sweeper shall look at it. */
enum store_result store_fields_expire(struct txn *t, const struct key *k);

/* A collection that is in no key yet, for store_set_object; to be given up, store_free_object. NULL: no memory. */
struct object *store_new_object(const struct store *s, enum value_type type);
void store_free_object(struct object *o);
/* Sets the key to a collection, whatever it held, without an expiry; an empty one deletes the key. The object is
 * the store's from then on, but for a failure, which leaves the key as it was. */
enum store_result store_set_object(struct txn *t, const struct key *k, struct object *o);

/* Deletes; true if a live key was there. */
bool store_delete(struct txn *t, const struct key *k);
/* Sets the expiry (NO_EXPIRY takes it away) of a live key; a time already past deletes it. *existed tells. */
enum store_result store_set_expiry(struct txn *t, const struct key *k, int64_t expire_at, bool *existed);
/* Moves value, type, expiry and content type of `from`, which exists, to `to`, replacing it. On failure both
 * are as they were. `from` and `to` may be the same key. */
enum store_result store_rename(struct txn *t, const struct key *from, const struct key *to);

/* Makes `to`, another key, a copy of `from`, which exists: value, type, expiry and content type. A large string is
 * shared, a collection copied, O(n) under the locks. On failure `to` is as it was. */
enum store_result store_copy(struct txn *t, const struct key *from, const struct key *to);

/* ---- memory for what is done in several steps (need.h) ---------------------------------------------------- */

/* The most that edits of a collection that the transaction edits take of the allocator. O(1). */
size_t store_object_need(const struct object *o, const struct edits *e);
/* The same of commands that change this key, which the transaction holds, whatever it is and becomes; */
size_t store_need(struct txn *t, const struct key *k, const struct edits *e);
/* and of so many keys that are added to each shard that the transaction holds. */
size_t store_keys_need(const struct txn *t, const uint32_t added[STORE_SHARDS]);
/* What a copy of the key's value takes at most, or a collection made of it. O(1). */
size_t store_copy_need(struct txn *t, const struct key *k);

/* ---- change events (event.h) ---------------------------------------------------------------------------- */

enum { STORE_SINKS_MAX = 4 };
/* One more sink, of the events whose classes (enum event_class, added up) it wants: EVENT_ALL_CHANGES is every change.
 * Before any transaction; at most STORE_SINKS_MAX. Returns its number. */
unsigned store_add_sink(struct store *s, event_sink *sink, void *ctx, uint32_t classes);
/* What it wants from now on, 0 for nothing: transactions that begin later know of it. Thread-safe. A change that
 * no sink wants costs one branch. */
void store_sink_classes(struct store *s, unsigned sink, uint32_t classes);
/* store_changed for those who listen: the transaction holds the key's shard exclusively. */
void store_tell(const struct event *ev);
/* Tells whoever listens (in the header, since every write comes here and mostly nobody does). */
static inline void store_changed(struct txn *t, const struct key *k, enum event_class class,
                                 const char *name) {
    t->changes++;
    if (t->heard & class)
        store_tell(&(struct event){.txn = t, .key = k, .class = class, .name = name});
}

/* ---- the whole keyspace ------------------------------------------------------------------------------- */
/* These visit the shards one at a time and lock each that the transaction does not hold already: begin with
 * no shards, or with all for one consistent view. */

/* Live keys. Exact: expired keys that nobody swept yet are not counted. */
uint64_t store_count(struct txn *t);
/* Deletes all keys, or all of a shard. The memory is freed by the sweeper, or where none runs by this thread. Each shard
 * is told of while it is held (NULL: to nobody). */
typedef void store_flushed(struct txn *t, unsigned shard);
void store_flush(struct txn *t, store_flushed *told);
void store_flush_shard(struct txn *t, unsigned shard, store_flushed *told);

/* Called for each live entry of a page under its shard's read lock: copy what you need, do not block. */
typedef void store_visit(void *ctx, const struct entry *e);
/* Visits a page of about `count` entries from `cursor` on (0 starts) and returns the next cursor, 0 at the
 * end. Pages come in the order of their keys' hashes, so a walk gives every key that is there throughout, however
 * much the tables grow or shrink meanwhile, and repeats one with a chance of about 1 in 2^30. Within a page no order is
 * promised. Cursors fit in 53 bits (a JSON number); a larger one is past the end. */
uint64_t store_scan(struct txn *t, uint64_t cursor, size_t count, store_visit *visit, void *ctx);
/* The same of one shard, which the transaction holds: about `count` entries whose points (hash << 6) are `from` or above,
 * expired ones included, and all up to the point returned, 0 at the end. */
uint64_t store_walk(struct txn *t, unsigned shard, uint64_t from, size_t count, store_visit *visit,
                    void *ctx);
/* How often the shard was emptied so far. */
uint64_t store_flushes(const struct store *s, unsigned shard);
/* Visits one live entry picked at random; false: the store is empty. */
bool store_random(struct txn *t, store_visit *visit, void *ctx);

/* ---- statistics --------------------------------------------------------------------------------------- */

struct shard_stats {
    uint64_t keys;          /* entries, expired but unswept ones included */
    uint64_t volatile_keys; /* of those, with an expiry */
    uint64_t bytes;         /* entries, values and tables */
    uint64_t gets, hits, misses, sets, deletes, expired, evicted, list_ops;
    uint64_t read_locks, write_locks, contended;
    uint32_t readers; /* now */
    bool writer;      /* now */
};
/* Both may be NULL; `shards` has STORE_SHARDS rows. Reads relaxed atomics: takes no lock. */
void store_stats(const struct store *s, struct shard_stats *total, struct shard_stats *shards);
/* What was unlinked and is freed in the background, in objects and keys: still to be freed, and so far freed. */
struct lazyfree_stats {
    uint64_t pending, freed;
};
struct lazyfree_stats store_lazyfree(const struct store *s);
/* Bytes of all entries, values and tables, to within STORE_SHARDS KiB: one load. */
uint64_t store_bytes(const struct store *s);
/* Bytes of what was unlinked and is still to be freed in the background. */
uint64_t store_garbage_bytes(const struct store *s);
/* Zeroes the cumulative counters (gets to contended; freed). */
void store_stats_reset(struct store *s);

/* ---- expiry sweeper ----------------------------------------------------------------------------------- */

struct sweeper;
/* Something more to do in the background, bounded in time; true: there is more of it. */
typedef bool sweeper_chore(void *ctx);
/* A thread that removes expired keys, frees what is large, finishes tables' growth and does the chore (NULL: none) in the
 * background. NULL: no thread. */
struct sweeper *sweeper_start(struct store *s, sweeper_chore *chore, void *ctx);
void sweeper_stop(struct sweeper *sw);
/* Off: expired keys stay until somebody asks for them. For tests. */
void sweeper_set_active(struct sweeper *sw, bool active);
/* Expired keys stay until then (clock_mono_ns), or for ever, INT64_MAX; 0: they go. */
void sweeper_hold(struct sweeper *sw, int64_t until_ns);
/* It does not wait for its next round: there is much to free, or the chore to do. */
void sweeper_wake(struct sweeper *sw);
/* How long it sleeps between rounds now, in ms (10 to 1000): for statistics. */
unsigned sweeper_interval_ms(const struct sweeper *sw);
/* One round at `now_ms`, by this thread: looks at a sample of each shard's volatile keys; returns how many it
 * looked at and how many were expired and removed. */
struct sweep_result {
    uint64_t looked, expired;
};
struct sweep_result store_sweep(struct store *s, int64_t now_ms);

/* Plain XXH3-64 of the bytes: the ETag, and what DIGEST prints. */
uint64_t store_digest(struct slice bytes);

#endif
