/* conn_session.c - the session of a connection: its interface to the command layer. */
#include <flashkv/clock.h>
#include <flashkv/net.h>
#include <stddef.h>
#include <sys/socket.h>

#include "conn.h"
#include "writer.h"

/* ---- session_ops (session.h) --------------------------------------------------------------------------------- */

static struct conn *conn_of(struct session *s) {
    return (struct conn *)((char *)s - offsetof(struct conn, session));
}

static void session_deliver(struct session *s, struct blob *bytes, enum delivery what) {
    inbox_put(conn_of(s), bytes, what);
}

static void session_deliver_parts(struct session *s, struct blob *const *parts, size_t count) {
    inbox_put_parts(conn_of(s), parts, count);
}

static void session_drain(struct session *s) {
    inbox_pour(conn_of(s), conn_outq(conn_of(s)));
}

static struct blob *session_encode(const struct server *srv, unsigned protocol,
                                   void (*say)(struct reply *r, const void *ctx), const void *ctx) {
    _Atomic uint8_t version = (uint8_t)protocol;
    struct writer w;
    struct outq out;
    struct blob *bytes;

    outq_init(&out, srv->options->max_output_bytes);
    writer_init(&w, &version, &out);
    say(&w.reply, ctx);
    bytes = out.overflow ? NULL : outq_copy(&out);
    outq_free(&out);
    return bytes;
}

static const struct session_ops session_ops = {
    .encode = session_encode,
    .deliver = session_deliver,
    .deliver_parts = session_deliver_parts,
    .drain = session_drain,
};

/* ---- initialisation ------------------------------------------------------------------------------------------ */

void conn_session_init(struct conn *c) {
    struct session *s = &c->session;

    s->fd = c->source.fd;
    atomic_init(&s->protocol, 2);
    s->front = SESSION_RESP;
    s->ops = &session_ops;
    s->created_ms = s->now_ms = clock_wall_ms();
    atomic_init(&s->active_ms, s->created_ms);
    s->stats = c->source.loop->stats;
    s->unauthenticated = server_requires_auth(c->source.loop->server);
    session_find_peer(s);
}
