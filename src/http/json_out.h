/* json_out.h - writing JSON into a buffer, for what is streamed or may be large. Private to http. Pure.
 *
 * Errors are sticky: check `failed` at the end. */
#ifndef FLASHKV_HTTP_JSON_OUT_H
#define FLASHKV_HTTP_JSON_OUT_H

#include <flashkv/buf.h>

#include "base64.h"

struct json_out {
    struct buf buf;
    bool failed; /* the ceiling was reached, or no memory: output is missing */
};

static inline struct json_out json_out_make(size_t max) {
    return (struct json_out){buf_make(max), false};
}
/* Appends the text as it is: punctuation, literals. */
void json_put(struct json_out *o, const char *text);
void json_put_integer(struct json_out *o, int64_t n);
/* A quoted string: of valid UTF-8; as base64; with U+FFFD in place of each byte that is not UTF-8. */
void json_put_utf8(struct json_out *o, struct slice s);
void json_put_base64(struct json_out *o, struct slice s);
void json_put_lossy(struct json_out *o, struct slice s);
/* The inside of such strings, without quotes, for a string that is written in pieces. Of base64, all pieces but the last are a
 * multiple of three bytes. */
void json_put_utf8_part(struct json_out *o, struct slice s);
void json_put_base64_part(struct json_out *o, struct slice s);
/* "name":"bytes", or if they are not UTF-8: "name":"base64","encoding_name":"base64" */
void json_put_bytes(struct json_out *o, const char *name, const char *encoding_name, struct slice s);

#endif
