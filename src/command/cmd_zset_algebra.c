/* cmd_zset_algebra.c - unions, intersections and differences of sorted sets, and of sets, whose members have score 1.
 * Source: https://redis.io/commands/zunion and related pages
 *
 * A union takes each member from the first source that has it, and looks it up in the later ones; an intersection walks the
 * smallest source, a difference the first, and both look each member up in all others. So a member of the result is visited
 * once, and its final score is then known. */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <math.h>
#include <stdlib.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

enum operation { UNION, INTERSECTION, DIFFERENCE };
enum aggregate { SUM, MIN, MAX };

/* A set or a sorted set; both NULL: no such key. */
struct source {
    const struct zset *zset;
    const struct set *set;
    double weight;
    size_t order; /* index of the key in the command */
};

struct combination {
    struct call *c;
    enum operation operation;
    enum aggregate aggregate;
    bool with_scores;
    struct source *sources;
    size_t count;
    size_t walked;       /* index of the source that is walked */
    struct zset *result; /* members go here, or are counted if NULL */
    uint64_t found, limit;
    bool failed; /* replied an error */
};

/* ---- sources ----------------------------------------------------------------------------------------------------- */

static size_t source_len(const struct source *s) {
    return s->zset != NULL ? zset_len(s->zset) : s->set != NULL ? set_len(s->set) : 0;
}

static bool source_score(const struct source *s, struct slice member, double *score) {
    zset_place at = s->zset != NULL ? zset_find(s->zset, member) : NULL;

    *score = at != NULL ? zset_score(s->zset, at) : 1;
    return at != NULL || (s->set != NULL && set_has(s->set, member));
}

/* False: the key is of another type, and WRONGTYPE is replied. */
static bool source_open(struct call *c, const struct key *k, struct source *s) {
    const struct entry *e = store_get(c->txn, k);

    if (e != NULL && entry_type(e) == TYPE_SET)
        s->set = entry_set(e);
    else if (is_type(c, e, TYPE_ZSET))
        s->zset = e != NULL ? entry_zset(e) : NULL;
    else
        return false;
    return true;
}

/* ---- combining --------------------------------------------------------------------------------------------------- */

/* Infinity minus infinity, or times zero, counts as 0. */
static double number(double d) {
    return isnan(d) ? 0 : d;
}

static double aggregated(enum aggregate how, double a, double b) {
    switch (how) {
    case SUM:
        return number(a + b);
    case MIN:
        return b < a ? b : a;
    case MAX:
        return b > a ? b : a;
    }
    return a;
}

/* Does source `i`, which is not the walked one, leave the member in the result? If so, aggregates its score. */
static bool agrees(const struct combination *b, size_t i, struct slice member, double *score) {
    double theirs;
    bool has = source_score(&b->sources[i], member, &theirs);

    theirs *= b->sources[i].weight;
    if (has && b->operation != DIFFERENCE) /* an intersection keeps NaN, as in Redis */
        *score = aggregated(b->aggregate, *score, b->operation == UNION ? number(theirs) : theirs);
    switch (b->operation) {
    case UNION:
        return !has || i > b->walked; /* an earlier source has already contributed it */
    case INTERSECTION:
        return has;
    case DIFFERENCE:
        return !has;
    }
    return false;
}

static void combine_member(struct combination *b, struct slice member, double score) {
    if (b->failed || b->found >= b->limit)
        return;
    score = number(b->sources[b->walked].weight * score);
    for (size_t i = 0; i < b->count; i++)
        if (i != b->walked && !agrees(b, i, member, &score))
            return;
    b->found++;
    if (b->result != NULL)
        b->failed = !zset_stored(b->c, zset_add(b->result, member, score));
}

static void combine_zset_member(void *ctx, zset_place at) {
    struct combination *b = ctx;
    const struct zset *z = b->sources[b->walked].zset;

    combine_member(b, zset_member(z, at), zset_score(z, at));
}

static void combine_set_member(void *ctx, set_place at) {
    struct combination *b = ctx;
    char room[SET_ROOM];

    combine_member(b, set_member(b->sources[b->walked].set, at, room), 1);
}

static void walk(struct combination *b) {
    const struct source *s = &b->sources[b->walked];

    if (s->zset != NULL)
        zset_walk(s->zset, 0, zset_len(s->zset), false, combine_zset_member, b);
    else if (s->set != NULL)
        set_scan(s->set, 0, SIZE_MAX, combine_set_member, b);
}

static int compare_len(const void *a, const void *b) {
    const struct source *x = a, *y = b;
    size_t m = source_len(x), n = source_len(y);

    return m != n ? (m > n) - (m < n) : (x->order > y->order) - (x->order < y->order);
}

