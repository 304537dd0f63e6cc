/* tls.h - TLS 1.2 and 1.3 on sockets that do not block, by GnuTLS.
 *
 *     struct tls         a server's certificate, and the authorities whose clients it knows; changed by tls_reload
 *     struct tls_creds   the same, as it is when a connection begins; it lives as long as one of those does
 *     struct tls_conn    a connection's TLS, to be used as the socket is: by one thread at a time
 *
 * A client's certificate must come from one of the authorities, be valid now, and be meant for clients if it says what it is
 * meant for. The server's own is always good: who holds its key needs no other to ask how it is (flashkv --check).
 * A client may resume a session within an hour by a ticket (RFC 8446, 2.2; RFC 5077), which holds all of it, sealed by a key
 * that is made with the certificate and ends with it: so nobody whom a reload shuts out comes back by an old ticket. Early data
 * is not taken, and nothing is renegotiated. Layer: base. Thread-safe, but for tls_reload and tls_close.
 * Source: RFC 8446, RFC 5246; the manual of GnuTLS 3.7. */
#ifndef FLASHKV_TLS_H
#define FLASHKV_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What GnuTLS calls a priority string: the versions and algorithms that are spoken. */
extern const char tls_priorities[];

struct tls_files {
    const char *cert, *key; /* PEM; the certificate first, then those that lead to its authority */
    const char *client_ca;  /* PEM; "": clients are asked for none */
    bool required;          /* a client without one is let in no further than the handshake */
};

struct tls;

/* Reads the files, whose names must outlive it. NULL: `why` (cap bytes) says what is wrong with which. */
struct tls *tls_open(const struct tls_files *files, char *why, size_t cap);
/* After the last of its connections. NULL is ignored. */
void tls_close(struct tls *t);

enum tls_change { TLS_SAME, TLS_CHANGED, TLS_KEPT };
/* Reads the files again, if they have changed since they were read, or `anyway`; connections that are there go on as they
 * are. TLS_KEPT: they cannot be used, `why` says it, and all stays as it was. One thread at a time. */
enum tls_change tls_reload(struct tls *t, bool anyway, char *why, size_t cap);

/* ---- a connection ------------------------------------------------------------------------------------------------ */

struct tls_conn;

/* The server's side of a connection on the socket, which stays the caller's. NULL: no memory. */
struct tls_conn *tls_accept(struct tls *t, int fd);
/* A client's side, which believes any server: for one that asks itself how it is. It shows the certificate of `files`, if it
 * can be read. NULL: no memory. */
struct tls_conn *tls_connect(const struct tls_files *files, int fd);
/* Frees it, and says nothing to the other side. NULL is ignored. */
void tls_free(struct tls_conn *c);

enum tls_progress { TLS_DONE, TLS_WANTS_INPUT, TLS_WANTS_OUTPUT, TLS_FAILED };
/* Goes on with the handshake, which comes before all else. */
enum tls_progress tls_handshake(struct tls_conn *c);
/* As recv(2), with EAGAIN or EPROTO; but it goes on until `room` is full or the socket empty. */
ssize_t tls_recv(struct tls_conn *c, void *to, size_t room);
/* Has something been received that tls_recv had no room for? Of that the socket does not tell. */
bool tls_pending(const struct tls_conn *c);
/* As send(2), with EAGAIN or EPIPE, of TLS_RECORD bytes at most. After EAGAIN the next call must have the same bytes to
 * send, wherever they are by then. */
ssize_t tls_send(struct tls_conn *c, const void *bytes, size_t len);
enum { TLS_RECORD = 16 * 1024 };
/* Tells the other side that no more comes, if the socket takes it at once. */
void tls_end(struct tls_conn *c);

/* ---- a connection of libmicrohttpd, which has a gnutls_session_t of its own --------------------------------------- */

struct tls_creds;

/* Has a session that is yet to shake hands show and ask for what `t` says. To be let go of when the session ends. NULL: it
 * must not go on. */
struct tls_creds *tls_prepare(struct tls *t, void *session);
/* NULL is ignored. */
void tls_creds_unref(struct tls_creds *creds);
/* Sends what fits in one record and goes out at once, past the library. False: it did not. */
bool tls_say(void *session, const void *bytes, size_t len);

#endif
