/* json_in.h - reading JSON a token at a time, where it lies. Private to http. Pure.
 *
 * Strict RFC 8259: valid UTF-8, no lone surrogates, nothing behind the value, and no deeper than is allowed. Nothing is
 * allocated: strings are decoded in place (they only get shorter) and numbers given as they are written, so that
 * 0.1 stays 0.1 and 2^63 is the reader's to judge. Names that are given twice are the caller's to notice. */
#ifndef FLASHKV_HTTP_JSON_IN_H
#define FLASHKV_HTTP_JSON_IN_H

#include <flashkv/slice.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

enum json_token {
    JSON_IN_BAD, /* j->why says what, j->at where; and so does every call from then on */
    JSON_IN_END, /* the value is over, and so is the text */
    JSON_IN_NULL,
    JSON_IN_TRUE,
    JSON_IN_FALSE,
    JSON_IN_NUMBER,
    JSON_IN_STRING,
    JSON_IN_NAME, /* of an object's member; its value is next */
    JSON_IN_ARRAY,
    JSON_IN_OBJECT,
    JSON_IN_CLOSE, /* of the array or object that is open */
};

struct json_in {
    char *start, *at, *end;
    const char *why; /* NULL: all is well */
    unsigned depth;  /* arrays and objects that are open */
    unsigned max_depth;
    uint32_t objects; /* bit i: level i is an object */
    enum { JSON_WANT_FIRST, JSON_WANT_VALUE, JSON_WANT_NEXT } want;
};

/* `text` is written over, and must outlive what is read of it. `max_depth`: at most JSON_DEPTH_MAX. */
struct json_in json_in_make(char *text, size_t len, uint64_t max_depth);
/* The next token; *s is the text of names, strings and numbers. */
enum json_token json_read(struct json_in *j, struct slice *s);
/* Passes over the rest of a value whose first token was `token`. False: bad. */
bool json_pass(struct json_in *j, enum json_token token);
/* Decodes bytes that were given as a string, in place: `encoding` is empty, utf8 or base64. False: another, or not base64. */
bool json_in_decode(struct slice *s, struct slice encoding);
/* "... at byte 17" */
void json_in_explain(const struct json_in *j, char *out, size_t cap);

#endif
