/* cors.h - what pages of other origins may do in a browser. Private to http.
 *
 * --cors-origins lists the origins whose pages may use the routes of keys and read the responses (Fetch, 3.3): never those of
 * the administrator or the console, and never with credentials that the browser adds by itself (cookies, a stored password): a
 * page has to send its own Authorization. Any other page can still make a browser send a request; it is refused if it could
 * change something. Clients that are not browsers are not affected. */
#ifndef FLASHKV_HTTP_CORS_H
#define FLASHKV_HTTP_CORS_H

#include "routes.h"

/* Is --cors-origins set? */
static inline bool cors_is_on(const struct request *r) {
    return *r->server->options->cors_origins != '\0';
}
/* Is it a request of a foreign page that may change something? r->route must be set. */
bool cors_is_foreign(const struct request *r);
/* Could the request be DNS rebinding: a page that made a name of its own resolve to this machine? To the browser everything is of
 * one origin then, but the name is in Host. So without a password, and unless --open is set, Host must not be a name that can be
 * registered on the Internet. An address, localhost and names without a dot are accepted. */
bool cors_is_rebound(const struct request *r);
/* Adds a header to a response; `to` is the caller's context. */
typedef void header_put(void *to, const char *name, const char *value);
/* Adds the response headers of CORS, also for a preflight (OPTIONS), if the request's origin is allowed. */
void cors_headers(const struct request *r, header_put *put, void *to);

#endif
