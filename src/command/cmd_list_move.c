/* cmd_list_move.c - moving elements from one list to another, and popping from the first non-empty list of several.
 * Source: https://redis.io/commands/lmove, https://redis.io/commands/lmpop
 *
 * Each command is in two parts, so that blocking variants can use the second: parsing the arguments, then "do it, or
 * return that there is no element" (collections.h). */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

static bool arg_end(struct call *c, size_t i, enum list_end *end) {
    if (i < c->argc && (arg_is(c, i, "left") || arg_is(c, i, "right"))) {
        *end = arg_is(c, i, "left") ? LIST_HEAD : LIST_TAIL;
        return true;
    }
    reply_syntax_error(c);
    return false;
}

static const char *pop_event(enum list_end end) {
    return end == LIST_HEAD ? "lpop" : "rpop";
}

static const char *push_event(enum list_end end) {
    return end == LIST_HEAD ? "lpush" : "rpush";
}

static struct list *edit(struct call *c, const struct key *k, bool create) {
    return (struct list *)edit_object(c, k, TYPE_LIST, create, missing_null);
}

/* ---- from one list to another -------------------------------------------------------------------------------------- */

bool arg_move(struct call *c, size_t at, struct list_move *m) {
    return arg_end(c, at, &m->from) && arg_end(c, at + 1, &m->to);
}

/* The events and effects of a move, emitted after both lists are done: the push, which can fail, is done first. */
static void pushed(struct call *c, enum list_end end, struct slice element) {
    struct slice effect[] = {slice_str(push_event(end)), c->keys[1].name, element};

    call_effect(c, &c->keys[1], 3, effect);
}

static void popped(struct call *c, enum list_end end) {
    struct slice effect[] = {slice_str(pop_event(end)), c->keys[0].name};

    call_effect(c, &c->keys[0], 2, effect);
}

/* Within one list. Pushes a copy of the element, since the list may move the original while it grows. */
static void rotate(struct call *c, const struct list_move *m, struct slice element) {
    struct slice copy = {mem_dup(element.ptr, element.len), element.len};
    struct list *l = edit(c, &c->keys[0], false);

    if (copy.ptr == NULL || !list_push(l, m->to, copy)) {
        reply_store_error(c, STORE_NO_MEMORY);
        object_done(c, &c->keys[0], EVENT_LIST, NULL);
    } else {
        list_drop(l, m->from, 1);
        object_done(c, &c->keys[0], EVENT_LIST, push_event(m->to));
        pushed(c, m->to, copy);
        call_changed(c, &c->keys[0], EVENT_LIST, pop_event(m->from));
        popped(c, m->from);
        reply_bulk(c->reply, copy);
    }
    mem_free((void *)copy.ptr);
}

bool move_element(struct call *c, const struct list_move *m) {
    const struct entry *source = store_peek(c->txn, &c->keys[0]);
    const struct list *from;
    struct slice element;
    struct list *to;

    if (source == NULL)
        return false;
    if (!is_type(c, source, TYPE_LIST))
        return true;
    from = entry_list(source);
    list_peek(from, m->from, &element);
    if (slice_eq(c->keys[0].name, c->keys[1].name)) {
        rotate(c, m, element);
        return true;
    }
    to = edit(c, &c->keys[1], true);
    if (to == NULL)
        return true;
    if (!list_push(to, m->to, element)) {
        object_done(c, &c->keys[1], EVENT_LIST, NULL);
        reply_store_error(c, STORE_NO_MEMORY);
        return true;
    }
    object_done(c, &c->keys[1], EVENT_LIST, push_event(m->to));
    pushed(c, m->to, element);
    reply_bulk(c->reply, element);
    list_drop(edit(c, &c->keys[0], false), m->from, 1);
    object_done(c, &c->keys[0], EVENT_LIST, pop_event(m->from));
    popped(c, m->from);
    return true;
}

void cmd_lmove(struct call *c) {
    struct list_move m;

    if (arg_move(c, 3, &m) && !move_element(c, &m))
        reply_null(c->reply);
}

void cmd_rpoplpush(struct call *c) {
    struct list_move m = {.from = LIST_TAIL, .to = LIST_HEAD};

    if (!move_element(c, &m))
        reply_null(c->reply);
}

/* ---- from the first non-empty list -------------------------------------------------------------------------------- */

bool arg_list_pop(struct call *c, size_t numkeys_at, struct list_pop *p) {
    static const char *const words[] = {"left", "right"};
    unsigned word;

    if (!arg_pop(c, numkeys_at, words, &word, &p->count))
        return false;
    p->end = word == 0 ? LIST_HEAD : LIST_TAIL;
    return true;
}

static void pop_from(struct call *c, const struct key *k, const struct list_pop *p) {
    struct list *l = edit(c, k, false);
    size_t n = (uint64_t)p->count < list_len(l) ? (size_t)p->count : list_len(l);
    char digits[NUM_I64_MAX];
    struct slice effect[] = {slice_str(pop_event(p->end)), k->name,
                             slice_of(digits, num_format_u64(n, digits))};

    reply_array(c->reply, 2);
    reply_bulk(c->reply, k->name);
    list_pop_reply(c, l, p->end, n);
    object_done(c, k, EVENT_LIST, pop_event(p->end));
    call_effect(c, k, 3, effect);
}

bool pop_first_element(struct call *c, enum list_end end) {
    for (size_t i = 0; i < c->key_count; i++) {
        const struct key *k = &c->keys[i];
        const struct entry *e = store_peek(c->txn, k);
        struct slice element, effect[] = {slice_str(pop_event(end)), k->name};
        struct list *l;

        if (!is_type(c, e, TYPE_LIST))
            return true;
        if (e == NULL)
            continue;
        l = edit(c, k, false);
        list_peek(l, end, &element);
        reply_array(c->reply, 2);
        reply_bulk(c->reply, k->name);
        reply_bulk(c->reply, element);
        list_drop(l, end, 1);
        object_done(c, k, EVENT_LIST, pop_event(end));
        call_effect(c, k, 2, effect);
        return true;
    }
    return false;
}

bool pop_first(struct call *c, const struct list_pop *p) {
    const struct key *k;

    if (!first_key(c, TYPE_LIST, &k))
        return true;
    if (k != NULL)
        pop_from(c, k, p);
    return k != NULL;
}

void cmd_lmpop(struct call *c) {
    struct list_pop p;

    if (arg_list_pop(c, 1, &p) && !pop_first(c, &p))
        reply_null_array(c->reply);
}
