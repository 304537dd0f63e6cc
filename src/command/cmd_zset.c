/* cmd_zset.c - sorted sets, member by member. Source: https://redis.io/commands/?group=sorted-set */
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <math.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"
#include "reserve.h"
#include "sample.h"

struct zset *edit_zset(struct call *c, const struct key *k, bool create, void (*missing)(struct call *c)) {
    return (struct zset *)edit_object(c, k, TYPE_ZSET, create, missing);
}

void zset_done(struct call *c, const struct key *k, const char *event) {
    object_done(c, k, EVENT_ZSET, event);
}

bool read_zset(struct call *c, size_t key, const struct zset **z) {
    const struct object *o = NULL;
    bool ok = read_object(c, &c->keys[key], TYPE_ZSET, &o);

    *z = (const struct zset *)o;
    return ok;
}

bool zset_stored(struct call *c, enum zset_result result) {
    if (result == ZSET_NO_MEMORY)
        reply_store_error(c, STORE_NO_MEMORY);
    else if (result == ZSET_TOO_LONG)
        reply_error(c->reply, "ERR member is too long (at most 131071 bytes)");
    return result == ZSET_ADDED;
}

/* ---- ZADD and ZINCRBY -------------------------------------------------------------------------------------------- */

struct zadd {
    bool nx, xx, gt, lt; /* only new members, only existing ones, only greater scores, only lower ones */
    bool ch, incr;       /* count changes too; add to the score, and reply it */
    int64_t added, changed;
    bool refused; /* by one of the conditions: the last member */
    double score; /* of the last member */
};

/* Parses the options; *at becomes the argument of the first score. */
static void zadd_options(const struct call *c, struct zadd *a, size_t *at) {
    const struct {
        const char *word;
        bool *flag;
    } options[] = {{"nx", &a->nx}, {"xx", &a->xx}, {"gt", &a->gt},
                   {"lt", &a->lt}, {"ch", &a->ch}, {"incr", &a->incr}};
    enum { OPTIONS = sizeof(options) / sizeof(*options) };
    size_t i;

    for (; *at < c->argc; ++*at) {
        for (i = 0; i < OPTIONS && !arg_is(c, *at, options[i].word); i++)
            ;
        if (i == OPTIONS)
            return;
        *options[i].flag = true;
    }
}

/* Are the options compatible, and followed by pairs? False: replied an error. */
static bool zadd_makes_sense(struct call *c, const struct zadd *a, size_t at) {
    if (at == c->argc || (c->argc - at) % 2 != 0)
        reply_syntax_error(c);
    else if (a->nx && a->xx)
        reply_error(c->reply, "ERR XX and NX options at the same time are not compatible");
    else if ((a->nx && (a->gt || a->lt)) || (a->gt && a->lt))
        reply_error(c->reply, "ERR GT, LT, and/or NX options at the same time are not compatible");
    else if (a->incr && c->argc - at > 2)
        reply_error(c->reply, "ERR INCR option supports a single increment-element pair");
    else
        return true;
    return false;
}

static bool arg_score(struct call *c, size_t i, double *out) {
    if (num_parse_double(call_arg(c, i), out))
        return true;
    reply_error(c->reply, "ERR value is not a valid float");
    return false;
}

/* Changes an existing member. False: replied an error. */
static bool zadd_old(struct call *c, struct zset *z, struct zadd *a, zset_place at, double score) {
    double old = zset_score(z, at);

    a->refused = a->nx;
    if (a->refused)
        return true;
    if (a->incr)
        score += old;
    if (isnan(score)) {
        reply_error(c->reply, "ERR resulting score is not a number (NaN)");
        return false;
    }
    a->refused = (a->gt && score <= old) || (a->lt && score >= old);
    a->score = score;
    if (a->refused || score == old)
        return true;
    if (!zset_move(z, at, score)) {
        reply_store_error(c, STORE_NO_MEMORY);
        return false;
    }
    a->changed++;
    return true;
}

