/* cmd_zset_range.c - ranges of a sorted set: by rank, by score, by the members' bytes.
 * Source: https://redis.io/commands/zrange and related pages
 *
 * A range of any kind is converted to one of ranks, by the number of members below each bound; counting, replying,
 * storing and removing then work on ranks only. */
#include <flashkv/num.h>
#include <math.h>
#include <stdlib.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

enum range_by { BY_RANK, BY_SCORE, BY_LEX };

/* One end of a range. */
struct bound {
    int64_t rank;        /* BY_RANK; below 0: from the end */
    double score;        /* BY_SCORE */
    struct slice member; /* BY_LEX */
    bool exclusive;
    bool lowest, highest; /* BY_LEX: "-" or "+", beyond all members */
};

struct range {
    enum range_by by;
    bool down; /* descending */
    struct bound min, max;
    bool limited; /* LIMIT is given */
    int64_t offset, limit;
    bool with_scores;
};

/* ---- reading bounds ---------------------------------------------------------------------------------------------- */

/* Parses a score, or "(" and a score; as Redis, whatever strtod accepts, including an empty text. */
static bool score_bound(struct slice s, struct bound *b) {
    char text[NUM_LONG_DOUBLE_MAX], *end;

    b->exclusive = slice_starts(s, SLICE_LIT("("));
    s = slice_of(s.ptr + b->exclusive, s.len - b->exclusive);
    if (s.len >= sizeof(text))
        return false;
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    b->score = strtod(text, &end);
    return *end == '\0' && !isnan(b->score);
}

static bool lex_bound(struct slice s, struct bound *b) {
    b->lowest = slice_eq(s, SLICE_LIT("-"));
    b->highest = slice_eq(s, SLICE_LIT("+"));
    if (b->lowest || b->highest)
        return true;
    b->exclusive = slice_starts(s, SLICE_LIT("("));
    if (!b->exclusive && !slice_starts(s, SLICE_LIT("[")))
        return false;
    b->member = slice_of(s.ptr + 1, s.len - 1);
    return true;
}

/* Parses the bounds in arguments `i` and `i + 1`, the upper one first if `swapped`. False: replied an error. */
static bool arg_bounds(struct call *c, size_t i, bool swapped, struct range *r) {
    struct slice min = call_arg(c, i + swapped), max = call_arg(c, i + !swapped);

    switch (r->by) {
    case BY_RANK:
        return arg_i64(c, i, &r->min.rank) && arg_i64(c, i + 1, &r->max.rank);
    case BY_SCORE:
        if (score_bound(min, &r->min) && score_bound(max, &r->max))
            return true;
        reply_error(c->reply, "ERR min or max is not a float");
        return false;
    case BY_LEX:
        if (lex_bound(min, &r->min) && lex_bound(max, &r->max))
            return true;
        reply_error(c->reply, "ERR min or max not valid string range item");
        return false;
    }
    return false;
}

/* ---- from bounds to ranks ---------------------------------------------------------------------------------------- */

/* How many members are below the bound; for an inclusive upper bound, including those equal to it. */
static size_t below(const struct zset *z, enum range_by by, const struct bound *b, bool upper) {
    bool or_equal = upper != b->exclusive;

    if (by == BY_SCORE)
        return zset_below_score(z, b->score, or_equal);
    if (b->lowest || b->highest)
        return b->highest ? zset_len(z) : 0;
    return zset_below_member(z, b->member, or_equal);
}

static struct zset_span span_of_ranks(const struct zset *z, const struct range *r) {
    int64_t len = (int64_t)zset_len(z);
    int64_t first = r->min.rank < 0 ? r->min.rank + len : r->min.rank;
    int64_t last = r->max.rank < 0 ? r->max.rank + len : r->max.rank;

    if (first < 0)
        first = 0;
    if (last >= len)
        last = len - 1;
    if (first > last)
        return (struct zset_span){0, 0, r->down};
    return (struct zset_span){(size_t)(r->down ? len - 1 - first : first), (size_t)(last - first + 1),
                              r->down};
}

/* The members in the range, before LIMIT is applied. */
static struct zset_span span_of(const struct zset *z, const struct range *r) {
    size_t from, to;

    if (r->by == BY_RANK)
        return span_of_ranks(z, r);
    from = below(z, r->by, &r->min, false);
    to = below(z, r->by, &r->max, true);
    if (from >= to)
        return (struct zset_span){0, 0, r->down};
    return (struct zset_span){r->down ? to - 1 : from, to - from, r->down};
}

static void limit_span(struct zset_span *s, const struct range *r) {
    if (!r->limited)
        return;
    if (r->offset < 0 || (uint64_t)r->offset >= s->count) {
        s->count = 0;
        return;
    }
    s->count -= (size_t)r->offset;
    s->rank = s->down ? s->rank - (size_t)r->offset : s->rank + (size_t)r->offset;
    if (r->limit >= 0 && (uint64_t)r->limit < s->count)
        s->count = (size_t)r->limit;
}

/* ---- ZRANGE and related commands --------------------------------------------------------------------------------- */

/* Which options a command has. */
enum range_form {
    FORM_FIXED = 0,
    FORM_OPEN = 1 /* BYSCORE BYLEX REV */,
    FORM_STORES = 2 /* no WITHSCORES */
};

/* Parses an option of ZRANGE, which may be given once; false: another word. */
static bool open_option(const struct call *c, size_t i, bool *by_given, struct range *r) {
    if (!r->down && arg_is(c, i, "rev")) {
        r->down = true;
        return true;
    }
    if (*by_given || (!arg_is(c, i, "byscore") && !arg_is(c, i, "bylex")))
        return false;
    r->by = arg_is(c, i, "bylex") ? BY_LEX : BY_SCORE;
    *by_given = true;
    return true;
}

