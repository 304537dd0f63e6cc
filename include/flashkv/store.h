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
/* No other thread may use the store any more. NULL is ignored. */
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

/* Is the keyspace too large for the processor's cache, so that store_prefetch pays? */
bool store_exceeds_cache(const struct store *s);
enum { STORE_PREFETCH_MAX = 32 };
/* Prefetches the memory that look-ups of these keys (STORE_PREFETCH_MAX at most; they need not exist) will read, in parallel.
 * Locks the keys' shards shared, one at a time: no transaction may be open. */
void store_prefetch(struct store *s, const struct slice *names, size_t n);
/* The same for one key, for a caller that has other work before the look-up. Three steps, 50 ns or more apart, since each reads
 * what the one before has fetched: the shard (takes no lock), the slot, the entry. */
void store_prefetch_shard(const struct store *s, const struct key *k);
void store_prefetch_slot(struct store *s, const struct key *k);
void store_prefetch_entry(struct store *s, const struct key *k);

enum txn_mode { TXN_READ, TXN_WRITE };
#define TXN_ALL_SHARDS UINT64_MAX

struct watched_key;
struct ready_keys {
    struct watched_key *first, *last;
};

struct txn {
    struct store *store;
    int64_t now_ms;  /* the wall time of the whole transaction */
    uint64_t shards; /* bit i: shard i is held */
    enum txn_mode mode;
    struct object *dead; /* unlinked values, freed by txn_end after the locks are gone */
    uint64_t changes;    /* events so far */
    uint32_t wanted; /* classes of events that are emitted; all, if a key of one of the shards is watched */
    bool no_touch;   /* do not renew access stamps (access.h) */
    struct ready_keys ready; /* changed keys that blocked clients wait for (watch.h) */
    /* Where effects are logged; NULL: nowhere. Set by the code that begins a transaction for a command (journal.h). */
    struct journal *journal;
    struct effects *effects; /* gathered so far; NULL: none */
};
/* Locks the shards whose bits are set (none is allowed), in ascending order. Blocks. */
void txn_begin(struct txn *t, struct store *s, int64_t now_ms, uint64_t shards, enum txn_mode mode);
/* Unlocks them, then frees what was unlinked. */
void txn_end(struct txn *t);

/* The log position after the last change of any shard of the transaction. */
uint64_t store_logged(const struct txn *t);
/* Sets that position for these shards, which the caller holds exclusively. */
void store_note_logged(struct store *s, uint64_t shards, uint64_t position);

/* ---- one key ------------------------------------------------------------------------------------------ */

/* The live entry, or NULL. store_get counts a hit or a miss and renews the access stamp (access.h), store_inspect only counts
 * the hit or miss, store_peek does neither. Functions that change a key renew its stamp. */
const struct entry *store_get(struct txn *t, const struct key *k);
const struct entry *store_inspect(struct txn *t, const struct key *k);
const struct entry *store_peek(struct txn *t, const struct key *k);
/* The bytes that a key occupies, including its value and the allocator's rounding; 0: no such key. */
uint64_t store_footprint(struct txn *t, const struct key *k);

/* A string to store. `bytes` are copied, unless `blob` is given: then the blob is the value, and the store
 * takes a reference of its own (the caller keeps its reference). */
struct string_value {
    struct slice bytes;
    struct blob *blob;
    int64_t expire_at;         /* wall ms or NO_EXPIRY; already past: the key is deleted */
    struct slice content_type; /* at most ENTRY_CONTENT_TYPE_MAX bytes */
};
/* Sets the key, whatever type it held. On failure the key is unchanged. */
enum store_result store_set_string(struct txn *t, const struct key *k, const struct string_value *v);
/* If the key's value is the blob `old`, replaces it by `fresh`, which holds the same bytes. The caller has a reference to both
 * and keeps them; the store takes its own. Not a change of the key: no event. */
void store_swap_blob(struct txn *t, const struct key *k, const struct blob *old, struct blob *fresh);
/* Sets `n` keys in order: all of them, or on failure none. No value may have an expiry. `stored` (may be NULL) is called after
 * each, so that the caller can emit its event (store_changed). */
typedef void store_stored(void *ctx, size_t i);
enum store_result store_set_strings(struct txn *t, size_t n, const struct key *keys,
                                    const struct string_value *values, store_stored *stored, void *ctx);
/* Resizes the string to `len` bytes, in place where possible, and sets *bytes to them for writing. A missing key is created
 * empty; old bytes up to `len` are kept, new ones are zero. Expiry and content type stay. *bytes is
 * valid until the transaction's next change. On failure the key is unchanged. `raw`: the value for entry_is_raw. */
