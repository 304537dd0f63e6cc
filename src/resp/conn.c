/* conn.c - one client: receive, run what is whole, send. */
#include "conn.h"

#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ahead.h"
#include "conn_io.h"
#include "hold.h"
#include "writer.h"

enum {
    PARTIAL_ROOM = 16 * 1024,       /* least room to receive into, once a command is known to be incomplete */
    PARTIAL_KEEP = 256 * 1024,      /* most room that an incomplete command keeps from the one before it */
    BLOB_RECEIVE_MAX = 1024 * 1024, /* of a large value in one turn: others wait */
    CONN_PROGRESS = 16 * 1024,      /* bytes of a command in command-timeout: a client that gets on */
    LINGER_TICKS = 2,
    SHAKE_TICKS = 10, /* for a TLS handshake, as a whole */
    NS_PER_MS = 1000000,
    STALL_TICKS = 10, /* a backlogged client that takes nothing for so long is given up */
};

/* Edge-triggered: epoll tells once that there is input, and need not look at the socket again to see that it is gone.
 * So what stops reading before there is nothing left has to ask again (conn_ask_again). */
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
        conn_deliver(c); /* what came while it was on its way */
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

static void drop_partial(struct conn *c) {
    if (c->partial == NULL)
        return;
    parser_free(&c->partial->parser);
    buf_free(&c->partial->in);
    mem_free(c->partial);
    c->partial = NULL;
}

static void drop_out(struct conn *c) {
    if (c->out == NULL)
        return;
    outq_free(c->out);
    mem_free(c->out);
    c->out = NULL;
    c->source.loop->waiting--;
}

void conn_close(struct conn *c) {
    struct loop *l = c->source.loop;

    tls_free(c->tls);
    close(c->source.fd);
    detach(c);
    drop_partial(c);
    drop_out(c);
    deadlines_remove(&l->deadlines, c);
    session_end(l->server, &c->session);
    inbox_drop(c);
    conn_unhold(c);
    peers_leave(&l->server->peers, c->peer);
    atomic_fetch_sub_explicit(&l->server->resp.connections, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&l->load, 1, memory_order_relaxed);
    mem_free(c);
}

/* ---- output -------------------------------------------------------------------------------------------------- */

/* A client that does not read its replies is read no further once so much waits for it; nor is one whose replies wait
 * for the disk. */
static bool conn_backlogged(const struct conn *c) {
    return c->out != NULL && (c->held || outq_size(c->out) > c->out->bytes.max / 4);
}

/* What waits, does so with the connection. False: no memory. */
static bool conn_keep_output(struct conn *c) {
    struct loop *l = c->source.loop;

    if (c->out != NULL)
        return true;
    c->out = mem_alloc(sizeof(*c->out));
    if (c->out == NULL)
        return false;
    outq_move(&l->out, c->out);
    l->waiting++;
    return true;
}

/* Sends; what the socket does not take, or must not have yet, waits with the connection. False: it is lost. */
static bool conn_flush(struct conn *c) {
    if (c->session.reach != 0 && conn_must_hold(c))
        return conn_keep_output(c);
    switch (conn_send(c)) {
    case SEND_ALL:
        drop_out(c);
        return true;
    case SEND_BLOCKED:
        return conn_keep_output(c);
    case SEND_FAILED:
        break;
    }
    return false;
}

static void count_overflow(struct conn *c) {
    atomic_fetch_add_explicit(&c->source.loop->server->resp.output_overflows, 1, memory_order_relaxed);
    log_debug("resp: %s does not read its replies", c->session.peer);
}

/* ---- input --------------------------------------------------------------------------------------------------- */

/* Says why, and ends the connection. */
static void conn_refuse(struct conn *c, const char *error) {
    struct writer w;

    writer_init(&w, &c->session.protocol, conn_outq(c));
    reply_error(&w.reply, "%s", error);
    c->source.loop->tally.errors++;
    stats_count_error(c->session.stats, w.reply.code);
    c->state = CONN_ENDING;
}

/* A web page can make a browser send its form to any port of the local machine: no line of it shall be a command. */
static bool is_http(const struct parser *p) {
    return p->is_inline && p->argc > 0 &&
           (slice_caseeq(arg_slice(&p->argv[0]), SLICE_LIT("post")) ||
            slice_caseeq(arg_slice(&p->argv[0]), SLICE_LIT("host:")));
}

