/* json_out.h - writing JSON into a buffer, for what is streamed or may be large. Private to http. Pure.
 *
 * What does not fit is remembered: look at `failed` at the end. */
#ifndef FLASHKV_HTTP_JSON_OUT_H
#define FLASHKV_HTTP_JSON_OUT_H

#include <flashkv/buf.h>

#include "base64.h"

struct json_out {
    struct buf buf;
    bool failed; /* at the ceiling, or no memory: something is missing */
};

static inline struct json_out json_out_make(size_t max) {
    return (struct json_out){buf_make(max), false};
}
/* As it is: punctuation, literals. */
void json_put(struct json_out *o, const char *text);
void json_put_integer(struct json_out *o, int64_t n);
/* A string in quotes, of valid UTF-8; the same in base64; the same with U+FFFD for what is not UTF-8. */
void json_put_utf8(struct json_out *o, struct slice s);
void json_put_base64(struct json_out *o, struct slice s);
void json_put_lossy(struct json_out *o, struct slice s);
/* The inside of such strings, without quotes: what is written in pieces. base64: all pieces but the last of a
 * multiple of three bytes. */
void json_put_utf8_part(struct json_out *o, struct slice s);
void json_put_base64_part(struct json_out *o, struct slice s);
/* "name":"bytes", and where they are not UTF-8: "name":"base64","encoding_name":"base64" */
void json_put_bytes(struct json_out *o, const char *name, const char *encoding_name, struct slice s);

#endif
