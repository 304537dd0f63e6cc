/* tls_conn.c - the TLS session of a connection. */
#include <errno.h>
#include <flashkv/mem.h>
#include <flashkv/tls.h>

#include "tls_creds.h"

enum {
    ODD_RECORDS = 8
}; /* records without data in one receive, above which the peer is treated as hostile */

struct tls_conn {
    gnutls_session_t session;
    struct tls_creds *creds;
    bool client; /* a ticket may arrive before the response */
    bool unsent; /* a record is partly sent: it has to be finished first */
    bool ended;  /* nothing more can be received */
    bool failed; /* ended by an error, not by the peer's close */
};

/* ---- creating and freeing ---------------------------------------------------------------------------------------- */

static struct tls_conn *conn_new(unsigned side, int fd) {
    struct tls_conn *c = mem_zalloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    c->client = side == GNUTLS_CLIENT;
    if (gnutls_init(&c->session, side | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == 0 &&
        gnutls_priority_set_direct(c->session, tls_priorities, NULL) == 0) {
        gnutls_transport_set_int(c->session, fd);
        return c;
    }
    tls_free(c);
    return NULL;
}

struct tls_conn *tls_accept(struct tls *t, int fd) {
    struct tls_conn *c = conn_new(GNUTLS_SERVER, fd);

    if (c == NULL)
        return NULL;
    c->creds = tls_prepare(t, c->session);
    if (c->creds != NULL)
        return c;
    tls_free(c);
    return NULL;
}

struct tls_conn *tls_connect(const struct tls_files *files, int fd) {
    struct tls_conn *c = conn_new(GNUTLS_CLIENT, fd);
    char why[256];

    if (c == NULL)
        return NULL;
    c->creds = tls_creds_load(files, why, sizeof(why));
    if (c->creds == NULL)
        c->creds = tls_creds_new();
    if (c->creds != NULL &&
        gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->creds->certificate) == 0)
        return c;
    tls_free(c);
    return NULL;
}

void tls_free(struct tls_conn *c) {
    if (c == NULL)
        return;
    if (c->session != NULL)
        gnutls_deinit(c->session);
    tls_creds_unref(c->creds);
    mem_free(c);
}

/* ---- handshake, receiving, sending --------------------------------------------------------------------------------- */

enum tls_progress tls_handshake(struct tls_conn *c) {
    int result;

    do
        result = gnutls_handshake(c->session);
    while (result == GNUTLS_E_INTERRUPTED);
    if (result == 0)
        return TLS_DONE;
    if (result == GNUTLS_E_AGAIN)
        return gnutls_record_get_direction(c->session) == 0 ? TLS_WANTS_INPUT : TLS_WANTS_OUTPUT;
    gnutls_alert_send_appropriate(c->session, result);
    return TLS_FAILED;
}

ssize_t tls_recv(struct tls_conn *c, void *to, size_t room) {
    size_t got = 0;

    for (int odd = 0; got < room && !c->ended;) {
        ssize_t n = gnutls_record_recv(c->session, (char *)to + got, room - got);

        if (n > 0)
            got += (size_t)n;
        else if (n == GNUTLS_E_AGAIN && (!c->client || ++odd > ODD_RECORDS)) /* also after a ticket */
            break;
        else if (n == GNUTLS_E_AGAIN)
            continue;
        else if (n == 0 || gnutls_error_is_fatal((int)n) || ++odd > ODD_RECORDS) {
            c->ended = true;
            c->failed = n != 0 && n != GNUTLS_E_PREMATURE_TERMINATION;
        }
    }
    if (got > 0)
        return (ssize_t)got;
    if (c->ended && !c->failed)
        return 0;
    errno = c->ended ? EPROTO : EAGAIN;
    return -1;
}

bool tls_pending(const struct tls_conn *c) {
    return gnutls_record_check_pending(c->session) > 0;
}

ssize_t tls_send(struct tls_conn *c, const void *bytes, size_t len) {
    ssize_t n;

    do
        n = c->unsent ? gnutls_record_send(c->session, NULL, 0) : gnutls_record_send(c->session, bytes, len);
    while (n == GNUTLS_E_INTERRUPTED);
    c->unsent = n == GNUTLS_E_AGAIN;
    if (n >= 0)
        return n;
    errno = c->unsent ? EAGAIN : EPIPE;
    return -1;
}

void tls_end(struct tls_conn *c) {
    gnutls_bye(c->session, GNUTLS_SHUT_WR);
}

bool tls_send_record(void *session, const void *bytes, size_t len) {
    return gnutls_record_send(session, bytes, len) == (ssize_t)len;
}
