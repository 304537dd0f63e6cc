/* base64.h - RFC 4648's base64, padded, and UTF-8 validation: how bytes are represented in JSON. Private to http. Pure. */
#ifndef FLASHKV_HTTP_BASE64_H
#define FLASHKV_HTTP_BASE64_H

#include <flashkv/slice.h>

static inline size_t base64_length(size_t len) {
    return (len + 2) / 3 * 4;
}
/* Writes base64_length(s.len) digits, without a NUL. */
void base64_encode(struct slice s, char *out);
/* Decodes in place; *len becomes the decoded length. False: not base64, or not padded; `text` may be partly overwritten. */
bool base64_decode(char *text, size_t *len);

/* Length in bytes of the character at the front of `s` (not empty); 0: invalid. Surrogates and overlong forms are invalid. */
size_t utf8_length(struct slice s);
bool utf8_valid(struct slice s);

#endif
