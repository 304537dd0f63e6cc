/* hold.c - responses that wait for the disk. */
#include "hold.h"

#include <flashkv/clock.h>
#include <stdio.h>

#include "server.h"

/* The longest wait until a request checks again by itself, should the journal's callback not come (journal_listen may fail). */
static const int64_t look_again_ns = 1000000000;

static void hold_lock(struct hold_list *l) ACQUIRE(hold_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

static void hold_unlock(struct hold_list *l) RELEASE(hold_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

void hold_list_init(struct hold_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&l->mutex, LOCK_RANK_LEAF - 1); /* acquired before the mutex of a pause (journal_moved) */
    l->head = NULL;
    l->listens = false;
}

static struct journal *journal_of(const struct request *r) {
    return atomic_load_explicit(&r->server->journal, memory_order_acquire);
}

/* The journal's callback, in its thread. */
static void journal_moved(void *ctx) {
    struct hold_list *l = ctx;

    hold_lock(l);
    for (struct request *r = l->head; r != NULL; r = r->held_next)
        if (journal_reached(journal_of(r), r->reach))
            request_wake(r);
    hold_unlock(l);
}

void hold_list_destroy(struct hold_list *l, struct server *srv) NO_THREAD_SAFETY_ANALYSIS {
    if (l->listens)
        journal_unlisten(atomic_load(&srv->journal), journal_moved, l);
    mutex_destroy(&l->mutex);
}

bool hold_needed_for(const struct request *r) {
    return !journal_reached(journal_of(r), r->reach);
}

/* A request that is listed before the journal advances is woken by it; one that is listed later sees here that it has. */
static enum MHD_Result wait_on(struct request *r) {
    if (hold_needed(r))
        return request_wait(r, clock_mono_ns() + look_again_ns);
    return hold_again(r);
}

enum MHD_Result hold_response(struct request *r, unsigned status, struct MHD_Response *response) {
    struct hold_list *l = http_holds(r->http);
    bool listen;

    r->held = response;
    r->held_status = status;
    if (!request_prepare_wait(r))
        return MHD_NO; /* no memory: the connection is closed, which claims neither success nor failure */
    hold_lock(l);
    r->held_prev = NULL;
    r->held_next = l->head;
    if (l->head != NULL)
        l->head->held_prev = r;
    l->head = r;
    r->held_listed = true;
    listen = !l->listens;
    l->listens = true;
    hold_unlock(l);
    if (listen)
        journal_listen(journal_of(r), journal_moved, l);
    return wait_on(r);
}

static void unlist(struct request *r) {
    struct hold_list *l;

    if (!r->held_listed)
        return;
    l = http_holds(r->http);
    hold_lock(l);
    if (r->held_prev != NULL)
        r->held_prev->held_next = r->held_next;
    else
        l->head = r->held_next;
    if (r->held_next != NULL)
        r->held_next->held_prev = r->held_prev;
    hold_unlock(l);
    r->held_listed = false;
}

enum MHD_Result hold_again(struct request *r) {
    struct MHD_Response *response = r->held;
    enum MHD_Result queued;

    if (hold_needed(r))
        return wait_on(r);
    unlist(r);
    r->held = NULL;
    queued = MHD_queue_response(r->connection, r->held_status, response);
    MHD_destroy_response(response);
    return queued;
}

void hold_drop(struct request *r) {
    unlist(r);
    if (r->held != NULL)
        MHD_destroy_response(r->held);
    r->held = NULL;
    r->reach = 0;
}
