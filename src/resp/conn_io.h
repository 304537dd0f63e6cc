/* conn_io.h - a connection's bytes, over its socket as they are or over TLS. Private to resp. */
#ifndef FLASHKV_RESP_CONN_IO_H
#define FLASHKV_RESP_CONN_IO_H

#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/net.h>

#include "conn.h"

/* Has epoll tell once more what there is, at the end of the turn. */
static inline void conn_ask_again(struct conn *c) {
    c->events = 0;
}

/* Sends what waits (outq.h); after SEND_BLOCKED epoll has to be asked when it may go on. */
NOINLINE enum send_result conn_send_tls(struct conn *c);
static inline enum send_result conn_send(struct conn *c) {
    if (UNLIKELY(c->tls != NULL))
        return conn_send_tls(c);
    return outq_send(conn_outq(c), c->source.fd, &c->source.loop->tally.bytes_out);
}
/* As recv(2), but for EINTR. */
static inline ssize_t conn_recv(struct conn *c, char *to, size_t room) {
    ssize_t n;

    if (UNLIKELY(c->tls != NULL))
        return tls_recv(c->tls, to, room);
    do
        n = net_recv(c->source.fd, to, room);
    while (n < 0 && errno == EINTR);
    return n;
}
/* Has something arrived of which epoll does not know? */
static inline bool conn_pending(const struct conn *c) {
    return UNLIKELY(c->tls != NULL) && tls_pending(c->tls);
}
/* Goes on with the handshake of its TLS. */
enum tls_progress conn_handshake(struct conn *c);
/* Tells the client that no more comes, over TLS: that is not said by the end of the socket. */
void conn_say_end(struct conn *c);
/* Throws away what has arrived. False: there will be no more. */
NOINLINE bool conn_discard(struct conn *c);

/* A client that does not read its replies is read no further once so much waits for it; nor is one whose replies wait
 * for the disk. */
static inline bool conn_backlogged(const struct conn *c) {
    return UNLIKELY(c->out != NULL) && (c->held || outq_size(c->out) > c->out->bytes.max / 4);
}
/* Sends; what the socket does not take, or must not have yet, waits with the connection. False: it is lost. */
bool conn_flush(struct conn *c);
/* Frees what waits with it. */
NOINLINE void conn_drop_output(struct conn *c);
/* Its client is given up for not taking its replies. */
COLD void conn_count_overflow(struct conn *c);

#endif