enum store_result store_edit_string(struct txn *t, const struct key *k, size_t len, bool raw, char **bytes);

/* A collection is an object of its type: a list of TYPE_LIST is a `struct list`, which begins with its
 * `struct object`, and so for every type that is not a string. The caller casts.
 *
 * A live object to read, counted as a hit or a miss; *o is NULL if there is no such key. */
enum store_result store_read_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o);
/* The same without counting: for commands that read before they write. */
enum store_result store_peek_object(struct txn *t, const struct key *k, enum value_type type,
                                    const struct object **o);
/* An object to change; if missing it is created empty (`create`), or *o is NULL. On STORE_OK with *o not NULL, the transaction
 * may only call functions of that type's own header on it until store_object_done, which accounts for the change. That deletes
 * the key if the object has become empty, and then returns false; the object is freed by txn_end. */
enum store_result store_edit_object(struct txn *t, const struct key *k, enum value_type type, bool create,
                                    struct object **o);
bool store_object_done(struct txn *t, const struct key *k);

/* Registers a hash (if the key exists) with the sweeper. To be called before an edit that gives fields an expiry. */
enum store_result store_fields_expire(struct txn *t, const struct key *k);

/* An empty collection that belongs to no key, for store_set_object, or to be freed by store_free_object. NULL: no memory. */
struct object *store_new_object(const struct store *s, enum value_type type);
void store_free_object(struct object *o);
/* Sets the key to a collection, whatever type it held, without an expiry; an empty one deletes the key. The store takes
 * ownership of the object. On failure the object stays the caller's and the key is unchanged. */
enum store_result store_set_object(struct txn *t, const struct key *k, struct object *o);

/* Deletes the key; true if there was a live one. */
bool store_delete(struct txn *t, const struct key *k);
/* Sets the expiry of a live key (NO_EXPIRY clears it); a time already past deletes the key. *existed: was there one? */
enum store_result store_set_expiry(struct txn *t, const struct key *k, int64_t expire_at, bool *existed);
/* Moves value, type, expiry and content type of `from`, which exists, to `to`, replacing it. On failure both
 * are unchanged. `from` and `to` may be the same key. */
enum store_result store_rename(struct txn *t, const struct key *from, const struct key *to);

/* Makes `to`, another key, a copy of `from`, which exists: value, type, expiry and content type. A large string is
 * shared, a collection copied, O(n) under the locks. On failure `to` is unchanged. */
enum store_result store_copy(struct txn *t, const struct key *from, const struct key *to);

/* ---- upper bounds of what edits allocate (need.h) --------------------------------------------------------- */

/* For edits of a collection. O(1). */
size_t store_object_need(const struct object *o, const struct edits *e);
/* For commands that change this key, of whatever type it is and becomes. */
size_t store_need(struct txn *t, const struct key *k, const struct edits *e);
/* For the tables of the transaction's shards, if so many keys are added to each. */
size_t store_keys_need(const struct txn *t, const uint32_t added[STORE_SHARDS]);
/* For a copy of the key's value, or a collection made from it. O(1). */
size_t store_copy_need(struct txn *t, const struct key *k);

/* ---- change events (event.h) ---------------------------------------------------------------------------- */

enum { STORE_SINKS_MAX = 4 };
/* Adds a sink for events of the given classes (enum event_class, or'ed; EVENT_ALL_CHANGES: every change). Before any
 * transaction; at most STORE_SINKS_MAX. Returns its number. */
unsigned store_add_sink(struct store *s, event_sink *sink, void *ctx, uint32_t classes);
/* Changes the classes of a sink (0: none), for transactions that begin later. Thread-safe. A change that no sink wants costs
 * one branch. */
void store_sink_classes(struct store *s, unsigned sink, uint32_t classes);
/* The slow path of store_changed: passes the event to watches and sinks. */
void store_notify(const struct event *ev);
/* Emits a change event: the transaction holds the key's shard exclusively. Inline, since every write comes here and mostly no
 * one listens. */
static inline void store_changed(struct txn *t, const struct key *k, enum event_class class,
                                 const char *name) {
    t->changes++;
    if (t->wanted & class)
        store_notify(&(struct event){.txn = t, .key = k, .class = class, .name = name});
}

/* ---- the whole keyspace ------------------------------------------------------------------------------- */
/* These visit the shards one at a time and lock each that the transaction does not hold already: the transaction begins with
 * no shards, or with all of them for a consistent view. */

