/* cmd_sort.c - SORT and SORT_RO. Source: https://redis.io/commands/sort
 *
 * Elements are borrowed from the collection, weights from the keys of BY: dispatch holds all their shards, and
 * nothing changes before STORE sets the result, which is built as a separate list. */
#include <errno.h>
#include <flashkv/mem.h>
#include <math.h>
#include <stdlib.h>

#include "args.h"
#include "handlers.h"
#include "sort.h"

struct element {
    struct slice bytes;
    union {
        double score;
        struct slice weight; /* ALPHA with BY; ptr NULL: there is none */
    } by;
};

struct sort {
    struct call *c;
    bool desc, alpha, keep_order;
    struct slice by; /* BY's pattern; ptr NULL: the elements themselves are compared */
    int64_t limit_start, limit_count;
    size_t store_at; /* the argument that is the destination, or 0 */
    size_t gets;     /* GET options */
    struct element *elements;
    size_t count, start, end; /* what is replied: [start, end) */
    char *digits;             /* decimal form of members that are stored as integers */
};

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

static bool is_pattern(struct slice s) {
    return s.len > 0 && memchr(s.ptr, '*', s.len) != NULL;
}

/* The number of arguments of the option at `i`; -1: unknown option. */
static int option_args(const struct call *c, size_t i) {
    static const struct {
        const char *word;
        int args;
    } options[] = {{"asc", 0}, {"desc", 0}, {"alpha", 0}, {"limit", 2}, {"store", 1}, {"by", 1}, {"get", 1}};

    for (size_t o = 0; o < sizeof(options) / sizeof(*options); o++)
        if (arg_is(c, i, options[o].word) && i + (size_t)options[o].args < c->argc)
            return options[o].args;
    return -1;
}

uint64_t sort_shards(const struct call *c) {
    uint64_t shards = 0;
    int args;

    for (size_t i = 2; i < c->argc && (args = option_args(c, i)) >= 0; i += 1 + (size_t)args) {
        if (arg_is(c, i, "store")) {
            struct key k = store_key(c->server->store, call_arg(c, i + 1));

            shards |= key_shard_bit(&k);
        } else if (args == 1 && is_pattern(call_arg(c, i + 1))) {
            shards = TXN_ALL_SHARDS;
        }
    }
    return shards;
}

size_t sort_store_at(const struct call *c) {
    size_t at = 0;

    for (size_t i = 2; i < c->argc; i++) {
        int args = option_args(c, i);

        if (args == 1 && arg_is(c, i, "store"))
            at = i + 1;
        i += args > 0 ? (size_t)args : 0;
    }
    return at;
}

static bool may_store(struct call *c, size_t i) {
    uint64_t longest = c->server->options->max_key_bytes;

    if (!(c->command->flags & CMD_WRITE)) {
        reply_syntax_error(c);
        return false;
    }
    if (c->argv[i].len > longest)
        reply_error(c->reply, "ERR key is too long (%zu bytes, at most %llu: max-key-bytes)", c->argv[i].len,
                    (unsigned long long)longest);
    return c->argv[i].len <= longest;
}

/* Parses the option at `i`, whose arguments exist. False: replied. */
static bool take_option(struct sort *s, size_t i) {
    struct call *c = s->c;

    if (arg_is(c, i, "asc")) {
        s->desc = false;
    } else if (arg_is(c, i, "desc")) {
        s->desc = true;
    } else if (arg_is(c, i, "alpha")) {
        s->alpha = true;
    } else if (arg_is(c, i, "limit")) {
        return arg_i64(c, i + 1, &s->limit_start) && arg_i64(c, i + 2, &s->limit_count);
    } else if (arg_is(c, i, "store")) {
        s->store_at = i + 1;
        return may_store(c, i + 1);
    } else if (arg_is(c, i, "by")) {
        s->by = call_arg(c, i + 1);
        s->keep_order = !is_pattern(s->by);
    } else {
        s->gets++;
    }
    return true;
}

static bool parse(struct sort *s) {
    int args;

    s->limit_count = -1;
    for (size_t i = 2; i < s->c->argc; i += 1 + (size_t)args) {
        args = option_args(s->c, i);
        if (args < 0) {
            reply_syntax_error(s->c);
            return false;
        }
        if (!take_option(s, i))
            return false;
    }
    return true;
}

/* ---- patterns -------------------------------------------------------------------------------------------------------- */

/* Looks up the string for a pattern with its star replaced by an element: of a key, or with "->field" of a hash's field.
 * False: it does not exist. */
