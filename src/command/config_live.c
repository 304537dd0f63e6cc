/* config_live.c - Redis's settings that have an effect, and how each is applied. All others are only stored and returned. */
#include <flashkv/access.h>
#include <flashkv/encoding.h>
#include <stdlib.h>

#include "config_live.h"

enum { VALUE_MAX = 4096 };

static uint32_t limit_of(const char *value) {
    long long n = strtoll(value, NULL, 10);

    return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void set_limit(_Atomic uint32_t *limit, const char *value) {
    atomic_store_explicit(limit, limit_of(value), memory_order_relaxed);
}

static void limit_hash_entries(struct server *srv, const char *value) {
    (void)srv;
    set_limit(&encoding_limits.hash_entries, value);
}

static void limit_hash_value(struct server *srv, const char *value) {
    (void)srv;
    set_limit(&encoding_limits.hash_value, value);
}

static void limit_set_ints(struct server *srv, const char *value) {
    (void)srv;
    set_limit(&encoding_limits.set_ints, value);
}

static void limit_zset_entries(struct server *srv, const char *value) {
    (void)srv;
    set_limit(&encoding_limits.zset_entries, value);
}

static void limit_zset_value(struct server *srv, const char *value) {
    (void)srv;
    set_limit(&encoding_limits.zset_value, value);
}

static void latency_monitor(struct server *srv, const char *value) {
    slow_set_monitor(&srv->slow, strtoull(value, NULL, 10));
}

static void latency_tracking(struct server *srv, const char *value) {
    atomic_store(&srv->stats.histograms, strcmp(value, "yes") == 0);
}

/* The rules of access stamps. Settings are applied under their mutex, so reading and changing the rules does not race. */
static void lfu_decay_time(struct server *srv, const char *value) {
    struct access_rules rules = store_access(srv->store);
    uint32_t minutes = limit_of(value);

    rules.decay_minutes = minutes < UINT16_MAX ? (uint16_t)minutes : UINT16_MAX;
    store_set_access(srv->store, rules);
}

static void lfu_log_factor(struct server *srv, const char *value) {
    struct access_rules rules = store_access(srv->store);

    rules.log_factor = limit_of(value);
    store_set_access(srv->store, rules);
}

static void max_memory(struct server *srv, const char *value) {
    atomic_store(&srv->memory.due_ms, 0);
    atomic_store(&srv->memory.max, strtoull(value, NULL, 10));
    if (srv->sweeper != NULL)
        sweeper_wake(srv->sweeper);
}

static void eviction_tenacity(struct server *srv, const char *value) {
    set_limit(&srv->memory.tenacity, value);
}

static void max_memory_samples(struct server *srv, const char *value) {
    set_limit(&srv->memory.samples, value);
}

static void max_memory_policy(struct server *srv, const char *value) {
    const struct eviction_policy *policy = eviction_policy_find(slice_str(value));
    struct access_rules rules = store_access(srv->store);

    rules.frequency = policy->order == EVICT_RAREST;
    store_set_access(srv->store, rules);
    atomic_store(&srv->memory.policy, policy);
}

static void notify_events(struct server *srv, const char *value) {
    notify_set(&srv->notify, slice_str(value));
}

static void requirepass(struct server *srv, const char *value) {
    secret_set(&srv->password, slice_str(value));
}

static void slowlog_max_len(struct server *srv, const char *value) {
    slow_set_max_len(&srv->slow, strtoull(value, NULL, 10));
}

static void slowlog_slower_than(struct server *srv, const char *value) {
    slow_set_slower_than(&srv->slow, strtoll(value, NULL, 10));
}

static const struct {
    const char *name;
    void (*apply)(struct server *srv, const char *value); /* the value is valid and in its normal form */
} live[] = {
    {"hash-max-listpack-entries", limit_hash_entries},
    {"hash-max-listpack-value", limit_hash_value},
    {"latency-monitor-threshold", latency_monitor},
    {"latency-tracking", latency_tracking},
    {"lfu-decay-time", lfu_decay_time},
    {"lfu-log-factor", lfu_log_factor},
    {"maxmemory", max_memory},
    {"maxmemory-eviction-tenacity", eviction_tenacity},
    {"maxmemory-policy", max_memory_policy},
    {"maxmemory-samples", max_memory_samples},
    {"notify-keyspace-events", notify_events},
    {"requirepass", requirepass},
    {"set-max-intset-entries", limit_set_ints},
    {"slowlog-log-slower-than", slowlog_slower_than},
    {"slowlog-max-len", slowlog_max_len},
    {"zset-max-listpack-entries", limit_zset_entries},
    {"zset-max-listpack-value", limit_zset_value},
};

/* False: no memory. */
static bool take_over(struct server *srv, const struct option_row *option, const struct setting_row *row) {
    struct setting_change ch = {.row = row};
    struct buf value = buf_make(VALUE_MAX);
    char why[128];
    bool ok = option_format(srv->options, option, &value);

    if (ok && !slice_eq(buf_slice(&value), slice_str(row->fallback))) {
        ok = setting_parse(&ch, buf_slice(&value), why, sizeof(why)) == NULL;
        if (ok)
            settings_apply(&srv->settings, &ch, 1, config_apply, srv);
    }
    buf_free(&value);
    return ok;
}

bool config_start(struct server *srv) {
    for (size_t i = 0; i < option_count; i++) {
        const struct setting_row *row = setting_find(slice_str(option_table[i].name));

        if (row != NULL && !take_over(srv, &option_table[i], row))
            return false;
    }
    return true;
}

void config_apply(void *server, const struct setting_change *ch) {
    for (size_t i = 0; i < sizeof(live) / sizeof(*live); i++)
        if (strcmp(ch->row->name, live[i].name) == 0)
            live[i].apply(server, ch->value);
}
