/* conn.c - one connection: receive, run what is whole, send. */
#include <arpa/inet.h>
#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"

static void count(_Atomic uint64_t *counter, uint64_t n) {
    if (n > 0)
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void loop_lock(struct loop *l) ACQUIRE(loop_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

static void loop_unlock(struct loop *l) RELEASE(loop_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

/* ---- opening and closing ------------------------------------------------------------------------------------- */

static void address_text(const struct sockaddr_storage *ss, char *out, size_t cap) {
    char ip[INET6_ADDRSTRLEN] = "?";

    if (ss->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)ss;

        inet_ntop(AF_INET6, &a->sin6_addr, ip, sizeof(ip));
        snprintf(out, cap, "[%s]:%u", ip, ntohs(a->sin6_port));
    } else {
        const struct sockaddr_in *a = (const struct sockaddr_in *)ss;

        inet_ntop(AF_INET, &a->sin_addr, ip, sizeof(ip));
        snprintf(out, cap, "%s:%u", ip, ntohs(a->sin_port));
    }
}

static void session_init(struct session *s, int fd) {
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    s->fd = fd;
    atomic_init(&s->protocol, 2);
    s->front = SESSION_RESP;
    s->created_ms = s->now_ms = clock_wall_ms();
    atomic_init(&s->active_ms, s->created_ms);
    if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
        address_text(&ss, s->peer, sizeof(s->peer));
    len = sizeof(ss);
    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
        address_text(&ss, s->local, sizeof(s->local));
}

static void list_add(struct conn *c) {
    struct loop *l = c->loop;

    loop_lock(l);
    c->next = l->conns;
    if (l->conns != NULL)
        l->conns->prev = c;
    l->conns = c;
    loop_unlock(l);
}

static void list_remove(struct conn *c) {
    struct loop *l = c->loop;

    loop_lock(l);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    loop_unlock(l);
}

bool conn_open(struct loop *l, int fd) {
    struct conn *c = mem_zalloc(sizeof(*c));

    if (c == NULL)
        return false;
    c->source = (struct source){SOURCE_CONN, fd};
    c->loop = l;
    session_init(&c->session, fd);
    session_enter(&l->server->sessions, &c->session);
    list_add(c);
    count(&l->server->resp.connections, 1);
    c->events = EPOLLIN;
    /* From here on the loop's thread may use it, and free it. */
    if (loop_watch(l, &c->source, EPOLLIN))
        return true;
    c->source.fd = -1; /* stays the caller's */
    conn_close(c);
    return false;
}

void conn_close(struct conn *c) {
    struct loop *l = c->loop;

    if (c->source.fd >= 0)
        close(c->source.fd);
    list_remove(c);
    session_leave(&l->server->sessions, &c->session);
    atomic_fetch_sub_explicit(&l->server->resp.connections, 1, memory_order_relaxed);
    if (c->partial != NULL) {
        parser_free(&c->partial->parser);
        buf_free(&c->partial->in);
        mem_free(c->partial);
    }
    if (c->out != NULL) {
        outq_free(c->out);
        mem_free(c->out);
    }
    mem_free(c);
}

static void conn_watch(struct conn *c, uint32_t events) {
    struct epoll_event ev = {.events = events, .data.ptr = &c->source};

    if (events == c->events)
        return;
    epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->source.fd, &ev);
    c->events = events;
}

/* ---- output -------------------------------------------------------------------------------------------------- */

/* Sends what there is. False: the connection is closed. */
static bool conn_flush(struct conn *c) {
    struct loop *l = c->loop;
    struct outq *q = c->out != NULL ? c->out : &l->out;
    uint64_t sent = 0;
    enum send_result r;

    if (q->overflow) {
        count(&l->server->resp.output_overflows, 1);
        goto close;
    }
    r = outq_send(q, c->source.fd, &sent);
    count(&l->server->resp.bytes_out, sent);
    if (r == SEND_FAILED || (r == SEND_ALL && c->ending))
        goto close;
    if (r == SEND_BLOCKED &&
        c->out == NULL) { /* the rest waits with the connection; the loop gets a new queue */
        c->out = mem_alloc(sizeof(*c->out));
        if (c->out == NULL)
            goto close;
        *c->out = l->out;
        outq_init(&l->out, l->out.bytes.max);
    } else if (r == SEND_ALL && c->out != NULL) {
        outq_free(c->out);
        mem_free(c->out);
        c->out = NULL;
    }
    return true;

close:
    outq_clear(&l->out);
    conn_close(c);
    return false;
}

/* A client that does not read its replies is read no further once this much waits for it. */
static bool conn_backlogged(const struct conn *c) {
    return c->out != NULL && c->out->bytes.len - c->out->sent > c->out->bytes.max / 4;
}

static void conn_rewatch(struct conn *c) {
    bool reads = !c->ending && !conn_backlogged(c);

    conn_watch(c, (reads ? (uint32_t)EPOLLIN : 0) | (c->out != NULL ? (uint32_t)EPOLLOUT : 0));
}

/* ---- input --------------------------------------------------------------------------------------------------- */

/* Runs every command that `in` holds whole. */
static void run_commands(struct conn *c, struct parser *p, char *in, size_t len) {
    struct loop *l = c->loop;
    enum parse_result r = PARSE_MORE;
    uint64_t commands = 0;
    struct writer w;

    writer_init(&w, &c->session, c->out != NULL ? c->out : &l->out);
    c->session.now_ms = clock_wall_ms();
    while (!c->ending && !w.out->overflow && (r = parser_read(p, in, len, &l->limits)) == PARSE_COMMAND) {
        command_execute(l->server, &c->session, p->argc, p->argv, &w.reply);
        parser_next_command(p);
        commands++;
        c->ending = c->session.close_after_reply;
    }
    if (!c->ending && r == PARSE_ERROR) {
        reply_error(&w.reply, "%s", p->error);
        c->ending = true;
    }
    count(&l->server->resp.requests, commands);
    count(&l->server->resp.errors, w.errors);
}

/* Keeps what is left of the loop's buffer, the middle of a command, with the connection. False: no memory. */
static bool keep_partial(struct conn *c, size_t len) {
    struct loop *l = c->loop;
    size_t done = l->parser.argc > 0 ? 0 : l->parser.pos;
    struct partial *part = mem_zalloc(sizeof(*part));

    if (part == NULL)
        return false;
    part->in = buf_make(l->limits.max_request + LOOP_INPUT);
    if (!buf_append(&part->in, l->input + done, len - done)) {
        mem_free(part);
        return false;
    }
    part->parser = l->parser;
    parser_init(&l->parser);
    parser_moved(&part->parser, l->input, part->in.data, done);
    c->partial = part;
    return true;
}

static void drop_partial(struct conn *c) {
    parser_free(&c->partial->parser);
    buf_free(&c->partial->in);
    mem_free(c->partial);
    c->partial = NULL;
}

/* Is there nothing to remember of what was read up to `len`? */
static bool all_read(const struct parser *p, size_t len) {
    return p->pos == len && !parser_midway(p) && p->argc == 0;
}

static bool handle_whole(struct conn *c, size_t len) {
    struct loop *l = c->loop;

    run_commands(c, &l->parser, l->input, len);
    if (!c->ending && !all_read(&l->parser, len))
        return keep_partial(c, len);
    parser_next_command(&l->parser);
    blob_unref(l->parser.blob);
    l->parser.blob = NULL;
    l->parser.left = 0;
    l->parser.bulk = -1;
    l->parser.pos = 0;
    return true;
}

/* Runs what the partial's buffer now holds whole, and drops what was read from it. */
static void handle_partial(struct conn *c) {
    struct partial *part = c->partial;
    size_t done;

    run_commands(c, &part->parser, part->in.data, part->in.len);
    if (c->ending || all_read(&part->parser, part->in.len)) {
        drop_partial(c);
        return;
    }
    done = part->parser.argc > 0 ? 0 : part->parser.pos;
    buf_consume(&part->in, done);
    parser_moved(&part->parser, part->in.data, part->in.data, done);
}

/* Where the next bytes of a partial command go. NULL: no memory. */
static char *partial_room(struct partial *part, size_t *room, bool *into_blob) {
    const char *before = part->in.data;
    char *to = part->parser.pos == part->in.len ? parser_blob_room(&part->parser, room) : NULL;

    *into_blob = to != NULL;
    if (to != NULL)
        return to;
    if (!buf_reserve(&part->in, LOOP_INPUT / 4))
        return NULL;
    if (part->in.data != before)
        parser_moved(&part->parser, before, part->in.data, 0);
    *room = part->in.cap - part->in.len;
    return part->in.data + part->in.len;
}

static ssize_t receive(struct conn *c, void *to, size_t room) {
    ssize_t n;

    do
        n = recv(c->source.fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        count(&c->loop->server->resp.bytes_in, (uint64_t)n);
    return n;
}

/* One receive and what it completes. False: nothing more comes from the client, or the connection is lost. */
static bool conn_read(struct conn *c, bool *lost) {
    bool into_blob = false;
    char *to = c->loop->input;
    size_t room = LOOP_INPUT;
    ssize_t n;

    if (c->partial != NULL && (to = partial_room(c->partial, &room, &into_blob)) == NULL) {
        *lost = true;
        return false;
    }
    n = receive(c, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    if (n <= 0) {
        *lost = n < 0;
        return false;
    }
    if (c->partial == NULL) {
        *lost = !handle_whole(c, (size_t)n);
        return !*lost;
    }
    if (into_blob)
        parser_filled(&c->partial->parser, (size_t)n);
    else
        c->partial->in.len += (size_t)n;
    handle_partial(c);
    return true;
}

void conn_ready(struct conn *c, uint32_t events) {
    bool lost = false;

    if ((events & EPOLLOUT) && !conn_flush(c))
        return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !c->ending && !conn_read(c, &lost)) {
        if (lost) {
            outq_clear(&c->loop->out);
            conn_close(c);
            return;
        }
        c->ending = true; /* the client has finished sending: it gets its replies, then the end */
    } else if ((events & (EPOLLHUP | EPOLLERR)) && c->ending) {
        conn_close(c);
        return;
    }
    if (conn_flush(c))
        conn_rewatch(c);
}
