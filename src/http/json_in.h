/* json_in.h - a JSON parser that returns a token at a time, in place. Private to http. Pure.
 *
 * Strict RFC 8259: valid UTF-8, no lone surrogates, nothing after the value, and a bounded depth. Nothing is allocated: strings
 * are decoded in place (they only get shorter) and numbers are returned as text, so that 0.1 stays 0.1 and the caller decides
 * about 2^63. Duplicate names are not detected. */
#ifndef FLASHKV_HTTP_JSON_IN_H
#define FLASHKV_HTTP_JSON_IN_H

#include <flashkv/slice.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

enum json_token {
    JSON_IN_BAD, /* j->why and j->at say what is wrong and where; every later call returns this too */
    JSON_IN_END, /* the value is complete, and so is the text */
    JSON_IN_NULL,
    JSON_IN_TRUE,
    JSON_IN_FALSE,
    JSON_IN_NUMBER,
    JSON_IN_STRING,
    JSON_IN_NAME, /* of an object's member; its value follows */
    JSON_IN_ARRAY,
    JSON_IN_OBJECT,
    JSON_IN_CLOSE, /* of the innermost open array or object */
};

struct json_in {
    char *start, *at, *end;
    const char *why; /* NULL: no error */
    unsigned depth;  /* open arrays and objects */
    unsigned max_depth;
    uint32_t objects; /* bit i: level i is an object */
    enum { JSON_WANT_FIRST, JSON_WANT_VALUE, JSON_WANT_NEXT } want;
};

/* `text` is overwritten, and must outlive the slices that are read from it. `max_depth` is capped at JSON_DEPTH_MAX. */
struct json_in json_in_make(char *text, size_t len, uint64_t max_depth);
/* The next token; *s is the text of a name, string or number, else empty. */
enum json_token json_read(struct json_in *j, struct slice *s);
/* Skips the rest of a value whose first token was `token`. False: malformed. */
bool json_pass(struct json_in *j, enum json_token token);
/* Decodes a string's bytes in place: `encoding` is empty, utf8 or base64. False: unknown encoding, or not base64. */
bool json_in_decode(struct slice *s, struct slice encoding);
/* Writes the error and its position: "... at byte 17". */
void json_in_explain(const struct json_in *j, char *out, size_t cap);

#endif
