/* secret.c - SHA-256, by GnuTLS, and the password. */
#include <flashkv/secret.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sha256 sha256(struct slice data) {
    struct sha256 out;

    /* It fails only if the library failed its self-tests; then no guess may match. */
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data.ptr, data.len, out.bytes) != 0)
        abort();
    return out;
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b) {
    return gnutls_memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

void sha256_hex(const struct sha256 *digest, char out[SHA256_HEX]) {
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest->bytes[i]);
}

static void secret_lock(struct secret *s) ACQUIRE(secret_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&s->mutex);
}

static void secret_unlock(struct secret *s) RELEASE(secret_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&s->mutex);
}

void secret_init(struct secret *s) NO_THREAD_SAFETY_ANALYSIS {
    memset(s, 0, sizeof(*s));
    mutex_init(&s->mutex, LOCK_RANK_LEAF);
}

void secret_destroy(struct secret *s) {
    mutex_destroy(&s->mutex);
}

void secret_set(struct secret *s, struct slice password) {
    struct sha256 digest = sha256(password);

    secret_lock(s);
    s->digest = digest;
    atomic_store(&s->is_set, password.len > 0);
    secret_unlock(s);
}

struct sha256 secret_digest(struct secret *s) {
    struct sha256 digest;

    secret_lock(s);
    digest = s->digest;
    secret_unlock(s);
    return digest;
}

bool secret_matches(struct secret *s, struct slice guess) {
    struct sha256 want = secret_digest(s), got = sha256(guess);

    return sha256_equal(&want, &got) && secret_is_set(s);
}
