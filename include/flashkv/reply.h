/* reply.h - the abstract reply sink that a command's handler writes to, independent of RESP and JSON.
 *
 * Each call emits one value; an aggregate announces its length first and its members follow in order. A front
 * end embeds `struct reply` as the first member of its own sink and sets the operations. Sinks report no failure to the
 * handler: a sink that runs out of room records it for its own front end. Bytes are copied or sent before the call
 * returns; a blob is held by reference instead. Differences between protocols (a map is a flat array in RESP2, a double a
 * bulk string) are handled in the sink, never in a handler.
 * Source: https://redis.io/docs/reference/protocol-spec. Layer: command. One thread at a time. */
#ifndef FLASHKV_REPLY_H
#define FLASHKV_REPLY_H

#include <flashkv/blob.h>
#include <flashkv/hints.h>
#include <flashkv/slice.h>
#include <stdint.h>

enum reply_aggregate { REPLY_ARRAY, REPLY_MAP, REPLY_SET, REPLY_PUSH };

struct reply;

/* The reply of rest.get for a string: [value, type, expire_at, content type]. */
struct reply_stored {
    struct slice value;
    int64_t type, expire_at;
    struct slice content_type;
};

struct reply_ops {
    void (*status)(struct reply *r, struct slice text); /* +OK; no CR or LF inside */
    void (*error)(struct reply *r, struct slice text);  /* "ERR ..."; no CR or LF inside */
    void (*integer)(struct reply *r, int64_t n);
    void (*bulk)(struct reply *r, struct slice bytes);
    void (*blob)(struct reply *r, struct blob *b); /* a bulk string; takes its own reference */
    void (*null)(struct reply *r);                 /* $-1 or _ */
    void (*null_array)(struct reply *r);           /* *-1 or _ */
    void (*aggregate)(struct reply *r, enum reply_aggregate kind,
                      size_t n); /* a map of n pairs has 2n members */
    void (*real)(struct reply *r, double d);
    void (*boolean)(struct reply *r, bool b);             /* RESP2: integer 0 or 1 */
    void (*verbatim)(struct reply *r, struct slice text); /* "txt"; RESP2: bulk */
    /* The whole reply of rest.get in one call, for a sink that uses it; NULL: not supported. False: the sink has no room for
     * it, and the caller emits the values one by one. */
    bool (*stored)(struct reply *r, const struct reply_stored *s);
};

enum { REPLY_CODE_MAX = 16 };

struct reply {
    const struct reply_ops *ops;
    bool failed;               /* reply_error was called since this was last cleared */
    char code[REPLY_CODE_MAX]; /* if so, the first word of the last error: "WRONGTYPE" */
};

static inline void reply_status(struct reply *r, struct slice text) {
    r->ops->status(r, text);
}
static inline void reply_ok(struct reply *r) {
    r->ops->status(r, SLICE_LIT("OK"));
}
static inline void reply_integer(struct reply *r, int64_t n) {
    r->ops->integer(r, n);
}
static inline void reply_bulk(struct reply *r, struct slice bytes) {
    r->ops->bulk(r, bytes);
}
static inline void reply_text(struct reply *r, const char *text) {
    r->ops->bulk(r, slice_str(text));
}
static inline void reply_blob(struct reply *r, struct blob *b) {
    r->ops->blob(r, b);
}
static inline void reply_null(struct reply *r) {
    r->ops->null(r);
}
static inline void reply_null_array(struct reply *r) {
    r->ops->null_array(r);
}
static inline void reply_array(struct reply *r, size_t n) {
    r->ops->aggregate(r, REPLY_ARRAY, n);
}
static inline void reply_map(struct reply *r, size_t n) {
    r->ops->aggregate(r, REPLY_MAP, n);
}
static inline void reply_set(struct reply *r, size_t n) {
    r->ops->aggregate(r, REPLY_SET, n);
}
static inline void reply_push(struct reply *r, size_t n) {
    r->ops->aggregate(r, REPLY_PUSH, n);
}
static inline void reply_real(struct reply *r, double d) {
    r->ops->real(r, d);
}
static inline void reply_boolean(struct reply *r, bool b) {
    r->ops->boolean(r, b);
}
static inline void reply_verbatim(struct reply *r, struct slice text) {
    r->ops->verbatim(r, text);
}

/* Operations for sinks without a type for such values: they call the sink's bulk or integer. */
void reply_blob_as_bulk(struct reply *r, struct blob *b);
void reply_real_as_bulk(struct reply *r, double d);
void reply_boolean_as_integer(struct reply *r, bool b);

/* An error: the text begins with its code ("ERR syntax error"). Control characters are replaced by spaces, so that no argument
 * quoted in it can forge a reply, and the text is truncated to 512 bytes. */
COLD void reply_error(struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
