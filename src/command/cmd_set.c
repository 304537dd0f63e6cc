/* cmd_set.c - sets. Source: https://redis.io/commands/?group=set */
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"
#include "reserve.h"
#include "sample.h"

static struct set *edit(struct call *c, const struct key *k, bool create, void (*missing)(struct call *c)) {
    return (struct set *)edit_object(c, k, TYPE_SET, create, missing);
}

/* Ends an edit. `event`: what changed, or NULL. */
static void done(struct call *c, const struct key *k, const char *event) {
    object_done(c, k, EVENT_SET, event);
}

bool read_set(struct call *c, size_t key, const struct set **s) {
    const struct object *o = NULL;
    bool ok = read_object(c, &c->keys[key], TYPE_SET, &o);

    *s = (const struct set *)o;
    return ok;
}

/* The same in a command that writes: no hit or miss is counted. */
static bool peek_set(struct call *c, size_t key, const struct set **s) {
    const struct object *o = NULL;
    enum store_result result = store_peek_object(c->txn, &c->keys[key], TYPE_SET, &o);

    if (result != STORE_OK)
        reply_store_error(c, result);
    *s = (const struct set *)o;
    return result == STORE_OK;
}

bool set_stored(struct call *c, enum set_result result) {
    if (result == SET_NO_MEMORY)
        reply_store_error(c, STORE_NO_MEMORY);
    else if (result == SET_TOO_LONG)
        reply_error(c->reply, "ERR member is too long (at most 131071 bytes)");
    return result == SET_ADDED || result == SET_WAS_THERE;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* All or none. */
void cmd_sadd(struct call *c) {
    bool several = c->argc > 3, ready;
    int64_t added = 0;
    struct set *s;
    size_t had;

    if (several && !names_fit(c, 2, 1)) {
        set_stored(c, SET_TOO_LONG);
        return;
    }
    s = edit(c, &c->keys[0], true, missing_zero);
    if (s == NULL)
        return;
    had = set_len(s);
    ready = !several || reserve_for_arguments(c, (struct object *)s, 2);
    for (size_t i = 2; i < c->argc && ready && added >= 0; i++) {
        enum set_result result = set_add(s, call_arg(c, i));

        added = set_stored(c, result) ? added + (result == SET_ADDED) : -1;
    }
    if (several && ready)
        mem_reserve_end();
    if (ready && added >= 0)
        reply_integer(c->reply, added);
    done(c, &c->keys[0], set_len(s) > had ? "sadd" : NULL);
}

void cmd_srem(struct call *c) {
    struct set *s = edit(c, &c->keys[0], false, missing_zero);
    int64_t n = 0;

    if (s == NULL)
        return;
    for (size_t i = 2; i < c->argc; i++)
        n += set_remove(s, call_arg(c, i));
    reply_integer(c->reply, n);
    done(c, &c->keys[0], n > 0 ? "srem" : NULL);
}

static void effect_member(struct call *c, const struct key *k, const char *name, struct slice member) {
    struct slice effect[] = {slice_str(name), k->name, member};

    call_effect(c, k, 3, effect);
}

/* Adds to the other set first, so that no failure loses the member. */
void cmd_smove(struct call *c) {
    const struct set *from, *to;
    struct slice member = call_arg(c, 3);
    enum set_result result;
    struct set *s;

    if (!peek_set(c, 0, &from))
        return;
    if (from == NULL) {
        reply_integer(c->reply, 0);
        return;
    }
    if (!peek_set(c, 1, &to))
        return;
    if (!set_has(from, member)) {
        reply_integer(c->reply, 0);
        return;
    }
    if (from == to) {
        reply_integer(c->reply, 1);
        return;
    }
    s = edit(c, &c->keys[1], true, missing_zero);
    if (s == NULL)
        return;
    result =
        set_add(s, member); /* first, so that a failure loses nothing; but its event is last, as in Redis */
    done(c, &c->keys[1], NULL);
    if (!set_stored(c, result))
        return;
    set_remove(edit(c, &c->keys[0], false, missing_zero), member);
    done(c, &c->keys[0], "srem");
    if (result == SET_ADDED)
        call_changed(c, &c->keys[1], EVENT_SET, "sadd");
    effect_member(c, &c->keys[1], "SADD", member);
    effect_member(c, &c->keys[0], "SREM", member);
    reply_integer(c->reply, 1);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

void cmd_scard(struct call *c) {
    const struct set *s;

    if (read_set(c, 0, &s))
        reply_integer(c->reply, s != NULL ? (int64_t)set_len(s) : 0);
}

void cmd_sismember(struct call *c) {
    const struct set *s;

    if (read_set(c, 0, &s))
        reply_integer(c->reply, s != NULL && set_has(s, call_arg(c, 2)));
}

void cmd_smismember(struct call *c) {
    const struct set *s;

    if (!read_set(c, 0, &s))
        return;
    reply_array(c->reply, c->argc - 2);
    for (size_t i = 2; i < c->argc; i++)
        reply_integer(c->reply, s != NULL && set_has(s, call_arg(c, i)));
}

struct walk {
    struct call *c;
    const struct set *s;
    struct slice pattern; /* ptr NULL: all */
    struct names names;
};

static void reply_place(void *ctx, set_place at) {
    const struct walk *w = ctx;
    char room[SET_ROOM];

    reply_bulk(w->c->reply, set_member(w->s, at, room));
}

void reply_members(struct call *c, const struct set *s) {
    struct walk w = {.c = c, .s = s};

    reply_set(c->reply, s != NULL ? set_len(s) : 0);
    if (s != NULL)
        set_scan(s, 0, SIZE_MAX, reply_place, &w);
}

void cmd_smembers(struct call *c) {
    const struct set *s;

    if (read_set(c, 0, &s))
        reply_members(c, s);
}

static void gather_place(void *ctx, set_place at) {
    struct walk *w = ctx;
    char room[SET_ROOM];
    struct slice member = set_member(w->s, at, room);

    if (w->pattern.ptr == NULL || glob_match(w->pattern, member))
        names_add(&w->names, member);
}

void cmd_sscan(struct call *c) {
    struct walk w = {.names = names_make(c)};
    struct scan_args scan;
    uint64_t next = 0;

    if (!arg_cursor(c, 2, &scan) || !read_set(c, 0, &w.s))
        return;
    if (w.s != NULL) { /* without a key the options are not parsed, as in Redis */
        if (!arg_scan(c, 3, false, &scan))
            return;
        w.pattern = scan.pattern;
        next = set_scan(w.s, scan.cursor, scan.count, gather_place, &w);
    }
    names_reply_page(c, next, &w.names);
}

/* ---- at random ------------------------------------------------------------------------------------------------ */

static const void *source_random(const void *object) {
    return set_random(object);
}

static void source_walk(const void *object, void (*visit)(void *ctx, const void *place), void *ctx) {
    set_scan(object, 0, SIZE_MAX, visit, ctx);
}

/* Collects `count` distinct members in w->names. False: replied, no memory. */
static bool gather_random(struct walk *w, uint64_t count) {
    struct sample_source source = {w->s, set_len(w->s), source_random, source_walk};
    size_t n = count < source.len ? (size_t)count : source.len;
    const void **places = sample_distinct(&source, n);

    if (places == NULL) {
        reply_store_error(w->c, STORE_NO_MEMORY);
        return false;
    }
    w->names = names_make(w->c);
    for (size_t i = 0; i < n; i++)
        gather_place(w, places[i]);
    mem_free(places);
    return true;
}

static void remove_name(void *ctx, struct slice name) {
    set_remove(ctx, name);
}

static void log_removed(void *ctx, struct slice name) {
    struct call *c = ctx;

    effect_member(c, &c->keys[0], "SREM", name);
}

/* Removes the picked members from the set. */
static void pop_names(struct call *c, const struct names *picked) {
    names_each(picked, remove_name, edit(c, &c->keys[0], false, missing_zero));
    done(c, &c->keys[0], "spop");
    names_each(picked, log_removed, c);
}

static void pop_many(struct call *c) {
    struct walk w = {.c = c};
    int64_t count;

    if (c->argc > 3) {
        reply_syntax_error(c);
        return;
    }
    if (!num_parse_i64(call_arg(c, 2), &count) || count < 0) {
        reply_error(c->reply, "ERR value is out of range, must be positive");
        return;
    }
    if (!peek_set(c, 0, &w.s))
        return;
    if (w.s == NULL || count == 0) {
        reply_set(c->reply, 0);
        return;
    }
    if (!gather_random(&w, (uint64_t)count))
        return;
    if (!w.names.overflow)
        pop_names(c, &w.names);
    names_reply_set(c, &w.names);
}

void cmd_spop(struct call *c) {
    struct walk w = {.c = c, .names = names_make(c)};

    if (c->argc > 2) {
        pop_many(c);
        return;
    }
    if (!peek_set(c, 0, &w.s))
        return;
    if (w.s == NULL) {
        reply_null(c->reply);
        return;
    }
    gather_place(&w, set_random(w.s));
    if (w.names.overflow) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else {
        pop_names(c, &w.names);
        names_each(&w.names, reply_name, c->reply);
    }
    buf_free(&w.names.bytes);
}

static void random_count(struct call *c) {
    struct walk w = {.c = c};
    int64_t count;

    if (c->argc > 3) {
        reply_syntax_error(c);
        return;
    }
    if (!arg_i64(c, 2, &count) || !arg_repeats(c, count) || !read_set(c, 0, &w.s))
        return;
    if (w.s == NULL || count == 0) {
        reply_array(c->reply, 0);
    } else if (count > 0) {
        if (gather_random(&w, (uint64_t)count))
            names_reply(c, &w.names);
    } else {
        reply_array(c->reply, (size_t)-count);
        for (int64_t i = count; i < 0; i++)
            reply_place(&w, set_random(w.s));
    }
}

void cmd_srandmember(struct call *c) {
    struct walk w = {.c = c};

    if (c->argc > 2)
        random_count(c);
    else if (read_set(c, 0, &w.s) && w.s == NULL)
        reply_null(c->reply);
    else if (w.s != NULL)
        reply_place(&w, set_random(w.s));
}
