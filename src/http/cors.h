/* cors.h - what pages of other origins may do, in browsers. Private to http.
 *
 * --cors-origins names the origins whose pages may use the keys' routes and read the answers (Fetch, 3.3). Never those of
 * the administrator or the console, and never with what a browser adds by itself (cookies, a password it remembers): a page
 * has to bring its Authorization. Any other page can still have a browser send a request; it is refused
 * when it could change something. Clients that are no browsers are not concerned. */
#ifndef FLASHKV_HTTP_CORS_H
#define FLASHKV_HTTP_CORS_H

#include "routes.h"

/* Do the options name origins? */
static inline bool cors_is_on(const struct request *r) {
    return *r->server->options->cors_origins != '\0';
}
/* Does the request come from a page that has no business here? Its route is known, and it may change something. */
bool cors_is_foreign(const struct request *r);
/* May a page have led a browser here by a name that it has changed to point at this machine (DNS rebinding)? To the browser all is
 * of one origin then, but the name stands in Host: without a password, and unless --open says that everybody may, it must be none
 * that can be had on the Internet. An address, localhost and names without a dot are fine. */
bool cors_is_rebound(const struct request *r);
/* Where a header of a response goes. */
typedef void header_put(void *to, const char *name, const char *value);
/* Puts what a browser asks for in the response to a request, which may be OPTIONS. */
void cors_headers(const struct request *r, header_put *put, void *to);

#endif
