/* access.h - the access stamp of an entry, and how it is renewed. Private to the store.
 *
 *     LRU   24 bits of a clock that ticks every 1024 ms
 *     LFU   16 bits of a clock of minutes, 8 bits of a count
 *
 * Goal: know which keys are used, at next to no cost for a read. There is no list, and nothing is written that readers of
 * other keys share: a read compares the stamp with the clock, and writes it, under the shared lock, only when the clock
 * has moved on since. LFU's count, a Morris counter as in Redis (https://redis.io/docs/reference/eviction), goes up with
 * a chance that falls as it rises, so that there too a key that is often used is seldom written.
 *
 * The clocks are the wall clock's, and wrap. LRU: an age in the last 16th of the range (186 to 198 days) cannot be told
 * from a clock that was set back, and counts as none. */
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
/* What `stamp` becomes by an access. */
uint32_t access_next(const struct access_rules *rules, uint32_t stamp, int64_t now_ms);
int64_t access_idle_ms(uint32_t stamp, int64_t now_ms);
/* The count as it has decayed by now. */
unsigned access_count(const struct access_rules *rules, uint32_t stamp, int64_t now_ms);

/* The stamp for what `t` puts in the place of `e`, whose stamp it keeps; NULL: a new one. */
uint32_t access_stamp(const struct txn *t, const struct entry *e);

/* `e`, which has not expired, is used. */
void access_renew(const struct txn *t, struct entry *e);
/* At one look, what is true of most entries that are used: it never expires, and its stamp is that of now. (A stamp of LFU
 * is so only by chance, and then an access is not counted.) */
static inline bool access_is_settled(const struct txn *t, const struct entry *e) {
    uint32_t tick = (uint32_t)(t->now_ms >> ACCESS_TICK_BITS);

    return ((entry_meta(e) ^ tick << ENTRY_STAMP_SHIFT) & (~(uint32_t)E_ALL | E_VOLATILE)) == 0;
}

#endif
