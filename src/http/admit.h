/* admit.h - what is decided about a request from its first line and headers alone. Private to http.
 *
 * A request that the library accepts but a proxy could parse differently is refused and its connection closed, before anything
 * is run: framing that two parsers divide differently is how requests are smuggled (RFC 9112, 11.2). A request that no route
 * accepts is refused before its body is read. */
#ifndef FLASHKV_HTTP_ADMIT_H
#define FLASHKV_HTTP_ADMIT_H

#include "request.h"

/* Sets r->verdict; status 0: the request is admitted, and r->route is set. `url` and `version` are what libmicrohttpd passes to
 * its access handler. */
void admit(struct request *r, const char *url, const char *version);
/* Do the headers announce a body? */
bool admit_has_body(const struct request *r);

#endif
