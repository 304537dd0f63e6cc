/* slowlog.h - slow commands and latency events: the source of SLOWLOG and LATENCY.
 *
 * Each command compares its duration with one number (slow.slow_ns); everything else happens only if it was slow. Layer:
 * command. Thread-safe except for init and destroy. */
#ifndef FLASHKV_SLOWLOG_H
#define FLASHKV_SLOWLOG_H

#include <flashkv/lock.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Redis's latency events of the same names. */
enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND,
    LATENCY_EXPIRE_CYCLE,
    LATENCY_EVICTION_CYCLE,
    LATENCY_EVENTS
};
extern const char *const latency_names[LATENCY_EVENTS];

enum { LATENCY_SAMPLES = 160 };
struct latency_sample {
    int64_t at; /* seconds since 1970; 0: none */
    uint32_t ms;
};
/* A ring of the last samples of an event: the maximum of each second that had any. */
struct latency_series {
    struct latency_sample samples[LATENCY_SAMPLES];
    unsigned next;
    uint32_t max_ms; /* since the last reset */
};

enum { SLOWLOG_ARGS_MAX = 32, SLOWLOG_ARG_MAX = 128, SLOWLOG_NAME_MAX = 64 };
struct slow_command {
    struct slow_command *next;
    uint64_t id;
    int64_t at;    /* seconds since 1970 */
    uint64_t us;   /* duration */
    char peer[56]; /* "127.0.0.1:50123" */
    char name[SLOWLOG_NAME_MAX];
    unsigned argc;
    uint32_t len;
    char args[]; /* `argc` arguments: each its length in two bytes, then the bytes */
};

/* The role of slow.mutex (thread_safety.h). */
extern struct mutex slow_role;

struct slow {
    _Atomic uint64_t slow_ns;       /* the lower of the two thresholds; UINT64_MAX: nothing is slow */
    _Atomic int64_t slower_than_us; /* slowlog-log-slower-than; -1: off */
    _Atomic uint64_t max_len;       /* slowlog-max-len */
    _Atomic uint64_t monitor_ms;    /* latency-monitor-threshold; 0: off */
    struct mutex mutex;
    struct slow_command *newest GUARDED_BY(slow_role);
    uint64_t len GUARDED_BY(slow_role), next_id GUARDED_BY(slow_role);
    struct latency_series events[LATENCY_EVENTS] GUARDED_BY(slow_role);
};

void slow_init(struct slow *s);
void slow_destroy(struct slow *s);
/* The only ways to take and release the mutex. */
void slow_lock(struct slow *s) ACQUIRE(slow_role);
void slow_unlock(struct slow *s) RELEASE(slow_role);

/* Set the thresholds: slowlog-log-slower-than, slowlog-max-len, latency-monitor-threshold. */
void slow_set_slower_than(struct slow *s, int64_t us);
void slow_set_max_len(struct slow *s, uint64_t len);
void slow_set_monitor(struct slow *s, uint64_t ms);

/* Takes ownership of an entry, whose id, at and next it sets, and drops the oldest beyond the limit. */
void slowlog_add(struct slow *s, struct slow_command *entry);
void slowlog_reset(struct slow *s);
/* Records an event of that duration, if the monitor is on and the duration is above its threshold. */
void latency_add(struct slow *s, enum latency_event event, uint64_t ns);
/* Drops an event's samples; false: there were none. */
bool latency_reset(struct slow *s, enum latency_event event);

#endif
