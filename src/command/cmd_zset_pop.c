/* cmd_zset_pop.c - popping members from either end of a sorted set.
 * Source: https://redis.io/commands/zpopmin, https://redis.io/commands/zmpop */
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

static const char *pop_event(bool max) {
    return max ? "zpopmax" : "zpopmin";
}

/* The first or last `n` members (at most all). */
static struct zset_span end_of(const struct zset *z, uint64_t n, bool max) {
    size_t len = zset_len(z);

    return (struct zset_span){max ? len - 1 : 0, n < len ? (size_t)n : len, max};
}

static void drop(struct zset *z, const struct zset_span *s) {
    zset_remove_ranks(z, s->down ? s->rank + 1 - s->count : s->rank, s->count);
}

static void missing_empty(struct call *c) {
    reply_array(c->reply, 0);
}

struct one {
    struct call *c;
    const struct zset *z;
};

static void reply_flat(void *ctx, zset_place at) {
    const struct one *o = ctx;

    reply_bulk(o->c->reply, zset_member(o->z, at));
    reply_real(o->c->reply, zset_score(o->z, at));
}

static void reply_nested(void *ctx, zset_place at) {
    reply_array(((const struct one *)ctx)->c->reply, 2);
    reply_flat(ctx, at);
}

/* ZPOPMIN key: member and score, flat in either protocol; with a count, pairs. */
static void pop(struct call *c, bool max) {
    int64_t n = 1;
    struct zset_span span;
    struct zset *z;

    if (c->argc > 3) {
        reply_syntax_error(c);
        return;
    }
    if (c->argc == 3 && (!num_parse_i64(call_arg(c, 2), &n) || n < 0)) {
        reply_error(c->reply, "ERR value is out of range, must be positive");
        return;
    }
    z = edit_zset(c, &c->keys[0], false, missing_empty);
    if (z == NULL)
        return;
    span = end_of(z, (uint64_t)n, max);
    if (c->argc == 3) {
        reply_span(c, z, &span, true);
    } else {
        reply_array(c->reply, 2);
        zset_walk(z, span.rank, 1, max, reply_flat, &(struct one){c, z});
    }
    drop(z, &span);
    zset_done(c, &c->keys[0], span.count > 0 ? pop_event(max) : NULL);
}

void cmd_zpopmin(struct call *c) {
    pop(c, false);
}

void cmd_zpopmax(struct call *c) {
    pop(c, true);
}

/* ---- from the first non-empty sorted set ------------------------------------------------------------------------- */

bool arg_zset_pop(struct call *c, size_t numkeys_at, struct zset_pop *p) {
    static const char *const words[] = {"min", "max"};
    unsigned word;

    if (!arg_pop(c, numkeys_at, words, &word, &p->count))
        return false;
    p->max = word == 1;
    return true;
}

/* [key, [[member, score], ...]], or [key, member, score] */
static void pop_from(struct call *c, const struct key *k, const struct zset_pop *p) {
    struct zset *z = edit_zset(c, k, false, missing_null_array);
    struct zset_span span = end_of(z, (uint64_t)p->count, p->max);
    struct one one = {c, z};
    char digits[NUM_I64_MAX];
    struct slice effect[] = {slice_str(pop_event(p->max)), k->name,
                             slice_of(digits, num_format_u64(span.count, digits))};

    reply_array(c->reply, p->flat ? 3 : 2);
    reply_bulk(c->reply, k->name);
    if (!p->flat)
        reply_array(c->reply, span.count);
    zset_walk(z, span.rank, span.count, p->max, p->flat ? reply_flat : reply_nested, &one);
    drop(z, &span);
    zset_done(c, k, pop_event(p->max));
    call_effect(c, k, 3, effect);
}

bool zset_pop_first(struct call *c, const struct zset_pop *p) {
    const struct key *k;

    if (!first_key(c, TYPE_ZSET, &k))
        return true;
    if (k != NULL)
        pop_from(c, k, p);
    return k != NULL;
}

void cmd_zmpop(struct call *c) {
    struct zset_pop p = {.flat = false};

    if (arg_zset_pop(c, 1, &p) && !zset_pop_first(c, &p))
        reply_null_array(c->reply);
}
