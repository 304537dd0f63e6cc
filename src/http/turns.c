/* turns.c - finding threads that wait, and yielding to them. */
#include "turns.h"

#include <flashkv/net.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>

void turns_init(struct turns *t, struct crew *crew, int epoll) {
    t->crew = crew;
    t->next = NULL;
    t->epoll = epoll;
    t->began = clock_ticks();
    atomic_init(&t->stands, TURNS_SLEEPS);
}

void turns_join(struct turns *t) {
    t->next = atomic_load(&t->crew->first);
    while (!atomic_compare_exchange_weak(&t->crew->first, &t->next, t))
        ;
}

bool turns_wanted(const struct turns *t, int processor) {
    struct pollfd asleep[TURNS_ASKED];
    nfds_t n = 0;

    for (const struct turns *o = atomic_load(&t->crew->first); o != NULL; o = o->next) {
        int stands = atomic_load_explicit(&o->stands, memory_order_relaxed);

        if (o == t)
            continue;
        if (stands == TURNS_YIELDED || stands == processor)
            return true;
        if (stands == TURNS_SLEEPS && n < TURNS_ASKED)
            asleep[n++] = (struct pollfd){.fd = o->epoll, .events = POLLIN};
    }
    return n > 0 && poll(asleep, n, 0) > 0;
}

static void stand(struct turns *t, int where) {
    atomic_store_explicit(&t->stands, where, memory_order_relaxed);
}

int turns_next(struct turns *t, struct epoll_event *events, int room, int timeout_ms) {
    int n;

    if (timeout_ms != 0) {
        stand(t, TURNS_SLEEPS);
    } else if (turns_wanted(t, sched_getcpu())) {
        stand(t, TURNS_YIELDED);
        sched_yield();
    }
    n = net_wait(t->epoll, events, room, timeout_ms);
    stand(t, sched_getcpu());
    t->began = clock_ticks();
    return n;
}
