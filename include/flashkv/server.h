/* server.h - the one context that main makes and passes on: no other global state exists.
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
    uint64_t before; /* its value then; one thread's */
    _Atomic uint64_t per_second;
};
enum { RATE_REQUESTS, RATE_BYTES_IN, RATE_BYTES_OUT, RATES };

/* Counters of one front end. Relaxed atomics; fronts add up per wake-up, not per command. */
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

/* The sessions that see every command. */
struct monitors {
    struct mutex mutex;
    struct session **sessions GUARDED_BY(monitors_role);
    size_t room GUARDED_BY(monitors_role);
    _Atomic uint32_t count; /* any thread may read whether there are any */
};

void monitors_init(struct monitors *m);
void monitors_destroy(struct monitors *m);

/* maxmemory (src/command/oom.h). */
struct memory_limit {
    _Atomic uint64_t max;                         /* bytes; 0: no limit */
    const struct eviction_policy *_Atomic policy; /* maxmemory-policy */
    _Atomic uint32_t samples, tenacity;           /* maxmemory-samples, maxmemory-eviction-tenacity */
    _Atomic uint64_t beside; /* bytes in use beside the keyspace, when they were measured */
    _Atomic int64_t due_ms;  /* wall clock: they are to be measured again */
};

enum pause_mode { PAUSE_NONE, PAUSE_WRITE, PAUSE_ALL };

struct server {
    struct store *store;
    struct sweeper *_Atomic sweeper; /* NULL while the data are loaded */
    struct pubsub *pubsub;
    struct notify notify;
    struct feed feed; /* what /watch tells */
    struct monitors monitors;
    struct options *options;
    struct resources resources;      /* at the start */
    struct settings settings;        /* Redis's options */
    struct secret password;          /* of RESP and HTTP; requirepass */
    struct tokens tokens;            /* further passwords, read-only once the ports are open */
    struct tls *resp_tls, *http_tls; /* of each port, NULL: none; the same, if both speak TLS */
    struct session_list sessions;
    struct stats stats;
    struct slow slow;
    struct front_stats resp, http;
    struct peers peers;              /* counted with max-connections-per-address only */
    _Atomic uint8_t paused;          /* enum pause_mode: CLIENT PAUSE */
    _Atomic int64_t paused_until_ms; /* monotonic */
    struct memory_limit memory;
    _Atomic uint64_t blocked_clients; /* in commands that wait for a key */
    struct persist *persist;          /* the data directory, or NULL */
    struct journal *_Atomic journal;  /* its log, or NULL: what transactions of commands take */
    _Atomic bool loading;             /* the data directory is being read: no keys yet */
    _Atomic bool ready;               /* both ports answer: /readyz */
    _Atomic uint64_t stats_resets;    /* so far */
    int64_t started_wall_ms, started_mono_ns;
    uint64_t memory_at_start;              /* bytes in use when the context was made */
    char run_id[41];                       /* 40 hex digits, as Redis */
    _Atomic uint16_t http_port, resp_port; /* as bound; RESP clients may ask while HTTP is being started */
};

/* Makes the parts that belong to the command layer, and takes them apart: sessions, settings, statistics, the slow
 * log; finds the resources. The rest is the caller's. */
void server_init(struct server *s);
void server_destroy(struct server *s);
/* Takes over into the settings what the options say of them (requirepass). False: no memory. */
bool config_start(struct server *s);
/* Is a password or token asked of clients? */
static inline bool server_asks(const struct server *s) {
    return secret_is_set(&s->password) || s->tokens.count > 0;
}
/* How many threads an option asks for; 0: as many as can run at the same time. */
static inline unsigned server_threads(const struct server *s, uint64_t option) {
    return option > 0 ? (unsigned)option : s->resources.threads;
}
/* Bytes that count against maxmemory, as of now. */
uint64_t server_memory_used(const struct server *s);
/* Evicts for a while what is over maxmemory, for the sweeper: a limit that was lowered is kept though no command comes. `server`
 * is the context. True: there is more to evict. */
bool server_make_room(void *server);
/* Once a second, by one thread: the rates of a front end. */
void front_tick(struct front_stats *f);
/* What POST /stats/reset and CONFIG RESETSTAT zero: store counters, front counters but connections. */
void server_stats_reset(struct server *s);

#endif
