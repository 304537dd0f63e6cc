/* loop.c - the epoll thread. */
#include "loop.h"

#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/hints.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "conn.h"
#include "conn_io.h"
#include "hold.h"

enum {
    EVENTS = 128,
    STOP_NS = 1000000000, /* how long a stop waits for clients to read their replies */
    STOP_POLL_MS = 20,
    THREAD_NAME_MAX = 16,
    FLUSH_BYTES = 256 * 1024,
};

void loop_lock(struct loop *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

void loop_unlock(struct loop *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

/* ---- sources ------------------------------------------------------------------------------------------------- */

static bool loop_control(struct source *s, int operation, uint32_t events) {
    struct epoll_event ev = {.events = events, .data.ptr = s};

    return epoll_ctl(s->loop->epoll, operation, s->fd, &ev) == 0;
}

bool loop_watch(struct source *s, uint32_t events) {
    return loop_control(s, EPOLL_CTL_ADD, events);
}

bool loop_rewatch(struct source *s, uint32_t events) {
    return loop_control(s, EPOLL_CTL_MOD, events);
}

void loop_unwatch(struct source *s) {
    loop_control(s, EPOLL_CTL_DEL, 0);
}

/* Reads the counter of an eventfd or timerfd. False: it is 0. */
static bool take_count(int fd) {
    uint64_t n;

    return read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n);
}

static void waker_ready(struct source *s, uint32_t events) {
    (void)events;
    s->loop->woken = take_count(s->fd);
}

/* Only notes the tick: closing a connection here would leave a later event of this wake-up with a dangling source. */
static void timer_ready(struct source *s, uint32_t events) {
    (void)events;
    s->loop->ticked = take_count(s->fd);
}

void loop_wake(struct loop *l) {
    static const uint64_t one = 1;

    if (write(l->waker.fd, &one, sizeof(one)) < 0 &&
        errno != EAGAIN) /* EAGAIN: the counter is full, so it is awake */
        log_warn("resp: cannot wake a thread");
}

/* ---- connections --------------------------------------------------------------------------------------------- */

void loop_hand_over(struct loop *l, struct conn *c) {
    loop_lock(l);
    c->next = l->handed_over;
    l->handed_over = c;
    loop_unlock(l);
    loop_wake(l);
}

static struct conn *take_handed_over(struct loop *l) {
    struct conn *c;

    loop_lock(l);
    c = l->handed_over;
    l->handed_over = NULL;
    loop_unlock(l);
    return c;
}

static COLD void attach_handed_over(struct loop *l) {
    struct conn *c = take_handed_over(l);

    l->woken = false;
    while (c != NULL) {
        struct conn *next = c->next;

        conn_attach(c);
        c = next;
    }
}

static COLD void tick(struct loop *l) {
    struct conn *c = l->conns;

    l->ticked = false;
    l->ticks++;
    if (l->on_tick != NULL)
        l->on_tick(l, l->on_tick_ctx);
    while (c != NULL) {
        struct conn *next = c->next;

        conn_tick(c);
        c = next;
    }
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static void add(_Atomic uint64_t *total, uint64_t *count) {
    if (*count > 0)
        atomic_fetch_add_explicit(total, *count, memory_order_relaxed);
    *count = 0;
}

static void add_tally(struct loop *l) {
    struct front_stats *f = &l->server->resp;

    add(&f->requests, &l->tally.requests);
    add(&f->errors, &l->tally.errors);
    add(&f->bytes_in, &l->tally.bytes_in);
    add(&f->bytes_out, &l->tally.bytes_out);
}

/* The replies arrive by the post, at the end of the turn. */
static NOINLINE void time_up(struct loop *l) {
    int64_t now_ms = clock_mono_ns() / 1000000;
    struct conn *c;

    while ((c = deadlines_next_due(&l->deadlines, now_ms)) != NULL)
        conn_time_up(c);
}

HOT void loop_send_kept(struct loop *l) {
    outbox_flush(l->kept, conn_send_kept);
}

/* One wake-up; returns how many sources were ready. */
static HOT int turn(struct loop *l, int timeout_ms) {
    struct epoll_event events[EVENTS];
    int n = net_wait(l->epoll, events, EVENTS, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct source *s = events[i].data.ptr;

        l->keeps = i + 1 < n;
        s->ready(s, events[i].events);
    }
    if (l->kept->count > 0)
        loop_send_kept(l);
    if (l->woken)
        attach_handed_over(l);
    if (l->deadlines.count > 0)
        time_up(l);
    if (atomic_load_explicit(&l->post_due, memory_order_relaxed))
        loop_deliver(l);
    if (l->held != NULL)
        loop_release(l);
    if (l->ticked)
        tick(l);
    add_tally(l);
    return n;
}

/* Serves until no more input has arrived and all replies are sent, or the time is up. */
static COLD void finish(struct loop *l) {
    int64_t until = clock_mono_ns() + STOP_NS;

    while ((turn(l, l->waiting > 0 ? STOP_POLL_MS : 0) > 0 || l->waiting > 0) && clock_mono_ns() < until)
        ;
}

static HOT void *loop_run(void *arg) {
    struct loop *l = arg;

    while (!atomic_load_explicit(&l->stopping, memory_order_acquire))
        turn(l, deadlines_wait_ms(&l->deadlines));
    finish(l);
    return NULL;
}

bool loop_start(struct loop *l, unsigned number) {
    char name[THREAD_NAME_MAX];

    if (pthread_create(&l->thread, NULL, loop_run, l) != 0)
        return false;
    snprintf(name, sizeof(name), "resp-%u", number);
    pthread_setname_np(l->thread, name);
    return true;
}

void loop_stop(struct loop *l) {
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    loop_wake(l);
}

void loop_join(struct loop *l) {
    pthread_join(l->thread, NULL);
}

/* ---- creating and destroying --------------------------------------------------------------------------------- */

static bool start_timer(struct loop *l) {
    static const struct itimerspec each_second = {{1, 0}, {1, 0}};

    return timerfd_settime(l->timer.fd, 0, &each_second, NULL) == 0 && loop_watch(&l->timer, EPOLLIN);
}

bool loop_init(struct loop *l, struct server *srv) {
    const struct options *o = srv->options;

    *l = (struct loop){.server = srv};
    l->limits = (struct parser_limits){o->max_args, o->max_value_bytes, o->max_request_bytes};
    mutex_init(&l->mutex, LOCK_RANK_LEAF);
    parser_init(&l->parser, &l->limits);
    outq_init(&l->out, o->max_output_bytes);
    l->flush_at = o->max_output_bytes / 4 < FLUSH_BYTES ? o->max_output_bytes / 4 : FLUSH_BYTES;
    l->input = mem_alloc(LOOP_INPUT);
    l->kept = mem_zalloc(sizeof(*l->kept));
    l->stats = stats_block_new(&srv->stats);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->waker = (struct source){waker_ready, l, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    l->timer = (struct source){timer_ready, l, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    if (l->input != NULL && l->kept != NULL && l->stats != NULL && l->epoll >= 0 && l->waker.fd >= 0 &&
        l->timer.fd >= 0 && loop_watch(&l->waker, EPOLLIN) && start_timer(l))
        return true;
    loop_destroy(l);
    return false;
}

void loop_destroy(struct loop *l) {
    const int fds[] = {l->epoll, l->waker.fd, l->timer.fd};

    loop_unlisten(l);
    attach_handed_over(l);
    while (l->conns != NULL)
        conn_close(l->conns);
    deadlines_free(&l->deadlines);
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    parser_free(&l->parser);
    outq_free(&l->out);
    mem_free(l->input);
    mem_free(l->kept);
    mutex_destroy(&l->mutex);
}
