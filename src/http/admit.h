/* admit.h - what is decided about a request from its first line and headers alone. Private to http.
 *
 * What the library lets through and a proxy would read otherwise is refused with the connection's end, before
 * anything is done: framing that two readers could divide differently is how requests are smuggled (RFC 9112, 11.2).
 * What no route wants is refused before its body is read. */
#ifndef FLASHKV_HTTP_ADMIT_H
#define FLASHKV_HTTP_ADMIT_H

#include "request.h"

/* Fills r->verdict; status 0 lets the request in, with r->route set. `version` and `url` are what libmicrohttpd
 * gives its handler. */
void admit(struct request *r, const char *url, const char *version);
/* Is a body announced? */
bool admit_has_body(const struct request *r);

#endif
