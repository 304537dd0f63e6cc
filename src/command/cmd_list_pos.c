/* cmd_list_pos.c - LPOS, the index of an element in a list. Source: https://redis.io/commands/lpos */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "collections.h"
#include "handlers.h"

struct search {
    int64_t rank;   /* the first match wanted, from the tail if negative */
    int64_t count;  /* matches wanted, 0: all; -1: one, replied by itself */
    int64_t maxlen; /* elements compared, 0: all */
};

static bool arg_rank(struct call *c, size_t i, int64_t *rank) {
    if (!arg_i64(c, i, rank))
        return false;
    if (*rank != 0)
        return true;
    reply_error(c->reply, "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second "
                          "... or use negative to start from the end of the list");
    return false;
}

static bool arg_not_negative(struct call *c, size_t i, const char *name, int64_t *out) {
    if (num_parse_i64(call_arg(c, i), out) && *out >= 0)
        return true;
    reply_error(c->reply, "ERR %s can't be negative", name);
    return false;
}

static bool parse(struct call *c, struct search *s) {
    *s = (struct search){.rank = 1, .count = -1};
    for (size_t i = 3; i < c->argc; i += 2) {
        bool more = i + 1 < c->argc, ok;

        if (more && arg_is(c, i, "rank")) {
            ok = arg_rank(c, i + 1, &s->rank);
        } else if (more && arg_is(c, i, "count")) {
            ok = arg_not_negative(c, i + 1, "COUNT", &s->count);
        } else if (more && arg_is(c, i, "maxlen")) {
            ok = arg_not_negative(c, i + 1, "MAXLEN", &s->maxlen);
        } else {
            reply_syntax_error(c);
            ok = false;
        }
        if (!ok)
            return false;
    }
    return true;
}

/* Calls `found` with the index of each match wanted, in the order of the walk. */
static void search(const struct list *l, struct slice wanted, const struct search *s,
                   void (*found)(void *ctx, size_t index), void *ctx) {
    bool back = s->rank < 0;
    /* INT64_MIN has no opposite; Redis then finds the first match */
    uint64_t skip = s->rank == INT64_MIN ? 0 : (uint64_t)(back ? -s->rank : s->rank) - 1;
    uint64_t left = s->count > 0 ? (uint64_t)s->count : s->count < 0 ? 1 : UINT64_MAX;
    size_t len = list_len(l);
    size_t looks = s->maxlen > 0 && (uint64_t)s->maxlen < len ? (size_t)s->maxlen : len;
    struct list_iter it = back ? list_iter_at(l, len - 1, LIST_TAIL) : list_iter_at(l, 0, LIST_HEAD);
    struct slice element;

    for (size_t i = 0; i < looks && left > 0 && list_iter_next(&it, &element); i++) {
        if (!slice_eq(element, wanted))
            continue;
        if (skip > 0) {
            skip--;
            continue;
        }
        found(ctx, back ? len - 1 - i : i);
        left--;
    }
}

static void keep_index(void *ctx, size_t index) {
    *(int64_t *)ctx = (int64_t)index;
}

struct matches {
    struct buf indexes; /* of uint64_t */
    bool overflow;
};

static void add_index(void *ctx, size_t index) {
    struct matches *m = ctx;
    uint64_t n = index;

    m->overflow = m->overflow || !buf_append(&m->indexes, &n, sizeof(n));
}

static void reply_matches(struct call *c, struct matches *m) {
    if (m->overflow) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else {
        reply_array(c->reply, m->indexes.len / sizeof(uint64_t));
        for (size_t at = 0; at < m->indexes.len; at += sizeof(uint64_t)) {
            uint64_t n;

            memcpy(&n, m->indexes.data + at, sizeof(n));
            reply_integer(c->reply, (int64_t)n);
        }
    }
    buf_free(&m->indexes);
}

void cmd_lpos(struct call *c) {
    struct matches m = {.indexes = buf_make(c->server->options->max_output_bytes)};
    int64_t index = -1;
    struct search s;
    const struct list *l;

    if (!parse(c, &s) || !read_list(c, &l))
        return;
    if (s.count >= 0) {
        if (l != NULL)
            search(l, call_arg(c, 2), &s, add_index, &m);
        reply_matches(c, &m);
        return;
    }
    if (l != NULL)
        search(l, call_arg(c, 2), &s, keep_index, &index);
    if (index >= 0)
        reply_integer(c->reply, index);
    else
        reply_null(c->reply);
}
