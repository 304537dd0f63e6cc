/* batch_op.h - one operation of a batch: read from JSON, run, its result written as JSON. Private to http.
 *
 *     {"op":"put","key":"k","value":"v","ttl":60,"if":{"absent":true}}     {"status":201,"etag":"..."}
 *     {"op":"command","args":["hset","h","f","v"]}                          {"status":200,"result":1}
 *
 * The status is what the operation's own request would be answered with, and `detail` what is wrong. */
#ifndef FLASHKV_HTTP_BATCH_OP_H
#define FLASHKV_HTTP_BATCH_OP_H

#include "json_in.h"
#include "respond.h"

enum batch_op_kind {
    BATCH_GET,
    BATCH_PUT,
    BATCH_DELETE,
    BATCH_INCR,
    BATCH_APPEND,
    BATCH_EXPIRE,
    BATCH_PERSIST,
    BATCH_CHECK, /* of atomic batches: nothing but its condition */
    BATCH_COMMAND,
    BATCH_OPS,
};

enum batch_condition { BATCH_ALWAYS, BATCH_IF_ABSENT, BATCH_IF_EXISTS, BATCH_IF_EQUALS, BATCH_IF_ETAG };

/* All slices are of the text that it was read from. */
struct batch_op {
    enum batch_op_kind kind;
    uint32_t members; /* which were given */
    struct slice key, value, content_type, by, ttl;
    struct slice key_encoding, encoding;
    bool ttl_is_ms, keepttl;
    enum batch_condition condition;
    struct slice expected; /* of BATCH_IF_EQUALS and BATCH_IF_ETAG */
    size_t arg, arg_count; /* of BATCH_COMMAND: in the struct args that were gathered */
    int64_t ttl_ms;
};

/* Reads an operation, whose first token (an object's) was read already; a command's arguments are added to `args`.
 * False: `why` says what is wrong with it, and j->why if it is no JSON; the object was passed over otherwise. */
bool batch_op_read(struct batch_op *op, struct json_in *j, struct buf *args, char *why, size_t cap);
/* Where an operation's command goes, and its reply comes from. */
struct batch_way {
    enum {
        BATCH_NOW,   /* it is run */
        BATCH_QUEUE, /* it is queued, in a transaction; what is written is of no meaning */
        BATCH_READ,  /* it has been run: its reply is the one at `at`, which is moved behind it */
    } kind;
    const struct capture *replies; /* of EXEC */
    size_t at;
};
/* Runs it and writes its result. Returns its status. */
unsigned batch_op_run(const struct batch_op *op, const struct buf *args, struct server *srv,
                      struct session *s, struct json_out *out, struct batch_way *way);
/* Writes {"status":400,"detail":why} */
void batch_put_failure(struct json_out *out, unsigned status, const char *detail);

#endif
