/* access_line.h - one line of the access log. Private to http. Pure.
 *
 * Text is the "combined" format that every log tool reads, with more behind it; JSON has the same:
 *
 *     192.0.2.7 - web [26/Nov/2026:00:37:40 +0000] "GET /keys/a HTTP/1.1" 200 5 "-" "curl/8" 0.000124 "/keys/{key}" ID TRACE
 *
 * ID is the request's id, TRACE the trace-id of its traceparent, each "-" if there is none. A user is the name of a token,
 * "default" for who knows the password, "-" for who needed none or had none. No secret is ever in a line: the token in a
 * query is left out, and so is what follows a command in Upstash's paths, which are values. */
#ifndef FLASHKV_HTTP_ACCESS_LINE_H
#define FLASHKV_HTTP_ACCESS_LINE_H

#include <flashkv/buf.h>
#include <flashkv/log.h>

struct access_line {
    int64_t wall_ms;     /* when it ended */
    const char *peer;    /* "127.0.0.1:50123" */
    const char *user;    /* NULL: nobody */
    struct slice method; /* empty: the client left before it had said */
    struct slice target; /* as access_target leaves it */
    const char *route;   /* "/keys/{key}", or "none" */
    bool http11;
    unsigned status;
    uint64_t bytes, ns;
    struct slice referer, agent, id, trace;
};

/* What is longer than these is cut, so that no line is longer than ACCESS_LINE_MAX, whatever has to be escaped. */
enum { ACCESS_TARGET_MAX = 2048, ACCESS_WORD_MAX = 512, ACCESS_LINE_MAX = 24 * 1024 };
/* Appends the line with its LF to `out`, which has that much room. */
void access_line(const struct access_line *l, enum log_format format, struct buf *out);

/* Takes out of a raw target, in place, what a log must not show: the value of a parameter _token, however it is written, and,
 * with `after_command`, what follows the second segment of the path. Returns the length left. */
size_t access_target(char *raw, bool after_command);

#endif
