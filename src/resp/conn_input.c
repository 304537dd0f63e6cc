/* conn_input.c - receives, and runs complete commands. */
#include "conn_input.h"

#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>

#include "ahead.h"
#include "conn_io.h"
#include "writer.h"

enum {
    PARTIAL_ROOM = 16 * 1024,  /* minimum space to receive into once a command is known to be incomplete */
    PARTIAL_KEEP = 256 * 1024, /* maximum capacity that is kept from one incomplete command to the next */
    BLOB_RECEIVE_MAX = 1024 * 1024, /* bytes of a large value received in one turn, since others wait */
    CONN_PROGRESS = 16 * 1024,      /* bytes of a command within command-timeout that count as progress */
    NS_PER_MS = 1000000,
};

/* Replies the parser's error, and ends the connection. */
static COLD void conn_refuse(struct conn *c, const char *error) {
    struct writer w;

    writer_init(&w, &c->session.protocol, conn_outq(c));
    reply_error(&w.reply, "%s", error);
    c->source.loop->tally.errors++;
    stats_count_error(c->session.stats, w.reply.code);
    c->state = CONN_ENDING;
}

/* A web page can make a browser send an HTTP request to any local port: no line of it may be run as a command. */
static bool is_http(const struct parser *p) {
    return p->is_inline && p->argc > 0 &&
           (slice_caseeq(arg_slice(&p->argv[0]), SLICE_LIT("post")) ||
            slice_caseeq(arg_slice(&p->argv[0]), SLICE_LIT("host:")));
}

void conn_set_deadline(struct conn *c) {
    struct loop *l = c->source.loop;
    int64_t deadline = session_deadline_ms(&c->session);

    deadlines_remove(&l->deadlines, c);
    if (c->session.blocked && deadline != 0 && !deadlines_add(&l->deadlines, c, deadline))
        session_timed_out(l->server, &c->session);
}

void conn_time_up(struct conn *c) {
    session_timed_out(c->source.loop->server, &c->session);
    conn_set_deadline(c);
}

static NOINLINE void conn_block(struct conn *c) {
    c->state = CONN_BLOCKED;
    conn_set_deadline(c);
}

