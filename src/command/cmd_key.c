/* cmd_key.c - keys of any type. Source: https://redis.io/commands/?group=generic */
#include <flashkv/access.h>
#include <flashkv/num.h>

#include "args.h"
#include "blocking.h"
#include "expire.h"
#include "handlers.h"

void cmd_del(struct call *c) {
    int64_t n = 0;

    for (size_t i = 0; i < c->key_count; i++) {
        if (!store_delete(c->txn, &c->keys[i]))
            continue;
        call_changed(c, &c->keys[i], EVENT_GENERIC, "del");
        call_effect_value(c, &c->keys[i]);
        n++;
    }
    reply_integer(c->reply, n);
}

void cmd_exists(struct call *c) {
    int64_t n = 0;

    for (size_t i = 0; i < c->key_count; i++)
        n += store_inspect(c->txn, &c->keys[i]) != NULL;
    reply_integer(c->reply, n);
}

/* Renews the stamps even for a client with CLIENT NO-TOUCH, as in Redis. */
void cmd_touch(struct call *c) {
    bool no_touch = c->txn->no_touch;
    int64_t n = 0;

    c->txn->no_touch = false;
    for (size_t i = 0; i < c->key_count; i++)
        n += store_get(c->txn, &c->keys[i]) != NULL;
    c->txn->no_touch = no_touch;
    reply_integer(c->reply, n);
}

void cmd_type(struct call *c) {
    const struct entry *e = store_inspect(c->txn, &c->keys[0]);

    reply_status(c->reply, slice_str(e != NULL ? value_type_name(entry_type(e)) : "none"));
}

/* ---- expiry ------------------------------------------------------------------------------------------------- */

static bool parse_expire_options(struct call *c, struct expire_options *o) {
    for (size_t i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "nx"))
            o->nx = true;
        else if (arg_is(c, i, "xx"))
            o->xx = true;
        else if (arg_is(c, i, "gt"))
            o->gt = true;
        else if (arg_is(c, i, "lt"))
            o->lt = true;
        else {
            reply_error(c->reply, "ERR Unsupported option %.*s",
                        (int)(c->argv[i].len < 128 ? c->argv[i].len : 128), c->argv[i].ptr);
            return false;
        }
    }
    if (o->nx && (o->xx || o->gt || o->lt))
        reply_error(c->reply, "ERR NX and XX, GT or LT options at the same time are not compatible");
    else if (o->gt && o->lt)
        reply_error(c->reply, "ERR GT and LT options at the same time are not compatible");
    else
        return true;
    return false;
}

/* As arg_expiry, but past and negative times are allowed: they delete. */
static bool arg_any_time(struct call *c, enum time_form form, int64_t *at) {
    int64_t n, base = form & SINCE_1970 ? 0 : c->txn->now_ms;

    if (!arg_i64(c, 2, &n))
        return false;
    if ((!(form & IN_MS) && __builtin_mul_overflow(n, 1000, &n)) || __builtin_add_overflow(n, base, &n)) {
        reply_error(c->reply, "ERR invalid expire time in '%s' command", c->command->name);
        return false;
    }
    *at = n > 0 ? n : 1; /* in the past, but not NO_EXPIRY */
    return true;
}

bool expire_allowed(const struct expire_options *o, int64_t now_at, int64_t at) {
    bool never = now_at == NO_EXPIRY;

    return !(o->nx && !never) && !(o->xx && never) && !(o->gt && (never || at <= now_at)) &&
           !(o->lt && !never && at >= now_at);
}

static void expire(struct call *c, enum time_form form) {
    struct expire_options o = {false, false, false, false};
    const struct entry *e;
    enum store_result result;
    bool existed;
    int64_t at;

    if (!parse_expire_options(c, &o) || !arg_any_time(c, form, &at))
        return;
    e = store_peek(c->txn, &c->keys[0]);
    if (e == NULL || !expire_allowed(&o, entry_expire_at(e), at)) {
        reply_integer(c->reply, 0);
        return;
    }
    result = store_set_expiry(c->txn, &c->keys[0], at, &existed);
    if (result != STORE_OK) {
        reply_store_error(c, result);
        return;
    }
    call_changed(c, &c->keys[0], EVENT_GENERIC, expiry_event(c, at));
    call_effect_expiry(c, &c->keys[0]);
    reply_integer(c->reply, 1);
}

void cmd_expire(struct call *c) {
    expire(c, FROM_NOW | IN_SECONDS);
}

void cmd_pexpire(struct call *c) {
    expire(c, FROM_NOW | IN_MS);
}

void cmd_expireat(struct call *c) {
    expire(c, SINCE_1970 | IN_SECONDS);
}

void cmd_pexpireat(struct call *c) {
    expire(c, SINCE_1970 | IN_MS);
}

void cmd_persist(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    bool existed, had = e != NULL && entry_expire_at(e) != NO_EXPIRY;
    enum store_result result = STORE_OK;

    if (had)
        result = store_set_expiry(c->txn, &c->keys[0], NO_EXPIRY, &existed);
    if (result != STORE_OK) {
        reply_store_error(c, result);
        return;
    }
    if (had)
        call_changed(c, &c->keys[0], EVENT_GENERIC, "persist");
    reply_integer(c->reply, had);
}

/* Replies -2: no key; -1: no expiry; else the remaining time, or the time of expiry, in ms or rounded to seconds. */
static void reply_expiry(struct call *c, enum time_form form) {
    const struct entry *e = store_inspect(c->txn, &c->keys[0]);
    int64_t at = e != NULL ? entry_expire_at(e) : NO_EXPIRY;

    if (e == NULL || at == NO_EXPIRY) {
        reply_integer(c->reply, e == NULL ? -2 : -1);
        return;
    }
    if (!(form & SINCE_1970))
        at -= c->txn->now_ms;
    reply_integer(c->reply, form & IN_MS ? at : at / 1000 + (at % 1000 >= 500));
}

