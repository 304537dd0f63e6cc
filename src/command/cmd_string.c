/* cmd_string.c - strings. Source: https://redis.io/commands/?group=string */
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "condition.h"
#include "handlers.h"

/* ---- setting ------------------------------------------------------------------------------------------------ */

/* The options of SET and GETEX. */
struct options_given {
    bool nx, xx, get, keepttl, persist;
    size_t time_at; /* the argument that holds the time, or 0 */
    enum time_form form;
    struct condition condition; /* excludes nx and xx */
};

/* Reads them from argument `first` on. As in Redis, repeating one is no error; of several times the last counts,
 * if they are written in one form. False: replied. */
static bool parse_options(struct call *c, size_t first, bool is_set, struct options_given *o) {
    enum time_form form;

    for (size_t i = first; i < c->argc; i++) {
        bool compares = o->condition.value_at > 0;

        if (is_set && arg_is(c, i, "nx") && !o->xx && !compares) {
            o->nx = true;
        } else if (is_set && arg_is(c, i, "xx") && !o->nx && !compares) {
            o->xx = true;
        } else if (is_set && arg_is(c, i, "get")) {
            o->get = true;
        } else if (is_set && !o->nx && !o->xx && !compares && arg_condition(c, i, &o->condition)) {
            i++;
        } else if (is_set && arg_is(c, i, "keepttl") && !o->time_at) {
            o->keepttl = true;
        } else if (!is_set && arg_is(c, i, "persist") && !o->time_at) {
            o->persist = true;
        } else if (arg_expiry_word(c, i, &form) && !o->keepttl && !o->persist &&
                   (!o->time_at || o->form == form) && i + 1 < c->argc) {
            o->form = form;
            o->time_at = ++i; /* parsed after the syntax has been checked */
        } else {
            reply_syntax_error(c);
            return false;
        }
    }
    return true;
}

static struct string_value value_of(const struct arg *a) {
    return (struct string_value){.bytes = arg_slice(a), .blob = a->blob, .expire_at = NO_EXPIRY};
}

/* Sets the call's key to argument `i`. `kept`: the expiry is the one it had. False: replied with the error. */
static HOT bool set_key(struct call *c, size_t i, int64_t expire_at, bool kept) {
    struct string_value v = value_of(&c->argv[i]);
    enum store_result result;

    v.expire_at = expire_at;
    result = store_set_string(c->txn, &c->keys[0], &v);
    if (result != STORE_OK) {
        reply_store_error(c, result);
        return false;
    }
    call_set(c, &c->keys[0], kept ? NO_EXPIRY : expire_at);
    if (expire_at != NO_EXPIRY) /* the log needs the absolute time */
        call_effect_value(c, &c->keys[0]);
    return true;
}

/* An old value that is needed after it was replaced: the reply is emitted only when the change has succeeded. */
struct old_value {
    bool exists;
    struct blob *blob; /* a reference, or NULL: `bytes` */
    size_t len;
    char bytes[STRING_INLINE_MAX];
};

static void keep_old(const struct entry *e, struct old_value *old) {
    old->exists = e != NULL;
    old->blob = NULL;
    if (e == NULL)
        return;
    old->len = entry_string(e).len;
    if (entry_blob(e) != NULL)
        old->blob = blob_ref(entry_blob(e));
    else
        memcpy(old->bytes, entry_string(e).ptr, old->len);
}

static void reply_old(struct call *c, const struct old_value *old) {
    if (!old->exists)
        reply_null(c->reply);
    else if (old->blob != NULL)
        reply_blob(c->reply, old->blob);
    else
        reply_bulk(c->reply, slice_of(old->bytes, old->len));
}

/* Sets the key and replies its old value. */
static void get_and_set(struct call *c, const struct entry *e, int64_t expire_at, bool kept) {
    struct old_value old;

    keep_old(e, &old);
    if (set_key(c, 2, expire_at, kept))
        reply_old(c, &old);
    blob_unref(old.blob);
}

