/* cmd_string_if.c - DIGEST, and conditions on a string's value (IFEQ and the like).
 * Source: https://redis.io/commands/digest, https://redis.io/commands/delex */
#include <flashkv/num.h>

#include "args.h"
#include "condition.h"
#include "handlers.h"

bool arg_condition(const struct call *c, size_t i, struct condition *out) {
    static const struct {
        const char *word;
        bool digest, equal;
    } words[] = {
        {"ifeq", false, true},
        {"ifne", false, false},
        {"ifdeq", true, true},
        {"ifdne", true, false},
    };

    if (i + 1 >= c->argc)
        return false;
    for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
        if (arg_is(c, i, words[w].word)) {
            *out = (struct condition){i + 1, words[w].digest, words[w].equal};
            return true;
        }
    return false;
}

static bool is_digest(struct slice s) {
    static const char digits[] = "0123456789abcdefABCDEF";

    if (s.len != NUM_HEX64)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (memchr(digits, s.ptr[i], sizeof(digits) - 1) == NULL)
            return false;
    return true;
}

bool condition_valid(struct call *c, const struct condition *cond) {
    if (!cond->digest || is_digest(call_arg(c, cond->value_at)))
        return true;
    reply_error(c->reply, "ERR must be exactly 16 hexadecimal characters");
    return false;
}

bool condition_holds(const struct call *c, const struct condition *cond, const struct entry *e) {
    struct slice wanted = call_arg(c, cond->value_at);
    char digest[NUM_HEX64];
    bool equal = false;

    if (e != NULL && cond->digest) {
        num_format_hex64(entry_digest(e), digest);
        equal = slice_caseeq(wanted, slice_of(digest, sizeof(digest)));
    } else if (e != NULL) {
        equal = slice_eq(wanted, entry_string(e));
    }
    return equal == cond->equal;
}

void cmd_digest(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);
    char digest[NUM_HEX64];

    if (!is_type(c, e, TYPE_STRING))
        return;
    if (e == NULL) {
        reply_null(c->reply);
        return;
    }
    num_format_hex64(entry_digest(e), digest);
    reply_bulk(c->reply, slice_of(digest, sizeof(digest)));
}

void cmd_delex(struct call *c) {
    struct condition cond = {0};
    const struct entry *e = store_peek(c->txn, &c->keys[0]);

    if (c->argc != 2 && c->argc != 4) {
        reply_error(c->reply, "ERR wrong number of arguments for 'delex' command");
        return;
    }
    if (c->argc == 4) {
        if (!arg_condition(c, 2, &cond)) {
            reply_error(c->reply, "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
            return;
        }
        if (!condition_valid(c, &cond))
            return;
        if (e != NULL && entry_type(e) != TYPE_STRING) {
            reply_error(c->reply, "ERR Key should be of string type if conditions are specified");
            return;
        }
    }
    if (e == NULL || (cond.value_at > 0 && !condition_holds(c, &cond, e))) {
        reply_integer(c->reply, 0);
        return;
    }
    store_delete(c->txn, &c->keys[0]);
    call_changed(c, &c->keys[0], EVENT_GENERIC, "del");
    reply_integer(c->reply, 1);
}
