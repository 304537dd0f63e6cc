/* server.h - the context that main creates and passes on: there is no other global state.
 * Layer: command. */
#ifndef FLASHKV_SERVER_H
#define FLASHKV_SERVER_H

#include <flashkv/cgroup.h>
#include <flashkv/eviction.h>
#include <flashkv/feed.h>
#include <flashkv/notify.h>
#include <flashkv/options.h>
#include <flashkv/peers.h>
#include <flashkv/persist.h>
#include <flashkv/pubsub.h>
#include <flashkv/secret.h>
#include <flashkv/session.h>
#include <flashkv/settings.h>
#include <flashkv/slowlog.h>
#include <flashkv/stats.h>
#include <flashkv/store.h>
#include <flashkv/tls.h>
#include <flashkv/tokens.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How much a counter has grown in the last whole second. */
struct rate {
    uint64_t before; /* the counter a second ago; private to front_tick */
    _Atomic uint64_t per_second;
};
enum { RATE_REQUESTS, RATE_BYTES_IN, RATE_BYTES_OUT, RATES };

/* Counters of one front end. Relaxed atomics; front ends update them once per wake-up, not per command. */
struct front_stats {
    _Atomic uint64_t connections; /* open now */
    _Atomic uint64_t accepted;    /* since start */
    _Atomic uint64_t refused;     /* over max_connections */
    _Atomic uint64_t requests;    /* commands or HTTP requests answered */
    _Atomic uint64_t bytes_in, bytes_out;
    _Atomic uint64_t output_overflows; /* connections closed for not reading their replies */
    _Atomic uint64_t errors;           /* error replies; HTTP: status 4xx and 5xx */
    struct rate rates[RATES];
};

/* The role of monitors.mutex (thread_safety.h). */
extern struct mutex monitors_role;

/* The sessions in MONITOR, which are sent every command. */
struct monitors {
    struct mutex mutex;
    struct session **sessions GUARDED_BY(monitors_role);
    size_t cap GUARDED_BY(monitors_role);
    _Atomic uint32_t count; /* any thread may read it */
};

void monitors_init(struct monitors *m);
void monitors_destroy(struct monitors *m);

/* maxmemory (src/command/oom.h). */
struct memory_limit {
    _Atomic uint64_t max;                         /* bytes; 0: no limit */
    const struct eviction_policy *_Atomic policy; /* maxmemory-policy */
    _Atomic uint32_t samples, tenacity;           /* maxmemory-samples, maxmemory-eviction-tenacity */
    _Atomic uint64_t other;                       /* bytes in use outside the keyspace, as last measured */
    _Atomic int64_t due_ms;                       /* wall clock: when to measure them again */
};

enum pause_mode { PAUSE_NONE, PAUSE_WRITE, PAUSE_ALL };

struct server {
    struct store *store;
    struct sweeper *_Atomic sweeper; /* NULL while the data are loaded */
    struct pubsub *pubsub;
    struct notify notify;
    struct feed feed; /* the source of /watch */
    struct monitors monitors;
    struct options *options;
    struct resources resources;      /* as found at the start */
    struct settings settings;        /* Redis's options */
    struct secret password;          /* requirepass, of RESP and HTTP */
    struct tokens tokens;            /* further passwords, read-only once the ports are open */
    struct tls *resp_tls, *http_tls; /* of each port, NULL: none; equal if both ports use TLS */
    struct session_list sessions;
    struct stats stats;
    struct slow slow;
    struct front_stats resp, http;
    struct peers peers;              /* counts only if max-connections-per-address is set */
    _Atomic uint8_t paused;          /* enum pause_mode: CLIENT PAUSE */
    _Atomic int64_t paused_until_ms; /* monotonic */
    struct memory_limit memory;
    _Atomic uint64_t blocked_clients; /* sessions blocked until a key is ready */
    struct persist *persist;          /* the data directory, or NULL */
    struct journal *_Atomic journal;  /* its log, or NULL: for txn.journal of commands */
    _Atomic bool loading;             /* the data directory is being read: no keys yet */
    _Atomic bool ready;               /* both ports answer: /readyz */
    _Atomic uint64_t stats_resets;    /* so far */
    int64_t started_wall_ms, started_mono_ns;
    uint64_t memory_at_start; /* bytes in use when the context was created */
    char run_id[41];          /* 40 hex digits, as Redis */
    _Atomic uint16_t http_port,
        resp_port; /* as bound; RESP clients may read them while HTTP is being started */
};

/* Initialises the parts that belong to the command layer (sessions, settings, statistics, the slow log) and finds the
 * resources; destroys those parts. The rest is the caller's. */
void server_init(struct server *s);
void server_destroy(struct server *s);
/* Copies the options that are settings too (requirepass) to the settings. False: no memory. */
bool config_start(struct server *s);
/* Do clients need a password or token? */
static inline bool server_requires_auth(const struct server *s) {
    return secret_is_set(&s->password) || s->tokens.count > 0;
}
/* The number of threads for an option's value; 0 stands for as many as can run in parallel. */
static inline unsigned server_threads(const struct server *s, uint64_t option) {
    return option > 0 ? (unsigned)option : s->resources.threads;
}
/* Bytes that count against maxmemory, as of now. */
uint64_t server_memory_used(const struct server *s);
/* A chore of the sweeper: evicts for a bounded time while more than maxmemory is in use, so that a lowered limit takes effect
 * without a command. `server` is the context. True: there is more to evict. */
bool server_make_room(void *server);
/* Updates the rates of a front end. To be called once a second, by one thread. */
void front_tick(struct front_stats *f);
/* POST /stats/reset and CONFIG RESETSTAT: zeroes the counters of the store and the front ends, except open connections. */
void server_stats_reset(struct server *s);

#endif
