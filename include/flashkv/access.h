/* access.h - when a key was last used, or how often: what eviction goes by, and OBJECT IDLETIME and FREQ tell.
 *
 * Each key has a stamp of 24 bits in its entry, which reads and writes of the key renew. Looking at a key (TYPE, TTL,
 * EXISTS, OBJECT, SCAN) does not. One of two things is kept, whichever the rules say; after a change of the rules, stamps of
 * the other kind are misread until they are renewed, as in Redis. Layer: store. */
#ifndef FLASHKV_ACCESS_H
#define FLASHKV_ACCESS_H

#include <flashkv/store.h>

struct access_rules {
    uint32_t log_factor; /* lfu-log-factor: how much rarer each further count becomes */
    /* lfu-decay-time: a count is lost for each such time without an access; 0: none is. */
    uint16_t decay_minutes;
    bool frequency; /* LFU: how often; else LRU: when */
};

/* From now on. Thread-safe. */
void store_set_access(struct store *s, struct access_rules rules);
struct access_rules store_access(const struct store *s);

/* Of an entry that the transaction found. How long since the last access, in ms (steps of 1024); at most half a year,
 * then it begins anew. */
int64_t store_idle_ms(const struct txn *t, const struct entry *e);
/* 0 to 255: about the logarithm of how often it was used lately. */
unsigned store_frequency(const struct txn *t, const struct entry *e);

#endif
