/* request.h - one HTTP request: its target taken apart, its headers, its body as it arrives. Private to http.
 *
 * The target is parsed from its raw bytes: segments are divided at "/" before anything is decoded, so that a%2Fb is
 * one segment; %00 and %FF are bytes like others; "+" is a plus sign in a path, a space in a query. */
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
    bool too_deep; /* more segments than there is room for: the others are in `rest` */
    char *rest;    /* not decoded yet, up to `rest_end`: target_next */
    char *rest_end;
    bool is_asterisk;   /* "*", for OPTIONS */
    struct pair *query; /* in the room that target_parse was given */
    unsigned query_count;
};

enum target_result { TARGET_OK, TARGET_BAD_ESCAPE, TARGET_BAD_BYTE, TARGET_TOO_MANY_PARAMETERS };
/* Takes `raw` apart, decoding in place. Absolute form (http://host/path) is cut to its path. `query` has room for
 * target_parameters(raw), and lives as long as the target. */
enum target_result target_parse(char *raw, struct pair *query, struct target *t);
/* The same of a target of which nothing has to be decoded, as most are: its segments lie in `raw`. False: it is another, or a bad
 * one, which target_parse will tell; *t is undefined. *len: of `raw`. */
bool target_parse_plain(const char *raw, struct target *t, size_t *len);
/* How many query parameters there may be in it, QUERY_MAX at most. */
unsigned target_parameters(const char *raw);
/* Takes the next segment off `rest`, decoded in place. False: there is none. TARGET_BAD_ESCAPE in *result if it is bad. */
bool target_next(struct target *t, struct slice *segment, enum target_result *result);
/* A query parameter's value; false: not given. */
bool target_query(const struct target *t, const char *name, struct slice *value);

/* Headers that somebody looks at; ptr NULL where there is none. */
struct headers {
    struct slice host, content_length, transfer_encoding, expect, content_type, content_encoding,
        content_range, accept, if_match, if_none_match, range, if_range, prefer, origin, sec_fetch_site;
    struct slice request_id, traceparent; /* which say nothing if they are given twice */
    bool repeated;                        /* one of the others was */
    bool malformed;   /* a name that is no token, a line that does not end in CR LF, a NUL, a folded line */
    const char *line; /* where the next line must begin, if the layout is known */
    unsigned count;
    size_t size; /* bytes of the request up to its body */
};

/* What was decided before the body: status 0 lets the request in; 204 and 405 carry Allow. */
struct verdict {
    unsigned status;
    char *detail; /* allocated, or NULL: there was no memory for it, or there is none */
};
/* What is wrong. */
static inline const char *verdict_detail(const struct verdict *v) {
    return v->detail != NULL ? v->detail : "out of memory";
}

struct route;
struct http;
struct pause;
struct poll;
struct request;

/* What takes a body as it comes, in place of keeping it: the handler of a BODY_STREAM route sets it (request_take)
 * when the first bytes come. All on the connection's thread. */
struct intake {
    /* `bytes` are the library's. False: r->verdict says why, and the rest is thrown away. */
    bool (*piece)(struct request *r, void *ctx, const char *bytes, size_t len);
    enum MHD_Result (*finish)(struct request *r, void *ctx); /* the body is through: queues the response */
    void (*free)(void *ctx);
};

/* What a plain GET uses stands together at the beginning. */
struct request {
    struct http *http;
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route;
    struct slice method;
    int64_t now_ms; /* wall clock, when it is answered */
    int64_t ticks;  /* clock_ticks when it began */
    enum target_result target_result;
    unsigned status;             /* of the response; 0: there is none yet */
    bool public_port;            /* what is the administrator's is not here, but on a port of its own */
    bool http11;                 /* the client's version is not older */
    bool begun;                  /* headers were looked at */
    bool close;                  /* the connection ends with the response */
    bool answered;               /* a response was sent in the middle of the body: the rest is thrown away */
    const struct rights *rights; /* what its token allows (tokens.h); NULL: everything */
    uint64_t reach; /* the log has to be durable up to here before the response leaves (hold.h); 0: it may */
    uint64_t sent_bytes; /* body of the response */
    uint64_t body_bytes; /* all that came */
    size_t raw_len;      /* of the target, as it came */
    struct target target;
    struct key near; /* what the target names, probably a key, on its way into the cache; no name: nothing */
    struct headers headers;

