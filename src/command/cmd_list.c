/* cmd_list.c - lists. Source: https://redis.io/commands/?group=list */
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

static struct list *edit(struct call *c, bool create, void (*missing)(struct call *c)) {
    return (struct list *)edit_object(c, &c->keys[0], TYPE_LIST, create, missing);
}

/* Ends an edit of the call's key. `event`: what changed, or NULL. */
static void done(struct call *c, const char *event) {
    object_done(c, &c->keys[0], EVENT_LIST, event);
}

bool read_list(struct call *c, const struct list **l) {
    const struct object *o = NULL;
    bool ok = read_object(c, &c->keys[0], TYPE_LIST, &o);

    *l = (const struct list *)o;
    return ok;
}

/* Redis's ranges: a negative index counts from the end; then clamped to the list. Empty: *stop < *start. */
static void clamp_range(int64_t len, int64_t *start, int64_t *stop) {
    if (*start < 0)
        *start = *start + len < 0 ? 0 : *start + len;
    if (*stop < 0)
        *stop += len;
    if (*stop >= len)
        *stop = len - 1;
}

/* ---- both ends ---------------------------------------------------------------------------------------------- */

static void push(struct call *c, enum list_end end, bool create) {
    struct list *l = edit(c, create, missing_zero);
    bool fits = true;
    size_t had;

    if (l == NULL)
        return;
    had = list_len(l);
    for (size_t i = 2; i < c->argc && fits; i++)
        fits = list_push(l, end, call_arg(c, i));
    if (!fits)
        list_drop(l, end, list_len(l) - had);
    if (fits)
        reply_integer(c->reply, (int64_t)list_len(l));
    else
        reply_store_error(c, STORE_NO_MEMORY);
    done(c, list_len(l) == had ? NULL : end == LIST_HEAD ? "lpush" : "rpush");
}

void cmd_lpush(struct call *c) {
    push(c, LIST_HEAD, true);
}

void cmd_rpush(struct call *c) {
    push(c, LIST_TAIL, true);
}

void cmd_lpushx(struct call *c) {
    push(c, LIST_HEAD, false);
}

void cmd_rpushx(struct call *c) {
    push(c, LIST_TAIL, false);
}

void list_pop_reply(struct call *c, struct list *l, enum list_end end, size_t n) {
    struct list_iter it = list_iter_at(l, end == LIST_HEAD ? 0 : list_len(l) - 1, end);
    struct slice element;

    reply_array(c->reply, n);
    for (size_t i = 0; i < n && list_iter_next(&it, &element); i++)
        reply_bulk(c->reply, element);
    list_drop(l, end, n);
}

static void pop(struct call *c, enum list_end end) {
    bool many = c->argc == 3;
    int64_t count = 1;
    struct list *l;
    struct slice element;

    if (c->argc > 3) {
        reply_error(c->reply, "ERR wrong number of arguments for '%s' command", c->command->name);
        return;
    }
    if (many && (!num_parse_i64(call_arg(c, 2), &count) || count < 0)) {
        reply_error(c->reply, "ERR value is out of range, must be positive");
        return;
    }
    l = edit(c, false, many ? missing_null_array : missing_null);
    if (l == NULL)
        return;
    if (many) {
        list_pop_reply(c, l, end, (uint64_t)count < list_len(l) ? (size_t)count : list_len(l));
    } else {
        list_peek(l, end, &element);
        reply_bulk(c->reply, element);
        list_drop(l, end, 1);
    }
    done(c, count == 0 ? NULL : end == LIST_HEAD ? "lpop" : "rpop");
}

void cmd_lpop(struct call *c) {
    pop(c, LIST_HEAD);
}