/* Notes when the wait of a blocked session ends, which may have changed. Without memory to note it, it ends at once. */
static void conn_set_deadline(struct conn *c) {
    struct loop *l = c->source.loop;
    int64_t deadline = session_deadline_ms(&c->session);

    deadlines_remove(&l->deadlines, c);
    if (c->session.blocked && deadline != 0 && !deadlines_add(&l->deadlines, c, deadline))
        session_time_up(l->server, &c->session);
}

void conn_time_up(struct conn *c) {
    session_time_up(c->source.loop->server, &c->session);
    conn_set_deadline(c);
}

static void conn_block(struct conn *c) {
    c->state = CONN_BLOCKED;
    conn_set_deadline(c);
}

static void run_command(struct conn *c, struct parser *p, struct writer *w) {
    struct loop *l = c->source.loop;

    if (p->argc == 0)
        return;
    if (is_http(p)) {
        conn_refuse(c, "ERR Protocol error: this port does not speak HTTP");
        return;
    }
    command_execute(l->server, &c->session, p->argc, p->argv, &w->reply);
    l->tally.requests++;
    if (c->session.close_after_reply)
        c->state = CONN_ENDING;
    else if (c->session.blocked)
        conn_block(c);
}

/* Makes room for more replies. False: the client has to take some first, or is lost (then *lost). */
static bool make_room(struct conn *c, struct writer *w, bool *lost) {
    if (w->out->overflow)
        return false;
    if (c->out == NULL)
        *lost = !conn_flush(c);
    w->out = conn_outq(c);
    c->session.ticks = clock_ticks(); /* sending is no part of the next command */
    return !*lost && !conn_backlogged(c);
}

/* Has the keys of the next commands brought near, and returns how many commands that are: 1 at least. */
static __attribute__((noinline)) size_t look_ahead(struct loop *l, const char *in, size_t len) {
    struct slice names[STORE_NEAR_MAX];
    size_t n = ahead_names(in, len, names, STORE_NEAR_MAX);

    if (n > 1)
        store_bring_near(l->server->store, names, n);
    return n > 0 ? n : 1;
}

/* Commands that arrived together need not happen together: the time they see goes on by the millisecond. */
static inline void move_clock(struct session *s, int64_t *seen) {
    if (clock_ticks_ns(s->ticks - *seen) < NS_PER_MS)
        return;
    *seen = s->ticks;
    s->now_ms = clock_wall_ms();
}

/* Runs the commands that in[0 .. len) holds whole, as far as the client takes the replies; *used bytes of it. False:
 * the connection is lost. */
static bool run_commands(struct conn *c, struct parser *p, char *in, size_t len, size_t *used) {
    struct loop *l = c->source.loop;
    bool lost = false, far = store_is_far(l->server->store);
    size_t near = 1; /* commands whose keys are: the first, which often is the only one, waits */
    int64_t seen;
    struct writer w;

    writer_init(&w, &c->session.protocol, conn_outq(c));
    c->session.now_ms = clock_wall_ms();
    c->session.ticks = seen = clock_ticks();
    atomic_store_explicit(&c->session.input_bytes, len, memory_order_relaxed);
    *used = 0;
    while (c->state == CONN_OPEN && *used < len) {
        enum parse_result r;

        if (far && near-- == 0)
            near = look_ahead(l, in + *used, len - *used) - 1;
        r = parser_read(p, in + *used, len - *used);
        if (r == PARSE_MORE)
            break;
        if (r == PARSE_ERROR) {
            conn_refuse(c, p->error);
            break;
        }
        run_command(c, p, &w);
        move_clock(&c->session, &seen);
        *used += p->at;
        parser_next(p);
        if ((outq_size(w.out) >= l->flush_at || w.out->overflow) && !make_room(c, &w, &lost))
            break;
    }
    l->tally.errors += w.errors;
    if (w.out->overflow)
        count_overflow(c);
    return !lost && !w.out->overflow;
}

/* Keeps the rest of the loop's input with the connection, and how far it is read. False: no memory. */
static bool keep_partial(struct conn *c, const char *rest, size_t len) {
    struct loop *l = c->source.loop;
    struct partial *part = mem_alloc(sizeof(*part));

    if (part == NULL)
        return false;
    part->in = buf_make(l->limits.max_request + LOOP_INPUT);
    if (!buf_append(&part->in, rest, parser_keeps(&l->parser, len))) {
        mem_free(part);
        return false;
    }
    part->parser = l->parser;
    part->since_tick = l->ticks;
    part->progress = 0;
    parser_init(&l->parser, &l->limits);
    c->partial = part;
    return true;
}

