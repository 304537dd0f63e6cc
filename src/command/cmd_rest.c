/* cmd_rest.c - private commands of the REST front end, unknown to RESP clients.
 *
 *     rest.get     key                                            [value, type, expire_at, content type] or null
 *     rest.read    key                                            the same, and etag as fifth member
 *     rest.write   key value content-type expiry condition tag... [outcome, etag or null, expire_at]
 *     rest.remove  key condition tag...                           [outcome, etag or null]
 *     rest.incr    key increment                                  [number, etag, expire_at]
 *     rest.append  key value                                      [length, etag or null, expire_at]
 *     rest.blob    key                                            a large value whose digest is not computed yet
 *     rest.watch   0 match pattern                                OK: the session may watch these keys (rights as for SCAN)
 *     rest.page    key old new                                    OK; replaces the value by the blob new if it still is old
 *
 * value      a string, an array of a list's elements or a set's members, or a map of a hash's fields to their values, or
 *            of a sorted set's members to their scores
 * expire_at  wall milliseconds, 0: never
 * expiry     "" none, "keep" the one the key has, or wall milliseconds
 * condition  "" none, "nx", "xx", "equals", "match" or "none-match"; the value to compare, or the tags, follow; the tag "*"
 *            matches any value
 * etag       16 hex digits of the value's digest; null if it is not a string, or a large one whose digest is not
 *            computed yet: that takes too long under a lock, so the caller computes it from the blob (rest.blob)
 * outcome    REST_CREATED and so on (rest.h) */
#include <flashkv/num.h>
#include <flashkv/rest.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

static bool digest_is_known(const struct entry *e) {
    struct blob *b = entry_blob(e);

    return b == NULL || atomic_load_explicit(&b->digest, memory_order_relaxed) != 0;
}

static void reply_etag(struct call *c, const struct entry *e) {
    char hex[NUM_HEX64];

    if (e == NULL || entry_type(e) != TYPE_STRING || !digest_is_known(e)) {
        reply_null(c->reply);
        return;
    }
    num_format_hex64(entry_digest(e), hex);
    reply_bulk(c->reply, slice_of(hex, NUM_HEX64));
}

static void reply_list(struct call *c, const struct list *l) {
    struct list_iter it = list_iter_at(l, 0, LIST_HEAD);
    struct slice element;

    reply_array(c->reply, list_len(l));
    while (list_iter_next(&it, &element))
        reply_bulk(c->reply, element);
}

static void reply_value(struct call *c, const struct entry *e) {
    switch (entry_type(e)) {
    case TYPE_STRING:
        reply_string(c, e);
        break;
    case TYPE_LIST:
        reply_list(c, entry_list(e));
        break;
    case TYPE_HASH:
        reply_fields(c, entry_hash(e));
        break;
    case TYPE_SET:
        reply_members(c, entry_set(e));
        break;
    case TYPE_ZSET:
        reply_scores(c, entry_zset(e));
        break;
    }
}

static void reply_entry(struct call *c, const struct entry *e, bool with_etag) {
    if (e == NULL) {
        reply_null(c->reply);
        return;
    }
    reply_array(c->reply, with_etag ? 5 : 4);
    reply_value(c, e);
    reply_integer(c->reply, (int64_t)entry_type(e));
    reply_integer(c->reply, entry_expire_at(e));
    reply_bulk(c->reply, entry_type(e) == TYPE_STRING ? entry_content_type(e) : slice_of("", 0));
    if (with_etag)
        reply_etag(c, e);
}

/* The fast path: a small string in one call. False: another value, or the sink does not support it. */
static bool reply_stored(struct call *c, const struct entry *e) {
    const struct reply_ops *ops = c->reply->ops;

    return ops->stored != NULL && e != NULL && entry_type(e) == TYPE_STRING && entry_blob(e) == NULL &&
           ops->stored(c->reply, &(struct reply_stored){entry_string(e), TYPE_STRING, entry_expire_at(e),
                                                        entry_content_type(e)});
}

void cmd_rest_get(struct call *c) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);

    if (!reply_stored(c, e))
        reply_entry(c, e, false);
}

void cmd_rest_read(struct call *c) {
    reply_entry(c, store_get(c->txn, &c->keys[0]), true);
}

