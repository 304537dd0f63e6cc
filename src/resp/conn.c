/* conn.c - one client connection: its states, its events, its timeouts. */
#include "conn.h"

#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/hints.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn_input.h"
#include "conn_io.h"
#include "hold.h"

enum {
    LINGER_TICKS = 2,
    SHAKE_TICKS = 10, /* seconds for a whole TLS handshake */
    STALL_TICKS = 10, /* seconds after which a client that takes no output is disconnected */
};

/* Edge-triggered: epoll reports input once, which saves it polling the socket again. So code that stops reading before the
 * socket is drained has to rearm it (conn_ask_again). */
static const uint32_t READS = EPOLLIN | EPOLLRDHUP | EPOLLET, WRITES = EPOLLOUT | EPOLLET;

/* ---- opening and closing ------------------------------------------------------------------------------------- */

static void conn_ready(struct source *s, uint32_t events);

struct conn *conn_open(struct loop *l, int fd, uint64_t peer) {
    struct conn *c = mem_zalloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    if (l->server->resp_tls != NULL && (c->tls = tls_accept(l->server->resp_tls, fd)) == NULL) {
        mem_free(c);
        return NULL;
    }
    c->source = (struct source){conn_ready, l, fd};
    c->peer = peer;
    conn_session_init(c);
    session_enter(&l->server->sessions, &c->session);
    atomic_fetch_add_explicit(&l->server->resp.connections, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->load, 1, memory_order_relaxed);
    return c;
}

void conn_attach(struct conn *c) {
    struct loop *l = c->source.loop;

    c->active_tick = l->ticks;
    c->prev = NULL;
    c->next = l->conns;
    if (l->conns != NULL)
        l->conns->prev = c;
    l->conns = c;
    c->events = READS;
    c->state = c->tls != NULL ? CONN_SHAKING : CONN_OPEN;
    if (!loop_watch(&c->source, READS))
        conn_close(c);
    else
        conn_deliver(c); /* deliveries from before its loop took it up */
}

static void detach(struct conn *c) {
    struct loop *l = c->source.loop;

    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
}

void conn_close(struct conn *c) {
    struct loop *l = c->source.loop;

    loop_send_kept(l); /* maybe its own replies are among them */
    tls_free(c->tls);
    close(c->source.fd);
    detach(c);
    conn_drop_partial(c);
    conn_drop_output(c);
    deadlines_remove(&l->deadlines, c);
    session_end(l->server, &c->session);
    inbox_drop(c);
    conn_unhold(c);
    peers_leave(&l->server->peers, c->peer);
    atomic_fetch_sub_explicit(&l->server->resp.connections, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&l->load, 1, memory_order_relaxed);
    mem_free(c);
}

/* ---- events -------------------------------------------------------------------------------------------------- */

static bool conn_watch(struct conn *c, uint32_t events) {
    if (events == c->events)
        return true;
    c->events = events;
    return loop_rewatch(&c->source, events);
}

bool conn_await_room(struct conn *c) {
    return conn_watch(c, c->events | WRITES);
}

/* Publishes the sizes of its own buffers at the end of a turn, for CLIENT LIST. */
static void publish_sizes(struct conn *c) {
    const struct partial *part = c->partial;
    struct session *s = &c->session;
    size_t bytes = 0, room = 0;

    if (UNLIKELY(part != NULL)) {
        bytes = part->in.len;
        room = part->in.cap - bytes;
    }
    atomic_store_explicit(&s->input_bytes, bytes, memory_order_relaxed);
    atomic_store_explicit(&s->input_room, room, memory_order_relaxed);
    atomic_store_explicit(&s->output_bytes, UNLIKELY(c->out != NULL) ? outq_size(c->out) : 0,
                          memory_order_relaxed);
}

/* All replies are sent, and there will be no more. False: close it; else it lingers. */
static NOINLINE bool conn_end(struct conn *c) {
    conn_say_end(c);
    if (c->client_ended || shutdown(c->source.fd, SHUT_WR) != 0)
        return false;
    c->state = CONN_LINGERING;
    return true;
}

/* Sets the epoll events that the connection now waits for. False: none, it is to be closed. */
static HOT bool conn_settle(struct conn *c) {
    uint32_t reads = c->state <= CONN_BLOCKED && !conn_backlogged(c) ? READS : 0;
    bool writes;

    if (UNLIKELY(c->state == CONN_ENDING))
        loop_send_kept(c->source.loop);
    writes = c->out != NULL && !c->held;
    publish_sizes(c);
    if (UNLIKELY(c->state == CONN_ENDING) && c->out == NULL) {
        if (!conn_end(c))
            return false;
        reads = EPOLLIN;
    }
    if (conn_pending(c) && c->state == CONN_OPEN && reads != 0) {
        conn_ask_again(c); /* the socket is writable, so epoll reports at once */
        writes = true;
    }
    return conn_watch(c, reads | (writes ? WRITES : 0));
}