static bool zadd_one(struct call *c, struct zset *z, struct zadd *a, struct slice member, double score) {
    zset_place at = zset_find(z, member);

    if (at != NULL)
        return zadd_old(c, z, a, at, score);
    a->refused = a->xx;
    a->score = score;
    if (a->refused)
        return true;
    if (!zset_stored(c, zset_add(z, member, score)))
        return false;
    a->added++;
    return true;
}

static void zadd_reply(struct call *c, const struct zadd *a) {
    if (!a->incr)
        reply_integer(c->reply, a->ch ? a->added + a->changed : a->added);
    else if (a->refused)
        reply_null(c->reply);
    else
        reply_real(c->reply, a->score);
}

/* Adds the pairs of score and member from argument `at` on, all or none; their scores have been parsed. */
static void zadd_all(struct call *c, struct zadd *a, size_t at, const double *scores) {
    bool several = c->argc > at + 2, ready, ok;
    struct zset *z;

    if (several && !names_fit(c, at + 1, 2)) {
        zset_stored(c, ZSET_TOO_LONG);
        return;
    }
    z = edit_zset(c, &c->keys[0], !a->xx, a->incr ? missing_null : missing_zero);
    if (z == NULL)
        return;
    ok = ready = !several || reserve_for_arguments(c, (struct object *)z, at);
    for (size_t i = at; i < c->argc && ok; i += 2)
        ok = zadd_one(c, z, a, call_arg(c, i + 1), scores[(i - at) / 2]);
    if (several && ready)
        mem_reserve_end();
    if (ok)
        zadd_reply(c, a);
    zset_done(c, &c->keys[0], a->added + a->changed == 0 ? NULL : a->incr ? "zincr" : "zadd");
}