static bool run_input(struct conn *c, size_t len) {
    struct loop *l = c->source.loop;
    size_t used;
    bool ok = run_commands(c, &l->parser, l->input, len, &used);

    if (ok && used == len) /* the usual way: the parser is where a command begins */
        return true;
    if (ok && c->state != CONN_ENDING)
        return keep_partial(c, l->input + used, len - used);
    parser_next(&l->parser);
    return ok;
}

/* So many bytes of a command have come. */
static void part_moved(struct conn *c, size_t n) {
    struct partial *part = c->partial;

    part->progress += n;
    if (part->progress < CONN_PROGRESS)
        return;
    part->progress = 0;
    part->since_tick = c->source.loop->ticks;
}

static bool run_partial(struct conn *c) {
    struct partial *part = c->partial;
    size_t used;

    if (!run_commands(c, &part->parser, part->in.data, part->in.len, &used))
        return false;
    buf_consume(&part->in, used);
    if (used > 0)
        part_moved(c, CONN_PROGRESS);
    part->in.len = parser_keeps(&part->parser, part->in.len);
    if (c->state == CONN_ENDING || part->in.len == 0)
        drop_partial(c);
    else if (part->in.cap > PARTIAL_KEEP && part->in.len < PARTIAL_ROOM)
        buf_trim(&part->in);
    return true;
}

/* Where the next bytes go. NULL: no memory. */
static char *input_room(struct conn *c, size_t *room) {
    struct partial *part = c->partial;
    char *to;

    if (part == NULL) {
        *room = LOOP_INPUT;
        return c->source.loop->input;
    }
    if (part->parser.blob != NULL) {
        to = parser_room(&part->parser, room);
        if (*room > BLOB_RECEIVE_MAX)
            *room = BLOB_RECEIVE_MAX;
        return to;
    }
    if (!buf_reserve(&part->in, PARTIAL_ROOM))
        return NULL;
    *room = part->in.cap - part->in.len;
    return part->in.data + part->in.len;
}

static bool run_received(struct conn *c, size_t n) {
    struct partial *part = c->partial;

    c->source.loop->tally.bytes_in += n;
    if (part == NULL)
        return run_input(c, n);
    part_moved(c, n);
    if (part->parser.blob != NULL)
        parser_filled(&part->parser, n);
    else
        part->in.len += n;
    return run_partial(c);
}

/* One receive, and what it completes. False: the connection is lost. */
static bool conn_receive(struct conn *c) {
    size_t room = 0;
    char *to = input_room(c, &room);
    ssize_t n;

    if (to == NULL) {
        conn_refuse(c, "ERR out of memory");
        return true;
    }
    n = conn_recv(c, to, room);
    if (n == (ssize_t)room)
        conn_ask_again(c);
    if (n > 0)
        return run_received(c, (size_t)n);
    if (n == 0) {
        c->client_ended = true;
        c->state = CONN_ENDING;
        return true;
    }
    return errno == EAGAIN;
}

/* ---- turns --------------------------------------------------------------------------------------------------- */

static bool conn_watch(struct conn *c, uint32_t events) {
    if (events == c->events)
        return true;
    c->events = events;
    return loop_rewatch(&c->source, events);
}

/* What it has of its own when a turn ends, for CLIENT LIST. */
static void tell_sizes(struct conn *c) {
    const struct partial *part = c->partial;
    struct session *s = &c->session;

    atomic_store_explicit(&s->input_bytes, part != NULL ? part->in.len : 0, memory_order_relaxed);
    atomic_store_explicit(&s->input_room, part != NULL ? part->in.cap - part->in.len : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&s->output_bytes, c->out != NULL ? outq_size(c->out) : 0, memory_order_relaxed);
}

/* Watches for what the connection now waits for. False: for nothing, it is at its end. */
static bool conn_settle(struct conn *c) {
    uint32_t reads = c->state <= CONN_BLOCKED && !conn_backlogged(c) ? READS : 0;
    bool writes = c->out != NULL && !c->held;

    tell_sizes(c);
    if (c->state == CONN_ENDING && c->out == NULL) {
        conn_say_end(c);
        if (c->client_ended || shutdown(c->source.fd, SHUT_WR) != 0)
            return false;
        c->state = CONN_LINGERING;
        reads = EPOLLIN;
    }
    if (conn_pending(c) && c->state == CONN_OPEN && reads != 0) {
        conn_ask_again(c); /* the socket can be written: that it will tell */
        writes = true;
    }
    return conn_watch(c, reads | (writes ? WRITES : 0));
}

