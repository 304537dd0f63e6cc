/* slowlog.c - the slow log, and the samples of latency events. */
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/slowlog.h>
#include <string.h>

const char *const latency_names[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "command",
    [LATENCY_FAST_COMMAND] = "fast-command",
    [LATENCY_EXPIRE_CYCLE] = "expire-cycle",
    [LATENCY_EVICTION_CYCLE] = "eviction-cycle",
};

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, DEFAULT_SLOWER_THAN_US = 10000, DEFAULT_MAX_LEN = 128 };

void slow_lock(struct slow *s) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&s->mutex);
}

void slow_unlock(struct slow *s) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&s->mutex);
}

void slow_init(struct slow *s) NO_THREAD_SAFETY_ANALYSIS {
    memset(s, 0, sizeof(*s));
    mutex_init(&s->mutex, LOCK_RANK_LEAF);
    atomic_init(&s->max_len, DEFAULT_MAX_LEN);
    slow_set_slower_than(s, DEFAULT_SLOWER_THAN_US);
}

void slow_destroy(struct slow *s) {
    slowlog_reset(s);
    mutex_destroy(&s->mutex);
}

/* ---- thresholds ---------------------------------------------------------------------------------------------- */

static uint64_t scaled(uint64_t n, uint64_t unit) {
    return n > UINT64_MAX / unit ? UINT64_MAX : n * unit;
}

/* CONFIG SET applies one change at a time, under the settings' mutex. */
static void set_lower(struct slow *s) {
    int64_t us = atomic_load(&s->slower_than_us);
    uint64_t ms = atomic_load(&s->monitor_ms);
    uint64_t log_ns = us < 0 ? UINT64_MAX : scaled((uint64_t)us, NS_PER_US);
    uint64_t monitor_ns = ms == 0 ? UINT64_MAX : scaled(ms, NS_PER_MS);

    atomic_store(&s->slow_ns, log_ns < monitor_ns ? log_ns : monitor_ns);
}

void slow_set_slower_than(struct slow *s, int64_t us) {
    atomic_store(&s->slower_than_us, us);
    set_lower(s);
}

void slow_set_monitor(struct slow *s, uint64_t ms) {
    atomic_store(&s->monitor_ms, ms);
    set_lower(s);
}

/* ---- slow commands ------------------------------------------------------------------------------------------- */

/* Unlinks all entries after the newest `keep`. */
static struct slow_command *cut(struct slow *s, uint64_t keep) REQUIRES(slow_role) {
    struct slow_command **link = &s->newest, *rest;

    for (uint64_t i = 0; i < keep && *link != NULL; i++)
        link = &(*link)->next;
    rest = *link;
    *link = NULL;
    s->len = s->len < keep ? s->len : keep;
    return rest;
}

static void free_all(struct slow_command *e) {
    while (e != NULL) {
        struct slow_command *next = e->next;

        mem_free(e);
        e = next;
    }
}

void slow_set_max_len(struct slow *s, uint64_t len) {
    atomic_store(&s->max_len, len);
}

void slowlog_add(struct slow *s, struct slow_command *entry) {
    uint64_t max = atomic_load(&s->max_len);
    struct slow_command *old = NULL;

    entry->at = clock_wall_ms() / 1000;
    slow_lock(s);
    entry->id = s->next_id++;
    entry->next = s->newest;
    s->newest = entry;
    s->len++;
    if (s->len > max)
        old = cut(s, max);
    slow_unlock(s);
    free_all(old);
}

void slowlog_reset(struct slow *s) {
    struct slow_command *old;

    slow_lock(s);
    old = cut(s, 0);
    slow_unlock(s);
    free_all(old);
}

/* ---- latency ------------------------------------------------------------------------------------------------- */

static void add_sample(struct latency_series *l, int64_t at, uint32_t ms) {
    struct latency_sample *last = &l->samples[(l->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES];

    l->max_ms = ms > l->max_ms ? ms : l->max_ms;
    if (last->at == at) { /* keep the maximum of each second */
        last->ms = ms > last->ms ? ms : last->ms;
        return;
    }
    l->samples[l->next] = (struct latency_sample){at, ms};
    l->next = (l->next + 1) % LATENCY_SAMPLES;
}

void latency_add(struct slow *s, enum latency_event event, uint64_t ns) {
    uint64_t threshold = atomic_load_explicit(&s->monitor_ms, memory_order_relaxed), ms = ns / NS_PER_MS;

    if (threshold == 0 || ms < threshold)
        return;
    slow_lock(s);
    add_sample(&s->events[event], clock_wall_ms() / 1000, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms);
    slow_unlock(s);
}

bool latency_reset(struct slow *s, enum latency_event event) {
    bool had;

    slow_lock(s);
    had = s->events[event].max_ms > 0;
    s->events[event] = (struct latency_series){.next = 0};
    slow_unlock(s);
    return had;
}
