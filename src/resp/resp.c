/* resp.c - starting and stopping the front end: the loops, then the listeners in the first of them. */
#include <flashkv/mem.h>
#include <flashkv/resp.h>
#include <stdio.h>

#include "listener.h"

struct resp {
    struct listeners listeners;
    struct loop *loops;
    unsigned loop_count, started;
};

static bool make_loops(struct resp *r, struct server *srv) {
    unsigned want = server_threads(srv, srv->options->resp_threads);

    r->loops = mem_zalloc(want * sizeof(*r->loops));
    if (r->loops == NULL)
        return false;
    while (r->loop_count < want && loop_init(&r->loops[r->loop_count], srv))
        r->loop_count++;
    return r->loop_count == want;
}

static bool start_loops(struct resp *r) {
    while (r->started < r->loop_count && loop_start(&r->loops[r->started], r->started))
        r->started++;
    return r->started == r->loop_count;
}

struct resp *resp_start(struct server *srv, char *why, size_t cap) {
    struct resp *r = mem_zalloc(sizeof(*r));

    if (r == NULL || !make_loops(r, srv)) {
        snprintf(why, cap, "the Redis port: out of memory or file descriptors");
        goto fail;
    }
    if (!listeners_open(&r->listeners, srv, r->loops, r->loop_count, why, cap))
        goto fail;
    if (!start_loops(r)) {
        snprintf(why, cap, "the Redis port: cannot start a thread");
        goto fail;
    }
    return r;

fail:
    resp_stop(r);
    return NULL;
}

void resp_stop(struct resp *r) {
    if (r == NULL)
        return;
    listeners_stop(&r->listeners);
    for (unsigned i = 0; i < r->started; i++)
        loop_stop(&r->loops[i]);
    for (unsigned i = 0; i < r->started; i++)
        loop_join(&r->loops[i]);
    listeners_close(&r->listeners);
    for (unsigned i = 0; i < r->loop_count; i++)
        loop_destroy(&r->loops[i]);
    mem_free(r->loops);
    mem_free(r);
}