static bool look_up(struct sort *s, struct slice pattern, struct slice element, struct slice *out) {
    const char *star = pattern.len > 0 ? memchr(pattern.ptr, '*', pattern.len) : NULL, *arrow;
    struct slice before, after, field = {NULL, 0};
    const struct entry *e;
    struct buf name;
    struct key k;

    if (slice_eq(pattern, SLICE_LIT("#"))) {
        *out = element;
        return true;
    }
    if (star == NULL)
        return false;
    before = slice_of(pattern.ptr, (size_t)(star - pattern.ptr));
    after = slice_of(star + 1, pattern.len - before.len - 1);
    arrow = memmem(after.ptr, after.len, "->", 2);
    if (arrow != NULL && arrow + 2 < after.ptr + after.len) {
        field = slice_of(arrow + 2, (size_t)(after.ptr + after.len - arrow - 2));
        after.len = (size_t)(arrow - after.ptr);
    }
    name = buf_make(s->c->server->options->max_key_bytes);
    e = NULL;
    if (buf_append_slice(&name, before) && buf_append_slice(&name, element) &&
        buf_append_slice(&name, after)) {
        k = store_key(s->c->server->store, buf_slice(&name));
        e = store_get(s->c->txn, &k);
    }
    buf_free(&name);
    if (e == NULL || entry_type(e) != (field.ptr != NULL ? TYPE_HASH : TYPE_STRING))
        return false;
    if (field.ptr != NULL)
        return hash_get(entry_hash(e), field, s->c->txn->now_ms, out);
    *out = entry_string(e);
    return true;
}

/* ---- gathering ------------------------------------------------------------------------------------------------------- */

static void add_element(struct sort *s, struct slice bytes) {
    s->elements[s->count++].bytes = bytes;
}

/* Elements of a list, in the requested direction. */
static void gather_list(struct sort *s, const struct list *l) {
    bool back = s->desc && s->keep_order;
    struct list_iter it = list_iter_at(l, back ? list_len(l) - 1 : 0, back ? LIST_TAIL : LIST_HEAD);
    struct slice bytes;

    while (list_iter_next(&it, &bytes))
        add_element(s, bytes);
}

struct set_walk {
    struct sort *sort;
    const struct set *set;
};

static void gather_member(void *ctx, set_place at) {
    struct set_walk *w = ctx;

    add_element(w->sort, set_member(w->set, at, w->sort->digits + w->sort->count * SET_ROOM));
}

struct zset_walk {
    struct sort *sort;
    const struct zset *zset;
};

static void gather_scored(void *ctx, zset_place at) {
    const struct zset_walk *w = ctx;

    add_element(w->sort, zset_member(w->zset, at));
}

/* Members of a sorted set, in the requested direction. */
static void gather_zset(struct sort *s, const struct zset *z) {
    bool back = s->desc && s->keep_order;

    zset_walk(z, back ? zset_len(z) - 1 : 0, zset_len(z), back, gather_scored, &(struct zset_walk){s, z});
}

static void gather_set(struct sort *s, const struct set *set) {
    set_scan(set, 0, SIZE_MAX, gather_member, &(struct set_walk){s, set});
}

static const struct object *object_of(const struct entry *e, size_t *len) {
    switch (entry_type(e)) {
    case TYPE_LIST:
        *len = list_len(entry_list(e));
        return (const struct object *)entry_list(e);
    case TYPE_SET:
        *len = set_len(entry_set(e));
        return (const struct object *)entry_set(e);
    case TYPE_ZSET:
        *len = zset_len(entry_zset(e));
        return (const struct object *)entry_zset(e);
    case TYPE_STRING:
    case TYPE_HASH:
        break;
    }
    return NULL;
}

/* False: replied. */
static bool gather(struct sort *s) {
    const struct entry *e = store_get(s->c->txn, &s->c->keys[0]);
    size_t len = 0;

    if (e == NULL)
        return true;
    if (object_of(e, &len) == NULL) {
        reply_wrong_type(s->c);
        return false;
    }
    s->elements = mem_alloc(len * sizeof(*s->elements));
    if (entry_type(e) == TYPE_SET)
        s->digits = mem_alloc(len * SET_ROOM); /* used only for those stored as integers */
    if (s->elements == NULL || (entry_type(e) == TYPE_SET && s->digits == NULL)) {
        reply_store_error(s->c, STORE_NO_MEMORY);
        return false;
    }
    if (entry_type(e) == TYPE_LIST)
        gather_list(s, entry_list(e));
    else if (entry_type(e) == TYPE_ZSET)
        gather_zset(s, entry_zset(e));
    else
        gather_set(s, entry_set(e));
    if (entry_type(e) == TYPE_SET && s->keep_order && s->store_at > 0) {
        s->keep_order =
            false; /* the order of a set is not deterministic, so it must be sorted to be stored */
        s->alpha = true;
        s->by = slice_of(NULL, 0);
    }
    return true;
}

