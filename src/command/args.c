/* args.c - argument reading and the shared errors. */
#include "args.h"

#include <flashkv/num.h>

bool arg_i64(struct call *c, size_t i, int64_t *out) {
    if (num_parse_i64(call_arg(c, i), out))
        return true;
    reply_error(c->reply, "ERR value is not an integer or out of range");
    return false;
}

bool arg_expiry(struct call *c, size_t i, enum time_form form, int64_t *expire_at) {
    int64_t n;

    if (!arg_i64(c, i, &n))
        return false;
    if (n <= 0 || (!(form & IN_MS) && n > INT64_MAX / 1000))
        goto invalid;
    if (!(form & IN_MS))
        n *= 1000;
    if (!(form & SINCE_1970)) {
        if (n > INT64_MAX - c->txn.now_ms)
            goto invalid;
        n += c->txn.now_ms;
    }
    *expire_at = n;
    return true;

invalid:
    reply_error(c->reply, "ERR invalid expire time in '%s' command", c->command->name);
    return false;
}

bool arg_expiry_word(const struct call *c, size_t i, enum time_form *form) {
    static const struct {
        const char *word;
        enum time_form form;
    } words[] = {
        {"ex", FROM_NOW | IN_SECONDS},
        {"px", FROM_NOW | IN_MS},
        {"exat", SINCE_1970 | IN_SECONDS},
        {"pxat", SINCE_1970 | IN_MS},
    };

    for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++)
        if (arg_is(c, i, words[w].word)) {
            *form = words[w].form;
            return true;
        }
    return false;
}

void reply_syntax_error(struct call *c) {
    reply_error(c->reply, "ERR syntax error");
}

void reply_wrong_type(struct call *c) {
    reply_error(c->reply, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

void reply_store_error(struct call *c, enum store_result result) {
    switch (result) {
    case STORE_OK:
        break;
    case STORE_NO_MEMORY:
        reply_error(c->reply, "ERR out of memory");
        break;
    case STORE_TOO_LARGE:
        reply_error(c->reply, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        break;
    case STORE_WRONG_TYPE:
        reply_wrong_type(c);
        break;
    }
}

void reply_string(struct call *c, const struct entry *e) {
    struct blob *b;

    if (e == NULL)
        reply_null(c->reply);
    else if ((b = entry_blob(e)) != NULL)
        reply_blob(c->reply, b);
    else
        reply_bulk(c->reply, entry_string(e));
}

bool is_type(struct call *c, const struct entry *e, enum value_type type) {
    if (e == NULL || entry_type(e) == type)
        return true;
    reply_wrong_type(c);
    return false;
}

struct names names_make(const struct call *c) {
    return (struct names){.bytes = buf_make(c->server->options->max_output_bytes)};
}

void names_add(struct names *n, struct slice name) {
    uint32_t len = (uint32_t)name.len;

    if (n->overflow || !buf_reserve(&n->bytes, sizeof(len) + name.len)) {
        n->overflow = true;
        return;
    }
    buf_append(&n->bytes, &len, sizeof(len));
    buf_append_slice(&n->bytes, name);
    n->count++;
}

static void names_reply_as(struct call *c, struct names *n, enum reply_aggregate kind) {
    if (n->overflow) {
        reply_error(c->reply, "ERR the reply would be larger than max-output-bytes, use SCAN");
    } else {
        c->reply->ops->aggregate(c->reply, kind, kind == REPLY_MAP ? n->count / 2 : n->count);
        for (size_t at = 0; at < n->bytes.len;) {
            uint32_t len;

            memcpy(&len, n->bytes.data + at, sizeof(len));
            reply_bulk(c->reply, slice_of(n->bytes.data + at + sizeof(len), len));
            at += sizeof(len) + len;
        }
    }
    buf_free(&n->bytes);
}

void names_reply(struct call *c, struct names *n) {
    names_reply_as(c, n, REPLY_ARRAY);
}

void names_reply_map(struct call *c, struct names *n) {
    names_reply_as(c, n, REPLY_MAP);
}
