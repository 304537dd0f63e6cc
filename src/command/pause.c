/* pause.c - CLIENT PAUSE. */
#include "pause.h"

#include <flashkv/clock.h>

#include "args.h"
#include "blocking.h"
#include "handlers.h"
#include "multi.h"

/* The data do not change: expired keys are hidden, but not removed. */
static void hold_expiry(struct server *srv, int64_t until_ns) {
    struct sweeper *sw = atomic_load(&srv->sweeper);

    if (sw != NULL)
        sweeper_hold(sw, until_ns);
}

void pause_begin(struct server *srv, enum pause_mode mode, int64_t ms) {
    int64_t until = clock_deadline_ms(clock_mono_ns(), ms);

    if (atomic_load(&srv->paused) > (uint8_t)mode)
        mode = PAUSE_ALL;
    if (atomic_load(&srv->paused) != PAUSE_NONE && atomic_load(&srv->paused_until_ms) > until)
        until = atomic_load(&srv->paused_until_ms);
    atomic_store(&srv->paused_until_ms, until);
    atomic_store(&srv->paused, (uint8_t)mode);
    hold_expiry(srv, until < INT64_MAX / 1000000 ? until * 1000000 : INT64_MAX);
}

void pause_end(struct server *srv) {
    if (atomic_exchange(&srv->paused, PAUSE_NONE) != PAUSE_NONE) {
        hold_expiry(srv, 0);
        store_sweep(srv->store, clock_wall_ms()); /* remove what has expired meanwhile */
    }
    session_list_lock(&srv->sessions);
    for (struct session *s = srv->sessions.head; s != NULL; s = s->next)
        if (atomic_load_explicit(&s->blocked, memory_order_relaxed))
            s->ops->deliver(s, NULL, DELIVER_WAKE);
    session_list_unlock(&srv->sessions);
}

/* Commands that Redis would replicate: PAUSE WRITE holds them back. */
static bool writes(const struct call *c) {
    const struct command *cmd = c->command;

    return (cmd->flags & CMD_WRITE) || cmd->handler == cmd_publish || cmd->handler == cmd_spublish ||
           (cmd->handler == cmd_exec && c->session->multi != NULL && c->session->multi->writes);
}

bool pause_postpones(struct call *c) {
    struct server *srv = c->server;
    uint8_t mode = atomic_load(&srv->paused);

    if (mode != PAUSE_NONE && atomic_load(&srv->paused_until_ms) <= clock_mono_ns() / 1000000)
        atomic_compare_exchange_strong(&srv->paused, &mode, (uint8_t)PAUSE_NONE);
    else if (c->session->ops != NULL && (mode == PAUSE_ALL || (mode == PAUSE_WRITE && writes(c)))) {
        blocking_postpone(c, atomic_load(&srv->paused_until_ms));
        return true;
    }
    return false;
}