/* Do SET's conditions prevent it? */
static bool refused(const struct call *c, const struct options_given *o, const struct entry *e) {
    return (o->nx && e != NULL) || (o->xx && e == NULL) ||
           (o->condition.value_at > 0 && !condition_holds(c, &o->condition, e));
}

/* SET with options, which may depend on the old value. */
static NOINLINE void set_with_options(struct call *c) {
    struct options_given o = {.time_at = 0};
    int64_t expire_at = NO_EXPIRY;
    const struct entry *e;

    if (!parse_options(c, 3, true, &o) || (o.time_at && !arg_expiry(c, o.time_at, o.form, &expire_at)) ||
        !condition_valid(c, &o.condition))
        return;
    e = o.get ? store_get(c->txn, &c->keys[0]) : store_peek(c->txn, &c->keys[0]);
    if ((o.get || o.condition.value_at > 0) && !is_type(c, e, TYPE_STRING))
        return;
    if (o.keepttl && e != NULL)
        expire_at = entry_expire_at(e);
    if (refused(c, &o, e))
        reply_string(c, o.get ? e : NULL);
    else if (o.get)
        get_and_set(c, e, expire_at, o.keepttl);
    else if (set_key(c, 2, expire_at, o.keepttl))
        reply_ok(c->reply);
}

HOT void cmd_set(struct call *c) {
    if (c->argc > 3)
        set_with_options(c);
    else if (set_key(c, 2, NO_EXPIRY, false))
        reply_ok(c->reply);
}

void cmd_setnx(struct call *c) {
    if (store_peek(c->txn, &c->keys[0]) != NULL)
        reply_integer(c->reply, 0);
    else if (set_key(c, 2, NO_EXPIRY, false))
        reply_integer(c->reply, 1);
}

static void set_expiring(struct call *c, enum time_form form) {
    int64_t expire_at;

    if (arg_expiry(c, 2, form, &expire_at) && set_key(c, 3, expire_at, false))
        reply_ok(c->reply);
}

void cmd_setex(struct call *c) {
    set_expiring(c, FROM_NOW | IN_SECONDS);
}

void cmd_psetex(struct call *c) {
    set_expiring(c, FROM_NOW | IN_MS);
}

/* Validates keys and values in pairs, none of them too large, before the first key changes. False: replied. */
static bool check_pairs(struct call *c) {
    if (c->argc % 2 == 0) {
        reply_error(c->reply, "ERR wrong number of arguments for '%s' command", c->command->name);
        return false;
    }
    for (size_t i = 2; i < c->argc; i += 2)
        if (c->argv[i].len > c->server->options->max_value_bytes) {
            reply_store_error(c, STORE_TOO_LARGE);
            return false;
        }
    return true;
}

static void pair_set(void *ctx, size_t i) {
    struct call *c = ctx;

    call_set(c, &c->keys[i], NO_EXPIRY);
    call_effect_value(c, &c->keys[i]);
}

/* Sets all pairs. False: replied, and no key was set. */
static bool set_pairs(struct call *c) {
    struct string_value *values = mem_alloc(c->key_count * sizeof(*values));
    enum store_result result = STORE_NO_MEMORY;

    if (values != NULL) {
        for (size_t i = 0; i < c->key_count; i++)
            values[i] = value_of(&c->argv[2 * i + 2]);
        result = store_set_strings(c->txn, c->key_count, c->keys, values, pair_set, c);
    }
    mem_free(values);
    if (result != STORE_OK)
        reply_store_error(c, result);
    return result == STORE_OK;
}

void cmd_mset(struct call *c) {
    if (check_pairs(c) && set_pairs(c))
        reply_ok(c->reply);
}

void cmd_msetnx(struct call *c) {
    if (!check_pairs(c))
        return;
    for (size_t i = 0; i < c->key_count; i++)
        if (store_peek(c->txn, &c->keys[i]) != NULL) {
            reply_integer(c->reply, 0);
            return;
        }
    if (set_pairs(c))
        reply_integer(c->reply, 1);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

HOT void cmd_get(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);

    if (is_type(c, e, TYPE_STRING))
        reply_string(c, e);
}

