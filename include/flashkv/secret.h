/* secret.h - a password, stored as its SHA-256, and SHA-256 itself.
 *
 * Digests are compared in constant time. Layer: base. Thread-safe except for init and destroy. */
#ifndef FLASHKV_SECRET_H
#define FLASHKV_SECRET_H

#include <flashkv/lock.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_HEX = 2 * SHA256_SIZE + 1 };

struct sha256 {
    unsigned char bytes[SHA256_SIZE];
};
/* Source: FIPS 180-4. */
struct sha256 sha256(struct slice data);
/* In constant time. */
bool sha256_equal(const struct sha256 *a, const struct sha256 *b);
/* 64 hex digits and a NUL. */
void sha256_hex(const struct sha256 *digest, char out[SHA256_HEX]);

/* The role of secret.mutex (thread_safety.h). */
extern struct mutex secret_role;

struct secret {
    struct mutex mutex;
    struct sha256 digest GUARDED_BY(secret_role);
    _Atomic bool is_set; /* false: there is no password */
};

void secret_init(struct secret *s); /* initially not set */
void secret_destroy(struct secret *s);
/* An empty password unsets it. */
void secret_set(struct secret *s, struct slice password);
static inline bool secret_is_set(const struct secret *s) {
    return atomic_load_explicit(&s->is_set, memory_order_relaxed);
}
/* Is this the password? False if none is set. In constant time. */
bool secret_matches(struct secret *s, struct slice guess);
struct sha256 secret_digest(struct secret *s);

#endif
