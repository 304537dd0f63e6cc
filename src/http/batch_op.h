/* batch_op.h - one operation of a batch: parsed from JSON, run, its result written as JSON. Private to http.
 *
 *     {"op":"put","key":"k","value":"v","ttl":60,"if":{"absent":true}}     {"status":201,"etag":"..."}
 *     {"op":"command","args":["hset","h","f","v"]}                          {"status":200,"result":1}
 *
 * The status is that of the equivalent single request; a failure has a "detail" that says why. */
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
    BATCH_CHECK, /* of atomic batches: only its condition */
    BATCH_COMMAND,
    BATCH_OPS,
};

enum batch_condition { BATCH_ALWAYS, BATCH_IF_ABSENT, BATCH_IF_EXISTS, BATCH_IF_EQUALS, BATCH_IF_ETAG };

/* All slices refer to the text that was parsed. */
struct batch_op {
    enum batch_op_kind kind;
    uint32_t members; /* bits of the members that were given (batch_op.c) */
    struct slice key, value, content_type, by, ttl;
    struct slice key_encoding, encoding;
    bool ttl_is_ms, keepttl;
    enum batch_condition condition;
    struct slice expected; /* of BATCH_IF_EQUALS and BATCH_IF_ETAG */
    size_t arg, arg_count; /* of BATCH_COMMAND: index and number of its struct args in `args` */
    int64_t ttl_ms;
};

/* Parses an operation, whose first token (an object's) was read already; a command's arguments are appended to `args`. False:
 * `why` says what is wrong. If the text is not JSON j->why is set too; otherwise the rest of the object was skipped, and parsing
 * can continue after it. */
bool batch_op_read(struct batch_op *op, struct json_in *j, struct buf *args, char *why, size_t cap);
/* How an operation's command is executed, and where its reply comes from. */
struct batch_way {
    enum {
        BATCH_NOW,   /* run it */
        BATCH_QUEUE, /* queue it in a transaction; the result that is written is meaningless */
        /* it has been run by EXEC: its reply is at token `at` of `replies`, and `at` is advanced past it */
        BATCH_READ,
    } kind;
    const struct capture *replies; /* of EXEC; of BATCH_READ */
    size_t at;
};
/* Runs the operation in the session and writes its result. Returns its status. */
unsigned batch_op_run(const struct batch_op *op, const struct buf *args, struct server *srv,
                      struct session *s, struct json_out *out, struct batch_way *way);
/* Writes {"status":status,"detail":"..."} */
void batch_put_failure(struct json_out *out, unsigned status, const char *detail);

#endif
