/* loop.c - the epoll thread. */
#include "loop.h"

#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    TICK_MS = 1000,        /* how often idle connections are looked for */
    ACCEPT_PAUSE_MS = 200, /* after descriptors ran out */
    DRAIN_NS = 1000000000, /* how long a stop waits for clients to take their replies */
};

bool loop_watch(struct loop *l, struct source *s, uint32_t events) {
    struct epoll_event ev = {.events = events, .data.ptr = s};

    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &ev) == 0;
}

bool loop_init(struct loop *l, struct server *srv, struct resp *r, _Atomic bool *stop) {
    const struct options *o = srv->options;

    *l = (struct loop){.server = srv, .resp = r, .stop = stop};
    l->limits = (struct parser_limits){o->max_args, o->max_value_bytes, o->max_request_bytes};
    mutex_init(&l->mutex, LOCK_RANK_LEAF);
    parser_init(&l->parser);
    outq_init(&l->out, o->max_output_bytes);
    l->input = mem_alloc(LOOP_INPUT);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->waker = (struct source){SOURCE_WAKER, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (l->input != NULL && l->epoll >= 0 && l->waker.fd >= 0 && loop_watch(l, &l->waker, EPOLLIN))
        return true;
    loop_destroy(l);
    return false;
}

static void close_all(struct loop *l) NO_THREAD_SAFETY_ANALYSIS {
    while (l->conns != NULL) /* only this thread is left */
        conn_close(l->conns);
}

void loop_destroy(struct loop *l) {
    close_all(l);
    if (l->epoll >= 0)
        close(l->epoll);
    if (l->waker.fd >= 0)
        close(l->waker.fd);
    parser_free(&l->parser);
    outq_free(&l->out);
    mem_free(l->input);
    mutex_destroy(&l->mutex);
}

void loop_wake(struct loop *l) {
    uint64_t one = 1;

    if (write(l->waker.fd, &one, sizeof(one)) < 0)
        log_warn("resp: cannot wake a thread");
}

/* Connections are looked at by this thread only; others just add at the head, under the mutex. */
static void close_idle(struct loop *l) NO_THREAD_SAFETY_ANALYSIS {
    int64_t oldest = clock_wall_ms() - (int64_t)l->server->options->idle_timeout * 1000;
    struct conn *c, *next;

    mutex_lock(&l->mutex);
    c = l->conns;
    mutex_unlock(&l->mutex);
    for (; c != NULL; c = next) {
        next = c->next;
        if (atomic_load_explicit(&c->session.active_ms, memory_order_relaxed) < oldest)
            conn_close(c);
    }
}

/* Stops watching a listener for a while: a full descriptor table would wake the thread without end. */
static void pause_accept(struct loop *l, struct source *s, struct source **paused) {
    struct epoll_event ev = {.events = 0, .data.ptr = s};

    log_warn("resp: no file descriptors left, new connections wait");
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, s->fd, &ev);
    *paused = s;
}

static void resume_accept(struct loop *l, struct source **paused) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = *paused};

    epoll_ctl(l->epoll, EPOLL_CTL_MOD, (*paused)->fd, &ev);
    *paused = NULL;
}

static int wait_ms(const struct loop *l, const struct source *paused) {
    if (paused != NULL)
        return ACCEPT_PAUSE_MS;
    return l->server->options->idle_timeout > 0 ? TICK_MS : -1;
}

static void dispatch(struct loop *l, const struct epoll_event *ev, struct source **paused) {
    struct source *s = ev->data.ptr;

    switch (s->kind) {
    case SOURCE_WAKER:
        break;
    case SOURCE_LISTENER:
        if (!listener_accept(l->resp, s->fd))
            pause_accept(l, s, paused);
        break;
    case SOURCE_CONN:
        conn_ready((struct conn *)s, ev->events);
        break;
    }
}

/* Answers what has arrived, then gives the clients some time to take it. */
static void drain(struct loop *l) NO_THREAD_SAFETY_ANALYSIS {
    int64_t until = clock_mono_ns() + DRAIN_NS;
    struct conn *c, *next;

    for (c = l->conns; c != NULL; c = next) {
        next = c->next;
        conn_ready(c, EPOLLIN);
    }
    for (bool waiting = true; waiting && clock_mono_ns() < until; usleep(waiting ? 5000 : 0)) {
        waiting = false;
        for (c = l->conns; c != NULL; c = next) {
            next = c->next;
            waiting |= c->out != NULL;
            if (c->out != NULL)
                conn_ready(c, EPOLLOUT);
        }
    }
}

static void *loop_run(void *arg) {
    struct loop *l = arg;
    struct epoll_event events[EVENTS];
    struct source *paused = NULL;
    int64_t next_tick = clock_mono_ns();

    while (!atomic_load_explicit(l->stop, memory_order_acquire)) {
        int n = epoll_wait(l->epoll, events, EVENTS, wait_ms(l, paused));

        if (paused != NULL)
            resume_accept(l, &paused);
        for (int i = 0; i < n; i++)
            dispatch(l, &events[i], &paused);
        if (l->server->options->idle_timeout > 0 && clock_mono_ns() >= next_tick) {
            close_idle(l);
            next_tick = clock_mono_ns() + (int64_t)TICK_MS * 1000000;
        }
    }
    drain(l);
    return NULL;
}

bool loop_start(struct loop *l) {
    return pthread_create(&l->thread, NULL, loop_run, l) == 0;
}
