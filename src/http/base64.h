/* base64.h - RFC 4648's base64, padded, and which bytes are UTF-8: how bytes travel in JSON. Private to http. Pure. */
#ifndef FLASHKV_HTTP_BASE64_H
#define FLASHKV_HTTP_BASE64_H

#include <flashkv/slice.h>

static inline size_t base64_length(size_t len) {
    return (len + 2) / 3 * 4;
}
/* Writes base64_length(s.len) digits. */
void base64_encode(struct slice s, char *out);
/* Decodes in place; *len becomes shorter. False: not base64, or not padded. */
bool base64_decode(char *text, size_t *len);

/* How many bytes the character at the front of `s` (not empty) has; 0: it is none. No surrogates, nothing overlong. */
size_t utf8_length(struct slice s);
bool utf8_valid(struct slice s);

#endif
