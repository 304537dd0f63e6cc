/* tls_creds.h - what tls.c and tls_conn.c share. Private to base. */
#ifndef FLASHKV_BASE_TLS_CREDS_H
#define FLASHKV_BASE_TLS_CREDS_H

#include <flashkv/tls.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>

struct tls_creds {
    _Atomic unsigned refs;
    gnutls_certificate_credentials_t certificate;
    gnutls_certificate_request_t request; /* of the client's */
    gnutls_datum_t ticket_key;            /* of tickets to resume a session with; data NULL: there are none */
};

/* Without a certificate; one reference, the caller's. NULL: no memory. */
struct tls_creds *tls_creds_new(void);
/* The same with what is in the files. NULL: `why` (cap bytes) says what is wrong with which file. */
struct tls_creds *tls_creds_load(const struct tls_files *files, char *why, size_t cap);

#endif
