/* cmd_hash.c - hashes. Source: https://redis.io/commands/?group=hash */
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <math.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"
#include "reserve.h"
#include "sample.h"

static struct hash *edit(struct call *c, bool create) {
    return (struct hash *)edit_object(c, &c->keys[0], TYPE_HASH, create, missing_zero);
}

/* Ends an edit of the call's key. `event`: what changed, or NULL. */
static void done(struct call *c, const char *event) {
    object_done(c, &c->keys[0], EVENT_HASH, event);
}

/* The hash to read, *h NULL without a key; false: replied an error. */
static bool read_hash(struct call *c, const struct hash **h) {
    const struct object *o = NULL;
    bool ok = read_object(c, &c->keys[0], TYPE_HASH, &o);

    *h = (const struct hash *)o;
    return ok;
}

/* False: replied an error. */
static bool stored(struct call *c, enum hash_result result) {
    if (result == HASH_NO_MEMORY)
        reply_store_error(c, STORE_NO_MEMORY);
    else if (result == HASH_TOO_LONG)
        reply_error(c->reply, "ERR field is too long (at most 131071 bytes)");
    return result == HASH_ADDED || result == HASH_REPLACED;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Sets the pairs from argument 2 on, all or none; -1: replied an error. */
static int64_t set_pairs(struct call *c) {
    bool several = c->argc > 4, ready;
    int64_t added = 0, set = 0;
    struct hash *h;

    if (c->argc % 2 != 0) {
        reply_error(c->reply, "ERR wrong number of arguments for '%s' command", c->command->name);
        return -1;
    }
    if (several && !names_fit(c, 2, 2)) {
        stored(c, HASH_TOO_LONG);
        return -1;
    }
    h = edit(c, true);
    if (h == NULL)
        return -1;
    ready = !several || reserve_for_arguments(c, (struct object *)h, 2);
    for (size_t i = 2; i < c->argc && ready && added >= 0; i += 2) {
        enum hash_result result = hash_set(h, call_arg(c, i), call_arg(c, i + 1), c->txn->now_ms);

        added = stored(c, result) ? added + (result == HASH_ADDED) : -1;
        set += added >= 0;
    }
    if (several && ready)
        mem_reserve_end();
    done(c, set > 0 ? "hset" : NULL);
    return ready ? added : -1;
}

void cmd_hset(struct call *c) {
    int64_t added = set_pairs(c);

    if (added >= 0)
        reply_integer(c->reply, added);
}

void cmd_hmset(struct call *c) {
    if (set_pairs(c) >= 0)
        reply_ok(c->reply);
}

/* Ends an edit that set a field to this value. `repeats`: the command is deterministic. Even so it cannot be logged as it is if
 * the hash had fields with an expiry: at replay, with the clock at 0, they have not expired. Then the result is logged. */
static void done_field(struct call *c, const struct hash *h, struct slice field, struct slice value,
                       bool repeats, const char *event) {
    struct slice effect[] = {SLICE_LIT("HSET"), c->keys[0].name, field, value};
    bool say = !repeats;
    int64_t expire_at = NO_EXPIRY;

    hash_expiry(h, field, c->txn->now_ms, &expire_at);
    done(c, event);
    if (say)
        call_effect(c, &c->keys[0], 4, effect);
    if (say && expire_at != NO_EXPIRY) /* which HSET clears */
        call_effect_field_expiry(c, field, expire_at);
}

void cmd_hsetnx(struct call *c) {
    struct hash *h = edit(c, true);
    struct slice field = call_arg(c, 2), value = call_arg(c, 3), there;
    bool repeats = h != NULL && !hash_is_volatile(h);

    if (h == NULL)
        return;
    if (hash_get(h, field, c->txn->now_ms, &there)) {
        reply_integer(c->reply, 0);
        done(c, NULL);
    } else if (stored(c, hash_set(h, field, value, c->txn->now_ms))) {
        reply_integer(c->reply, 1);
        done_field(c, h, field, value, repeats, "hset");
    } else {
        done(c, NULL);
    }
}

void cmd_hdel(struct call *c) {
    struct hash *h = edit(c, false);
    int64_t n = 0;

    if (h == NULL)
        return;
    for (size_t i = 2; i < c->argc; i++)
        n += hash_remove(h, call_arg(c, i), c->txn->now_ms);
    reply_integer(c->reply, n);
    done(c, n > 0 ? "hdel" : NULL);
}

void cmd_hincrby(struct call *c) {
    struct slice field = call_arg(c, 2), old;
    char digits[NUM_I64_MAX];
    int64_t by, n = 0;
    bool set = false, repeats;
    struct hash *h;
    size_t len = 0;

    if (!arg_i64(c, 3, &by) || (h = edit(c, true)) == NULL)
        return;
    repeats = !hash_is_volatile(h);
    if (hash_get(h, field, c->txn->now_ms, &old) && !num_parse_i64(old, &n)) {
        reply_error(c->reply, "ERR hash value is not an integer");
    } else if (__builtin_add_overflow(n, by, &n)) {
        reply_error(c->reply, "ERR increment or decrement would overflow");
    } else {
        len = num_format_i64(n, digits);
        set = stored(c, hash_update(h, field, slice_of(digits, len), c->txn->now_ms));
        if (set)
            reply_integer(c->reply, n);
    }
    if (set)
        done_field(c, h, field, slice_of(digits, len), repeats, "hincrby");
    else
        done(c, NULL);
}

void cmd_hincrbyfloat(struct call *c) {
    struct slice field = call_arg(c, 2), old;
    char digits[NUM_LONG_DOUBLE_MAX];
    long double by, n = 0;
    struct hash *h;
    bool set = false;
    size_t len = 0;

    if (!num_parse_long_double(call_arg(c, 3), &by)) {
        reply_error(c->reply, "ERR value is not a valid float");
        return;
    }
    if (!isfinite(by)) {
        reply_error(c->reply, "ERR value is NaN or Infinity");
        return;
    }
    if ((h = edit(c, true)) == NULL)
        return;
    if (hash_get(h, field, c->txn->now_ms, &old) && !num_parse_long_double(old, &n)) {
        reply_error(c->reply, "ERR hash value is not a float");
    } else if (!isfinite(n += by)) {
        reply_error(c->reply, "ERR increment would produce NaN or Infinity");
    } else {
        len = num_format_long_double(n, digits);
        set = stored(c, hash_update(h, field, slice_of(digits, len), c->txn->now_ms));
        if (set)
            reply_bulk(c->reply, slice_of(digits, len));
    }
    if (set)
        done_field(c, h, field, slice_of(digits, len), false, "hincrbyfloat");
    else
        done(c, NULL);
}

/* ---- reading one field, or some --------------------------------------------------------------------------------- */

static void reply_field_value(struct call *c, const struct hash *h, struct slice field) {
    struct slice value;

    if (h != NULL && hash_get(h, field, c->txn->now_ms, &value))
        reply_bulk(c->reply, value);
    else
        reply_null(c->reply);
}

void cmd_hget(struct call *c) {
    const struct hash *h;

    if (read_hash(c, &h))
        reply_field_value(c, h, call_arg(c, 2));
}

void cmd_hmget(struct call *c) {
    const struct hash *h;

    if (!read_hash(c, &h))
        return;
    reply_array(c->reply, c->argc - 2);
    for (size_t i = 2; i < c->argc; i++)
        reply_field_value(c, h, call_arg(c, i));
}

void cmd_hexists(struct call *c) {
    const struct hash *h;
    struct slice value;

    if (read_hash(c, &h))
        reply_integer(c->reply, h != NULL && hash_get(h, call_arg(c, 2), c->txn->now_ms, &value));
}

void cmd_hstrlen(struct call *c) {
    const struct hash *h;
    struct slice value = {NULL, 0};

    if (!read_hash(c, &h))
        return;
    if (h != NULL)
        hash_get(h, call_arg(c, 2), c->txn->now_ms, &value);
    reply_integer(c->reply, (int64_t)value.len);
}

/* The number of live fields; 0 without a hash. */
static size_t live(const struct call *c, const struct hash *h) {
    return h != NULL ? hash_live(h, c->txn->now_ms) : 0;
}

void cmd_hlen(struct call *c) {
    const struct hash *h;

    if (read_hash(c, &h))
        reply_integer(c->reply, (int64_t)live(c, h));
}

/* ---- reading all ------------------------------------------------------------------------------------------------ */

enum what { FIELDS = 1, VALUES = 2 };

struct walk {
    struct call *c;
    const struct hash *h;
    enum what what;
};

static void reply_place(void *ctx, hash_place at) {
    const struct walk *w = ctx;

    if (w->what & FIELDS)
        reply_bulk(w->c->reply, hash_field(w->h, at));
    if (w->what & VALUES)
        reply_bulk(w->c->reply, hash_value(w->h, at));
}

static void reply_walk(struct walk *w) {
    if (w->h != NULL)
        hash_scan(w->h, 0, SIZE_MAX, w->c->txn->now_ms, reply_place, w);
}

void reply_fields(struct call *c, const struct hash *h) {
    reply_map(c->reply, live(c, h));
    reply_walk(&(struct walk){c, h, FIELDS | VALUES});
}

void cmd_hgetall(struct call *c) {
    const struct hash *h;

    if (read_hash(c, &h))
        reply_fields(c, h);
}

static void reply_all(struct call *c, enum what what) {
    struct walk w = {.c = c, .what = what};

    if (!read_hash(c, &w.h))
        return;
    reply_array(c->reply, live(c, w.h));
    reply_walk(&w);
}

void cmd_hkeys(struct call *c) {
    reply_all(c, FIELDS);
}

void cmd_hvals(struct call *c) {
    reply_all(c, VALUES);
}

struct page {
    struct names names;
    struct slice pattern;
    const struct hash *h;
};

static void gather_place(void *ctx, hash_place at) {
    struct page *p = ctx;

    if (p->pattern.ptr != NULL && !glob_match(p->pattern, hash_field(p->h, at)))
        return;
    names_add(&p->names, hash_field(p->h, at));
    names_add(&p->names, hash_value(p->h, at));
}

void cmd_hscan(struct call *c) {
    struct page p = {.names = names_make(c)};
    struct scan_args scan;
    uint64_t next = 0;

    if (!arg_cursor(c, 2, &scan) || !read_hash(c, &p.h))
        return;
    if (p.h != NULL) { /* without a key the options are not parsed, as in Redis */
        if (!arg_scan(c, 3, false, &scan))
            return;
        p.pattern = scan.pattern;
        next = hash_scan(p.h, scan.cursor, scan.count, c->txn->now_ms, gather_place, &p);
    }
    names_reply_page(c, next, &p.names);
}

/* ---- at random -------------------------------------------------------------------------------------------------- */

/* A collection for sampling: the live fields of a hash. */
struct live_hash {
    const struct hash *h;
    int64_t now;
};

static const void *source_random(const void *object) {
    const struct live_hash *l = object;

    return hash_random(l->h, l->now);
}

static void source_walk(const void *object, void (*visit)(void *ctx, const void *place), void *ctx) {
    const struct live_hash *l = object;

    hash_scan(l->h, 0, SIZE_MAX, l->now, visit, ctx);
}

static void random_count(struct call *c) {
    struct walk w = {.c = c};
    struct sample_args args;
    struct live_hash l;

    if (!arg_sample(c, "withvalues", &args) || !read_hash(c, &w.h))
        return;
    w.what = args.pairs ? FIELDS | VALUES : FIELDS;
    l = (struct live_hash){w.h, c->txn->now_ms};
    reply_sample(c, &(struct sample_source){&l, live(c, w.h), source_random, source_walk}, &args, reply_place,
                 &w);
}

void cmd_hrandfield(struct call *c) {
    const struct hash *h;

    if (c->argc > 2)
        random_count(c);
    else if (read_hash(c, &h) && h == NULL)
        reply_null(c->reply);
    else if (h != NULL)
        reply_bulk(c->reply, hash_field(h, hash_random(h, c->txn->now_ms)));
}
