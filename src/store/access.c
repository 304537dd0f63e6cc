/* access.c - the access stamp; access.h explains it. */
#include "access.h"

#include <flashkv/random.h>

#include "store_impl.h"

enum {
    STAMP_MASK = (1 << 24) - 1,
    FROM_THE_FUTURE = STAMP_MASK - STAMP_MASK / 16,
    MINUTE_MS = 60000,
    MINUTES_MASK = UINT16_MAX,
    COUNT_MAX = (1 << ACCESS_COUNT_BITS) - 1
};

static uint32_t ticks(int64_t now_ms) {
    return (uint32_t)(now_ms >> ACCESS_TICK_BITS) & STAMP_MASK;
}

static uint32_t minutes(int64_t now_ms) {
    return (uint32_t)(now_ms / MINUTE_MS) & MINUTES_MASK;
}

static uint32_t counted(uint32_t count, int64_t now_ms) {
    return minutes(now_ms) << ACCESS_COUNT_BITS | count;
}

unsigned access_count(const struct access_rules *rules, uint32_t stamp, int64_t now_ms) {
    uint32_t count = stamp & COUNT_MAX, lost = 0;

    if (rules->decay_minutes > 0)
        lost = ((minutes(now_ms) - (stamp >> ACCESS_COUNT_BITS)) & MINUTES_MASK) / rules->decay_minutes;
    return lost < count ? count - lost : 0;
}

int64_t access_idle_ms(uint32_t stamp, int64_t now_ms) {
    uint32_t age = (ticks(now_ms) - stamp) & STAMP_MASK;

    return age < FROM_THE_FUTURE ? (int64_t)age << ACCESS_TICK_BITS : 0;
}

uint32_t access_first(const struct access_rules *rules, int64_t now_ms) {
    return rules->frequency ? counted(ACCESS_COUNT_NEW, now_ms) : ticks(now_ms);
}

uint32_t access_next(const struct access_rules *rules, uint32_t stamp, int64_t now_ms) {
    uint32_t count, above;

    if (!rules->frequency)
        return ticks(now_ms);
    count = access_count(rules, stamp, now_ms);
    above = count > ACCESS_COUNT_NEW ? count - ACCESS_COUNT_NEW : 0;
    if (count < COUNT_MAX && random_below((uint64_t)above * rules->log_factor + 1) == 0)
        count++;
    return counted(count, now_ms);
}

/* ---- of a store's entries ------------------------------------------------------------------------------------------ */

void store_set_access(struct store *s, struct access_rules rules) {
    atomic_store_explicit(&s->access, rules, memory_order_relaxed);
}

struct access_rules store_access(const struct store *s) {
    return atomic_load_explicit(&s->access, memory_order_relaxed);
}

/* While the keys are loaded the clock is at 0: loaded keys count as used at the creation of the store. */
static int64_t now_of(const struct txn *t) {
    return t->now_ms > 0 ? t->now_ms : t->store->made_ms;
}

uint32_t access_stamp(const struct txn *t, const struct entry *e) {
    struct access_rules rules = store_access(t->store);

    return e != NULL ? entry_stamp(e) : access_first(&rules, now_of(t));
}

void access_renew(const struct txn *t, struct entry *e) {
    struct access_rules rules = store_access(t->store);
    uint32_t stamp = entry_stamp(e), next;

    if (t->no_touch)
        return;
    next = access_next(&rules, stamp, now_of(t));
    if (next != stamp)
        entry_set_stamp(e, next);
}

int64_t store_idle_ms(const struct txn *t, const struct entry *e) {
    return access_idle_ms(entry_stamp(e), t->now_ms);
}

unsigned store_frequency(const struct txn *t, const struct entry *e) {
    struct access_rules rules = store_access(t->store);

    return access_count(&rules, entry_stamp(e), t->now_ms);
}
