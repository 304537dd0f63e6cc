/* json_reply.h - a reply sink that writes a command's reply as JSON. Private to http.
 *
 * Null, integers, strings (status, doubles and verbatim text are strings, as in RESP2) and arrays: a map is a flat array,
 * true is 1. One reply is one JSON value. A top-level error is not written: it is stored in `error`, and reply.failed is set. */
#ifndef FLASHKV_HTTP_JSON_REPLY_H
#define FLASHKV_HTTP_JSON_REPLY_H

#include <flashkv/reply.h>

#include "capture.h"
#include "json_out.h"

enum json_strings {
    JSON_STRINGS_EXACT,  /* bytes that are not UTF-8: {"base64":"..."} */
    JSON_STRINGS_LOSSY,  /* bytes that are not UTF-8: replaced by U+FFFD */
    JSON_STRINGS_BASE64, /* all strings are base64, except a reply that is just the status OK */
};

enum { JSON_REPLY_DEPTH = 16 };

struct json_reply {
    struct reply reply; /* first: a handler's sink is this */
    struct json_out *out;
    enum json_strings strings;
    bool wrap;  /* each member of the outermost array (EXEC's) is {"result":...} or {"error":"..."} */
    bool fresh; /* the innermost open array has no member yet */
    unsigned depth;
    size_t left[JSON_REPLY_DEPTH]; /* members still to come, by level */
    char error[512 + 1];
};

/* Appends to `out`, which must outlive it. */
void json_reply_init(struct json_reply *j, struct json_out *out, enum json_strings strings);

/* "value":[...] of a captured aggregate's strings; if one is not UTF-8, all are base64 and "encoding" says so. */
void json_put_elements(struct json_out *o, const struct capture *c, size_t at);

#endif