    /* What it holds, mostly nothing: request_end gives it back. */
    char *raw;                   /* what was copied of the target, decoded in place: `room`, or allocated */
    char *small;                 /* SMALL_BODY bytes of a body, once something came */
    struct blob *body;           /* a larger one */
    char *logged;                /* the target as it came, for the access log */
    const struct intake *intake; /* what takes the body as it comes (BODY_STREAM), and what it needs */
    void *intake_ctx;
    struct pause *pause; /* of a request that waits or has waited (stream.h) */
    struct poll *poll;   /* of a GET that waits for its key to change (poll.h) */
    struct verdict verdict;
    struct MHD_Response *held; /* the response that waits for the log, or NULL */

    unsigned held_status;
    bool held_listed;
    struct request *held_prev, *held_next;
    int64_t waits_until_ns;
    const char *user;   /* whose password it brought; NULL: none */
    struct trace trace; /* what names it */
    uint64_t dropped;   /* bytes of the body that were thrown away */
    size_t body_len;    /* in `small`, while there is no blob */
    char room[TARGET_ROOM];
};

/* Starts a request for a raw target, before whose path `prefix` is put. The target may be used in place: libmicrohttpd keeps it
 * until it says that the request is over. False: no memory; nothing is to be freed. */
bool request_begin(struct request *r, struct http *h, struct MHD_Connection *connection, const char *raw,
                   const char *prefix);
void request_end(struct request *r);
/* Before request_end, where the library has let go of its part without a word: forgets the method, the headers and the names it came with,
 * which lie there. */
void request_orphan(struct request *r);
/* Reads the headers in one pass. `version` is where libmicrohttpd has it. */
void request_headers(struct request *r, const char *version);
/* What the library's buffer has to have room for, in bytes. */
enum {
    CROWD_NOTE = 64, /* what it takes beside for a header, or a parameter */
    CROWD_RESPONSE =
        840, /* lines of a response: a long Content-Type, tag, range, expiry, policies, names of the request */
    CROWD_CORS = 960,
};
/* request_is_crowded, exactly, where so much is taken. */
bool request_fills(const struct request *r, uint64_t taken);
/* Do the target and the headers, if they have come, leave the library so little of its buffer that it could not answer, nor take a body in? It would end
 * the connection without a word, or wait for ever. */
static inline bool request_is_crowded(const struct request *r) {
    uint64_t taken = (r->headers.size > 0 ? r->headers.size : r->raw_len) +
                     (uint64_t)CROWD_NOTE * (r->headers.count + r->target.query_count);

    return taken + CROWD_RESPONSE + CROWD_CORS > r->server->options->http_memory && request_fills(r, taken);
}
/* Does this libmicrohttpd leave the request's lines where they came in? Then what it overlooks shows. */
bool request_layout_is_known(void);

/* Leaves a verdict; MHD_NO. */
COLD enum MHD_Result request_refuse(struct request *r, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Has `intake` take the body; MHD_YES. */
enum MHD_Result request_take(struct request *r, const struct intake *intake, void *ctx);

enum body_result { BODY_OK, BODY_TOO_LONG, BODY_NO_MEMORY };
/* Adds bytes to the body; memory is taken as they come, whatever Content-Length says. */
enum body_result request_body_add(struct request *r, const char *bytes, size_t len);
/* No more comes: gives unused room back. */
void request_body_done(struct request *r);
/* The whole body, as an argument. */
struct slice request_body(const struct request *r);

#endif
