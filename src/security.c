/* security.c - tokens, certificates, and the refusal to be open to others by oversight. */
#include "security.h"

#include <flashkv/log.h>
#include <flashkv/net.h>

enum { WHY_MAX = 512 };

struct tls_files security_tls_files(const struct options *o) {
    return (struct tls_files){o->tls_cert, o->tls_key, o->tls_client_ca,
                              o->tls_client_auth == TLS_CLIENT_REQUIRED};
}

static bool load_tokens(struct server *srv, const struct options *o, char *const env[]) {
    char why[WHY_MAX];

    if (tokens_load(&srv->tokens, o->tokens_file, env, why, sizeof(why)))
        return true;
    log_error("tokens-file %s: %s", o->tokens_file, why);
    return false;
}

static bool open_tls(struct server *srv, const struct options *o) {
    struct tls_files files = security_tls_files(o);
    char why[WHY_MAX];
    struct tls *tls;

    if (*o->tls_cert == '\0' && *o->tls_key == '\0' && *o->tls_client_ca == '\0')
        return true;
    if (*o->tls_cert == '\0' || *o->tls_key == '\0') {
        log_error("TLS needs both tls-cert and tls-key");
        return false;
    }
    tls = tls_open(&files, why, sizeof(why));
    if (tls == NULL)
        log_error("TLS: %s", why);
    if (o->tls_ports != TLS_PORTS_HTTP)
        srv->resp_tls = tls;
    if (o->tls_ports != TLS_PORTS_RESP)
        srv->http_tls = tls;
    return tls != NULL;
}

/* Does every client have to show something before it is served, on every port? */
static bool requires_secret(const struct server *srv, const struct options *o) {
    bool certificates = *o->tls_client_ca != '\0' && o->tls_client_auth == TLS_CLIENT_REQUIRED &&
                        o->tls_ports == TLS_PORTS_BOTH;

    return *o->requirepass != '\0' || srv->tokens.count > 0 || certificates;
}

/* False, and said what to do: others could read and change everything, and nobody has said that they may. */
static bool may_be_reached(const struct server *srv, const struct options *o) {
    const char *where = net_is_loopback(o->bind) ? o->admin_bind : o->bind;
    bool loopback = net_is_loopback(o->bind) && (o->admin_port == 0 || net_is_loopback(o->admin_bind));

    if (loopback || o->open || requires_secret(srv, o))
        return true;
    log_error(
        "listening on %s without a password would let whoever reaches it read and change everything: set "
        "one (--requirepass-file, FLASHKV_REQUIREPASS or tokens-file), or say that this is meant (--open, "
        "FLASHKV_OPEN=yes)",
        where);
    return false;
}

/* Is it what a browser would send as Origin (Fetch, 3.2)? NULL, or what is wrong with it. */
static const char *wrong_origin(struct slice origin) {
    static const char *const default_ports[] = {"http://", ":80", "https://", ":443"};
    const char *mark = memmem(origin.ptr, origin.len, "://", 3);
    struct slice scheme, host;

    if (slice_eq(origin, SLICE_LIT("null")))
        return NULL; /* that of a page that is nobody's */
    if (mark == NULL || mark == origin.ptr)
        return "expects a scheme, as https://app.example";
    scheme = slice_of(origin.ptr, (size_t)(mark + 3 - origin.ptr));
    host = slice_of(mark + 3, origin.len - scheme.len);
    if (host.len == 0)
        return "expects a host behind the scheme";
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= ' ' || host.ptr[i] > '~' || strchr("/?#@*", host.ptr[i]) != NULL)
            return "expects a scheme, a host and maybe a port: no path, no slash at the end, no user, no *, "
                   "and a host of other letters than ASCII's in its xn-- form";
    for (size_t i = 0; i < scheme.len; i++)
        if (scheme.ptr[i] <= ' ')
            return "there shall be no space in it";
    for (size_t i = 0; i < origin.len; i++)
        if (origin.ptr[i] >= 'A' && origin.ptr[i] <= 'Z')
            return "browsers send it in lower case";
    for (size_t i = 0; i < 4; i += 2) {
        struct slice port = slice_str(default_ports[i + 1]);

        if (slice_eq(scheme, slice_str(default_ports[i])) && host.len > port.len &&
            slice_eq(slice_of(host.ptr + host.len - port.len, port.len), port))
            return "browsers leave out the port that the scheme has by itself";
    }
    return NULL;
}

/* An origin that no browser sends would never fit, and nobody would see why. */
static bool origins_fit(const struct options *o) {
    const char *at = o->cors_origins;

    if (*at == '\0' || strcmp(at, "*") == 0)
        return true;
    for (;; at++) {
        struct slice origin = slice_of(at, strcspn(at, ","));
        const char *why = wrong_origin(origin);

        if (why != NULL) {
            log_error("cors-origins: \"%.*s\": %s", (int)origin.len, origin.ptr, why);
            return false;
        }
        at += origin.len;
        if (*at == '\0')
            return true;
    }
}

/* The connection's port is what tells them apart. */
static bool ports_differ(const struct options *o) {
    if (o->admin_port == 0 || (o->admin_port != o->http_port && o->admin_port != o->upstash_port))
        return true;
    log_error("admin-port %u is another port's too", (unsigned)o->admin_port);
    return false;
}

bool security_open(struct server *srv, const struct options *o, char *const env[]) {
    return load_tokens(srv, o, env) && open_tls(srv, o) && ports_differ(o) && origins_fit(o) &&
           may_be_reached(srv, o);
}

static struct tls *tls_of(const struct server *srv) {
    return srv->resp_tls != NULL ? srv->resp_tls : srv->http_tls;
}

void security_close(struct server *srv) {
    tls_close(tls_of(srv));
}

void security_look(void *server, bool asked) {
    struct server *srv = server;
    char why[WHY_MAX];

    if (tls_of(srv) == NULL)
        return;
    switch (tls_reload(tls_of(srv), asked, why, sizeof(why))) {
    case TLS_SAME:
        break;
    case TLS_CHANGED:
        log_info("TLS: the certificate was read again");
        break;
    case TLS_KEPT:
        log_error("TLS: the certificate stays as it was: %s", why);
        break;
    }
}
