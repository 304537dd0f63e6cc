/* admit.c - checks in this order: framing, target and route, foreign pages, authentication, parameters, the body's headers. */
#include "admit.h"

#include <flashkv/num.h>

#include "authorize.h"
#include "cors.h"
#include "routes.h"

/* request_refuse as an expression of value true, so that checks can be chained with ||. */
#define refuse(r, ...) (request_refuse(r, __VA_ARGS__), true)

static bool refuse_and_close(struct request *r, unsigned status, const char *why) {
    r->close = true;
    return refuse(r, status, "%s", why);
}

bool admit_has_body(const struct request *r) {
    uint64_t length = 0;

    return r->headers.transfer_encoding.len > 0 ||
           (num_parse_u64(r->headers.content_length, &length) && length > 0);
}

/* 0.9.75 skips several spaces, cuts the target at a NUL, joins folded lines to the wrong line and cuts values at a NUL. It leaves
 * the request where it was received, with NULs for line ends, so all of that is visible in the positions of the pieces
 * (request_headers checks the lines). 1.0 refuses such requests itself, and moves pieces about. */
static bool first_line_has_gaps(const struct request *r, const char *url, const char *version) {
    return request_layout_is_known() &&
           (r->method.ptr + r->method.len + 1 != url || url + r->raw_len + 1 != version);
}

static bool bad_framing(struct request *r, const char *url, const char *version) {
    const struct headers *h = &r->headers;
    bool http10 = !r->http11;
    uint64_t n;

    if (first_line_has_gaps(r, url, version) || r->target_result == TARGET_BAD_BYTE)
        return refuse_and_close(r, 400, "the request target is not an absolute path of visible characters");
    if (h->malformed)
        return refuse_and_close(r, 400, "a header line that is not one name, a colon, a value and CR LF");
    if (h->transfer_encoding.len > 0 && h->content_length.len > 0)
        return refuse_and_close(r, 400, "both Transfer-Encoding and Content-Length");
    if (h->repeated)
        return refuse_and_close(r, 400, "a header that must be single is given twice");
    if (h->content_length.ptr != NULL && !num_parse_u64(h->content_length, &n))
        return refuse_and_close(r, 400, "a Content-Length that is no number");
    if (h->host.ptr == NULL && !http10)
        return refuse_and_close(r, 400, "no Host header");
    if (h->transfer_encoding.ptr != NULL && http10)
        return refuse_and_close(r, 400, "Transfer-Encoding in HTTP/1.0");
    if (h->transfer_encoding.ptr != NULL && !slice_caseeq(h->transfer_encoding, SLICE_LIT("chunked")))
        return refuse_and_close(r, 501, "a Transfer-Encoding other than chunked");
    if (h->expect.ptr != NULL && !slice_caseeq(h->expect, SLICE_LIT("100-continue")))
        return refuse_and_close(r, 417, "the only expectation that is met is 100-continue");
    return false;
}

static bool no_route(struct request *r) {
    unsigned status;

    if (r->target_result == TARGET_BAD_ESCAPE)
        return refuse(r, 400, "the URL has a %% that two hex digits do not follow");
    if (r->target_result == TARGET_TOO_MANY_PARAMETERS)
        return refuse(r, 400, "more than %d query parameters", QUERY_MAX);
    status = route_find(r);
    if (slice_eq(r->method, SLICE_LIT("OPTIONS")) && (status == 405 || r->target.is_asterisk))
        return refuse(r, 204, "%s", "");
    if (status == 405)
        return refuse(r, 405, "this resource does not have the method %.*s",
                      (int)(r->method.len < 32 ? r->method.len : 32), r->method.ptr);
    if (status == 404)
        return refuse(r, 404, "there is nothing at this path; a slash inside a key is written %%2F");
    return false;
}

static bool unauthorized(struct request *r) {
    if (!authorized(r))
        return refuse(r, 401, "%s",
                      target_is_upstash(&r->target)
                          ? "WRONGPASS invalid or missing auth token"
                          : "Authorization: Bearer or Basic, with the right password, is needed");
    return !authorized_route(r) && refuse(r, 403, "the token does not allow this");
}

static bool foreign_page(struct request *r) {
    if (r->route->access != ACCESS_OPEN && cors_is_rebound(r))
        return refuse(r, 403,
                      "Host names a machine of the Internet: that takes a password, or the option open");
    return cors_is_foreign(r) &&
           refuse(r, 403, "pages of other origins may not do this, but for those that cors-origins names");
}

static bool bad_parameter(struct request *r) {
    const struct pair *bad = route_bad_parameter(r);

    return bad != NULL && refuse(r, 400, "query parameter '%.*s' is unknown here, or given twice",
                                 (int)(bad->name.len < 64 ? bad->name.len : 64), bad->name.ptr);
}

static NOINLINE bool bad_body(struct request *r) {
    const struct headers *h = &r->headers;
    uint64_t length = 0, longest = r->server->options->max_value_bytes;

    if (r->route->body != BODY_OPTIONAL && h->content_length.ptr == NULL && h->transfer_encoding.ptr == NULL)
        return refuse(r, 411, "this needs a body: send Content-Length, 0 for an empty one");
    if (r->route->body != BODY_STREAM && num_parse_u64(h->content_length, &length) && length > longest)
        return refuse(r, 413, "the body is longer than max-value-bytes (%llu)", (unsigned long long)longest);
    if (h->content_encoding.len > 0 && !slice_caseeq(h->content_encoding, SLICE_LIT("identity")))
        return refuse(r, 415, "bodies are stored as they are: Content-Encoding is not kept");
    if (h->content_range.ptr != NULL)
        return refuse(r, 400, "Content-Range: a value is only written whole");
    return false;
}

void admit(struct request *r, const char *url, const char *version) {
    r->verdict.status = 0;
    if (!bad_framing(r, url, version) && !no_route(r) && !foreign_page(r) && !unauthorized(r) &&
        !bad_parameter(r) && r->route->body != BODY_NONE)
        bad_body(r);
}