static HOT void run_command(struct conn *c, struct parser *p, struct writer *w) {
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

/* Makes room for more replies by sending. False: the client has to take some first, or the connection is lost (*lost). */
static NOINLINE bool make_room(struct conn *c, struct writer *w, bool *lost) {
    if (w->out->overflow)
        return false;
    if (c->out == NULL)
        *lost = !conn_flush(c);
    w->out = conn_outq(c);
    c->session.ticks = clock_ticks(); /* sending does not count as the next command's time */
    return !*lost && !conn_backlogged(c);
}

/* Prefetches the keys of the next commands, and returns how many commands that are, at least 1. */
static NOINLINE size_t prefetch_keys(struct loop *l, const char *in, size_t len) {
    struct slice names[STORE_PREFETCH_MAX];
    size_t n = ahead_names(in, len, names, STORE_PREFETCH_MAX);

    if (n > 1)
        store_prefetch(l->server->store, names, n);
    return n > 0 ? n : 1;
}

/* Commands that arrived together do not run at one instant: the session's clock is updated each millisecond. */
static inline void move_clock(struct session *s, int64_t *seen) {
    if (clock_ticks_ns(s->ticks - *seen) < NS_PER_MS)
        return;
    *seen = s->ticks;
    s->now_ms = clock_wall_ms();
}

/* Runs the complete commands in in[0 .. len), as far as the client takes the replies, and sets *used to the bytes consumed.
 * False: the connection is lost. */
static HOT bool run_commands(struct conn *c, struct parser *p, char *in, size_t len, size_t *used) {
    struct loop *l = c->source.loop;
    bool lost = false, large = store_exceeds_cache(l->server->store);
    size_t prefetched =
        1; /* commands with prefetched keys; the first is not worth it, as it is often the only one */
    int64_t seen;
    struct writer w;

    writer_init(&w, &c->session.protocol, conn_outq(c));
    c->session.now_ms = clock_wall_ms();
    c->session.ticks = seen = clock_ticks();
    atomic_store_explicit(&c->session.input_bytes, len, memory_order_relaxed);
    *used = 0;
    while (c->state == CONN_OPEN && *used < len) {
        enum parse_result r;

        if (large && prefetched-- == 0)
            prefetched = prefetch_keys(l, in + *used, len - *used) - 1;
        r = parser_read(p, in + *used, len - *used);
        if (r == PARSE_MORE)
            break;
        if (r == PARSE_ERROR) {
            conn_refuse(c, p->error);
            break;
        }
        if (*used > 0)
            move_clock(&c->session, &seen);
        run_command(c, p, &w);
        *used += p->at;
        parser_next(p);
        if ((outq_size(w.out) >= l->flush_at || w.out->overflow) && !make_room(c, &w, &lost))
            break;
    }
    l->tally.errors += w.errors;
    if (w.out->overflow)
        conn_count_overflow(c);
    return !lost && !w.out->overflow;
}

/* Moves the unconsumed input and the parser's state from the loop to the connection. False: no memory. */
static NOINLINE bool keep_partial(struct conn *c, const char *rest, size_t len) {
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

static HOT bool run_input(struct conn *c, size_t len) {
    struct loop *l = c->source.loop;
    size_t used;
    bool ok = run_commands(c, &l->parser, l->input, len, &used);

    if (ok && used == len) /* the fast path: the parser is at the start of a command */
        return true;
    if (ok && c->state != CONN_ENDING)
        ok = keep_partial(c, l->input + used, len - used);
    parser_next(&l->parser); /* reset the loop's parser for the next connection */
    return ok;
}

/* Records the progress of a command by `n` bytes. */
static void part_moved(struct conn *c, size_t n) {
    struct partial *part = c->partial;

    part->progress += n;
    if (part->progress < CONN_PROGRESS)
        return;
    part->progress = 0;
    part->since_tick = c->source.loop->ticks;
}

bool conn_run_partial(struct conn *c) {
    struct partial *part = c->partial;
    size_t used;

    if (!run_commands(c, &part->parser, part->in.data, part->in.len, &used))
        return false;
    buf_consume(&part->in, used);
    if (used > 0)
        part_moved(c, CONN_PROGRESS);
    part->in.len = parser_keeps(&part->parser, part->in.len);
    if (c->state == CONN_ENDING || part->in.len == 0)
        conn_drop_partial(c);
    else if (part->in.cap > PARTIAL_KEEP && part->in.len < PARTIAL_ROOM)
        buf_trim(&part->in);
    return true;
}

/* Where to receive the next bytes. NULL: no memory. */
static NOINLINE char *partial_room(struct partial *part, size_t *room) {
    char *to;

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

/* Records that `n` bytes were received there. */
static NOINLINE bool run_more(struct conn *c, size_t n) {
    struct partial *part = c->partial;

    part_moved(c, n);
    if (part->parser.blob != NULL)
        parser_filled(&part->parser, n);
    else
        part->in.len += n;
    return conn_run_partial(c);
}

HOT bool conn_receive(struct conn *c) {
    struct loop *l = c->source.loop;
    size_t room = LOOP_INPUT;
    char *to = c->partial == NULL ? l->input : partial_room(c->partial, &room);
    ssize_t n;

    if (to == NULL) {
        conn_refuse(c, "ERR out of memory");
        return true;
    }
    n = conn_recv(c, to, room);
    if (n == (ssize_t)room)
        conn_ask_again(c);
    if (n > 0) {
        l->tally.bytes_in += (size_t)n;
        return c->partial == NULL ? run_input(c, (size_t)n) : run_more(c, (size_t)n);
    }
    if (n == 0) {
        c->client_ended = true;
        c->state = CONN_ENDING;
        return true;
    }
    return errno == EAGAIN;
}

void conn_drop_partial(struct conn *c) {
    if (c->partial == NULL)
        return;
    parser_free(&c->partial->parser);
    buf_free(&c->partial->in);
    mem_free(c->partial);
    c->partial = NULL;
}
