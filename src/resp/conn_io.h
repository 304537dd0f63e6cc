/* conn_io.h - sending and receiving of a connection, over plain TCP or TLS. Private to resp. */
#ifndef FLASHKV_RESP_CONN_IO_H
#define FLASHKV_RESP_CONN_IO_H

#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/net.h>

#include "conn.h"

/* Rearms epoll at the end of the turn, so that it reports pending events again. */
static inline void conn_ask_again(struct conn *c) {
    c->events = 0;
}

/* Sends queued output (outq.h); after SEND_BLOCKED the caller has to wait for EPOLLOUT. */
NOINLINE enum send_result conn_send_tls(struct conn *c);
static inline enum send_result conn_send(struct conn *c) {
    if (UNLIKELY(c->tls != NULL))
        return conn_send_tls(c);
    return outq_send(conn_outq(c), c->source.fd, &c->source.loop->tally.bytes_out);
}
/* As recv(2), without EINTR. */
static inline ssize_t conn_recv(struct conn *c, char *to, size_t room) {
    ssize_t n;

    if (UNLIKELY(c->tls != NULL))
        return tls_recv(c->tls, to, room);
    do
        n = net_recv(c->source.fd, to, room);
    while (n < 0 && errno == EINTR);
    return n;
}
/* Is there input that epoll does not report? */
static inline bool conn_pending(const struct conn *c) {
    return UNLIKELY(c->tls != NULL) && tls_pending(c->tls);
}
/* Continues the TLS handshake. */
enum tls_progress conn_handshake(struct conn *c);
/* Sends close_notify over TLS, which the end of the socket does not imply. */
void conn_say_end(struct conn *c);
/* Discards input. False: the client's side has ended. */
NOINLINE bool conn_discard(struct conn *c);

/* Is the connection not to be read from: because so much unsent output is queued, or its output waits for the disk? */
static inline bool conn_backlogged(const struct conn *c) {
    return UNLIKELY(c->out != NULL) && (c->held || outq_size(c->out) > c->out->bytes.max / 4);
}
/* Sends; output that the socket does not take, or that has to wait for the disk, is queued with the connection. False: it is
 * lost. */
bool conn_flush(struct conn *c);
/* The same at the end of its turn: a small reply may be kept until the other connections that are ready are served. */
bool conn_reply(struct conn *c);
/* Sends a kept reply; what the socket does not take is queued with the connection. An outbox_send. */
outbox_send conn_send_kept;
/* Frees its queued output. */
NOINLINE void conn_drop_output(struct conn *c);
/* Counts and logs that the client is disconnected for not reading its replies. */
COLD void conn_count_overflow(struct conn *c);

#endif