void cmd_ttl(struct call *c) {
    reply_expiry(c, FROM_NOW | IN_SECONDS);
}

void cmd_pttl(struct call *c) {
    reply_expiry(c, FROM_NOW | IN_MS);
}

void cmd_expiretime(struct call *c) {
    reply_expiry(c, SINCE_1970 | IN_SECONDS);
}

void cmd_pexpiretime(struct call *c) {
    reply_expiry(c, SINCE_1970 | IN_MS);
}

/* ---- renaming ----------------------------------------------------------------------------------------------- */

/* False: replied. */
static bool rename_key(struct call *c) {
    enum store_result result = store_rename(c->txn, &c->keys[0], &c->keys[1]);

    if (result != STORE_OK) {
        reply_store_error(c, result);
        return false;
    }
    if (slice_eq(c->keys[0].name, c->keys[1].name))
        return true;
    call_changed(c, &c->keys[0], EVENT_GENERIC, "rename_from");
    call_changed(c, &c->keys[1], EVENT_GENERIC, "rename_to");
    call_effect_value(c, &c->keys[1]);
    call_effect_value(c, &c->keys[0]);
    return true;
}

static bool source_exists(struct call *c) {
    if (store_peek(c->txn, &c->keys[0]) != NULL)
        return true;
    reply_error(c->reply, "ERR no such key");
    return false;
}

void cmd_rename(struct call *c) {
    if (source_exists(c) && rename_key(c))
        reply_ok(c->reply);
}

void cmd_renamenx(struct call *c) {
    if (!source_exists(c))
        return;
    if (store_peek(c->txn, &c->keys[1]) != NULL)
        reply_integer(c->reply, 0);
    else if (rename_key(c))
        reply_integer(c->reply, 1);
}

/* ---- OBJECT --------------------------------------------------------------------------------------------------- */

void cmd_object_help(struct call *c) {
    static const char *const lines[] = {
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
        "HELP",
        "    Prints this help.",
    };
    enum { LINES = sizeof(lines) / sizeof(*lines) };

    reply_array(c->reply, LINES);
    for (size_t i = 0; i < LINES; i++)
        reply_status(c->reply, slice_str(lines[i]));
}

/* "int", "embstr" or "raw": how Redis would encode the string. */
static const char *string_encoding(const struct entry *e) {
    enum { EMBEDDED_MAX = 44 };
    struct slice s = entry_string(e);
    int64_t n;

    if (entry_is_raw(e))
        return "raw";
    if (num_parse_i64(s, &n))
        return "int";
    return s.len <= EMBEDDED_MAX ? "embstr" : "raw";
}

static const char *encoding_of(const struct entry *e) {
    switch (entry_type(e)) {
    case TYPE_STRING:
        return string_encoding(e);
    case TYPE_LIST:
        return "quicklist";
    case TYPE_HASH:
        return hash_encoding(entry_hash(e));
    case TYPE_SET:
        return set_encoding(entry_set(e));
    case TYPE_ZSET:
        return zset_encoding(entry_zset(e));
    }
    return "unknown";
}

/* The call's key, without counting a hit or miss. NULL: replied. */
static const struct entry *object_of(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);

    if (e == NULL)
        reply_null(c->reply);
    return e;
}

void cmd_object_encoding(struct call *c) {
    const struct entry *e = object_of(c);

    if (e != NULL)
        reply_text(c->reply, encoding_of(e));
}

void cmd_object_refcount(struct call *c) {
    if (object_of(c) != NULL)
        reply_integer(c->reply, 1);
}

/* IDLETIME needs LRU stamps, FREQ LFU stamps: does the policy keep them? False: replied. */
static bool stamps_are_kept(struct call *c, bool frequency) {
    if (store_access(c->server->store).frequency == frequency)
        return true;
    reply_error(c->reply,
                "ERR An LFU maxmemory policy is %s. Please note that when switching between policies at "
                "runtime LRU and LFU data will take some time to adjust.",
                frequency ? "not selected, access frequency not tracked" : "selected, idle time not tracked");
    return false;
}

void cmd_object_idletime(struct call *c) {
    const struct entry *e = object_of(c);

    if (e != NULL && stamps_are_kept(c, false))
        reply_integer(c->reply, store_idle_ms(c->txn, e) / 1000);
}

void cmd_object_freq(struct call *c) {
    const struct entry *e = object_of(c);

    if (e != NULL && stamps_are_kept(c, true))
        reply_integer(c->reply, store_frequency(c->txn, e));
}

/* ---- replicas ------------------------------------------------------------------------------------------------- */

static void reply_no_replicas(struct call *c) {
    reply_integer(c->reply, 0);
}

/* WAIT is done if it waits for 0 replicas: there are never any. */
static bool enough_replicas(struct call *c, const void *args) {
    const int64_t *wanted = args;

    if (*wanted <= 0)
        reply_no_replicas(c);
    return *wanted <= 0;
}

/* Without replicas it waits until its timeout, as in Redis. */
void cmd_wait(struct call *c) {
    int64_t wanted, timeout_ms;
    struct blocking how = {.take = enough_replicas,
                           .args = &wanted,
                           .args_size = sizeof(wanted),
                           .nothing = reply_no_replicas,
                           .late = reply_no_replicas};

    if (!arg_i64(c, 1, &wanted))
        return;
    if (!num_parse_i64(call_arg(c, 2), &timeout_ms))
        reply_error(c->reply, "ERR timeout is not an integer or out of range");
    else if (timeout_ms < 0)
        reply_error(c->reply, "ERR timeout is negative");
    else
        take_or_block(c, &how, timeout_ms);
}
