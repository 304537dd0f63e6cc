/* cmd_hash_expiry.c - fields that expire. Source: https://redis.io/commands/hexpire and related pages, as of 7.4 */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "expire.h"
#include "handlers.h"
#include "reserve.h"

enum {
    NO_SUCH_FIELD = -2,
    NO_TTL = -1,
    NOT_ALLOWED = 0, /* by NX, XX, GT or LT */
    DONE = 1,
    DELETED = 2, /* the time is past */
    NO_MEMORY = 3,
};

/* Redis stores a field's expiry in 46 bits. */
#define FIELD_EXPIRY_MAX ((INT64_C(1) << 46) - 1)

/* The fields among the arguments: FIELDS numfields field [field ...]. */
struct fields {
    size_t first, count;
};

/* Parses them from argument `at` on; `positive` is the error for a number that is not. False: replied. */
static bool arg_fields(struct call *c, size_t at, const char *positive, struct fields *f) {
    int64_t n;

    f->first = at + 2;
    f->count = c->argc - f->first;
    if (!arg_is(c, at, "fields"))
        reply_error(c->reply, "ERR Mandatory argument FIELDS is missing or not at the right position");
    else if (!num_parse_i64(call_arg(c, at + 1), &n) || n < 1)
        reply_error(c->reply, "ERR %s", positive);
    else if ((uint64_t)n != f->count)
        reply_error(c->reply, "ERR The `numfields` parameter must match the number of arguments");
    else
        return true;
    return false;
}

static void reply_missing(struct call *c, const struct fields *f) {
    reply_array(c->reply, f->count);
    for (size_t i = 0; i < f->count; i++)
        reply_integer(c->reply, NO_SUCH_FIELD);
}

void call_effect_field_expiry(struct call *c, struct slice field, int64_t expire_at) {
    char digits[NUM_I64_MAX];
    struct slice effect[] = {
        SLICE_LIT("HPEXPIREAT"), c->keys[0].name, slice_of(digits, num_format_i64(expire_at, digits)),
        SLICE_LIT("FIELDS"),     SLICE_LIT("1"),  field};

    call_effect(c, &c->keys[0], 6, effect);
}

static void effect_deleted(struct call *c, struct slice field) {
    struct slice effect[] = {SLICE_LIT("HDEL"), c->keys[0].name, field};

    call_effect(c, &c->keys[0], 3, effect);
}

/* ---- setting ----------------------------------------------------------------------------------------------------- */

static bool arg_field_time(struct call *c, enum time_form form, int64_t *at) {
    int64_t most = form & IN_MS ? FIELD_EXPIRY_MAX : FIELD_EXPIRY_MAX / 1000;
    int64_t base = form & SINCE_1970 ? 0 : c->txn->now_ms;

    if (!arg_i64(c, 2, at))
        return false;
    if (*at < 0) {
        reply_error(c->reply, "ERR invalid expire time, must be >= 0");
        return false;
    }
    if (*at > most || (*at *= form & IN_MS ? 1 : 1000) > FIELD_EXPIRY_MAX - base) {
        reply_error(c->reply, "ERR invalid expire time in '%s' command", c->command->name);
        return false;
    }
    *at += base;
    return true;
}

static bool arg_condition_word(const struct call *c, size_t i, struct expire_options *o) {
    *o = (struct expire_options){.nx = arg_is(c, i, "nx"),
                                 .xx = arg_is(c, i, "xx"),
                                 .gt = arg_is(c, i, "gt"),
                                 .lt = arg_is(c, i, "lt")};
    return o->nx || o->xx || o->gt || o->lt;
}

static int8_t expire_field(struct call *c, struct hash *h, struct slice field, const struct expire_options *o,
                           int64_t at) {
    int64_t now = c->txn->now_ms, was;

    if (!hash_expiry(h, field, now, &was))
        return NO_SUCH_FIELD;
    if (!expire_allowed(o, was, at))
        return NOT_ALLOWED;
    if (at <= now) {
        hash_remove(h, field, now);
        return DELETED;
    }
    return hash_expire(h, field, now, at) ? DONE : NO_MEMORY;
}

/* Replies a result for each field, and emits the events. */
static void reply_results(struct call *c, const struct fields *f, const int8_t *results, int64_t at) {
    reply_array(c->reply, f->count);
    for (size_t i = 0; i < f->count; i++) {
        if (results[i] == DONE)
            call_effect_field_expiry(c, call_arg(c, f->first + i), at);
        else if (results[i] == DELETED)
            effect_deleted(c, call_arg(c, f->first + i));
        reply_integer(c->reply, results[i]);
    }
}

/* Reserves memory for setting the expiry of all fields. False: replied. */
static bool reserve(struct call *c, const struct hash *h, const struct fields *f) {
    struct edits e = call_edits(c, f->first);

    e.expiries = true;
    return call_reserve(c, (const struct object *)h, &e);
}

