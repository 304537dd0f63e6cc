/* tokens.h - access tokens: further passwords, each with a name and rights.
 *
 * From a JSON file (--tokens-file), an array of objects:
 *     {"name": "web", "secret": "..." or "sha256": "64 hex digits", "scopes": ["read", "write", "admin"], "prefixes": ["user:"]}
 * and from the environment, where UPSTASH_REDIS_REST_TOKEN and SRH_TOKEN allow everything. Stored as digests. Read-only
 * once loaded, so any thread may read; a struct rights lives as long as its tokens. Layer: config. */
#ifndef FLASHKV_TOKENS_H
#define FLASHKV_TOKENS_H

#include <flashkv/secret.h>
#include <stddef.h>

enum scope { SCOPE_READ = 1 << 0, SCOPE_WRITE = 1 << 1, SCOPE_ADMIN = 1 << 2 };

/* What a token allows. */
struct rights {
    char *name;
    struct sha256 digest;
    unsigned scopes; /* enum scope */
    char **prefixes; /* of the keys that it may access; none: all keys */
    size_t prefix_count;
};

struct tokens {
    struct rights *list;
    size_t count;
};

/* Fills *t from the file, if `path` is not empty, and `env` (as environ). False: *t is empty, and `why` (cap bytes) holds the
 * error message. */
bool tokens_load(struct tokens *t, const char *path, char *const env[], char *why, size_t cap);
void tokens_free(struct tokens *t);
/* The rights of the token with this secret; NULL: there is none. In constant time. */
const struct rights *tokens_find(const struct tokens *t, struct slice secret);
/* Do the rights cover all keys that begin with these bytes? */
bool rights_cover(const struct rights *r, struct slice beginning);

#endif