/* Parses all scores before the first member is added. */
static void zadd(struct call *c, struct zadd *a, size_t at) {
    enum { ON_STACK = 16 };
    double room[ON_STACK], *scores = room;
    size_t pairs = (c->argc - at) / 2, n = 0;

    if (pairs > ON_STACK && (scores = mem_alloc(pairs * sizeof(*scores))) == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    while (n < pairs && arg_score(c, at + 2 * n, &scores[n]))
        n++;
    if (n == pairs)
        zadd_all(c, a, at, scores);
    if (scores != room)
        mem_free(scores);
}

void cmd_zadd(struct call *c) {
    struct zadd a = {.refused = false};
    size_t at = 2;

    zadd_options(c, &a, &at);
    if (zadd_makes_sense(c, &a, at))
        zadd(c, &a, at);
}

void cmd_zincrby(struct call *c) {
    struct zadd a = {.incr = true};

    zadd(c, &a, 2);
}

void cmd_zrem(struct call *c) {
    struct zset *z = edit_zset(c, &c->keys[0], false, missing_zero);
    int64_t n = 0;

    if (z == NULL)
        return;
    for (size_t i = 2; i < c->argc; i++)
        n += zset_remove(z, call_arg(c, i));
    reply_integer(c->reply, n);
    zset_done(c, &c->keys[0], n > 0 ? "zrem" : NULL);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

void cmd_zcard(struct call *c) {
    const struct zset *z;

    if (read_zset(c, 0, &z))
        reply_integer(c->reply, z != NULL ? (int64_t)zset_len(z) : 0);
}

static void reply_score_of(struct call *c, const struct zset *z, struct slice member) {
    zset_place at = z != NULL ? zset_find(z, member) : NULL;

    if (at != NULL)
        reply_real(c->reply, zset_score(z, at));
    else
        reply_null(c->reply);
}

void cmd_zscore(struct call *c) {
    const struct zset *z;

    if (read_zset(c, 0, &z))
        reply_score_of(c, z, call_arg(c, 2));
}

void cmd_zmscore(struct call *c) {
    const struct zset *z;

    if (!read_zset(c, 0, &z))
        return;
    reply_array(c->reply, c->argc - 2);
    for (size_t i = 2; i < c->argc; i++)
        reply_score_of(c, z, call_arg(c, i));
}

/* WITHSCORE is of Redis 7.2; in 7.0 any fourth argument is an error. */
static void rank(struct call *c, bool from_end) {
    bool with_score = c->argc > 3;
    const struct zset *z;
    zset_place at;
    size_t n;

    if (c->argc > 4 || (with_score && !arg_is(c, 3, "withscore"))) {
        reply_error(c->reply, "ERR wrong number of arguments for '%s' command", c->command->name);
        return;
    }
    if (!read_zset(c, 0, &z))
        return;
    at = z != NULL ? zset_find(z, call_arg(c, 2)) : NULL;
    if (at == NULL) {
        (with_score ? missing_null_array : missing_null)(c);
        return;
    }
    n = zset_rank(z, at);
    if (with_score)
        reply_array(c->reply, 2);
    reply_integer(c->reply, (int64_t)(from_end ? zset_len(z) - 1 - n : n));
    if (with_score)
        reply_real(c->reply, zset_score(z, at));
}

void cmd_zrank(struct call *c) {
    rank(c, false);
}

void cmd_zrevrank(struct call *c) {
    rank(c, true);
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

struct walk {
    struct call *c;
    const struct zset *z;
    bool with_scores;
    struct slice pattern; /* ptr NULL: all */
    struct names names;
};

static void reply_place(void *ctx, zset_place at) {
    const struct walk *w = ctx;

    reply_bulk(w->c->reply, zset_member(w->z, at));
    if (w->with_scores)
        reply_real(w->c->reply, zset_score(w->z, at));
}

static void reply_pair_of(void *ctx, zset_place at) {
    begin_pair(((const struct walk *)ctx)->c);
    reply_place(ctx, at);
}

void reply_span(struct call *c, const struct zset *z, const struct zset_span *span, bool with_scores) {
    struct walk w = {.c = c, .z = z, .with_scores = with_scores};

    if (with_scores)
        reply_pairs(c, span->count);
    else
        reply_array(c->reply, span->count);
    zset_walk(z, span->rank, span->count, span->down, with_scores ? reply_pair_of : reply_place, &w);
}

void reply_scores(struct call *c, const struct zset *z) {
    struct walk w = {.c = c, .z = z, .with_scores = true};

    reply_map(c->reply, zset_len(z));
    zset_walk(z, 0, zset_len(z), false, reply_place, &w);
}

static void gather_place(void *ctx, zset_place at) {
    struct walk *w = ctx;
    struct slice member = zset_member(w->z, at);
    char digits[NUM_DOUBLE_MAX];

    if (w->pattern.ptr != NULL && !glob_match(w->pattern, member))
        return;
    names_add(&w->names, member);
    names_add(&w->names, slice_of(digits, num_format_double(zset_score(w->z, at), digits)));
}

void cmd_zscan(struct call *c) {
    struct walk w = {.names = names_make(c)};
    struct scan_args scan;
    uint64_t next = 0;

    if (!arg_cursor(c, 2, &scan) || !read_zset(c, 0, &w.z))
        return;
    if (w.z != NULL) { /* without a key the options are not parsed, as in Redis */
        if (!arg_scan(c, 3, false, &scan))
            return;
        w.pattern = scan.pattern;
        next = zset_scan(w.z, scan.cursor, scan.count, gather_place, &w);
    }
    names_reply_page(c, next, &w.names);
}

/* ---- at random --------------------------------------------------------------------------------------------------- */

static const void *source_random(const void *object) {
    return zset_random(object);
}

static void source_walk(const void *object, void (*visit)(void *ctx, const void *place), void *ctx) {
    zset_scan(object, 0, SIZE_MAX, visit, ctx);
}

static void random_count(struct call *c) {
    struct walk w = {.c = c};
    struct sample_args args;

    if (!arg_sample(c, "withscores", &args) || !read_zset(c, 0, &w.z))
        return;
    w.with_scores = args.pairs;
    reply_sample(c, &(struct sample_source){w.z, w.z != NULL ? zset_len(w.z) : 0, source_random, source_walk},
                 &args, reply_place, &w);
}

void cmd_zrandmember(struct call *c) {
    struct walk w = {.c = c};

    if (c->argc > 2)
        random_count(c);
    else if (read_zset(c, 0, &w.z) && w.z == NULL)
        reply_null(c->reply);
    else if (w.z != NULL)
        reply_place(&w, zset_random(w.z));
}