static void expire_fields(struct call *c, const struct fields *f, const struct expire_options *o,
                          int64_t at) {
    int8_t *results = mem_alloc(f->count);
    size_t updated = 0, deleted = 0, failed = 0;
    struct hash *h;
    bool ready;

    if (results == NULL || store_fields_expire(c->txn, &c->keys[0]) != STORE_OK) {
        mem_free(results);
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    h = (struct hash *)edit_object(c, &c->keys[0], TYPE_HASH, false, missing_zero);
    ready = reserve(c, h, f);
    for (size_t i = 0; i < f->count && ready; i++) {
        results[i] = expire_field(c, h, call_arg(c, f->first + i), o, at);
        updated += results[i] == DONE;
        deleted += results[i] == DELETED;
        failed += results[i] == NO_MEMORY;
    }
    if (ready)
        mem_reserve_end();
    object_done(c, &c->keys[0], EVENT_HASH, deleted > 0 ? "hdel" : updated > 0 ? "hexpire" : NULL);
    if (failed > 0)
        reply_store_error(c, STORE_NO_MEMORY);
    else if (ready)
        reply_results(c, f, results, at);
    mem_free(results);
}

static void expire(struct call *c, enum time_form form) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    struct expire_options o;
    struct fields f;
    int64_t at;

    if (!is_type(c, e, TYPE_HASH) || !arg_field_time(c, form, &at) ||
        !arg_fields(c, arg_condition_word(c, 3, &o) ? 4 : 3, "Parameter `numFields` should be greater than 0",
                    &f))
        return;
    if (e == NULL)
        reply_missing(c, &f);
    else
        expire_fields(c, &f, &o, at);
}

void cmd_hexpire(struct call *c) {
    expire(c, FROM_NOW | IN_SECONDS);
}

void cmd_hpexpire(struct call *c) {
    expire(c, FROM_NOW | IN_MS);
}

void cmd_hexpireat(struct call *c) {
    expire(c, SINCE_1970 | IN_SECONDS);
}

void cmd_hpexpireat(struct call *c) {
    expire(c, SINCE_1970 | IN_MS);
}

void cmd_hpersist(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    int64_t now = c->txn->now_ms, was;
    bool changed = false;
    struct fields f;
    struct hash *h;

    if (!is_type(c, e, TYPE_HASH) || !arg_fields(c, 2, "Number of fields must be a positive integer", &f))
        return;
    if (e == NULL) {
        reply_missing(c, &f);
        return;
    }
    h = (struct hash *)edit_object(c, &c->keys[0], TYPE_HASH, false, missing_zero);
    if (!reserve(c, h, &f)) {
        object_done(c, &c->keys[0], EVENT_HASH, NULL);
        return;
    }
    reply_array(c->reply, f.count);
    for (size_t i = 0; i < f.count; i++) {
        struct slice field = call_arg(c, f.first + i);

        if (!hash_expiry(h, field, now, &was))
            reply_integer(c->reply, NO_SUCH_FIELD);
        else if (was == NO_EXPIRY || !hash_expire(h, field, now, NO_EXPIRY))
            reply_integer(c->reply, NO_TTL);
        else {
            changed = true;
            reply_integer(c->reply, DONE);
            call_effect(c, &c->keys[0], 5,
                        (const struct slice[]){SLICE_LIT("HPERSIST"), c->keys[0].name, SLICE_LIT("FIELDS"),
                                               SLICE_LIT("1"), field});
        }
    }
    mem_reserve_end();
    object_done(c, &c->keys[0], EVENT_HASH, changed ? "hpersist" : NULL);
}

/* ---- querying ---------------------------------------------------------------------------------------------------- */

static void reply_field_expiry(struct call *c, const struct hash *h, struct slice field,
                               enum time_form form) {
    int64_t at;

    if (!hash_expiry(h, field, c->txn->now_ms, &at)) {
        reply_integer(c->reply, NO_SUCH_FIELD);
    } else if (at == NO_EXPIRY) {
        reply_integer(c->reply, NO_TTL);
    } else {
        if (!(form & SINCE_1970))
            at -= c->txn->now_ms;
        reply_integer(c->reply, form & IN_MS ? at : (at + 999) / 1000);
    }
}

static void reply_expiries(struct call *c, enum time_form form) {
    const struct entry *e = store_get(c->txn, &c->keys[0]);
    struct fields f;

    if (!is_type(c, e, TYPE_HASH) || !arg_fields(c, 2, "Number of fields must be a positive integer", &f))
        return;
    if (e == NULL) {
        reply_missing(c, &f);
        return;
    }
    reply_array(c->reply, f.count);
    for (size_t i = 0; i < f.count; i++)
        reply_field_expiry(c, entry_hash(e), call_arg(c, f.first + i), form);
}

void cmd_httl(struct call *c) {
    reply_expiries(c, FROM_NOW | IN_SECONDS);
}

void cmd_hpttl(struct call *c) {
    reply_expiries(c, FROM_NOW | IN_MS);
}

void cmd_hexpiretime(struct call *c) {
    reply_expiries(c, SINCE_1970 | IN_SECONDS);
}

void cmd_hpexpiretime(struct call *c) {
    reply_expiries(c, SINCE_1970 | IN_MS);
}
