/* conn_io.c - sending and receiving. */
#include "conn_io.h"

#include <errno.h>
#include <flashkv/net.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum send_result conn_send_tls(struct conn *c) {
    enum send_result r = outq_send_tls(conn_outq(c), c->tls, &c->source.loop->tally.bytes_out);

    if (r == SEND_BLOCKED)
        conn_ask_again(c);
    return r;
}

enum tls_progress conn_handshake(struct conn *c) {
    static const int on = 1;
    enum tls_progress progress = tls_handshake(c->tls);

    /* A client that holds its first command back until the end of the handshake is acknowledged need not wait for that. */
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
