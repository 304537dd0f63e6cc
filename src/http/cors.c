/* cors.c - matching origins, and the headers of CORS. */
#include "cors.h"

#include <flashkv/hints.h>

/* The request headers that a page may set, besides those that Fetch permits any page. */
static const char request_headers_allowed[] =
    "Authorization, Cache-Control, Content-Type, If-Match, If-None-Match, If-Range, Last-Event-ID, Prefer, "
    "Range, "
    "Upstash-Encoding, Upstash-Response-Format, Upstash-Sync-Token, Upstash-Telemetry-Platform, "
    "Upstash-Telemetry-Runtime, Upstash-Telemetry-Sdk, X-Request-Id, traceparent, tracestate";
/* The response headers that it may read. */
static const char response_headers_exposed[] = "Allow, Content-Range, ETag, FlashKV-TTL-Ms, Location, "
                                               "Preference-Applied, Retry-After, Upstash-Sync-Token, "
                                               "WWW-Authenticate, X-Request-Id";
static const char seconds_to_remember[] = "3600";

static bool any_origin(const struct request *r) {
    return strcmp(r->server->options->cors_origins, "*") == 0;
}

/* Is the request's origin in the list? */
static bool allows(const struct request *r) {
    struct slice origin = r->headers.origin;
    const char *at = r->server->options->cors_origins;

    if (any_origin(r))
        return true;
    while (origin.len > 0 && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (slice_eq(origin, slice_of(at, len)))
            return true;
        at += len + (at[len] == ',');
    }
    return false;
}

/* Is the request's origin, "https://host:1234", the same as its Host? */
static bool origin_is_host(const struct headers *h) {
    static const struct slice mark = SLICE_LIT("://");
    const char *found = memmem(h->origin.ptr, h->origin.len, mark.ptr, mark.len);
    struct slice host;

    if (found == NULL)
        return false; /* "null": an opaque origin */
    host.ptr = found + mark.len;
    host.len = (size_t)(h->origin.ptr + h->origin.len - host.ptr);
    return slice_caseeq(host, h->host);
}

/* Browsers set Sec-Fetch-Site; those before 2023, and those that talk to another machine without TLS, set only Origin. A proxy
 * may have changed Host, so with a password set Origin is ignored: no page can make a browser send the password. */
static NOINLINE bool is_cross_origin(const struct request *r) {
    const struct headers *h = &r->headers;

    if (h->sec_fetch_site.ptr != NULL)
        return !slice_caseeq(h->sec_fetch_site, SLICE_LIT("same-origin")) &&
               !slice_caseeq(h->sec_fetch_site, SLICE_LIT("none"));
    return h->origin.ptr != NULL && !server_requires_auth(r->server) && !origin_is_host(h);
}

/* Upstash's clients may change data by GET. */
static bool may_change(const struct request *r) {
    return target_is_upstash(&r->target) ||
           !(slice_eq(r->method, SLICE_LIT("GET")) || slice_eq(r->method, SLICE_LIT("HEAD")));
}

bool cors_is_foreign(const struct request *r) {
    return may_change(r) && is_cross_origin(r) && !(r->route->access == ACCESS_AUTH && allows(r));
}

/* "Host.example:8080" without its port and a trailing dot. */
static struct slice name_of_host(struct slice host) {
    const char *colon = memrchr(host.ptr, ':', host.len);

    if (colon != NULL)
        host.len = (size_t)(colon - host.ptr);
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    return host;
}

static bool ends_in(struct slice name, struct slice end) {
    return name.len >= end.len && slice_caseeq(slice_of(name.ptr + name.len - end.len, end.len), end);
}

static bool is_ipv4(struct slice name) {
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '.' && (name.ptr[i] < '0' || name.ptr[i] > '9'))
            return false;
    return name.len > 0;
}

/* Could the name be registered on the Internet? */
static NOINLINE bool is_public(struct slice host) {
    struct slice name = name_of_host(host);

    return memchr(name.ptr, '.', name.len) != NULL && !is_ipv4(name) &&
           !ends_in(name, SLICE_LIT(".localhost"));
}

bool cors_is_rebound(const struct request *r) {
    struct slice host = r->headers.host;

    return host.len > 0 && memchr(host.ptr, '.', host.len) != NULL && *host.ptr != '[' &&
           !server_requires_auth(r->server) && !r->server->options->open && is_public(host);
}

static void put_origin(const struct request *r, header_put *put, void *to) {
    char origin[256];

    if (any_origin(r)) {
        put(to, "Access-Control-Allow-Origin", "*");
    } else if (r->headers.origin.len < sizeof(origin)) {
        memcpy(origin, r->headers.origin.ptr, r->headers.origin.len);
        origin[r->headers.origin.len] = '\0';
        put(to, "Access-Control-Allow-Origin", origin);
    }
}

void cors_headers(const struct request *r, header_put *put, void *to) {
    const struct route *route;
    char methods[64];

    if (!cors_is_on(r))
        return;
    route = r->route != NULL ? r->route : route_of_path(r);
    if (route == NULL || route->access != ACCESS_AUTH)
        return;
    if (!any_origin(r))
        put(to, "Vary", "Origin");
    if (r->headers.origin.ptr == NULL || !allows(r))
        return;
    put_origin(r, put, to);
    if (slice_eq(r->method, SLICE_LIT("OPTIONS"))) {
        routes_allow(r, methods, sizeof(methods));
        put(to, "Access-Control-Allow-Methods", methods);
        put(to, "Access-Control-Allow-Headers", request_headers_allowed);
        put(to, "Access-Control-Max-Age", seconds_to_remember);
    } else {
        put(to, "Access-Control-Expose-Headers", response_headers_exposed);
    }
}