/* Goes on with the handshake. False: it is to be closed. */
static bool conn_shake(struct conn *c) {
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

/* False: it is to be closed. */
static bool conn_turn(struct conn *c, uint32_t events) {
    if (events & (EPOLLERR | EPOLLHUP))
        return false;
    if (c->state == CONN_LINGERING)
        return conn_discard(c);
    if (c->state == CONN_SHAKING) {
        if (!conn_shake(c))
            return false;
        if (c->state == CONN_SHAKING)
            return true;
        events |= EPOLLIN; /* commands may have come behind the end of it */
    }
    c->active_tick = c->source.loop->ticks;
    if (events & EPOLLOUT) {
        if (!conn_flush(c))
            return false;
        /* Commands that had to wait until the client took its replies. */
        if (c->partial != NULL && !conn_backlogged(c) && !run_partial(c))
            return false;
    }
    if ((events & EPOLLIN || conn_pending(c)) && c->state == CONN_OPEN && !conn_backlogged(c) &&
        !conn_receive(c))
        return false;
    if ((events & EPOLLRDHUP) && c->state == CONN_BLOCKED)
        return false;        /* it will not take the reply that it waits for */
    if (events & EPOLLRDHUP) /* the end is there, maybe behind more */
        conn_ask_again(c);
    if (c->out == NULL && !conn_flush(c))
        return false;
    return conn_settle(c);
}

static void conn_lose(struct conn *c) {
    outq_clear(&c->source.loop->out); /* replies that were not for the next one */
    conn_close(c);
}

static void conn_ready(struct source *s, uint32_t events) {
    struct conn *c = (struct conn *)s;

    if (!conn_turn(c, events))
        conn_lose(c);
}

void conn_go_out(struct conn *c) {
    conn_ready(&c->source, EPOLLOUT);
}

/* ---- what other threads have for it -------------------------------------------------------------------------- */

/* The blocked command has its reply: what was received behind it is run, what was not is asked for. */
static bool conn_go_on(struct conn *c) {
    session_go_on(&c->session);
    deadlines_remove(&c->source.loop->deadlines, c);
    c->state = c->session.close_after_reply ? CONN_ENDING : CONN_OPEN;
    conn_ask_again(c);
    return c->state == CONN_ENDING || c->partial == NULL || conn_backlogged(c) || run_partial(c);
}

/* False: it is to be closed. */
static bool conn_take_delivery(struct conn *c) {
    bool lost, close, replied;

    inbox_verdict(c, &lost, &close);
    if (lost)
        count_overflow(c);
    if (lost || close)
        return false;
    if (c->state == CONN_SHAKING || c->state >= CONN_ENDING)
        return true; /* its mail is freed with it */
    if (inbox_woken(c)) {
        session_woken(c->source.loop->server, &c->session);
        conn_set_deadline(c);
    }
    replied = inbox_pour(c, conn_outq(c));
    if (conn_outq(c)->overflow) {
        count_overflow(c);
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

/* Does it send a command, and not get on with it? A client that is not read from cannot. */
static bool conn_dawdles(const struct conn *c) {
    const struct loop *l = c->source.loop;
    uint64_t timeout = l->server->options->command_timeout;

    return timeout > 0 && c->partial != NULL && c->state == CONN_OPEN && !conn_backlogged(c) &&
           l->ticks - c->partial->since_tick > timeout;
}

void conn_tick(struct conn *c) {
    struct loop *l = c->source.loop;
    uint32_t quiet = l->ticks - c->active_tick;
    bool waits = c->state == CONN_BLOCKED || c->session.listens; /* idle by its nature */
    uint64_t idle = waits ? 0 : l->server->options->idle_timeout;

    if (c->out != NULL && quiet > STALL_TICKS && (conn_backlogged(c) || c->state == CONN_ENDING))
        count_overflow(c);
    else if (!conn_dawdles(c) && (idle == 0 || quiet <= idle) &&
             !(c->state == CONN_LINGERING && quiet > LINGER_TICKS) &&
             !(c->state == CONN_SHAKING && quiet > SHAKE_TICKS))
        return;
    conn_close(c);
}
