/* tls.h - TLS 1.2 and 1.3 on non-blocking sockets, by GnuTLS.
 *
 *     struct tls         a server's certificate, and the CAs that it trusts for clients; replaced by tls_reload
 *     struct tls_creds   an immutable snapshot of that, taken when a connection begins; reference-counted by connections
 *     struct tls_conn    the TLS session of a connection; one thread at a time, as the socket
 *
 * A client's certificate must be signed by one of the CAs, be valid now, and permit client authentication if it restricts its
 * use. The server's own certificate is always accepted from a client (flashkv --check uses it).
 * A client may resume a session within an hour by a ticket (RFC 8446, 2.2; RFC 5077), encrypted by a key that is created with
 * the credentials and dropped with them: so a client that a reload excludes cannot resume by an old ticket. Early data and
 * renegotiation are off. Layer: base. Thread-safe, except for tls_reload and tls_close.
 * Source: RFC 8446, RFC 5246; the manual of GnuTLS 3.7. */
#ifndef FLASHKV_TLS_H
#define FLASHKV_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* GnuTLS's priority string: the versions and algorithms that are enabled. */
extern const char tls_priorities[];

struct tls_files {
    const char *cert, *key; /* PEM; the certificate first, then its chain */
    const char *client_ca;  /* PEM; "": no client certificate is requested */
    bool required;          /* the handshake fails for a client without a certificate */
};

struct tls;

/* Reads the files, whose names must outlive it. NULL: `why` (cap bytes) names the file and the error. */
struct tls *tls_open(const struct tls_files *files, char *why, size_t cap);
/* After the last of its connections. NULL is ignored. */
void tls_close(struct tls *t);

enum tls_change { TLS_SAME, TLS_CHANGED, TLS_KEPT };
/* Reads the files again if they have changed since they were read, or if `anyway`; existing connections are not affected.
 * TLS_KEPT: the new files cannot be used, for the reason in `why`, and the old credentials stay. One thread at a time. */
enum tls_change tls_reload(struct tls *t, bool anyway, char *why, size_t cap);

/* ---- a connection ------------------------------------------------------------------------------------------------ */

struct tls_conn;

/* The server's side of a connection on the socket, which stays the caller's. NULL: no memory. */
struct tls_conn *tls_accept(struct tls *t, int fd);
/* A client's side, which does not verify the server: for the health check of this server by itself. It presents the
 * certificate of `files`, if that can be read. NULL: no memory. */
struct tls_conn *tls_connect(const struct tls_files *files, int fd);
/* Frees it without notifying the peer. NULL is ignored. */
void tls_free(struct tls_conn *c);

enum tls_progress { TLS_DONE, TLS_WANTS_INPUT, TLS_WANTS_OUTPUT, TLS_FAILED };
/* Continues the handshake, which must be done before data are sent or received. */
enum tls_progress tls_handshake(struct tls_conn *c);
/* As recv(2), with EAGAIN or EPROTO; it reads until `room` is full or the socket is drained. */
ssize_t tls_recv(struct tls_conn *c, void *to, size_t room);
/* Is there decrypted data that tls_recv had no room for? epoll does not report it. */
bool tls_pending(const struct tls_conn *c);
/* As send(2), with EAGAIN or EPIPE, of TLS_RECORD bytes at most. After EAGAIN the next call must send the same bytes, though
 * their address may differ. */
ssize_t tls_send(struct tls_conn *c, const void *bytes, size_t len);
enum { TLS_RECORD = 16 * 1024 };
/* Sends close_notify, if the socket takes it without blocking. */
void tls_end(struct tls_conn *c);

/* ---- a connection of libmicrohttpd, which has a gnutls_session_t of its own --------------------------------------- */

struct tls_creds;

/* Sets the credentials of a session before its handshake, and returns a reference to them, to be dropped when the session
 * ends. NULL: failed, the connection must be closed. */
struct tls_creds *tls_prepare(struct tls *t, void *session);
/* NULL is ignored. */
void tls_creds_unref(struct tls_creds *creds);
/* Sends bytes that fit in one record, bypassing libmicrohttpd, without blocking. False: not all were sent. */
bool tls_send_record(void *session, const void *bytes, size_t len);

#endif
