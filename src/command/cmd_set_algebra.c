/* cmd_set_algebra.c - intersections, unions and differences of sets.
 * Source: https://redis.io/commands/sinter and related pages
 *
 * All work the same way: a combination walks its sets and passes each member of the result to a sink, which counts it, adds it
 * to a new set, or collects its bytes for the reply; a set is built only if it is stored. */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

struct combination {
    struct call *c;
    const struct set **sets; /* NULL: no such key */
    size_t count;
    struct set *result;  /* members go here, */
    struct names *names; /* or here; or are counted */
    size_t walking;      /* index of the set that is walked */
    const struct set *walked;
    uint64_t found, limit; /* members of the result; where to stop */
    bool failed;           /* replied an error */
};

typedef void combine(struct combination *b);

static void sink(struct combination *b, struct slice member) {
    b->found++;
    if (b->result != NULL)
        b->failed = b->failed || !set_stored(b->c, set_add(b->result, member));
    else if (b->names != NULL)
        names_add(b->names, member);
}

static void walk(struct combination *b, const struct set *s, set_visit *visit) {
    b->walked = s;
    set_scan(s, 0, SIZE_MAX, visit, b);
}

/* ---- the operations -------------------------------------------------------------------------------------------- */

static void unite_member(void *ctx, set_place at) {
    struct combination *b = ctx;
    char room[SET_ROOM];
    struct slice member = set_member(b->walked, at, room);

    if (b->failed)
        return;
    for (size_t i = 0; b->result == NULL && i < b->walking; i++)
        if (b->sets[i] != NULL && set_has(b->sets[i], member))
            return;
    sink(b, member);
}

static void unite(struct combination *b) {
    for (b->walking = 0; b->walking < b->count; b->walking++)
        if (b->sets[b->walking] != NULL)
            walk(b, b->sets[b->walking], unite_member);
}

static void intersect_member(void *ctx, set_place at) {
    struct combination *b = ctx;
    char room[SET_ROOM];
    struct slice member = set_member(b->walked, at, room);

    if (b->failed || b->found >= b->limit)
        return;
    for (size_t i = 0; i < b->count; i++)
        if (b->sets[i] != b->walked && !set_has(b->sets[i], member))
            return;
    sink(b, member);
}

/* Walks the smallest set, looks each member up in the others. */
static void intersect(struct combination *b) {
    const struct set *smallest = b->sets[0];

    for (size_t i = 0; i < b->count; i++) {
        if (b->sets[i] == NULL)
            return;
        if (set_len(b->sets[i]) < set_len(smallest))
            smallest = b->sets[i];
    }
    walk(b, smallest, intersect_member);
}

static void subtract_member(void *ctx, set_place at) {
    struct combination *b = ctx;
    char room[SET_ROOM];
    struct slice member = set_member(b->walked, at, room);

    for (size_t i = 1; i < b->count; i++)
        if (b->sets[i] != NULL && set_has(b->sets[i], member))
            return;
    if (!b->failed)
        sink(b, member);
}

static void subtract(struct combination *b) {
    if (b->sets[0] != NULL)
        walk(b, b->sets[0], subtract_member);
}

/* ---- replying, storing, counting -------------------------------------------------------------------------------- */

/* Combines the sets of the call's keys from `first` on. False: replied an error. */
static bool run(struct combination *b, size_t first, combine *how) {
    struct call *c = b->c;

    b->count = c->key_count - first;
    b->sets = mem_alloc(b->count * sizeof(*b->sets));
    if (b->sets == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return false;
    }
    for (size_t i = 0; i < b->count && !b->failed; i++)
        b->failed = !read_set(c, first + i, &b->sets[i]);
    if (!b->failed)
        how(b);
    mem_free(b->sets);
    return !b->failed;
}

/* The result in a set of its own, for store_free_object or store_set_object. NULL: replied an error. */
static struct set *run_to_set(struct call *c, size_t first, combine *how) {
    struct combination b = {.c = c, .limit = UINT64_MAX};

    b.result = (struct set *)store_new_object(c->server->store, TYPE_SET);
    if (b.result == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else if (!run(&b, first, how)) {
        store_free_object((struct object *)b.result);
        b.result = NULL;
    }
    return b.result;
}

static void reply_combined(struct call *c, combine *how) {
    struct names names = names_make(c);
    struct combination b = {.c = c, .limit = UINT64_MAX, .names = &names};

    if (run(&b, 0, how))
        names_reply_set(c, &names);
    else
        buf_free(&names.bytes);
}

static void store_combined(struct call *c, combine *how, const char *event) {
    struct set *result = run_to_set(c, 1, how);

    if (result != NULL)
        store_collection(c, &c->keys[0], (struct object *)result, set_len(result), EVENT_SET, event);
}

void cmd_sinter(struct call *c) {
    reply_combined(c, intersect);
}

void cmd_sinterstore(struct call *c) {
    store_combined(c, intersect, "sinterstore");
}

void cmd_sunion(struct call *c) {
    reply_combined(c, unite);
}

void cmd_sunionstore(struct call *c) {
    store_combined(c, unite, "sunionstore");
}

void cmd_sdiff(struct call *c) {
    reply_combined(c, subtract);
}

void cmd_sdiffstore(struct call *c) {
    store_combined(c, subtract, "sdiffstore");
}

void cmd_sintercard(struct call *c) {
    struct combination b = {.c = c, .limit = UINT64_MAX};
    int64_t keys, limit = 0;

    if (c->key_count == 0) {
        reply_error(c->reply, num_parse_i64(call_arg(c, 1), &keys) && keys > 0
                                  ? "ERR Number of keys can't be greater than number of args"
                                  : "ERR numkeys should be greater than 0");
        return;
    }
    for (size_t i = 2 + c->key_count; i < c->argc; i += 2) { /* the last of several counts */
        if (i + 1 == c->argc || !arg_is(c, i, "limit")) {
            reply_syntax_error(c);
            return;
        }
        if (!num_parse_i64(call_arg(c, i + 1), &limit) || limit < 0) {
            reply_error(c->reply, "ERR LIMIT can't be negative");
            return;
        }
    }
    if (limit > 0)
        b.limit = (uint64_t)limit;
    if (run(&b, 0, intersect))
        reply_integer(c->reply, (int64_t)b.found);
}
