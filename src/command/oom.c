/* oom.c - maxmemory: eviction before a command, and refusing it (oom.h).
 *
 * Goal: the memory in use stays near the limit, whatever the load, and no command waits long for it. The memory in use is the
 * keyspace, which the store counts exactly, plus everything else (connections, tables of the program, the allocator's
 * overhead), which is the allocator's total minus the keyspace. Reading that total takes microseconds, since it
 * sums all arenas: so that is done periodically, for at most 1 % of a processor's time.
 * Stop rule: each command evicts until the memory fits again, or its time is up (maxmemory-eviction-tenacity), and
 * then the next command continues; a command is refused only if nothing is left to evict.
 * Cost: without a limit, one comparison for each command. Over it, about one eviction for each new key. */
#include "oom.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>

#include "handlers.h"
#include "multi.h"
#include "pause.h"

/* ---- what is in use ------------------------------------------------------------------------------------------- */

uint64_t memory_not_counted(const struct server *srv) {
    const struct journal *j = atomic_load_explicit(&srv->journal, memory_order_acquire);

    return store_garbage_bytes(srv->store) + (j != NULL ? journal_stats(j).waiting : 0);
}

uint64_t server_memory_used(const struct server *s) {
    uint64_t given, not_counted;

    if (!mem_counts_allocated())
        return atomic_load_explicit(&s->memory.other, memory_order_relaxed) + store_bytes(s->store);
    given = mem_allocated();
    not_counted = memory_not_counted(s);
    return given > not_counted ? given - not_counted : 0;
}

/* The allocated bytes outside the keyspace. The two sums are not of one instant: if this thread is preempted between them, what
 * others wrote meanwhile must not be counted as memory that no eviction can free. */
static uint64_t measure_other(const struct server *srv) {
    uint64_t before = store_bytes(srv->store), given = mem_allocated(), after = store_bytes(srv->store);
    uint64_t keyspace = (before > after ? before : after) + memory_not_counted(srv);

    return given > keyspace ? given - keyspace : 0;
}

/* Measures again if it is due; one thread at a time, the others use the last result. */
static void refresh(struct server *srv, int64_t now_ms) {
    enum { COST = 100, LATEST_MS = 1000 };
    struct memory_limit *m = &srv->memory;
    int64_t due = atomic_load_explicit(&m->due_ms, memory_order_relaxed), began;

    if (!mem_counts_allocated()) /* keep the value of the start */
        return;
    if (now_ms < due && due - now_ms <= LATEST_MS) /* else the clock was set back */
        return;
    if (!atomic_compare_exchange_strong(&m->due_ms, &due, now_ms + LATEST_MS))
        return;
    began = clock_mono_ns();
    atomic_store_explicit(&m->other, measure_other(srv), memory_order_relaxed);
    began = (clock_mono_ns() - began) * COST / 1000000;
    atomic_store_explicit(&m->due_ms, now_ms + 1 + (began < LATEST_MS ? began : LATEST_MS - 1),
                          memory_order_relaxed);
}

/* The excess over the limit, in bytes. */
static uint64_t excess(const struct server *srv) {
    uint64_t max = atomic_load_explicit(&srv->memory.max, memory_order_relaxed);
    uint64_t used = atomic_load_explicit(&srv->memory.other, memory_order_relaxed) + store_bytes(srv->store);

    return max > 0 && used > max ? used - max : 0;
}

/* ---- making room ---------------------------------------------------------------------------------------------- */

/* The time limit of one command's evictions: 50 us for each step of the tenacity up to 10, the default; above that 15 % more
 * for each step; 100: unlimited. */
static int64_t time_to_evict(uint32_t tenacity) {
    enum { STEP_NS = 50000, USUAL = 10, NO_LIMIT = 100 };
    int64_t ns = STEP_NS * (int64_t)(tenacity < USUAL ? tenacity : USUAL);

    if (tenacity >= NO_LIMIT)
        return INT64_MAX;
    for (uint32_t i = USUAL; i < tenacity; i++)
        ns += ns * 15 / 100;
    return ns;
}

enum room {
    ROOM_MADE,
    ROOM_MORE, /* the time was up, or the decision is stale: there may be more to evict */
    ROOM_NONE, /* over the limit, and nothing can be evicted */
};

