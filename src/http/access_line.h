/* access_line.h - one line of the access log. Private to http. Pure.
 *
 * Text is the "combined" format that log tools parse, with more fields appended; JSON has the same fields:
 *
 *     192.0.2.7 - web [26/Nov/2026:00:37:40 +0000] "GET /keys/a HTTP/1.1" 200 5 "-" "curl/8" 0.000124 "/keys/{key}" ID TRACE
 *
 * ID is the request's id, TRACE the trace-id of its traceparent, each "-" if there is none. The user is the name of a token,
 * "default" for the password, "-" if no authentication was needed or given. A line never contains a secret: the value of _token
 * in a query is removed, and so is everything after the command in Upstash's paths, which are values. */
#ifndef FLASHKV_HTTP_ACCESS_LINE_H
#define FLASHKV_HTTP_ACCESS_LINE_H

#include <flashkv/buf.h>
#include <flashkv/log.h>

struct access_line {
    int64_t wall_ms;     /* when the request ended */
    const char *peer;    /* "127.0.0.1:50123" */
    const char *user;    /* NULL: nobody */
    struct slice method; /* empty: the client left before it was received */
    struct slice target; /* after access_target */
    const char *route;   /* "/keys/{key}", or "none" */
    bool http11;
    unsigned status;
    uint64_t bytes, ns;
    struct slice referer, agent, id, trace;
};

/* Longer fields are truncated, so that no line exceeds ACCESS_LINE_MAX, whatever has to be escaped. */
enum { ACCESS_TARGET_MAX = 2048, ACCESS_WORD_MAX = 512, ACCESS_LINE_MAX = 24 * 1024 };
/* Appends the line and its LF to `out`, which has room for ACCESS_LINE_MAX bytes. */
void access_line(const struct access_line *l, enum log_format format, struct buf *out);

/* Removes from a raw target, in place, what must not be logged: the value of a parameter _token, however its name is encoded,
 * and, with `after_command`, everything after the second segment of the path. Returns the new length. */
size_t access_target(char *raw, bool after_command);

#endif
