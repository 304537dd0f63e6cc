/* cmd_lcs.c - the longest common subsequence of two strings. Source: https://redis.io/commands/lcs
 *
 * Dynamic programming with one row of lengths, and one bit for each cell: whether the backtrace continues up or left
 * (diagonal if the bytes are equal). Redis keeps four bytes for each cell and refuses strings for which they would exceed
 * proto-max-bulk-len; the same strings are refused here. The cost is the product of the lengths, under shared locks of only
 * the two keys. */
#include <flashkv/mem.h>
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"

struct lcs_options {
    bool len, idx, with_match_len;
    int64_t min_match_len;
};

static bool parse(struct call *c, struct lcs_options *o) {
    *o = (struct lcs_options){.len = false};
    for (size_t i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "idx")) {
            o->idx = true;
        } else if (arg_is(c, i, "len")) {
            o->len = true;
        } else if (arg_is(c, i, "withmatchlen")) {
            o->with_match_len = true;
        } else if (arg_is(c, i, "minmatchlen") && i + 1 < c->argc) {
            if (!arg_i64(c, ++i, &o->min_match_len))
                return false;
        } else {
            reply_syntax_error(c);
            return false;
        }
    }
    if (o->len && o->idx)
        reply_error(c->reply, "ERR If you want both the length and indexes, please just use IDX.");
    return !(o->len && o->idx);
}

/* The strings; a missing key is an empty one. False: replied. */
static bool read_strings(struct call *c, struct slice s[2]) {
    bool strings = true;

    for (size_t i = 0; i < 2; i++) {
        const struct entry *e = store_get(c->txn, &c->keys[i]);

        strings = strings && (e == NULL || entry_type(e) == TYPE_STRING);
        s[i] = strings && e != NULL ? entry_string(e) : SLICE_LIT("");
    }
    if (!strings)
        reply_error(c->reply, "ERR The specified keys must contain string values");
    return strings;
}

struct lcs {
    struct slice a, b;
    uint32_t length;
    uint32_t *row;      /* lengths for the part of `a` done so far and each prefix of `b` */
    unsigned char *ups; /* a bit for each cell: the backtrace goes up; NULL: not needed */
};

static bool prefers_up(const struct lcs *l, size_t i, size_t j) {
    size_t bit = i * l->b.len + j;

    return l->ups[bit / 8] >> bit % 8 & 1;
}

/* Adds byte `i` of `a`; `diagonal` is the old value of row[j], the cell up and left of row[j + 1]. */
static void fill_row(struct lcs *l, size_t i) {
    uint32_t diagonal = 0;

    for (size_t j = 0; j < l->b.len; j++) {
        uint32_t up = l->row[j + 1], left = l->row[j];

        if (l->a.ptr[i] == l->b.ptr[j]) {
            l->row[j + 1] = diagonal + 1;
        } else if (up > left) {
            size_t bit = i * l->b.len + j;

            if (l->ups != NULL)
                l->ups[bit / 8] |= (unsigned char)(1 << bit % 8);
        } else {
            l->row[j + 1] = left;
        }
        diagonal = up;
    }
}

/* Computes the length. False: replied. The caller frees what it allocates. */
static bool measure(struct call *c, struct lcs *l, bool way_back) {
    uint64_t cells = (uint64_t)(l->a.len + 1) * (l->b.len + 1);

    if (l->a.len >= UINT32_MAX - 1 || l->b.len >= UINT32_MAX - 1) {
        reply_error(c->reply, "ERR String too long for LCS");
        return false;
    }
    if (cells > c->server->options->max_value_bytes / sizeof(uint32_t)) {
        reply_error(c->reply, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        return false;
    }
    l->row = mem_zalloc((l->b.len + 1) * sizeof(*l->row));
    if (way_back)
        l->ups = mem_zalloc(l->a.len * l->b.len / 8 + 1);
    if (l->row == NULL || (way_back && l->ups == NULL)) {
        reply_error(c->reply, "ERR Insufficient memory, failed allocating transient memory for LCS");
        return false;
    }
    for (size_t i = 0; i < l->a.len; i++)
        fill_row(l, i);
    l->length = l->row[l->b.len];
    return true;
}

/* A run of equal bytes, in both strings. */
struct match {
    uint32_t a, b, len;
};

/* Traces back and passes each run to `found`, the last one first. */
static void walk_back(const struct lcs *l, void (*found)(void *ctx, const struct match *m), void *ctx) {
    size_t i = l->a.len, j = l->b.len;
    struct match m = {0, 0, 0};

    while (i > 0 && j > 0) {
        if (l->a.ptr[i - 1] == l->b.ptr[j - 1]) {
            m = (struct match){(uint32_t)--i, (uint32_t)--j, m.len + 1};
            continue;
        }
        if (m.len > 0)
            found(ctx, &m);
        m.len = 0;
        if (prefers_up(l, i - 1, j - 1))
            i--;
        else
            j--;
    }
    if (m.len > 0)
        found(ctx, &m);
}

struct common {
    const struct lcs *lcs;
    char *end; /* of what is still to be filled */
};

static void copy_match(void *ctx, const struct match *m) {
    struct common *common = ctx;

    common->end -= m->len;
    memcpy(common->end, common->lcs->a.ptr + m->a, m->len);
}

static void reply_common(struct call *c, const struct lcs *l) {
    char *bytes = mem_alloc(l->length);
    struct common common = {l, bytes + l->length};

    if (bytes == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    walk_back(l, copy_match, &common);
    reply_bulk(c->reply, slice_of(bytes, l->length));
    mem_free(bytes);
}

struct matches {
    struct buf list; /* of struct match */
    int64_t min_len;
    bool overflow;
};

static void keep_match(void *ctx, const struct match *m) {
    struct matches *all = ctx;

    if (m->len >= all->min_len)
        all->overflow = !buf_append(&all->list, m, sizeof(*m)) || all->overflow;
}

static void reply_range(struct call *c, uint32_t from, uint32_t len) {
    reply_array(c->reply, 2);
    reply_integer(c->reply, from);
    reply_integer(c->reply, (int64_t)from + len - 1);
}

static void reply_matches(struct call *c, const struct lcs *l, const struct lcs_options *o) {
    struct matches all = {buf_make(c->server->options->max_output_bytes), o->min_match_len, false};

    walk_back(l, keep_match, &all);
    if (all.overflow) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else {
        reply_map(c->reply, 2);
        reply_text(c->reply, "matches");
        reply_array(c->reply, all.list.len / sizeof(struct match));
        for (size_t at = 0; at < all.list.len; at += sizeof(struct match)) {
            struct match m;

            memcpy(&m, all.list.data + at, sizeof(m));
            reply_array(c->reply, o->with_match_len ? 3 : 2);
            reply_range(c, m.a, m.len);
            reply_range(c, m.b, m.len);
            if (o->with_match_len)
                reply_integer(c->reply, m.len);
        }
        reply_text(c->reply, "len");
        reply_integer(c->reply, l->length);
    }
    buf_free(&all.list);
}

void cmd_lcs(struct call *c) {
    struct lcs l = {.length = 0};
    struct lcs_options o;
    struct slice s[2];

    if (!read_strings(c, s) || !parse(c, &o))
        return;
    l.a = s[0];
    l.b = s[1];
    if (measure(c, &l, !o.len)) {
        if (o.len)
            reply_integer(c->reply, l.length);
        else if (o.idx)
            reply_matches(c, &l, &o);
        else
            reply_common(c, &l);
    }
    mem_free(l.row);
    mem_free(l.ups);
}
