/* cmd_copy.c - copying a key. Source: https://redis.io/commands/copy */
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"

/* False: replied. */
static bool parse(struct call *c, bool *replace) {
    *replace = false;
    for (size_t i = 3; i < c->argc; i++) {
        int64_t db;

        if (arg_is(c, i, "replace")) {
            *replace = true;
        } else if (arg_is(c, i, "db") && i + 1 < c->argc) {
            if (!arg_i64(c, ++i, &db))
                return false;
            if (db != 0) { /* there is one database */
                reply_error(c->reply, "ERR DB index is out of range");
                return false;
            }
        } else {
            reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

void cmd_copy(struct call *c) {
    const struct key *from = &c->keys[0], *to = &c->keys[1];
    enum store_result result;
    bool replace;

    if (!parse(c, &replace))
        return;
    if (slice_eq(from->name, to->name)) {
        reply_error(c->reply, "ERR source and destination objects are the same");
        return;
    }
    if (store_inspect(c->txn, from) == NULL || (store_peek(c->txn, to) != NULL && !replace)) {
        reply_integer(c->reply, 0);
        return;
    }
    result = store_copy(c->txn, from, to);
    if (result != STORE_OK) {
        reply_store_error(c, result);
        return;
    }
    call_changed(c, to, EVENT_GENERIC, "copy_to");
    call_effect_value(c, to);
    reply_integer(c->reply, 1);
}