/* Scores are added in the order of the sources' sizes, as in Redis: sums of floats depend on the order. */
static void combine(struct combination *b) {
    size_t walks = b->operation == UNION ? b->count : 1;

    if (b->operation != DIFFERENCE)
        qsort(b->sources, b->count, sizeof(*b->sources), compare_len);
    for (b->walked = 0; b->walked < walks; b->walked++)
        walk(b);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static bool syntax_error(struct call *c) {
    reply_syntax_error(c);
    return false;
}

/* Parses WEIGHTS, one number for each source, from argument `i` on. */
static bool arg_weights(struct combination *b, size_t i) {
    for (size_t k = 0; k < b->count; k++)
        if (!num_parse_double(call_arg(b->c, i + k), &b->sources[k].weight)) {
            reply_error(b->c->reply, "ERR weight value is not a float");
            return false;
        }
    return true;
}

static bool arg_aggregate(struct combination *b, size_t i) {
    static const char *const words[] = {[SUM] = "sum", [MIN] = "min", [MAX] = "max"};

    for (unsigned how = SUM; how <= MAX; how++)
        if (arg_is(b->c, i, words[how])) {
            b->aggregate = (enum aggregate)how;
            return true;
        }
    return syntax_error(b->c);
}

static bool arg_limit(struct combination *b, size_t i) {
    int64_t limit;

    if (!num_parse_i64(call_arg(b->c, i), &limit) || limit < 0) {
        reply_error(b->c->reply, "ERR LIMIT can't be negative");
        return false;
    }
    b->limit = limit > 0 ? (uint64_t)limit : UINT64_MAX;
    return true;
}

/* Which options a command has. */
enum form { WEIGHS = 1 /* WEIGHTS, AGGREGATE */, SCORES = 2 /* WITHSCORES */, LIMITS = 4 };

/* Parses the options from argument `i` on. False: replied an error. */
static bool arg_options(struct combination *b, size_t i, unsigned form) {
    const struct call *c = b->c;

    while (i < c->argc) {
        size_t left = c->argc - i - 1;

        if ((form & WEIGHS) && left >= b->count && arg_is(c, i, "weights")) {
            if (!arg_weights(b, i + 1))
                return false;
            i += 1 + b->count;
        } else if ((form & WEIGHS) && left >= 1 && arg_is(c, i, "aggregate")) {
            if (!arg_aggregate(b, i + 1))
                return false;
            i += 2;
        } else if ((form & SCORES) && arg_is(c, i, "withscores")) {
            b->with_scores = true;
            i++;
        } else if ((form & LIMITS) && left >= 1 && arg_is(c, i, "limit")) {
            if (!arg_limit(b, i + 1))
                return false;
            i += 2;
        } else {
            return syntax_error(b->c);
        }
    }
    return true;
}

/* Replies why there are no keys, by the value of numkeys, argument `i`. */
static void reply_numkeys_error(struct call *c, size_t i) {
    int64_t n;

    if (!arg_i64(c, i, &n))
        return;
    if (n < 1)
        reply_error(c->reply, "ERR at least 1 input key is needed for '%s' command", c->command->name);
    else
        reply_syntax_error(c);
}

/* Opens the sources, which are the call's keys from `first` on, and parses the options after them. */
static bool prepare(struct combination *b, size_t first, unsigned form) {
    struct call *c = b->c;

    for (size_t i = 0; i < b->count; i++) {
        b->sources[i] = (struct source){.weight = 1, .order = i};
        if (!source_open(c, &c->keys[first + i], &b->sources[i]))
            return false;
    }
    return arg_options(b, first + 2 + b->count, form);
}

/* Parses the arguments and combines; `first` is 1 if a destination precedes the number of keys, else 0. False: replied an
 * error. */
static bool run(struct combination *b, size_t first, unsigned form) {
    struct call *c = b->c;

    if (c->key_count == 0) {
        reply_numkeys_error(c, first + 1);
        return false;
    }
    b->limit = UINT64_MAX;
    b->count = c->key_count - first;
    b->sources = mem_alloc(b->count * sizeof(*b->sources));
    if (b->sources == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return false;
    }
    b->failed = !prepare(b, first, form);
    if (!b->failed)
        combine(b);
    mem_free(b->sources);
    return !b->failed;
}

/* The same into a new sorted set, for store_free_object or store_set_object. NULL: replied an error. */
static struct zset *run_to_zset(struct combination *b, size_t first, unsigned form) {
    b->result = (struct zset *)store_new_object(b->c->server->store, TYPE_ZSET);
    if (b->result == NULL ||
        !zset_expect(b->result, SIZE_MAX)) /* the packed encoding does not preserve -0, which a reply shows */
        reply_store_error(b->c, STORE_NO_MEMORY);
    else if (run(b, first, form))
        return b->result;
    if (b->result != NULL)
        store_free_object((struct object *)b->result);
    return NULL;
}

/* ---- replying, storing, counting --------------------------------------------------------------------------------- */

static void reply_combined(struct call *c, enum operation operation, unsigned form) {
    struct combination b = {.c = c, .operation = operation};
    struct zset *result = run_to_zset(&b, 0, form);

    if (result == NULL)
        return;
    reply_span(c, result, &(struct zset_span){.count = zset_len(result)}, b.with_scores);
    store_free_object((struct object *)result);
}

static void store_combined(struct call *c, enum operation operation, unsigned form, const char *event) {
    struct combination b = {.c = c, .operation = operation};
    struct zset *result = run_to_zset(&b, 1, form);

    if (result == NULL)
        return;
    zset_pack(result);
    store_collection(c, &c->keys[0], (struct object *)result, zset_len(result), EVENT_ZSET, event);
}

void cmd_zunion(struct call *c) {
    reply_combined(c, UNION, WEIGHS | SCORES);
}

void cmd_zinter(struct call *c) {
    reply_combined(c, INTERSECTION, WEIGHS | SCORES);
}

void cmd_zdiff(struct call *c) {
    reply_combined(c, DIFFERENCE, SCORES);
}

void cmd_zunionstore(struct call *c) {
    store_combined(c, UNION, WEIGHS, "zunionstore");
}

void cmd_zinterstore(struct call *c) {
    store_combined(c, INTERSECTION, WEIGHS, "zinterstore");
}

void cmd_zdiffstore(struct call *c) {
    store_combined(c, DIFFERENCE, 0, "zdiffstore");
}

void cmd_zintercard(struct call *c) {
    struct combination b = {.c = c, .operation = INTERSECTION};

    if (run(&b, 0, LIMITS))
        reply_integer(c->reply, (int64_t)b.found);
}
