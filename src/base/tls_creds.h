/* tls_creds.h - what tls.c and tls_conn.c share. Private to base. */
#ifndef FLASHKV_BASE_TLS_CREDS_H
#define FLASHKV_BASE_TLS_CREDS_H

#include <flashkv/tls.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>

struct tls_creds {
    _Atomic unsigned refs;
    gnutls_certificate_credentials_t certificate;
    gnutls_certificate_request_t request; /* whether a client's certificate is required */
    gnutls_datum_t ticket_key;            /* of session tickets; data NULL: no tickets */
};

/* Credentials without a certificate; one reference, the caller's. NULL: no memory. */
struct tls_creds *tls_creds_new(void);
/* Credentials from the files; one reference, the caller's. NULL: `why` (cap bytes) names the file and the error. */
struct tls_creds *tls_creds_load(const struct tls_files *files, char *why, size_t cap);

#endif
