/* conn_io.c - sending and receiving. */
#include "conn_io.h"

#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "hold.h"

enum send_result conn_send_tls(struct conn *c) {
    enum send_result r = outq_send_tls(conn_outq(c), c->tls, &c->source.loop->tally.bytes_out);

    if (r == SEND_BLOCKED)
        conn_ask_again(c);
    return r;
}

enum tls_progress conn_handshake(struct conn *c) {
    static const int on = 1;
    enum tls_progress progress = tls_handshake(c->tls);

    /* A client may hold its first command back until its last handshake packet is acknowledged: acknowledge it at once. */
    if (progress == TLS_DONE)
        setsockopt(c->source.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
    return progress;
}

void conn_say_end(struct conn *c) {
    if (c->tls != NULL)
        tls_end(c->tls);
}

bool conn_discard(struct conn *c) {
    ssize_t n = net_recv(c->source.fd, c->source.loop->input, LOOP_INPUT);

    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- output -------------------------------------------------------------------------------------------------- */

void conn_drop_output(struct conn *c) {
    if (c->out == NULL)
        return;
    outq_free(c->out);
    mem_free(c->out);
    c->out = NULL;
    c->source.loop->waiting--;
}

/* Gives it a queue of its own, uninitialised. False: no memory. */
static bool conn_own_output(struct conn *c) {
    c->out = mem_alloc(sizeof(*c->out));
    if (c->out == NULL)
        return false;
    c->source.loop->waiting++;
    return true;
}

/* Moves unsent output from the loop's queue to the connection. False: no memory. */
static bool conn_keep_output(struct conn *c) {
    if (c->out != NULL)
        return true;
    if (!conn_own_output(c))
        return false;
    outq_move(&c->source.loop->out, c->out);
    return true;
}

HOT bool conn_flush(struct conn *c) {
    if (c->session.reach != 0 && conn_must_hold(c))
        return conn_keep_output(c);
    switch (conn_send(c)) {
    case SEND_ALL:
        if (c->out != NULL)
            conn_drop_output(c);
        return true;
    case SEND_BLOCKED:
        return conn_keep_output(c);
    case SEND_FAILED:
        break;
    }
    return false;
}

/* False: it is to be sent now. */
static inline bool keep(struct conn *c) {
    struct loop *l = c->source.loop;
    size_t len = l->out.bytes.len;
    char *at;

    if (!l->keeps || l->out.piece_count > 0 || len == 0 || len > OUTBOX_REPLY_MAX || c->tls != NULL ||
        c->session.reach != 0)
        return false;
    while ((at = outbox_add(l->kept, c, len)) == NULL)
        loop_send_kept(l);
    memcpy(at, l->out.bytes.data, len);
    l->out.bytes.len = 0;
    return true;
}

HOT bool conn_reply(struct conn *c) {
    return keep(c) || conn_flush(c);
}

/* What the socket did not take, behind what waits. False: no memory. */
static NOINLINE bool keep_rest(struct conn *c, const char *bytes, size_t len) {
    char *at;

    if (c->out == NULL) {
        if (!conn_own_output(c))
            return false;
        outq_init(c->out, c->source.loop->out.bytes.max);
    }
    at = outq_room(c->out, len);
    if (at == NULL)
        return false;
    memcpy(at, bytes, len);
    outq_added(c->out, at + len);
    return conn_await_room(c);
}

HOT void conn_send_kept(void *conn, const char *bytes, size_t len) {
    struct conn *c = conn;
    bool lost;
    ssize_t n;

    do
        n = net_send(c->source.fd, bytes, len);
    while (n < 0 && errno == EINTR);
    lost = n < 0 && errno != EAGAIN;
    if (n < 0)
        n = 0;
    c->source.loop->tally.bytes_out += (uint64_t)n;
    if (lost || ((size_t)n < len && !keep_rest(c, bytes + n, len - (size_t)n)))
        shutdown(c->source.fd, SHUT_RDWR); /* epoll reports that, and it is closed */
}

void conn_count_overflow(struct conn *c) {
    atomic_fetch_add_explicit(&c->source.loop->server->resp.output_overflows, 1, memory_order_relaxed);
    log_debug("resp: %s does not read its replies", c->session.peer);
}