/* No evictions while clients are paused, as in Redis; nor while the keys are loaded. */
static bool may_evict(const struct server *srv) {
    return !atomic_load_explicit(&srv->loading, memory_order_relaxed) &&
           atomic_load_explicit(&srv->paused, memory_order_relaxed) == PAUSE_NONE;
}

/* The settings that an eviction was decided by. */
struct decision {
    const struct server *srv;
    uint64_t max;
    const struct eviction_policy *policy;
};

/* Called before each eviction: the thread may have been preempted for long, and keys that are written after CONFIG SET has lifted
 * the limit, or read after CLIENT PAUSE, must stay. */
static bool still_holds(void *decision) {
    const struct decision *d = decision;

    return atomic_load_explicit(&d->srv->memory.max, memory_order_relaxed) == d->max &&
           atomic_load_explicit(&d->srv->memory.policy, memory_order_relaxed) == d->policy &&
           may_evict(d->srv);
}

/* Evicts until the excess is gone or the time is up. */
static enum room evict(struct server *srv, int64_t now_ms, struct decision *d, int64_t until) {
    enum { BATCH = 16 }; /* evictions between two readings of the clock */
    unsigned samples = atomic_load_explicit(&srv->memory.samples, memory_order_relaxed);
    uint64_t over;

    while ((over = excess(srv)) > 0) {
        uint64_t freed = 0;

        for (int i = 0; i < BATCH && freed < over; i++) {
            uint64_t bytes = store_evict(srv->store, now_ms, d->policy, samples, still_holds, d);

            if (bytes == 0)
                return still_holds(d) ? ROOM_NONE : ROOM_MORE;
            freed += bytes;
        }
        if (clock_mono_ns() >= until)
            return ROOM_MORE;
    }
    return ROOM_MADE;
}

/* No evictions while changes cannot be logged. */
static enum room make_room(struct server *srv, int64_t now_ms) {
    struct decision d = {srv, atomic_load_explicit(&srv->memory.max, memory_order_relaxed),
                         atomic_load_explicit(&srv->memory.policy, memory_order_relaxed)};
    const struct journal *j = atomic_load_explicit(&srv->journal, memory_order_acquire);
    int64_t began, budget;
    enum room room;

    if (d.policy->order == EVICT_NONE || (j != NULL && !journal_accepts(j)))
        return ROOM_NONE;
    budget = time_to_evict(atomic_load_explicit(&srv->memory.tenacity, memory_order_relaxed));
    began = clock_mono_ns();
    room = evict(srv, now_ms, &d, budget < INT64_MAX - began ? began + budget : INT64_MAX);
    latency_add(&srv->slow, LATENCY_EVICTION_CYCLE, (uint64_t)(clock_mono_ns() - began));
    return room;
}

bool server_make_room(void *server) {
    struct server *srv = server;
    int64_t now_ms = clock_wall_ms();

    if (atomic_load_explicit(&srv->memory.max, memory_order_relaxed) == 0 || !may_evict(srv))
        return false;
    refresh(srv, now_ms);
    return excess(srv) > 0 && make_room(srv, now_ms) == ROOM_MORE;
}

/* ---- commands ------------------------------------------------------------------------------------------------- */

static bool takes_memory(const struct call *c) {
    const struct multi *m = c->session->multi;

    if (m == NULL || !m->open)
        return (c->command->flags & CMD_DENYOOM) != 0;
    if (c->command->handler == cmd_exec)
        return m->takes_memory;
    return (c->command->flags & CMD_AT_ONCE) == 0; /* queueing takes memory, whatever the command */
}

bool oom_forbids(const struct call *c) {
    struct server *srv = c->server;

    enum room room;

    if (c->session->front == SESSION_RESTORE || !may_evict(srv))
        return false;
    refresh(srv, c->session->now_ms);
    if (excess(srv) == 0)
        return false;
    room = make_room(srv, c->session->now_ms);
    if (srv->sweeper != NULL && (room == ROOM_MORE || store_garbage_bytes(srv->store) > 0))
        sweeper_wake(srv->sweeper); /* evicted memory that is not freed yet does not count, so free it soon */
    return room == ROOM_NONE && takes_memory(c);
}
