/* sample.c - sampling without repetition: a small share by rejection, a large one by shuffling all members. */
#include "sample.h"

#include <flashkv/mem.h>
#include <flashkv/random.h>

#include "args.h"

enum { SHARE = 3 }; /* at most a third is wanted, so a try succeeds with a probability of at least 2/3 */

struct places {
    const void **at;
    size_t n;
};

static void gather(void *ctx, const void *place) {
    struct places *p = ctx;

    p->at[p->n++] = place;
}

/* Lists all members, then takes the first `count` of a Fisher-Yates shuffle. */
static const void **sample_shuffled(const struct sample_source *source, size_t count) {
    struct places p = {mem_alloc(source->len * sizeof(*p.at)), 0};

    if (p.at == NULL)
        return NULL;
    source->walk(source->object, gather, &p);
    for (size_t i = 0; i < count && count < p.n; i++) {
        size_t other = i + random_below(p.n - i);
        const void *place = p.at[i];

        p.at[i] = p.at[other];
        p.at[other] = place;
    }
    return p.at;
}

/* Adds a member to the hash set `seen`; false: it was in it. `seen` has a power of two slots, at most half of them used. */
static bool note(const void **seen, size_t slots, const void *place) {
    size_t i = ((uintptr_t)place * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

    for (i &= slots - 1; seen[i] != NULL; i = (i + 1) & (slots - 1))
        if (seen[i] == place)
            return false;
    seen[i] = place;
    return true;
}

static const void **sample_tried(const struct sample_source *source, size_t count) {
    struct places p = {mem_alloc(count * sizeof(*p.at)), 0};
    size_t slots = 16;
    const void **seen;

    while (slots < 2 * count)
        slots *= 2;
    seen = mem_zalloc(slots * sizeof(*seen));
    while (p.at != NULL && seen != NULL && p.n < count) {
        const void *place = source->random(source->object);

        if (note(seen, slots, place))
            gather(&p, place);
    }
    if (seen == NULL) {
        mem_free(p.at);
        p.at = NULL;
    }
    mem_free(seen);
    return p.at;
}

const void **sample_distinct(const struct sample_source *source, size_t count) {
    if (count < source->len / SHARE)
        return sample_tried(source, count);
    return sample_shuffled(source, count);
}

bool arg_sample(struct call *c, const char *word, struct sample_args *out) {
    if (!arg_i64(c, 2, &out->count) || !arg_repeats(c, out->count))
        return false;
    out->pairs = c->argc > 3;
    if (c->argc > 4 || (out->pairs && !arg_is(c, 3, word))) {
        reply_syntax_error(c);
        return false;
    }
    if (out->pairs && out->count > INT64_MAX / 2) {
        reply_error(c->reply, "ERR value is out of range");
        return false;
    }
    return true;
}

/* Collects all members. */
struct sample_reply {
    struct call *c;
    bool pairs;
    void (*reply)(void *ctx, const void *place);
    void *ctx;
};

static void begin(const struct sample_reply *r, size_t n) {
    if (r->pairs)
        reply_pairs(r->c, n);
    else
        reply_array(r->c->reply, n);
}

static void reply_one(const struct sample_reply *r, const void *place) {
    if (r->pairs)
        begin_pair(r->c);
    r->reply(r->ctx, place);
}

static void reply_distinct(const struct sample_reply *r, const struct sample_source *source, size_t n) {
    const void **places = sample_distinct(source, n);

    if (places == NULL) {
        reply_store_error(r->c, STORE_NO_MEMORY);
        return;
    }
    begin(r, n);
    for (size_t i = 0; i < n; i++)
        reply_one(r, places[i]);
    mem_free(places);
}

void reply_sample(struct call *c, const struct sample_source *source, const struct sample_args *args,
                  void (*reply)(void *ctx, const void *place), void *ctx) {
    struct sample_reply r = {c, args->pairs, reply, ctx};

    if (source->len == 0 || args->count == 0) {
        reply_array(c->reply, 0);
    } else if (args->count > 0) {
        reply_distinct(&r, source, (uint64_t)args->count < source->len ? (size_t)args->count : source->len);
    } else {
        begin(&r, (size_t)-args->count);
        for (int64_t i = args->count; i < 0; i++)
            reply_one(&r, source->random(source->object));
    }
}
