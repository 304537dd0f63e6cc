/* authorize.c - the schemes of the Authorization header, and their credentials. */
#include "authorize.h"

#include "base64.h"

enum { BASIC_MAX = 2048 }; /* base64 digits of "user:password"; a password has 512 bytes at most */

/* The credentials after `scheme` and spaces. False: another scheme. */
static bool behind(struct slice header, struct slice scheme, struct slice *credentials) {
    size_t at = scheme.len;

    if (header.len <= at || header.ptr[at] != ' ' || !slice_caseeq(slice_of(header.ptr, at), scheme))
        return false;
    while (at < header.len && header.ptr[at] == ' ')
        at++;
    *credentials = slice_of(header.ptr + at, header.len - at);
    return true;
}

static bool matches(struct request *r, struct slice secret) {
    if (secret_matches(&r->server->password, secret)) {
        r->user = "default";
        return true;
    }
    r->rights = tokens_find(&r->server->tokens, secret);
    if (r->rights == NULL)
        return false;
    r->user = r->rights->name;
    return true;
}

/* `digits` is base64 of "user:password". */
static bool basic_matches(struct request *r, struct slice digits) {
    char text[BASIC_MAX];
    size_t len = digits.len;
    const char *colon;

    if (len > sizeof(text))
        return false;
    memcpy(text, digits.ptr, len);
    if (!base64_decode(text, &len) || (colon = memchr(text, ':', len)) == NULL)
        return false;
    colon++;
    return matches(r, slice_of(colon, (size_t)(text + len - colon)));
}

/* Looked up here rather than by request_headers, so that it costs nothing where there is no password. */
struct found {
    struct slice value;
    unsigned count;
};

static enum MHD_Result note_authorization(void *cls, enum MHD_ValueKind kind, const char *name,
                                          size_t name_len, const char *value, size_t value_len) {
    struct found *f = cls;

    (void)kind;
    if (slice_caseeq(slice_of(name, name_len), SLICE_LIT("authorization"))) {
        f->value = slice_of(value != NULL ? value : "", value_len);
        f->count++;
    }
    return MHD_YES;
}

/* Two headers are ambiguous, and count as none. */
static bool header_matches(struct request *r) {
    struct found f = {.count = 0};
    struct slice header, credentials;

    MHD_get_connection_values_n(r->connection, MHD_HEADER_KIND, note_authorization, &f);
    if (f.count != 1)
        return false;
    header = f.value;
    if (behind(header, SLICE_LIT("Bearer"), &credentials))
        return matches(r, credentials);
    if (behind(header, SLICE_LIT("Basic"), &credentials))
        return basic_matches(r, credentials);
    return target_is_upstash(&r->target) && matches(r, header);
}

bool authorize(struct request *r) {
    struct slice token;

    if (target_is_upstash(&r->target) && target_query(&r->target, "_token", &token))
        return matches(r, token);
    return header_matches(r);
}

bool authorized_route(const struct request *r) {
    return r->route->access != ACCESS_ADMIN || r->rights == NULL ||
           (r->rights->scopes & SCOPE_ADMIN && r->rights->prefix_count == 0);
}
