/* capture.h - a reply sink that keeps a command's reply, for a handler to read. Private to http.
 *
 * A reply is a run of tokens; an aggregate's members follow it. Small strings are copied, blobs held. */
#ifndef FLASHKV_HTTP_CAPTURE_H
#define FLASHKV_HTTP_CAPTURE_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/hints.h>
#include <flashkv/reply.h>

enum token_kind { TOKEN_NULL, TOKEN_INTEGER, TOKEN_STRING, TOKEN_BLOB, TOKEN_AGGREGATE };

struct token {
    enum token_kind kind;
    int64_t n;         /* TOKEN_INTEGER; members of an aggregate */
    size_t at, len;    /* TOKEN_STRING: in the bytes */
    struct blob *blob; /* TOKEN_BLOB: a reference */
};

enum { TOKENS_INLINE = 8, BYTES_INLINE = 512 };

struct capture {
    struct reply reply; /* first: a handler's sink is this; reply.failed tells of an error */
    struct token *tokens, room[TOKENS_INLINE];
    size_t count, cap;
    struct buf bytes;
    char bytes_room[BYTES_INLINE];
    bool blobs;    /* some of the tokens hold one */
    bool overflow; /* larger than the ceiling, or no memory: tokens are missing */
    char error[256];
};

/* `max` bytes of copied strings at most. */
void capture_init(struct capture *c, size_t max);
/* Room for so much, so that a reply of no more is kept whatever the allocator says. False: no memory, or over the ceiling. */
bool capture_reserve(struct capture *c, size_t tokens, size_t bytes);
/* What capture_free does where there is something to free. */
COLD void capture_release(struct capture *c);
static inline void capture_free(struct capture *c) {
    if (c->blobs || c->tokens != c->room || c->bytes.data != c->bytes_room)
        capture_release(c);
}
/* Drops the first token: EXEC's array, of one reply, say. */
void capture_shift(struct capture *c);
/* The bytes of a string token, copied or blob; empty for others. */
static inline struct slice capture_text(const struct capture *c, size_t token) {
    const struct token *t = &c->tokens[token];

    if (t->kind == TOKEN_STRING)
        return slice_of(c->bytes.data + t->at, t->len);
    return t->kind == TOKEN_BLOB ? blob_slice(t->blob) : slice_of("", 0);
}

#endif
