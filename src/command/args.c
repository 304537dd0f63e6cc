/* args.c - parsing of arguments, shared errors, and steps that many handlers share. */
#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/num.h>
#include <stdlib.h>

#include "table.h"

bool arg_i64(struct call *c, size_t i, int64_t *out) {
    if (num_parse_i64(call_arg(c, i), out))
        return true;
    reply_error(c->reply, "ERR value is not an integer or out of range");
    return false;
}

bool arg_repeats(struct call *c, int64_t count) {
    enum { SHORTEST = sizeof("$0\r\n\r\n") - 1 };

    if (count >= -(int64_t)(c->server->options->max_output_bytes / SHORTEST))
        return true;
    reply_error(c->reply, count == INT64_MIN ? "ERR value is out of range, value must between "
                                               "-9223372036854775807 and 9223372036854775807"
                                             : "ERR value is out of range");
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
        if (n > INT64_MAX - c->txn->now_ms)
            goto invalid;
        n += c->txn->now_ms;
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

/* The option at `i` with its value; false: replied. */
static bool scan_option(struct call *c, size_t i, bool may_type, struct scan_args *out) {
    int64_t count;

    if (i + 1 < c->argc && arg_is(c, i, "count")) {
        if (!arg_i64(c, i + 1, &count))
            return false;
        if (count >= 1) {
            out->count = (uint64_t)count;
            return true;
        }
    } else if (i + 1 < c->argc && arg_is(c, i, "match")) {
        out->pattern = call_arg(c, i + 1);
        return true;
    } else if (i + 1 < c->argc && may_type && arg_is(c, i, "type")) {
        out->type = call_arg(c, i + 1);
        return true;
    }
    reply_syntax_error(c);
    return false;
}

bool arg_too_many(struct call *c, size_t most) {
    struct command_name container = command_upper(c->command);

    if (c->argc <= most)
        return false;
    reply_error(c->reply, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %.*s HELP.",
                arg_shown(&c->argv[1]), c->argv[1].ptr, (int)strcspn(container.text, " "), container.text);
    return true;
}

/* As strtoul parses it: an empty text is 0, and a negative number wraps to a cursor past the end of every scan. */
static bool cursor_parse(struct slice s, uint64_t *out) {
    char text[24], *end;

    if (s.len >= sizeof(text) || (s.len > 0 && isspace((unsigned char)s.ptr[0])))
        return false;
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    errno = 0;
    *out = strtoull(text, &end, 10);
    return end == text + s.len && errno == 0;
}

bool arg_cursor(struct call *c, size_t i, struct scan_args *out) {
    *out = (struct scan_args){.count = 10};
    if (cursor_parse(call_arg(c, i), &out->cursor))
        return true;
    reply_error(c->reply, "ERR invalid cursor");
    return false;
}

bool arg_scan(struct call *c, size_t at, bool may_type, struct scan_args *out) {
    for (size_t i = at; i < c->argc; i += 2)
        if (!scan_option(c, i, may_type, out))
            return false;
    return true;
}

/* "ERR numkeys should be greater than 0": `what` names the argument. */
static bool count_is_positive(struct call *c, size_t i, const char *what, int64_t *out) {
    if (num_parse_i64(call_arg(c, i), out) && *out > 0)
        return true;
    reply_error(c->reply, "ERR %s should be greater than 0", what);
    return false;
}

static bool pop_count(struct call *c, size_t at, int64_t *count) {
    *count = 1;
    for (size_t i = at; i < c->argc; i += 2) {
        if (i > at || i + 1 == c->argc || !arg_is(c, i, "count")) {
            reply_syntax_error(c);
            return false;
        }
        if (!count_is_positive(c, i + 1, "count", count))
            return false;
    }
    return true;
}

bool arg_pop(struct call *c, size_t numkeys_at, const char *const words[2], unsigned *word, int64_t *count) {
    size_t at = numkeys_at + 1 + c->key_count;

    if (!count_is_positive(c, numkeys_at, "numkeys", count))
        return false;
    if (c->key_count == 0 || at == c->argc || (!arg_is(c, at, words[0]) && !arg_is(c, at, words[1]))) {
        reply_syntax_error(c); /* no keys were hashed: numkeys exceeds the arguments */
        return false;
    }
    *word = arg_is(c, at, words[1]);
    return pop_count(c, at + 1, count);
}

bool first_key(struct call *c, enum value_type type, const struct key **k) {
    *k = NULL;
    for (size_t i = 0; i < c->key_count && *k == NULL; i++) {
        const struct entry *e = store_peek(c->txn, &c->keys[i]);

        if (!is_type(c, e, type))
            return false;
        if (e != NULL)
            *k = &c->keys[i];
    }
    return true;
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

char *edit_string(struct call *c, size_t len, bool raw) {
    char *bytes = NULL;
    enum store_result result = store_edit_string(c->txn, &c->keys[0], len, raw, &bytes);

    if (result == STORE_OK)
        return bytes;
    reply_store_error(c, result);
    return NULL;
}

struct object *edit_object(struct call *c, const struct key *k, enum value_type type, bool create,
                           void (*missing)(struct call *c)) {
    struct object *o = NULL;
    enum store_result result = store_edit_object(c->txn, k, type, create, &o);

    if (result != STORE_OK)
        reply_store_error(c, result);
    else if (o == NULL)
        missing(c);
    return o;
}

void object_done(struct call *c, const struct key *k, enum event_class class, const char *event) {
    bool lives = store_object_done(c->txn, k);

    if (event == NULL)
        return;
    call_changed(c, k, class, event);
    if (!lives)
        call_changed(c, k, EVENT_GENERIC, "del");
}

static NOINLINE void expiry_changed(struct call *c, const struct key *k, int64_t expire_at) {
    call_changed(c, k, EVENT_GENERIC, "expire");
    if (expire_at <= c->txn->now_ms)
        call_changed(c, k, EVENT_EXPIRED, "expired"); /* the time is past: the key has been deleted */
}

HOT void call_set(struct call *c, const struct key *k, int64_t expire_at) {
    call_changed(c, k, EVENT_STRING, "set");
    if (expire_at != NO_EXPIRY)
        expiry_changed(c, k, expire_at);
}

bool read_object(struct call *c, const struct key *k, enum value_type type, const struct object **o) {
    enum store_result result = store_read_object(c->txn, k, type, o);

    if (result != STORE_OK)
        reply_store_error(c, result);
    return result == STORE_OK;
}

void call_effect_expiry(struct call *c, const struct key *k) {
    const struct entry *e = store_peek(c->txn, k);
    char digits[NUM_I64_MAX];
    struct slice effect[3] = {SLICE_LIT("PEXPIREAT"), k->name, {digits, 0}};

    if (e == NULL) {
        call_effect_value(c, k);
    } else if (entry_expire_at(e) == NO_EXPIRY) {
        effect[0] = SLICE_LIT("PERSIST");
        call_effect(c, k, 2, effect);
    } else {
        effect[2].len = num_format_i64(entry_expire_at(e), digits);
        call_effect(c, k, 3, effect);
    }
}

void store_collection(struct call *c, const struct key *k, struct object *o, size_t len,
                      enum event_class class, const char *event) {
    bool was_there = store_peek(c->txn, k) != NULL;

    if (store_set_object(c->txn, k, o) != STORE_OK) {
        store_free_object(o);
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    if (len > 0 || was_there)
        call_changed(c, k, len > 0 ? class : EVENT_GENERIC, len > 0 ? event : "del");
    call_effect_value(c, k);
    reply_integer(c->reply, (int64_t)len);
}

void missing_null(struct call *c) {
    reply_null(c->reply);
}

void missing_null_array(struct call *c) {
    reply_null_array(c->reply);
}

void missing_zero(struct call *c) {
    reply_integer(c->reply, 0);
}

void missing_error(struct call *c) {
    reply_error(c->reply, "ERR no such key");
}

void missing_ok(struct call *c) {
    reply_ok(c->reply);
}

void reply_pairs(struct call *c, size_t n) {
    reply_array(c->reply, c->session->protocol < 3 ? 2 * n : n);
}

void begin_pair(struct call *c) {
    if (c->session->protocol >= 3)
        reply_array(c->reply, 2);
}

struct names names_make(const struct call *c) {
    return (struct names){.bytes = buf_make(c->server->options->max_output_bytes)};
}

void names_add(struct names *n, struct slice name) {
    uint32_t len = (uint32_t)name.len;

    if (n->overflow || !buf_reserve(&n->bytes, sizeof(len) + name.len)) {
        n->no_memory |= !n->overflow && n->bytes.len + sizeof(len) + name.len <= n->bytes.max;
        n->overflow = true;
        return;
    }
    buf_append(&n->bytes, &len, sizeof(len));
    buf_append_slice(&n->bytes, name);
    n->count++;
}

void names_add_key(void *names, const struct entry *e) {
    names_add(names, entry_key(e));
}

void names_each(const struct names *n, void (*each)(void *ctx, struct slice name), void *ctx) {
    for (size_t at = 0; at < n->bytes.len;) {
        uint32_t len;

        memcpy(&len, n->bytes.data + at, sizeof(len));
        each(ctx, slice_of(n->bytes.data + at + sizeof(len), len));
        at += sizeof(len) + len;
    }
}

void reply_name(void *ctx, struct slice name) {
    reply_bulk(ctx, name);
}

static void names_reply_as(struct call *c, struct names *n, enum reply_aggregate kind) {
    if (n->no_memory) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else if (n->overflow) {
        reply_error(c->reply, "ERR the reply would be larger than max-output-bytes, use SCAN");
    } else {
        c->reply->ops->aggregate(c->reply, kind, kind == REPLY_MAP ? n->count / 2 : n->count);
        names_each(n, reply_name, c->reply);
    }
    buf_free(&n->bytes);
}

void names_reply(struct call *c, struct names *n) {
    names_reply_as(c, n, REPLY_ARRAY);
}

void names_reply_map(struct call *c, struct names *n) {
    names_reply_as(c, n, REPLY_MAP);
}

void names_reply_set(struct call *c, struct names *n) {
    names_reply_as(c, n, REPLY_SET);
}

void names_reply_page(struct call *c, uint64_t next, struct names *n) {
    char digits[NUM_I64_MAX];

    if (!n->overflow) {
        reply_array(c->reply, 2);
        reply_bulk(c->reply, slice_of(digits, num_format_u64(next, digits)));
    }
    names_reply(c, n);
}