/* The exact number of live keys: expired keys that are not swept yet are not counted. */
uint64_t store_count(struct txn *t);
/* Deletes all keys, or those of one shard. The memory is freed by the sweeper, or by this thread if none runs. `flushed` (may
 * be NULL) is called for each shard while it is held. */
typedef void store_flushed(struct txn *t, unsigned shard);
void store_flush(struct txn *t, store_flushed *flushed);
void store_flush_shard(struct txn *t, unsigned shard, store_flushed *flushed);

/* Called for each live entry of a page under its shard's read lock: copies what it needs, does not block. */
typedef void store_visit(void *ctx, const struct entry *e);
/* Visits a page of about `count` entries from `cursor` on (0 starts) and returns the next cursor, 0 at the
 * end. Pages are in the order of the keys' hashes, so a walk visits every key that exists from its start to its end, however
 * much the tables grow or shrink meanwhile, and repeats one with a probability of about 2^-30. Within a page no order is
 * guaranteed. Cursors fit in 53 bits (a JSON number); a larger one is past the end. */
uint64_t store_scan(struct txn *t, uint64_t cursor, size_t count, store_visit *visit, void *ctx);
/* The same for one shard, which the transaction holds, by points (hash << 6): visits about `count` entries, expired ones
 * included, from the point `from` on. Returns the point to continue at, 0 at the end. */
uint64_t store_walk(struct txn *t, unsigned shard, uint64_t from, size_t count, store_visit *visit,
                    void *ctx);
/* How often the shard has been flushed. */
uint64_t store_flushes(const struct store *s, unsigned shard);
/* Visits one live entry, chosen about uniformly at random; false: the store is empty. */
bool store_random(struct txn *t, store_visit *visit, void *ctx);

/* ---- statistics --------------------------------------------------------------------------------------- */

struct shard_stats {
    uint64_t keys;          /* entries, expired but unswept ones included */
    uint64_t volatile_keys; /* those of them with an expiry */
    uint64_t bytes;         /* entries, values and tables */
    uint64_t gets, hits, misses, sets, deletes, expired, evicted, list_ops;
    uint64_t read_locks, write_locks, contended;
    uint32_t readers; /* now */
    bool writer;      /* now */
};
/* Both may be NULL; `shards` has STORE_SHARDS rows. Reads relaxed atomics: takes no lock. */
void store_stats(const struct store *s, struct shard_stats *total, struct shard_stats *shards);
/* Objects and keys that are freed in the background: those still to be freed, and those freed so far. */
struct lazyfree_stats {
    uint64_t pending, freed;
};
struct lazyfree_stats store_lazyfree(const struct store *s);
/* Bytes of all entries, values and tables, to within STORE_SHARDS KiB: one load. */
uint64_t store_bytes(const struct store *s);
/* Bytes that are still to be freed in the background. */
uint64_t store_garbage_bytes(const struct store *s);
/* Zeroes the cumulative counters (gets to contended; freed). */
void store_stats_reset(struct store *s);

/* ---- expiry sweeper ----------------------------------------------------------------------------------- */

struct sweeper;
/* Further background work, bounded in time; true: there is more of it. */
typedef bool sweeper_chore(void *ctx);
/* Starts a thread that removes expired keys, frees large unlinked values, finishes resizing tables and calls the chore (may be
 * NULL). NULL: the thread could not be started. */
struct sweeper *sweeper_start(struct store *s, sweeper_chore *chore, void *ctx);
void sweeper_stop(struct sweeper *sw);
/* Inactive: expired keys stay until they are accessed. For tests. */
void sweeper_set_active(struct sweeper *sw, bool active);
/* Suspends the removal of expired keys until then (clock_mono_ns; INT64_MAX: for ever); 0 resumes it. */
void sweeper_hold(struct sweeper *sw, int64_t until_ns);
/* Wakes it before its next round: there is much to free, or work for the chore. */
void sweeper_wake(struct sweeper *sw);
/* Its present sleep between rounds, in ms (10 to 1000): for statistics. */
unsigned sweeper_interval_ms(const struct sweeper *sw);
/* One round at `now_ms`, by this thread: samples each shard's volatile keys; returns how many it sampled, and how many of
 * them had expired and were removed. */
struct sweep_result {
    uint64_t looked, expired;
};
struct sweep_result store_sweep(struct store *s, int64_t now_ms);

/* Plain XXH3-64 of the bytes: the ETag, and the result of DIGEST. */
uint64_t store_digest(struct slice bytes);

#endif
