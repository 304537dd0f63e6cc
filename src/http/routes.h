/* routes.h - every endpoint: one row. Private to http. The OpenAPI document is checked against it. */
#ifndef FLASHKV_HTTP_ROUTES_H
#define FLASHKV_HTTP_ROUTES_H

#include "request.h"

/* BODY_STREAM: of any length, taken as it comes (struct intake); the handler is called at its beginning. */
enum body_policy { BODY_NONE, BODY_RAW, BODY_STREAM, BODY_OPTIONAL };

/* Who may have it, if there are passwords: everybody; who knows one (what a token allows is judged by the commands that
 * the route runs); who may do what an administrator does. With an admin-port, those of the administrator are only there, and
 * so is ACCESS_PAGE: the console, whose files hold no secret. */
enum route_access { ACCESS_OPEN, ACCESS_PAGE, ACCESS_AUTH, ACCESS_ADMIN };

struct route {
    const char *method;
    const char
        *template; /* "/keys/{key}/incr": a segment in braces is any, {args} at the end all that follow */
    const char *operation; /* the operationId of the OpenAPI document */
    enum MHD_Result (*handler)(struct request *r);
    enum body_policy body;
    const char *
        parameters; /* allowed in the query, divided by spaces, once each, or as often as there is room if "*" follows;
                             * "*" alone: any */
    enum route_access access;
};

extern const struct route route_table[];
extern const size_t route_count;
/* The first rows: what is done with one key's string, within microseconds. */
enum { ROUTES_QUICK = 3 };
static inline bool route_is_quick(const struct route *row) {
    return row < route_table + ROUTES_QUICK;
}

/* Sets r->route. 200: found; 404: no such path, on this port; 405: a path, not with this method (routes_allow tells which). */
unsigned route_find(struct request *r);
/* The first of the request's path, whatever its method; NULL: there is none. */
const struct route *route_of_path(const struct request *r);
/* Is it among what Upstash's clients ask for, be there such a route or not? They want errors in a form of their own. */
bool target_is_upstash(const struct target *t);
/* "GET, HEAD, PUT, OPTIONS": what the request's path allows, or for "*" the service. */
void routes_allow(const struct request *r, char *out, size_t cap);
/* The first query parameter that the route does not know, or that is given twice; NULL: all are right. */
const struct pair *route_bad_parameter(const struct request *r);

#endif