/* ---- sorting --------------------------------------------------------------------------------------------------------- */

/* Parses all of it as strtod does; an empty text is 0. */
static bool parse_score(struct slice s, double *out) {
    char room[64], *text = s.len < sizeof(room) ? room : mem_alloc(s.len + 1), *end;
    bool ok;

    if (text == NULL)
        return false;
    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    errno = 0;
    *out = strtod(text, &end);
    ok = *end == '\0' && errno != ERANGE && !isnan(*out);
    if (text != room)
        mem_free(text);
    return ok;
}

/* Computes the weights of all elements. False: replied. */
static bool weigh(struct sort *s) {
    for (size_t i = 0; i < s->count; i++) {
        struct element *e = &s->elements[i];
        struct slice weight = e->bytes;
        bool there = s->by.ptr == NULL || look_up(s, s->by, e->bytes, &weight);

        if (s->alpha) {
            e->by.weight = there ? weight : slice_of(NULL, 0);
        } else {
            e->by.score = 0;
            if (there && !parse_score(weight, &e->by.score)) {
                reply_error(s->c->reply, "ERR One or more scores can't be converted into double");
                return false;
            }
        }
    }
    return true;
}

static int compare(const void *one, const void *other, void *ctx) {
    const struct element *a = one, *b = other;
    const struct sort *s = ctx;
    int order;

    if (!s->alpha) {
        order = (a->by.score > b->by.score) - (a->by.score < b->by.score);
        if (order == 0) /* break ties, so that the order is deterministic */
            order = slice_compare(a->bytes, b->bytes);
    } else if (a->by.weight.ptr == NULL || b->by.weight.ptr == NULL) {
        order = (a->by.weight.ptr != NULL) - (b->by.weight.ptr != NULL);
    } else {
        order = slice_compare(a->by.weight, b->by.weight);
    }
    return s->desc ? -order : order;
}

static void cut(struct sort *s) {
    uint64_t start = s->limit_start < 0 ? 0 : (uint64_t)s->limit_start;
    uint64_t count = s->limit_count < 0 ? UINT64_MAX : (uint64_t)s->limit_count;

    s->start = start < s->count ? (size_t)start : s->count;
    s->end = count < s->count - s->start ? s->start + (size_t)count : s->count;
}

/* ---- the result ------------------------------------------------------------------------------------------------------- */

/* Calls `each` for each value of the result, NULL for a missing one. False: `each` returned false, which ends it. */
static bool each_result(struct sort *s, bool (*each)(struct sort *s, void *ctx, const struct slice *bytes),
                        void *ctx) {
    for (size_t i = s->start; i < s->end; i++) {
        struct slice element = s->elements[i].bytes, got;
        int args;

        if (s->gets == 0 && !each(s, ctx, &element))
            return false;
        for (size_t at = 2; s->gets > 0 && at < s->c->argc; at += 1 + (size_t)args) {
            args = option_args(s->c, at);
            if (!arg_is(s->c, at, "get"))
                continue;
            if (!each(s, ctx, look_up(s, call_arg(s->c, at + 1), element, &got) ? &got : NULL))
                return false;
        }
    }
    return true;
}

static bool reply_one(struct sort *s, void *ctx, const struct slice *bytes) {
    (void)ctx;
    if (bytes != NULL)
        reply_bulk(s->c->reply, *bytes);
    else
        reply_null(s->c->reply);
    return true;
}

static bool push_one(struct sort *s, void *ctx, const struct slice *bytes) {
    (void)s;
    return list_push(ctx, LIST_TAIL, bytes != NULL ? *bytes : SLICE_LIT(""));
}

static void store_result(struct sort *s) {
    struct call *c = s->c;
    struct key k = store_key(c->server->store, call_arg(c, s->store_at));
    struct object *list = store_new_object(c->server->store, TYPE_LIST);

    if (list != NULL && each_result(s, push_one, list)) {
        store_collection(c, &k, list, list_len((struct list *)list), EVENT_LIST, "sortstore");
        return;
    }
    if (list != NULL)
        store_free_object(list);
    reply_store_error(c, STORE_NO_MEMORY);
}

void cmd_sort(struct call *c) {
    struct sort s = {.c = c};

    if (parse(&s) && gather(&s) && (s.keep_order || weigh(&s))) {
        if (!s.keep_order && s.count > 0)
            qsort_r(s.elements, s.count, sizeof(*s.elements), compare, &s);
        cut(&s);
        if (s.store_at > 0) {
            store_result(&s);
        } else {
            reply_array(c->reply, (s.end - s.start) * (s.gets > 0 ? s.gets : 1));
            each_result(&s, reply_one, NULL);
        }
    }
    mem_free(s.elements);
    mem_free(s.digits);
}