/* Continues the handshake. False: close it. */
static COLD bool conn_shake(struct conn *c) {
    switch (conn_handshake(c)) {
    case TLS_DONE:
        c->state = CONN_OPEN;
        return true;
    case TLS_WANTS_INPUT:
        return conn_watch(c, READS);
    case TLS_WANTS_OUTPUT:
        return conn_watch(c, READS | WRITES);
    case TLS_FAILED:
        log_debug("resp: no TLS with %s", c->session.peer);
        break;
    }
    return false;
}

/* The socket is writable again. False: close it. */
static NOINLINE bool conn_writable(struct conn *c) {
    if (!conn_flush(c))
        return false;
    /* Run the commands that had to wait for that. */
    return c->partial == NULL || conn_backlogged(c) || conn_run_partial(c);
}

/* False: close it. */
static HOT bool conn_turn(struct conn *c, uint32_t events) {
    if (UNLIKELY(events & (EPOLLERR | EPOLLHUP)))
        return false;
    if (UNLIKELY(c->state == CONN_LINGERING))
        return conn_discard(c);
    if (UNLIKELY(c->state == CONN_SHAKING)) {
        if (!conn_shake(c))
            return false;
        if (c->state == CONN_SHAKING)
            return true;
        events |= EPOLLIN; /* commands may have arrived with its last bytes */
    }
    c->active_tick = c->source.loop->ticks;
    if (UNLIKELY(events & EPOLLOUT) && !conn_writable(c))
        return false;
    if ((events & EPOLLIN || conn_pending(c)) && c->state == CONN_OPEN && !conn_backlogged(c) &&
        !conn_receive(c))
        return false;
    if (UNLIKELY(events & EPOLLRDHUP)) {
        if (c->state == CONN_BLOCKED)
            return false;  /* it is gone, and cannot take the reply of its blocked command */
        conn_ask_again(c); /* the end of the input is there, maybe after more bytes */
    }
    if (c->out == NULL && !conn_reply(c))
        return false;
    return conn_settle(c);
}

static COLD void conn_lose(struct conn *c) {
    outq_clear(&c->source.loop->out); /* of this connection: not for the next one */
    conn_close(c);
}

static HOT void conn_ready(struct source *s, uint32_t events) {
    struct conn *c = (struct conn *)s;

    if (!conn_turn(c, events))
        conn_lose(c);
}

void conn_go_out(struct conn *c) {
    conn_ready(&c->source, EPOLLOUT);
}

/* ---- deliveries of other threads ----------------------------------------------------------------------------- */

/* The blocked command has its reply: runs the commands received after it, and rearms epoll for further ones. */
static bool conn_go_on(struct conn *c) {
    session_resume(&c->session);
    deadlines_remove(&c->source.loop->deadlines, c);
    c->state = c->session.close_after_reply ? CONN_ENDING : CONN_OPEN;
    conn_ask_again(c);
    return c->state == CONN_ENDING || c->partial == NULL || conn_backlogged(c) || conn_run_partial(c);
}

/* False: close it. */
static bool conn_take_delivery(struct conn *c) {
    bool lost, close, replied;

    inbox_verdict(c, &lost, &close);
    if (lost)
        conn_count_overflow(c);
    if (lost || close)
        return false;
    if (c->state == CONN_SHAKING || c->state >= CONN_ENDING)
        return true; /* it will be closed, which frees its mail */
    if (inbox_woken(c)) {
        session_woken(c->source.loop->server, &c->session);
        conn_set_deadline(c);
    }
    replied = inbox_pour(c, conn_outq(c));
    if (conn_outq(c)->overflow) {
        conn_count_overflow(c);
        return false;
    }
    if (replied && c->state == CONN_BLOCKED && !conn_go_on(c))
        return false;
    return (c->out != NULL || conn_flush(c)) && conn_settle(c);
}

void conn_deliver(struct conn *c) {
    if (c->state != CONN_ARRIVING && !conn_take_delivery(c))
        conn_lose(c);
}

/* Has a command that began to arrive made no progress for command-timeout? Not if the client is not read from. */
static bool conn_dawdles(const struct conn *c) {
    const struct loop *l = c->source.loop;
    uint64_t timeout = l->server->options->command_timeout;

    return timeout > 0 && c->partial != NULL && c->state == CONN_OPEN && !conn_backlogged(c) &&
           l->ticks - c->partial->since_tick > timeout;
}

void conn_tick(struct conn *c) {
    struct loop *l = c->source.loop;
    uint32_t quiet = l->ticks - c->active_tick;
    bool waits =
        c->state == CONN_BLOCKED || c->held || c->session.listens; /* the idle timeout does not apply */
    uint64_t idle = waits ? 0 : l->server->options->idle_timeout;

    if (c->out != NULL && !c->held && quiet > STALL_TICKS && (conn_backlogged(c) || c->state == CONN_ENDING))
        conn_count_overflow(c);
    else if (!conn_dawdles(c) && (idle == 0 || quiet <= idle) &&
             !(c->state == CONN_LINGERING && quiet > LINGER_TICKS) &&
             !(c->state == CONN_SHAKING && quiet > SHAKE_TICKS))
        return;
    conn_close(c);
}
