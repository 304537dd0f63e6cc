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
static bool asks_for_something(const struct server *srv, const struct options *o) {
    bool certificates = *o->tls_client_ca != '\0' && o->tls_client_auth == TLS_CLIENT_REQUIRED &&
                        o->tls_ports == TLS_PORTS_BOTH;

    return *o->requirepass != '\0' || srv->tokens.count > 0 || certificates;
}

/* False, and said what to do: others could read and change everything, and nobody has said that they may. */
static bool may_be_reached(const struct server *srv, const struct options *o) {
    const char *where = net_is_loopback(o->bind) ? o->admin_bind : o->bind;
    bool loopback = net_is_loopback(o->bind) && (o->admin_port == 0 || net_is_loopback(o->admin_bind));

    if (loopback || o->open || asks_for_something(srv, o))
        return true;
    log_error(
        "listening on %s without a password would let whoever reaches it read and change everything: set "
        "one (--requirepass-file, FLASHKV_REQUIREPASS or tokens-file), or say that this is meant (--open, "
        "FLASHKV_OPEN=yes)",
        where);
    return false;
}

/* The connection's port is what tells them apart. */
static bool ports_differ(const struct options *o) {
    if (o->admin_port == 0 || (o->admin_port != o->http_port && o->admin_port != o->upstash_port))
        return true;
    log_error("admin-port %u is another port's too", (unsigned)o->admin_port);
    return false;
}

bool security_open(struct server *srv, const struct options *o, char *const env[]) {
    return load_tokens(srv, o, env) && open_tls(srv, o) && ports_differ(o) && may_be_reached(srv, o);
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
