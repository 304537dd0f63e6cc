/* request.h - one HTTP request: its target taken apart, its headers, its body as it arrives. Private to http.
 *
 * The target is parsed from its raw bytes: segments are divided at "/" before anything is decoded, so that a%2Fb is
 * one segment; %00 and %FF are bytes like others; "+" is a plus sign in a path, a space in a query. */
#ifndef FLASHKV_HTTP_REQUEST_H
#define FLASHKV_HTTP_REQUEST_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/server.h>
#include <microhttpd.h>

enum { SEGMENTS_MAX = 3, QUERY_MAX = 8, SMALL_BODY = 1024, TARGET_ROOM = 256 };

struct pair {
    struct slice name, value;
};

struct target {
    struct slice segments[SEGMENTS_MAX];
    unsigned segment_count;
    bool too_deep; /* more segments than any route has */
    struct pair query[QUERY_MAX];
    unsigned query_count;
};

enum target_result { TARGET_OK, TARGET_BAD_ESCAPE, TARGET_BAD_BYTE, TARGET_TOO_MANY_PARAMETERS };
/* Takes `raw` apart, decoding in place. Absolute form (http://host/path) is cut to its path; "*" has no segments. */
enum target_result target_parse(char *raw, struct target *t);
/* A query parameter's value; false: not given. */
bool target_query(const struct target *t, const char *name, struct slice *value);

/* Headers that somebody looks at; empty slices where there are none. */
struct headers {
    struct slice content_type, accept, if_match, if_none_match, expect, content_length, transfer_encoding;
    unsigned hosts, content_lengths;
    bool lengths_differ, malformed; /* an empty name, or a name with what no token has */
};

struct route;
struct http;

struct request {
    struct http *http;
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route; /* NULL: none */
    unsigned found;            /* what route_find said */
    struct target target;
    enum target_result target_result;
    struct headers headers;
    struct slice method;
    int64_t now_ms; /* wall clock, when it is answered */
    bool begun;     /* headers were looked at */
    bool close;     /* the connection ends with the response */
    bool too_long;  /* the body went over the limit: what comes is thrown away */
    size_t thrown_away;
    size_t body_len;       /* in `small`, while there is no blob */
    struct blob *body;     /* a larger one */
    const char *target_at; /* the library's own bytes of the target, */
    size_t target_len;     /* and how many there are before a NUL */
    char *raw;             /* a copy of them: `room`, or allocated */
    char room[TARGET_ROOM], small[SMALL_BODY];
};

/* A request for a raw target; NULL: no memory. */
struct request *request_new(struct http *h, struct MHD_Connection *connection, const char *raw);
void request_free(struct request *r);
/* Reads the headers in one pass. */
void request_headers(struct request *r);
/* Adds bytes of the body. False: no memory. Past max-value-bytes only `too_long` is set. */
bool request_body_add(struct request *r, const char *bytes, size_t len);
/* The whole body, as an argument. */
struct slice request_body(const struct request *r);

#endif
