/* store_impl.h - what the files of the store share. Private to the store. */
#ifndef FLASHKV_STORE_STORE_IMPL_H
#define FLASHKV_STORE_STORE_IMPL_H

#include <flashkv/access.h>

#include "evict.h"
#include "garbage.h"
#include "shard.h"

struct sink {
    event_sink *emit;
    void *ctx;
    _Atomic uint32_t classes; /* that it wants */
};

struct store {
    struct shard shards[STORE_SHARDS];
    /* Classes that some sink wants; in one cache line with the part of the secret that short keys are hashed with. */
    _Atomic uint32_t wanted;
    unsigned char secret[TABLE_SECRET_SIZE];
    uint64_t max_value;
    int64_t made_ms; /* wall clock */
    _Atomic struct access_rules access;
    _Atomic uint64_t random_state;
    _Atomic uint32_t views;             /* begun so far */
    struct sink sinks[STORE_SINKS_MAX]; /* but for their classes, unchanging once there are transactions */
    unsigned sink_count;
    struct garbage garbage;
    struct eviction_pool pool;
    _Alignas(CACHE_LINE) _Atomic uint64_t bytes; /* sum of the shards, see shard.total */
};

/* The shard of a key, which the transaction holds: exclusively for txn_shard_write. */
struct shard *txn_shard_read(struct txn *t, const struct key *k) ASSERT_HELD_SHARED(shard_role);
struct shard *txn_shard_write(struct txn *t, const struct key *k) ASSERT_HELD(shard_role);

/* The live entry of a key about to be written; an expired one is removed first. */
struct entry *find_live(struct txn *t, struct shard *sh, const struct key *k) REQUIRES(shard_role);
/* Makes an entry from `spec` that replaces `stale` (NULL: is added). Takes ownership of the spec's object only on
 * success. */
enum store_result place(struct txn *t, struct shard *sh, uint64_t hash, struct entry *stale,
                        const struct entry_spec *spec) REQUIRES(shard_role);
/* The same, and emits EVENT_NEW for a new key. */
enum store_result put(struct txn *t, struct shard *sh, const struct key *k, struct entry *stale,
                      const struct entry_spec *spec) REQUIRES(shard_role);
void note_new(struct txn *t, const struct key *k);
/* Can `spec` be written over `e` without a new allocation and without a change of the tables? */
bool fits_in_place(const struct entry *e, const struct entry_spec *spec);
void overwrite(struct shard *sh, struct entry *e, const struct entry_spec *spec) REQUIRES(shard_role);
/* The object for a string too long to live in its entry, with a reference of the store's own. NULL: no memory. */
struct object *string_object(const struct string_value *v);

/* For walks over the whole keyspace: locks shard `i` unless the transaction holds it; and unlocks it again. */
struct shard *txn_visit_read(struct txn *t, unsigned i) ACQUIRE_SHARED(shard_role);
void txn_leave_read(struct txn *t, unsigned i) RELEASE_SHARED(shard_role);
struct shard *txn_visit_write(struct txn *t, unsigned i) ACQUIRE(shard_role);
void txn_leave_write(struct txn *t, unsigned i) RELEASE(shard_role);

/* Emits an event that is not a change: EVENT_NEW, EVENT_MISS. */
void txn_notice(struct txn *t, const struct key *k, enum event_class class, const char *name);
/* Emits EVENT_REMOVED: a key, or a field of it, was removed by no command. */
void txn_removed(struct txn *t, const struct key *k, struct slice field);
/* Emits the events of a key that is removed because it has expired, or the last of its fields has. */
void txn_expired(struct txn *t, const struct key *k, const struct entry *e);

#endif
