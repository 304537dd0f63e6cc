/* authorize.h - authentication: the Authorization header against the password and the tokens. Private to http.
 *
 * RFC 9110 (11.6), RFC 6750 (Bearer), RFC 7617 (Basic, whose user name is ignored). On Upstash's routes also a bare token, and
 * the query parameter _token, which takes precedence, as in Upstash's own service. */
#ifndef FLASHKV_HTTP_AUTHORIZE_H
#define FLASHKV_HTTP_AUTHORIZE_H

#include <flashkv/hints.h>

#include "routes.h"

/* Does the request present the password or a token? Sets r->rights and r->user. */
NOINLINE bool authorize(struct request *r);
/* Do its rights suffice for the route itself? What its commands may do is checked when they run. */
bool authorized_route(const struct request *r);

/* May the request have its route (r->route)? Inline, so that it costs nothing while neither a password nor a token is set. */
static inline bool authorized(struct request *r) {
    return !server_requires_auth(r->server) || r->route->access < ACCESS_AUTH || authorize(r);
}

#endif
