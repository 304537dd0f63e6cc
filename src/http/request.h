/* request.h - one HTTP request: its parsed target, its headers, its body as it arrives. Private to http.
 *
 * The target is parsed from its raw bytes: it is split at "/" before anything is decoded, so that a%2Fb is one segment; %00 and
 * %FF are bytes like any other; "+" is a plus sign in a path, a space in a query. */
#ifndef FLASHKV_HTTP_REQUEST_H
#define FLASHKV_HTTP_REQUEST_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/hints.h>
#include <flashkv/server.h>
#include <microhttpd.h>

#include "trace.h"

enum { SEGMENTS_MAX = 3, QUERY_MAX = 8, SMALL_BODY = 1024, TARGET_ROOM = 128 };

struct pair {
    struct slice name, value;
};

struct target {
    struct slice segments[SEGMENTS_MAX];
    unsigned segment_count;
    bool too_deep; /* more than SEGMENTS_MAX segments: the others are in `rest` */
    char *rest;    /* not decoded yet, up to `rest_end` (target_next); NULL: nothing */
    char *rest_end;
    bool is_asterisk;   /* "*", for OPTIONS */
    struct pair *query; /* the array passed to target_parse */
    unsigned query_count;
};

enum target_result { TARGET_OK, TARGET_BAD_ESCAPE, TARGET_BAD_BYTE, TARGET_TOO_MANY_PARAMETERS };
/* Parses `raw`, decoding in place; *t refers to it. Absolute form (http://host/path) is reduced to its path. `query` has room for
 * target_parameters(raw) pairs, and must live as long as the target. */
enum target_result target_parse(char *raw, struct pair *query, struct target *t);
/* The fast path, for a target that contains nothing to decode and no query, as most do: its segments refer to `raw`, which is
 * not changed. False: use target_parse; *t is undefined. *len: the length of `raw`. */
bool target_parse_plain(const char *raw, struct target *t, size_t *len);
/* An upper bound of the number of query parameters in it, QUERY_MAX at most. */
unsigned target_parameters(const char *raw);
/* Takes the next segment off `rest`, decoded in place. False: there is none, or it is malformed (*result is
 * TARGET_BAD_ESCAPE). */
bool target_next(struct target *t, struct slice *segment, enum target_result *result);
/* A query parameter's value; false: not given. */
bool target_query(const struct target *t, const char *name, struct slice *value);

/* The headers that are used; ptr NULL: absent. */
struct headers {
    struct slice host, content_length, transfer_encoding, expect, content_type, content_encoding,
        content_range, accept, if_match, if_none_match, range, if_range, prefer, origin, sec_fetch_site;
    struct slice connection, request_id, traceparent; /* empty if given twice */
    bool repeated;                                    /* one of the others was given twice */
    bool malformed;   /* a name that is no token, a line that does not end in CR LF, a NUL, a folded line */
    const char *line; /* where the next line must begin; NULL: the library's layout is not known */
    unsigned count;
    size_t size; /* bytes of the request up to its body */
};

/* The decision before the body: status 0 admits the request; 204 and 405 carry Allow. */
struct verdict {
    unsigned status;
    char *detail; /* allocated; NULL: none was made, or no memory for it */
};
/* The text of the problem. */
static inline const char *verdict_detail(const struct verdict *v) {
    return v->detail != NULL ? v->detail : "out of memory";
}

struct route;
struct http;
struct pause;
struct poll;
struct request;

/* Consumes a body as it arrives, in place of buffering it: set with request_take by the handler of a BODY_STREAM route, which is
 * called when the first bytes arrive or the body ends without any. Other handlers that are called repeatedly may use it to keep
 * state (`free` alone). All on the connection's thread. */
struct intake {
    /* `bytes` are the library's, for this call. False: r->verdict says why, and the rest of the body is dropped. */
    bool (*piece)(struct request *r, void *ctx, const char *bytes, size_t len);
    enum MHD_Result (*finish)(struct request *r, void *ctx); /* the body is complete: queues the response */
    void (*free)(void *ctx);
};

