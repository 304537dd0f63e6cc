/* routes.h - the route table: one row for each endpoint. Private to http. The OpenAPI document is checked against it. */
#ifndef FLASHKV_HTTP_ROUTES_H
#define FLASHKV_HTTP_ROUTES_H

#include "request.h"

/* BODY_STREAM: of any length, consumed as it arrives (struct intake); the handler is called at its beginning. */
enum body_policy { BODY_NONE, BODY_RAW, BODY_STREAM, BODY_OPTIONAL };

/* Who may have the route, if passwords are set: everybody; clients that present one (what a token permits is checked by the
 * commands that the route runs); administrators. With an admin-port, ACCESS_ADMIN and ACCESS_PAGE are only there; ACCESS_PAGE is
 * the console, whose files contain no secret and need no password. */
enum route_access { ACCESS_OPEN, ACCESS_PAGE, ACCESS_AUTH, ACCESS_ADMIN };

struct route {
    const char *method;
    /* "/keys/{key}/incr": a segment in braces matches any, {args} at the end all that follow */
    const char *template;
    const char *operation; /* the operationId of the OpenAPI document */
    enum MHD_Result (*handler)(struct request *r);
    enum body_policy body;
    /* Allowed in the query, separated by spaces, once each, or repeatedly if followed by "*"; "*" alone: any. */
    const char *parameters;
    enum route_access access;
};

extern const struct route route_table[];
extern const size_t route_count;
/* The first rows: operations on one key's string, done within microseconds. */
enum { ROUTES_QUICK = 3 };
static inline bool route_is_quick(const struct route *row) {
    return row < route_table + ROUTES_QUICK;
}

/* Sets r->route. 200: found; 404: no such path on this port; 405: the path exists, but not with this method (routes_allow
 * lists them). */
unsigned route_find(struct request *r);
/* The first row of the request's path, whatever the method; NULL: none on this port. */
const struct route *route_of_path(const struct request *r);
/* Is the path under /upstash, whether or not such a route exists? Its clients expect errors in their own form. */
bool target_is_upstash(const struct target *t);
/* "GET, HEAD, PUT, OPTIONS": the methods of the request's path, or, if it has no route, of the service. */
void routes_allow(const struct request *r, char *out, size_t cap);
/* The first query parameter that the route does not know or that is repeated; NULL: none. */
const struct pair *route_bad_parameter(const struct request *r);

#endif
