/* access.h - when a key was last used, or how often: the input of eviction, reported by OBJECT IDLETIME and FREQ.
 *
 * Each entry has an access stamp of 24 bits, renewed by reads and writes of the key. Inspecting a key (TYPE, TTL, EXISTS,
 * OBJECT, SCAN) does not renew it. A stamp holds a time (LRU) or a frequency (LFU), as the rules say; after the rules change,
 * old stamps are misread until they are renewed, as in Redis. Layer: store. */
#ifndef FLASHKV_ACCESS_H
#define FLASHKV_ACCESS_H

#include <flashkv/store.h>

struct access_rules {
    uint32_t log_factor; /* lfu-log-factor: the higher, the less likely an access is to increment the count */
    /* lfu-decay-time: the count is decremented for each such period without an access; 0: never. */
    uint16_t decay_minutes;
    bool frequency; /* true: LFU, false: LRU */
};

/* Sets the rules for all accesses from now on. Thread-safe. */
void store_set_access(struct store *s, struct access_rules rules);
struct access_rules store_access(const struct store *s);

/* Time since the last access of an entry that the transaction found, in ms (steps of 1024). Wraps after half a year. */
int64_t store_idle_ms(const struct txn *t, const struct entry *e);
/* The LFU count, 0 to 255: about the logarithm of the recent access frequency. */
unsigned store_frequency(const struct txn *t, const struct entry *e);

#endif
