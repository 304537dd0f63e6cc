/* authorize.h - who asks: the Authorization header against the password and the tokens. Private to http.
 *
 * RFC 9110 (11.6), RFC 6750 (Bearer), RFC 7617 (Basic, whose user name is not looked at). On Upstash's routes also a bare
 * token and the query parameter _token, which wins, as Upstash's own service has it. */
#ifndef FLASHKV_HTTP_AUTHORIZE_H
#define FLASHKV_HTTP_AUTHORIZE_H

#include <flashkv/hints.h>

#include "routes.h"

/* Does the request bring a password? Sets r->rights and r->user. */
NOINLINE bool authorize(struct request *r);
/* Do its rights suffice for the route itself? */
bool authorized_route(const struct request *r);

/* May the request have its route (r->route)? Always, while neither password nor token is set: in the header, to cost nothing then. */
static inline bool authorized(struct request *r) {
    return !server_requires_auth(r->server) || r->route->access < ACCESS_AUTH || authorize(r);
}

#endif