/* Is the entry's tag among the arguments from `first` on? */
static bool tag_among(const struct call *c, const struct entry *e, size_t first) {
    char hex[NUM_HEX64];

    for (size_t i = first; i < c->argc; i++)
        if (slice_eq(call_arg(c, i), SLICE_LIT("*")))
            return true;
    if (entry_type(e) != TYPE_STRING)
        return false;
    num_format_hex64(entry_digest(e), hex);
    for (size_t i = first; i < c->argc; i++)
        if (slice_eq(call_arg(c, i), slice_of(hex, NUM_HEX64)))
            return true;
    return false;
}

/* Does the condition in argument `at`, followed by its tags, hold for the present entry (NULL: none)? */
static bool condition_holds(const struct call *c, const struct entry *e, size_t at) {
    if (arg_is(c, at, "nx"))
        return e == NULL;
    if (arg_is(c, at, "xx"))
        return e != NULL;
    if (arg_is(c, at, "match"))
        return e != NULL && tag_among(c, e, at + 1);
    if (arg_is(c, at, "equals"))
        return e != NULL && entry_type(e) == TYPE_STRING && slice_eq(entry_string(e), call_arg(c, at + 1));
    if (arg_is(c, at, "none-match"))
        return e == NULL || !tag_among(c, e, at + 1);
    return true;
}

static void reply_outcome(struct call *c, enum rest_outcome outcome, const struct entry *e,
                          bool with_expiry) {
    reply_array(c->reply, with_expiry ? 3 : 2);
    reply_integer(c->reply, outcome);
    reply_etag(c, e);
    if (with_expiry)
        reply_integer(c->reply, e != NULL ? entry_expire_at(e) : NO_EXPIRY);
}

void cmd_rest_write(struct call *c) {
    const struct entry *old = store_peek(c->txn, &c->keys[0]);
    struct string_value v = {call_arg(c, 2), c->argv[2].blob, NO_EXPIRY, call_arg(c, 3)};
    bool existed = old != NULL, kept;
    enum store_result result;

    if (!condition_holds(c, old, 5)) {
        reply_outcome(c, REST_REFUSED, old, true);
        return;
    }
    kept = arg_is(c, 4, "keep");
    if (kept)
        v.expire_at = existed ? entry_expire_at(old) : NO_EXPIRY;
    else if (c->argv[4].len > 0 && !arg_i64(c, 4, &v.expire_at))
        return;
    result = store_set_string(c->txn, &c->keys[0], &v);
    if (result != STORE_OK) {
        reply_store_error(c, result);
        return;
    }
    call_set(c, &c->keys[0], kept ? NO_EXPIRY : v.expire_at);
    call_effect_value(c, &c->keys[0]);
    reply_outcome(c, existed ? REST_REPLACED : REST_CREATED, store_peek(c->txn, &c->keys[0]), true);
}

void cmd_rest_remove(struct call *c) {
    const struct entry *old = store_peek(c->txn, &c->keys[0]);

    if (old == NULL && c->argv[2].len == 0)
        reply_outcome(c, REST_MISSING, NULL, false);
    else if (!condition_holds(c, old, 2))
        reply_outcome(c, REST_REFUSED, old, false);
    else if (!store_delete(c->txn, &c->keys[0]))
        reply_outcome(c, REST_MISSING, NULL, false);
    else {
        call_changed(c, &c->keys[0], EVENT_GENERIC, "del");
        reply_outcome(c, REST_REMOVED, NULL, false);
    }
}

/* Runs a command that replies a number, then adds the key's etag. */
static void with_etag(struct call *c, void (*change)(struct call *c)) {
    const struct entry *e;

    reply_array(c->reply, 3);
    change(c); /* an error is an element too, so the array is complete */
    e = store_peek(c->txn, &c->keys[0]);
    reply_etag(c, e);
    reply_integer(c->reply, e != NULL ? entry_expire_at(e) : NO_EXPIRY);
}

void cmd_rest_incr(struct call *c) {
    with_etag(c, cmd_incrby);
}

void cmd_rest_append(struct call *c) {
    with_etag(c, cmd_append);
}

void cmd_rest_blob(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);

    if (e != NULL && entry_type(e) == TYPE_STRING && !digest_is_known(e))
        reply_blob(c->reply, entry_blob(e));
    else
        reply_null(c->reply);
}

void cmd_rest_page(struct call *c) {
    store_swap_blob(c->txn, &c->keys[0], c->argv[2].blob, c->argv[3].blob);
    reply_ok(c->reply);
}

void cmd_rest_watch(struct call *c) {
    reply_ok(c->reply);
}