void cmd_mget(struct call *c) {
    reply_array(c->reply, c->key_count);
    for (size_t i = 0; i < c->key_count; i++) {
        const struct entry *e = store_get(c->txn, &c->keys[i]);

        reply_string(c, e != NULL && entry_type(e) == TYPE_STRING ? e : NULL);
    }
}

void cmd_strlen(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);

    if (is_type(c, e, TYPE_STRING))
        reply_integer(c->reply, e != NULL ? (int64_t)entry_string(e).len : 0);
}

void cmd_getset(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);

    if (is_type(c, e, TYPE_STRING))
        get_and_set(c, e, NO_EXPIRY, false);
}

void cmd_getdel(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);

    if (!is_type(c, e, TYPE_STRING))
        return;
    reply_string(c, e);
    if (store_delete(c->txn, &c->keys[0]))
        call_changed(c, &c->keys[0], EVENT_GENERIC, "del");
}

void cmd_getex(struct call *c) {
    struct options_given o = {.time_at = 0};
    int64_t expire_at = NO_EXPIRY;
    const struct entry *e;
    enum store_result result;
    bool existed, stays, goes;

    if (!parse_options(c, 2, false, &o))
        return;
    /* setting an expiry renews the access stamp */
    e = o.time_at ? store_inspect(c->txn, &c->keys[0]) : store_get(c->txn, &c->keys[0]);
    if (!is_type(c, e, TYPE_STRING) ||
        (e != NULL && o.time_at && !arg_expiry(c, o.time_at, o.form, &expire_at)))
        return;
    stays = e == NULL || (!o.time_at && entry_expire_at(e) == expire_at) || (!o.time_at && !o.persist);
    goes = expire_at != NO_EXPIRY && expire_at <= c->txn->now_ms;
    if (stays || goes)
        reply_string(c, e);
    if (stays)
        return;
    result = store_set_expiry(c->txn, &c->keys[0], expire_at, &existed);
    reply_store_error(c, result);
    if (result != STORE_OK)
        return;
    if (!goes)
        reply_string(c, store_peek(c->txn, &c->keys[0])); /* it may have moved */
    call_changed(c, &c->keys[0], EVENT_GENERIC, o.persist ? "persist" : expiry_event(c, expire_at));
    call_effect_expiry(c, &c->keys[0]);
}

/* ---- changing ----------------------------------------------------------------------------------------------- */

void cmd_append(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    struct slice more = call_arg(c, 2);
    size_t old;
    char *bytes;

    if (!is_type(c, e, TYPE_STRING))
        return;
    old = e != NULL ? entry_string(e).len : 0;
    bytes = edit_string(c, old + more.len, e != NULL);
    if (bytes == NULL)
        return;
    if (more.len > 0)
        memcpy(bytes + old, more.ptr, more.len);
    call_changed(c, &c->keys[0], EVENT_STRING, "append");
    reply_integer(c->reply, (int64_t)(old + more.len));
}

static void add(struct call *c, int64_t delta) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    char digits[NUM_I64_MAX], *bytes;
    int64_t n = 0;
    size_t len;

    if (!is_type(c, e, TYPE_STRING))
        return;
    if (e != NULL && !num_parse_i64(entry_string(e), &n)) {
        reply_error(c->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (__builtin_add_overflow(n, delta, &n)) {
        reply_error(c->reply, "ERR increment or decrement would overflow");
        return;
    }
    len = num_format_i64(n, digits);
    bytes = edit_string(c, len, false);
    if (bytes == NULL)
        return;
    memcpy(bytes, digits, len);
    call_changed(c, &c->keys[0], EVENT_STRING, "incrby");
    reply_integer(c->reply, n);
}

void cmd_incr(struct call *c) {
    add(c, 1);
}

void cmd_decr(struct call *c) {
    add(c, -1);
}

void cmd_incrby(struct call *c) {
    int64_t by;

    if (arg_i64(c, 2, &by))
        add(c, by);
}

void cmd_decrby(struct call *c) {
    int64_t by;

    if (!arg_i64(c, 2, &by))
        return;
    if (by == INT64_MIN)
        reply_error(c->reply, "ERR decrement would overflow");
    else
        add(c, -by);
}