/* The fields that a plain GET uses come first, close together. */
struct request {
    struct http *http;
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route;
    struct slice method;
    int64_t now_ms; /* wall clock when the handler runs */
    int64_t ticks;  /* clock_ticks at its beginning */
    enum target_result target_result;
    unsigned status;             /* of the response; 0: none yet */
    bool public_port;            /* administrators' routes are not on this port, but on the admin-port */
    bool http11;                 /* the client's HTTP version is at least 1.1 */
    bool begun;                  /* the headers were received */
    bool close;                  /* the connection is closed after the response */
    bool answered;               /* a response was sent before the body was complete: the rest is dropped */
    const struct rights *rights; /* what its token permits (tokens.h); NULL: everything */
    /* the log must be durable up to here before the response is sent (hold.h); 0: nothing to wait for */
    uint64_t reach;
    uint64_t sent_bytes; /* length of the response's body */
    uint64_t body_bytes; /* received bytes of the body */
    size_t raw_len;      /* length of the raw target */
    struct target target;
    struct key near; /* the key that the target probably names, being prefetched; no name: none */
    struct headers headers;

    /* What it owns, mostly nothing: request_end releases it. */
    char *raw;                   /* the copy of the target that is decoded in place: `room`, or allocated */
    char *small;                 /* buffer of SMALL_BODY bytes, once bytes of a body arrived */
    struct blob *body;           /* a larger body */
    char *logged;                /* the raw target, for the access log */
    const struct intake *intake; /* consumes the body as it arrives (BODY_STREAM), and its state */
    void *intake_ctx;
    struct pause *pause; /* of a request that is or was suspended (stream.h) */
    struct poll *poll;   /* of a GET that waits for its key to change (poll.h) */
    struct verdict verdict;
    struct MHD_Response *held; /* the response that waits for the log (hold.h), or NULL */

    unsigned held_status;
    bool held_listed;
    struct request *held_prev, *held_next;
    int64_t waits_until_ns;
    const char *user;   /* who was authenticated: a token's name, or "default"; NULL: nobody */
    struct trace trace; /* its id and traceparent */
    uint64_t dropped;   /* bytes of the body that were dropped */
    size_t body_len;    /* bytes in `small`, while there is no blob */
    char room[TARGET_ROOM];
};

/* Begins a request for a raw target, to whose path `prefix` is prepended. The target may be used in place: libmicrohttpd keeps
 * it until it reports the end of the request. False: no memory, and nothing is to be released. */
bool request_begin(struct request *r, struct http *h, struct MHD_Connection *connection, const char *raw,
                   const char *prefix);
void request_end(struct request *r);
/* Called before request_end when the library has freed its part without reporting so: drops the references into it (method,
 * headers, id and traceparent). */
void request_orphan(struct request *r);
/* Reads all headers in one pass. `version` points into the library's buffer. */
void request_headers(struct request *r, const char *version);
/* What must fit into the library's buffer of http-memory bytes, in bytes. */
enum {
    CROWD_NOTE = 64, /* the library's record of a header or parameter */
    CROWD_RESPONSE =
        840, /* lines of a response: a long Content-Type, tag, range, expiry, policies, id and traceparent */
    CROWD_CORS = 960,
};
/* The exact form of request_is_crowded, for when the estimate exceeds the buffer. */
bool request_fills(const struct request *r, uint64_t taken);
/* Do the target and the headers (once received) leave the library too little of its buffer to send a response or receive a
 * body? It would then close the connection without a response, or wait for ever. */
static inline bool request_is_crowded(const struct request *r) {
    uint64_t taken = (r->headers.size > 0 ? r->headers.size : r->raw_len) +
                     (uint64_t)CROWD_NOTE * (r->headers.count + r->target.query_count);

    return taken + CROWD_RESPONSE + CROWD_CORS > r->server->options->http_memory && request_fills(r, taken);
}
/* Does this version of libmicrohttpd leave the request's lines where they were received? Then what it overlooks can be seen. */
bool request_layout_is_known(void);

/* Sets r->verdict, whose text is formatted and truncated; returns MHD_NO. */
COLD enum MHD_Result request_refuse(struct request *r, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Sets the intake and its state, which the request owns from now on; returns MHD_YES. */
enum MHD_Result request_take(struct request *r, const struct intake *intake, void *ctx);

enum body_result { BODY_OK, BODY_TOO_LONG, BODY_NO_MEMORY };
/* Appends to the body; memory grows with the bytes received, not with what Content-Length announces. */
enum body_result request_body_add(struct request *r, const char *bytes, size_t len);
/* The body is complete: shrinks its allocation. */
void request_body_done(struct request *r);
/* The whole body, as received; the request's. */
struct slice request_body(const struct request *r);

#endif
