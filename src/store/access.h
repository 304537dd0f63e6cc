/* access.h - how the access stamp of an entry is kept. Private to the store.
 *
 *     LRU   24 bits of a clock that ticks every 1024 ms
 *     LFU   16 bits of a clock of minutes, 8 bits of a count
 *
 * Goal: know which keys are used, at next to no cost for a read. There is no LRU list, and no write to memory shared with
 * readers of other keys: a read compares the stamp with the clock, and writes it, under the shared lock, only when the clock
 * has advanced since. LFU's count, a Morris counter as in Redis (https://redis.io/docs/reference/eviction), is incremented
 * with a probability that falls as it rises, so there too a key that is often used is seldom written.
 *
 * The clocks derive from the wall clock, and wrap. LRU: an age in the last 16th of the range (186 to 198 days) cannot be
 * distinguished from a clock that was set back, and counts as 0. */
#ifndef FLASHKV_STORE_ACCESS_H
#define FLASHKV_STORE_ACCESS_H

#include <flashkv/access.h>

#include "entry_layout.h"

enum {
    ACCESS_TICK_BITS = 10,
    ACCESS_TICK_MS = 1 << ACCESS_TICK_BITS,
    ACCESS_COUNT_BITS = 8,
    ACCESS_COUNT_NEW = 5
};

/* The stamp of a key that is new at `now_ms`. */
uint32_t access_first(const struct access_rules *rules, int64_t now_ms);
/* The stamp after an access. */
uint32_t access_next(const struct access_rules *rules, uint32_t stamp, int64_t now_ms);
int64_t access_idle_ms(uint32_t stamp, int64_t now_ms);
/* The LFU count, decayed until now. */
unsigned access_count(const struct access_rules *rules, uint32_t stamp, int64_t now_ms);

/* The stamp for an entry that replaces `e`: that of `e`, renewed; NULL: a new one. */
uint32_t access_stamp(const struct txn *t, const struct entry *e);

/* Records an access to `e`, which has not expired. */
void access_renew(const struct txn *t, struct entry *e);
/* The fast path of a read, in one comparison: the entry never expires, and its LRU stamp is the present one. (An LFU stamp
 * equals it only by coincidence, and then one access is not counted.) */
static inline bool access_is_settled(const struct txn *t, const struct entry *e) {
    uint32_t tick = (uint32_t)(t->now_ms >> ACCESS_TICK_BITS);

    return ((entry_meta(e) ^ tick << ENTRY_STAMP_SHIFT) & (~(uint32_t)E_ALL | E_VOLATILE)) == 0;
}

#endif
