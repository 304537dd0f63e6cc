/* hold.c - replies that wait for the disk. */
#include "hold.h"

/* The journal's listener, in its thread. */
static void journal_moved(void *ctx) {
    struct loop *l = ctx;

    if (atomic_load(&l->held_count) > 0)
        loop_wake(l);
}

static bool reached(struct conn *c) {
    const struct journal *j = atomic_load_explicit(&c->source.loop->server->journal, memory_order_acquire);

    if (!journal_reached(j, c->session.reach))
        return false;
    c->session.reach = 0;
    return true;
}

static void list_add(struct loop *l, struct conn *c) {
    c->held = true;
    c->held_prev = NULL;
    c->held_next = l->held;
    if (l->held != NULL)
        l->held->held_prev = c;
    l->held = c;
    atomic_fetch_add(
        &l->held_count,
        1); /* before journal_reached is checked again: journal_moved reads it after the advance */
}

void conn_unhold(struct conn *c) {
    struct loop *l = c->source.loop;

    if (!c->held)
        return;
    c->held = false;
    c->active_tick = l->ticks; /* it could not take output until now */
    if (c->held_prev != NULL)
        c->held_prev->held_next = c->held_next;
    else
        l->held = c->held_next;
    if (c->held_next != NULL)
        c->held_next->held_prev = c->held_prev;
    atomic_fetch_sub(&l->held_count, 1);
}

static void listen(struct loop *l) {
    if (!l->listens)
        l->listens = journal_listen(atomic_load(&l->server->journal), journal_moved, l);
}

bool conn_must_hold(struct conn *c) {
    if (c->session.reach == 0 || reached(c))
        return false;
    if (!c->held) {
        listen(c->source.loop);
        list_add(c->source.loop, c);
    }
    if (!reached(c))
        return true;
    conn_unhold(c);
    return false;
}

void loop_release(struct loop *l) {
    struct conn *c = l->held;

    while (c != NULL) {
        struct conn *next = c->held_next;

        if (reached(c)) {
            conn_unhold(c);
            conn_go_out(c);
        }
        c = next;
    }
}

void loop_unlisten(struct loop *l) {
    if (l->listens)
        journal_unlisten(atomic_load(&l->server->journal), journal_moved, l);
    l->listens = false;
}
