/* oom.c - is there too little memory for a command? (oom.h) */
#include "oom.h"

#include <flashkv/mem.h>

#include "handlers.h"
#include "multi.h"

/* What the allocator has given out, asked once a millisecond at most: it adds up all its arenas for it. */
static uint64_t memory_used(struct server *srv, int64_t now_ms) {
    if (atomic_load_explicit(&srv->memory_seen_ms, memory_order_acquire) != now_ms) {
        atomic_store_explicit(&srv->memory_seen, mem_allocated(), memory_order_relaxed);
        atomic_store_explicit(&srv->memory_seen_ms, now_ms, memory_order_release);
    }
    return atomic_load_explicit(&srv->memory_seen, memory_order_relaxed);
}

static bool takes_memory(const struct call *c) {
    const struct multi *m = c->session->multi;

    if (m == NULL || !m->open)
        return (c->command->flags & CMD_DENYOOM) != 0;
    if (c->command->handler == cmd_exec)
        return m->takes_memory;
    return (c->command->flags & CMD_AT_ONCE) == 0; /* to be queued takes memory, whatever the command */
}

bool oom_forbids(const struct call *c) {
    return takes_memory(c) && c->session->front != SESSION_RESTORE &&
           memory_used(c->server, c->session->now_ms) >
               atomic_load_explicit(&c->server->max_memory, memory_order_relaxed);
}