/* Parses the options from argument `i` on. False: replied an error. */
static bool range_options(struct call *c, size_t i, unsigned form, struct range *r) {
    bool by_given = false;

    r->limit = -1;
    for (; i < c->argc; i++) {
        if (!(form & FORM_STORES) && arg_is(c, i, "withscores")) {
            r->with_scores = true;
        } else if (arg_is(c, i, "limit") && i + 2 < c->argc) {
            if (!arg_i64(c, i + 1, &r->offset) || !arg_i64(c, i + 2, &r->limit))
                return false;
            r->limited = true;
            i += 2;
        } else if (!(form & FORM_OPEN) || !open_option(c, i, &by_given, r)) {
            reply_syntax_error(c);
            return false;
        }
    }
    if (r->by == BY_RANK && r->limit != -1) {
        reply_error(c->reply,
                    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
                    "BYLEX");
        return false;
    }
    r->limited = r->limited && r->by != BY_RANK;
    if (r->by != BY_LEX || !r->with_scores)
        return true;
    reply_error(c->reply, "ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
}

/* Parses bounds (arguments `at` and the next) and options into `r`, which the command has initialised with its own form. */
static bool arg_range(struct call *c, size_t at, unsigned form, struct range *r) {
    return range_options(c, at + 2, form, r) && arg_bounds(c, at, r->down && r->by != BY_RANK, r);
}

static void range(struct call *c, unsigned form, struct range r) {
    const struct zset *z;
    struct zset_span span;

    if (!arg_range(c, 2, form, &r) || !read_zset(c, 0, &z))
        return;
    if (z == NULL) {
        reply_array(c->reply, 0);
        return;
    }
    span = span_of(z, &r);
    limit_span(&span, &r);
    reply_span(c, z, &span, r.with_scores);
}

void cmd_zrange(struct call *c) {
    range(c, FORM_OPEN, (struct range){.by = BY_RANK});
}

void cmd_zrevrange(struct call *c) {
    range(c, FORM_FIXED, (struct range){.by = BY_RANK, .down = true});
}

void cmd_zrangebyscore(struct call *c) {
    range(c, FORM_FIXED, (struct range){.by = BY_SCORE});
}

void cmd_zrevrangebyscore(struct call *c) {
    range(c, FORM_FIXED, (struct range){.by = BY_SCORE, .down = true});
}

void cmd_zrangebylex(struct call *c) {
    range(c, FORM_FIXED, (struct range){.by = BY_LEX});
}

void cmd_zrevrangebylex(struct call *c) {
    range(c, FORM_FIXED, (struct range){.by = BY_LEX, .down = true});
}

struct copy {
    struct call *c;
    const struct zset *from;
    struct zset *to;
    bool failed; /* replied an error */
};

static void copy_place(void *ctx, zset_place at) {
    struct copy *p = ctx;

    if (!p->failed)
        p->failed = !zset_stored(p->c, zset_add(p->to, zset_member(p->from, at), zset_score(p->from, at)));
}

void cmd_zrangestore(struct call *c) {
    struct range r = {.by = BY_RANK};
    struct copy p = {.c = c};
    struct zset_span span;

    if (!arg_range(c, 3, FORM_OPEN | FORM_STORES, &r) || !read_zset(c, 1, &p.from))
        return;
    p.to = (struct zset *)store_new_object(c->server->store, TYPE_ZSET);
    if (p.to == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    if (p.from != NULL) {
        span = span_of(p.from, &r);
        limit_span(&span, &r);
        p.failed = !zset_expect(p.to, span.count);
        if (p.failed)
            reply_store_error(c, STORE_NO_MEMORY);
        zset_walk(p.from, span.rank, span.count, span.down, copy_place, &p);
    }
    if (p.failed)
        store_free_object((struct object *)p.to);
    else
        store_collection(c, &c->keys[0], (struct object *)p.to, zset_len(p.to), EVENT_ZSET, "zrangestore");
}

/* ---- counting and removing --------------------------------------------------------------------------------------- */

static void count(struct call *c, enum range_by by) {
    struct range r = {.by = by};
    const struct zset *z;

    if (arg_bounds(c, 2, false, &r) && read_zset(c, 0, &z))
        reply_integer(c->reply, z != NULL ? (int64_t)span_of(z, &r).count : 0);
}

void cmd_zcount(struct call *c) {
    count(c, BY_SCORE);
}

void cmd_zlexcount(struct call *c) {
    count(c, BY_LEX);
}

static void remove_range(struct call *c, enum range_by by, const char *event) {
    struct range r = {.by = by};
    struct zset_span span;
    struct zset *z;

    if (!arg_bounds(c, 2, false, &r) || (z = edit_zset(c, &c->keys[0], false, missing_zero)) == NULL)
        return;
    span = span_of(z, &r);
    zset_remove_ranks(z, span.rank, span.count);
    reply_integer(c->reply, (int64_t)span.count);
    zset_done(c, &c->keys[0], span.count > 0 ? event : NULL);
}

void cmd_zremrangebyrank(struct call *c) {
    remove_range(c, BY_RANK, "zremrangebyrank");
}

void cmd_zremrangebyscore(struct call *c) {
    remove_range(c, BY_SCORE, "zremrangebyscore");
}

void cmd_zremrangebylex(struct call *c) {
    remove_range(c, BY_LEX, "zremrangebylex");
}