void cmd_rpop(struct call *c) {
    pop(c, LIST_TAIL);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

void cmd_llen(struct call *c) {
    const struct list *l;

    if (read_list(c, &l))
        reply_integer(c->reply, l != NULL ? (int64_t)list_len(l) : 0);
}

/* The index of an argument, counted from the end if negative. False: out of the list. */
static bool list_index(int64_t n, const struct list *l, size_t *index) {
    int64_t len = (int64_t)list_len(l);

    if (n < 0)
        n += len;
    if (n < 0 || n >= len)
        return false;
    *index = (size_t)n;
    return true;
}

void cmd_lindex(struct call *c) {
    const struct list *l;
    size_t index;
    int64_t n;

    if (!read_list(c, &l))
        return;
    if (l == NULL)
        reply_null(c->reply);
    else if (!arg_i64(c, 2, &n))
        return;
    else if (list_index(n, l, &index))
        reply_bulk(c->reply, list_at(l, index));
    else
        reply_null(c->reply);
}

void cmd_lrange(struct call *c) {
    int64_t start, stop;
    const struct list *l;
    struct list_iter it;
    struct slice element;

    if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &stop) || !read_list(c, &l))
        return;
    clamp_range(l != NULL ? (int64_t)list_len(l) : 0, &start, &stop);
    if (l == NULL || start > stop) {
        reply_array(c->reply, 0);
        return;
    }
    reply_array(c->reply, (size_t)(stop - start + 1));
    it = list_iter_at(l, (size_t)start, LIST_HEAD);
    for (int64_t i = start; i <= stop && list_iter_next(&it, &element); i++)
        reply_bulk(c->reply, element);
}

/* ---- changing ----------------------------------------------------------------------------------------------- */

void cmd_lset(struct call *c) {
    struct list *l = edit(c, false, missing_error);
    bool changed = false;
    size_t index;
    int64_t n;

    if (l == NULL)
        return;
    if (arg_i64(c, 2, &n)) {
        if (!list_index(n, l, &index))
            reply_error(c->reply, "ERR index out of range");
        else if ((changed = list_set(l, index, call_arg(c, 3))))
            reply_ok(c->reply);
        else
            reply_store_error(c, STORE_NO_MEMORY);
    }
    done(c, changed ? "lset" : NULL);
}

void cmd_lrem(struct call *c) {
    int64_t count, removed = 0;
    struct list_iter it;
    struct slice element;
    struct list *l;

    if (!arg_i64(c, 2, &count))
        return;
    l = edit(c, false, missing_zero);
    if (l == NULL)
        return;
    it = count < 0 ? list_iter_at(l, list_len(l) - 1, LIST_TAIL) : list_iter_at(l, 0, LIST_HEAD);
    if (count < 0)
        count = count == INT64_MIN ? INT64_MAX : -count;
    while (list_iter_next(&it, &element)) {
        if (!slice_eq(element, call_arg(c, 3)))
            continue;
        list_iter_erase(l, &it);
        if (++removed == count)
            break;
    }
    reply_integer(c->reply, removed);
    done(c, removed > 0 ? "lrem" : NULL);
}

void cmd_linsert(struct call *c) {
    bool after = arg_is(c, 2, "after");
    struct list_iter it;
    struct slice element;
    struct list *l;
    size_t index = 0;
    bool changed = false;

    if (!after && !arg_is(c, 2, "before")) {
        reply_syntax_error(c);
        return;
    }
    l = edit(c, false, missing_zero);
    if (l == NULL)
        return;
    it = list_iter_at(l, 0, LIST_HEAD);
    while (list_iter_next(&it, &element) && !slice_eq(element, call_arg(c, 3)))
        index++;
    if (index == list_len(l))
        reply_integer(c->reply, -1);
    else if ((changed = list_insert(l, index + after, call_arg(c, 4))))
        reply_integer(c->reply, (int64_t)list_len(l));
    else
        reply_store_error(c, STORE_NO_MEMORY);
    done(c, changed ? "linsert" : NULL);
}

void cmd_ltrim(struct call *c) {
    int64_t start, stop, len;
    struct list *l;

    if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &stop))
        return;
    l = edit(c, false, missing_ok);
    if (l == NULL)
        return;
    len = (int64_t)list_len(l);
    clamp_range(len, &start, &stop);
    if (start > stop) {
        list_drop(l, LIST_HEAD, (size_t)len);
    } else {
        list_drop(l, LIST_TAIL, (size_t)(len - 1 - stop));
        list_drop(l, LIST_HEAD, (size_t)start);
    }
    reply_ok(c->reply);
    done(c, "ltrim");
}
