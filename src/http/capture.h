/* capture.h - a reply sink that stores a command's reply, for a handler to read. Private to http.
 *
 * A reply is an array of tokens; an aggregate's token is followed by its members. Small strings are copied, blobs referenced. */
#ifndef FLASHKV_HTTP_CAPTURE_H
#define FLASHKV_HTTP_CAPTURE_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/hints.h>
#include <flashkv/reply.h>

enum token_kind { TOKEN_NULL, TOKEN_INTEGER, TOKEN_STRING, TOKEN_BLOB, TOKEN_AGGREGATE };

struct token {
    enum token_kind kind;
    int64_t n;         /* TOKEN_INTEGER; of TOKEN_AGGREGATE: the number of members */
    size_t at, len;    /* TOKEN_STRING: offset in `bytes` and length */
    struct blob *blob; /* TOKEN_BLOB: a reference, the capture's */
};

enum { TOKENS_INLINE = 8, BYTES_INLINE = 512 };

struct capture {
    struct reply reply; /* first: a handler's sink is this; reply.failed: an error was replied */
    struct token *tokens, room[TOKENS_INLINE];
    size_t count, cap;
    struct buf bytes;
    char bytes_room[BYTES_INLINE];
    bool blobs;    /* some of the tokens refer to one */
    bool overflow; /* over the ceiling, or no memory: tokens are missing */
    char error[256];
};

/* At most `max` bytes of copied strings; BYTES_INLINE are available in any case. */
void capture_init(struct capture *c, size_t max);
/* Reserves room, so that a reply of at most this size is stored without further allocation. False: no memory, or over the
 * ceiling. */
bool capture_reserve(struct capture *c, size_t tokens, size_t bytes);
/* The slow path of capture_free. */
COLD void capture_release(struct capture *c);
static inline void capture_free(struct capture *c) {
    if (c->blobs || c->tokens != c->room || c->bytes.data != c->bytes_room)
        capture_release(c);
}
/* Drops the first token: the header of EXEC's array, for example. */
void capture_shift(struct capture *c);
/* The bytes of a string token, copied or blob; empty for other kinds. Valid until capture_free. */
static inline struct slice capture_text(const struct capture *c, size_t token) {
    const struct token *t = &c->tokens[token];

    if (t->kind == TOKEN_STRING)
        return slice_of(c->bytes.data + t->at, t->len);
    return t->kind == TOKEN_BLOB ? blob_slice(t->blob) : slice_of("", 0);
}

#endif
