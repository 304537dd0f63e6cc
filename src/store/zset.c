/* zset.c - sorted sets: packed in order while the members are few and short; a table and an ordered index after that.
 *
 *     packed   | member | score | member | score | ...        in order: zset_packed.c
 *
 *     table    hash -> entry                                  finds a member: entry "member", its value the score
 *     order    | score, entry | score, entry | ...            finds a score, a rank; the score is stored in both
 *
 * A member of 16 bytes in a large sorted set takes 32 bytes of entry, 10 of slots and 17 to 25 of index: half of what
 * Redis's dictionary and skip list take. */
#include <flashkv/encoding.h>
#include <flashkv/entry.h>
#include <flashkv/mem.h>
#include <flashkv/random.h>

#include "zset_impl.h"

enum { PACKED_FIRST = 56 };

struct zset *zset_new(const unsigned char *secret) {
    struct zset *z = mem_alloc(sizeof(*z));

    if (z == NULL)
        return NULL;
    *z = (struct zset){.object.type = TYPE_ZSET, .secret = secret, .packed = packed_new(PACKED_FIRST)};
    if (z->packed == NULL) {
        mem_free(z);
        return NULL;
    }
    return z;
}

/* An empty one. NULL: no memory. */
static struct large *large_new(const unsigned char *secret) {
    struct large *l = mem_zalloc(sizeof(*l));

    if (l != NULL)
        members_init(&l->members, secret);
    return l;
}

/* NULL is ignored. */
static void large_free(struct large *l) {
    if (l == NULL)
        return;
    ordered_free(&l->order);
    members_free(&l->members);
    mem_free(l);
}

void zset_free(struct zset *z) {
    mem_free(z->packed);
    large_free(z->large);
    mem_free(z);
}

size_t zset_len(const struct zset *z) {
    return z->packed != NULL ? z->packed_members : z->large->order.count;
}

size_t zset_bytes(const struct zset *z) {
    const struct large *l = z->large;
    size_t inside = z->packed != NULL
                        ? packed_footprint(z->packed)
                        : mem_good_size(sizeof(*l)) + members_bytes(&l->members) + l->order.bytes;

    return mem_good_size(sizeof(*z)) + inside;
}

const struct members *zset_members(const struct zset *z) {
    return z->packed == NULL ? &z->large->members : NULL;
}

const char *zset_encoding(const struct zset *z) {
    return z->packed != NULL ? "listpack" : "skiplist";
}

size_t zset_need(const struct zset *z, const struct edits *e) {
    static const struct large empty;
    size_t entries = encoding_limit(&encoding_limits.zset_entries);
    size_t longest = encoding_limit(&encoding_limits.zset_value);
    const struct large *l = z->packed == NULL ? z->large : &empty;
    size_t more = e->elements, need = need_entries(e->elements, e->bytes);

    if (z->packed != NULL) {
        need += packed_need(z->packed, e, 2 * entries, longest + sizeof(double));
        if (z->packed_members + e->elements <= entries && e->bytes <= longest)
            return need; /* stays packed */
        need += need_entries(z->packed_members, z->packed->used) + sizeof(empty) + NEED_ENTRY;
        more += z->packed_members;
    }
    return need + table_need(&l->members.table, more) + ordered_need(&l->order, more);
}

/* ---- the order ------------------------------------------------------------------------------------------------- */

/* The bounds of zset_impl.h for items; an entry is read only if its bytes are compared. */
static bool item_before_score(const void *ctx, const struct ordered_item *item) {
    return before_score(ctx, item->score, slice_of(NULL, 0));
}

static bool item_before_member(const void *ctx, const struct ordered_item *item) {
    return before_member(ctx, 0, entry_key(item->ptr));
}

static bool item_before_both(const void *ctx, const struct ordered_item *item) {
    const struct bound *b = ctx;

    return item->score < b->score ||
           (item->score == b->score && before_both(b, item->score, entry_key(item->ptr)));
}

/* Would the sorted set still be within the limits of the packed encoding with this member? */
static bool stays_packed(const struct zset *z, struct slice member) {
    return member.len <= encoding_limit(&encoding_limits.zset_value) &&
           z->packed_members < encoding_limit(&encoding_limits.zset_entries);
}

/* ---- table and order --------------------------------------------------------------------------------------------- */

static double entry_score(const struct entry *e) {
    double score;

    memcpy(&score, entry_string(e).ptr, sizeof(score));
    return score;
}

static enum zset_result large_add(struct large *l, struct view *v, struct slice member, double score) {
    const struct bound b = {.score = score, .member = member};
    struct ordered_item item = {.score = score};
    struct entry *e;

    switch (members_add(&l->members, v, member, slice_of(&score, sizeof(score)), &e)) {
    case MEMBER_ADDED:
    case MEMBER_REPLACED:
        break;
    case MEMBER_TOO_LONG:
        return ZSET_TOO_LONG;
    case MEMBER_NO_MEMORY:
        return ZSET_NO_MEMORY;
    }
    item.ptr = e;
    if (ordered_insert(&l->order, ordered_rank(&l->order, item_before_both, &b), item))
        return ZSET_ADDED;
    members_remove(&l->members, v, member);
    return ZSET_NO_MEMORY;
}

static size_t large_rank(const struct large *l, const struct entry *e, double score) {
    const struct bound b = {.score = score, .member = entry_key(e)};

    return ordered_rank(&l->order, item_before_both, &b);
}

/* Inserts the item again before it removes the old one, so that a failure changes nothing. Mostly its rank stays the same. */
static bool large_change(struct large *l, struct view *v, struct entry *e, double score) {
    size_t from = large_rank(l, e, entry_score(e)), to = large_rank(l, e, score);
    struct ordered_item item = {score, e};

    if (to == from || to == from + 1)
        ordered_replace(&l->order, from, item);
    else if (ordered_insert(&l->order, to, item))
        ordered_remove(&l->order, to < from ? from + 1 : from);
    else
        return false;
    members_change(&l->members, v, e);
    entry_rewrite(e, slice_of(&score, sizeof(score)));
    return true;
}

/* Converts to table and index. False, nothing changed: no memory. */
static bool unpack(struct zset *z) {
    struct large *l = large_new(z->secret);

    for (size_t at = 0; l != NULL && at < z->packed->used;) {
        double score;
        struct slice member = zset_packed_pair(z->packed, at, &score, &at);

        if (large_add(l, NULL, member, score) != ZSET_ADDED) {
            large_free(l);
            return false;
        }
    }
    if (l == NULL)
        return false;
    mem_free(z->packed);
    z->packed = NULL;
    z->packed_members = 0;
    z->large = l;
    return true;
}

/* ---- members: an element of the packed run, or an entry ------------------------------------------------------------ */

static size_t offset_of(const struct zset *z, zset_place at) {
    return (size_t)((const unsigned char *)at - z->packed->data);
}

zset_place zset_find(const struct zset *z, struct slice member) {
    size_t next;

    if (z->packed == NULL)
        return members_find(&z->large->members, member);
    for (size_t at = 0; at < z->packed->used; packed_get(z->packed, next, &at))
        if (slice_eq(packed_get(z->packed, at, &next), member))
            return z->packed->data + at;
    return NULL;
}

struct slice zset_member(const struct zset *z, zset_place at) {
    size_t next;

    return z->packed != NULL ? packed_get(z->packed, offset_of(z, at), &next) : entry_key(at);
}

double zset_score(const struct zset *z, zset_place at) {
    double score;
    size_t next;

    if (z->packed == NULL)
        return entry_score(at);
    zset_packed_pair(z->packed, offset_of(z, at), &score, &next);
    return score;
}

size_t zset_rank(const struct zset *z, zset_place at) {
    size_t rank = 0, end;

    if (z->packed == NULL)
        return large_rank(z->large, at, entry_score(at));
    end = offset_of(z, at);
    for (size_t i = 0; i < end; rank++) {
        packed_get(z->packed, i, &i);
        packed_get(z->packed, i, &i);
    }
    return rank;
}

zset_place zset_random(const struct zset *z) {
    if (z->packed == NULL)
        return members_random(&z->large->members);
    return z->packed->data + zset_packed_at(z->packed, random_below(z->packed_members));
}

enum zset_result zset_add(struct zset *z, struct slice member, double score) {
    if (z->packed != NULL) {
        if (stays_packed(z, member))
            return zset_packed_add(z, member, score) ? ZSET_ADDED : ZSET_NO_MEMORY;
        if (!unpack(z))
            return ZSET_NO_MEMORY;
    }
    return large_add(z->large, object_view(&z->object), member, score);
}

bool zset_move(struct zset *z, zset_place at, double score) {
    if (z->packed != NULL)
        return zset_packed_change(z, offset_of(z, at), score);
    return large_change(z->large, object_view(&z->object), (struct entry *)at, score);
}

bool zset_remove(struct zset *z, struct slice member) {
    zset_place at = zset_find(z, member);

    if (at == NULL)
        return false;
    if (z->packed != NULL) {
        zset_packed_remove(z, offset_of(z, at), 1);
        return true;
    }
    ordered_remove(&z->large->order, zset_rank(z, at));
    return members_remove(&z->large->members, object_view(&z->object), member);
}

void zset_remove_ranks(struct zset *z, size_t from, size_t count) {
    if (z->packed != NULL) {
        zset_packed_remove(z, zset_packed_at(z->packed, from), count);
        return;
    }
    while (count-- > 0)
        members_remove(&z->large->members, object_view(&z->object),
                       entry_key(ordered_remove(&z->large->order, from).ptr));
}

/* ---- results, copies ------------------------------------------------------------------------------------------------------- */

bool zset_expect(struct zset *z, size_t members) {
    return z->packed == NULL || members <= encoding_limit(&encoding_limits.zset_entries) || unpack(z);
}

static void pack_item(void *ctx, const struct ordered_item *item) {
    struct zset *to = ctx;

    if (to->packed == NULL)
        return;
    if (stays_packed(to, entry_key(item->ptr)) &&
        zset_packed_put(to, to->packed->used, entry_key(item->ptr), item->score))
        return;
    mem_free(to->packed);
    to->packed = NULL;
}

void zset_pack(struct zset *z) {
    struct zset small = {.object = z->object, .secret = z->secret};

    if (z->packed != NULL || zset_len(z) > encoding_limit(&encoding_limits.zset_entries))
        return;
    small.packed = packed_new(PACKED_FIRST);
    ordered_walk(&z->large->order, 0, zset_len(z), false, pack_item, &small);
    if (small.packed == NULL)
        return;
    large_free(z->large);
    *z = small;
}

struct copying {
    struct large *to;
    bool failed;
};

static void copy_item(void *ctx, const struct ordered_item *item) {
    struct copying *c = ctx;

    c->failed = c->failed || large_add(c->to, NULL, entry_key(item->ptr), item->score) != ZSET_ADDED;
}

/* NULL: no memory. */
static struct large *large_copy(const struct large *l, const unsigned char *secret) {
    struct copying c = {.to = large_new(secret)};

    if (c.to != NULL)
        ordered_walk(&l->order, 0, l->order.count, false, copy_item, &c);
    if (!c.failed)
        return c.to;
    large_free(c.to);
    return NULL;
}

struct zset *zset_copy(const struct zset *z) {
    struct zset *copy = mem_dup(z, sizeof(*z));

    if (copy == NULL)
        return NULL;
    copy->object = (struct object){.type = TYPE_ZSET};
    if (z->packed != NULL)
        copy->packed = packed_copy(z->packed);
    else
        copy->large = large_copy(z->large, z->secret);
    if (copy->packed != NULL || copy->large != NULL)
        return copy;
    mem_free(copy);
    return NULL;
}

/* ---- bounds and walks ---------------------------------------------------------------------------------------------- */

size_t zset_below_score(const struct zset *z, double score, bool or_equal) {
    const struct bound b = {.score = score, .or_equal = or_equal};
    size_t at;

    if (z->packed != NULL)
        return zset_packed_before(z->packed, before_score, &b, &at);
    return ordered_rank(&z->large->order, item_before_score, &b);
}

size_t zset_below_member(const struct zset *z, struct slice member, bool or_equal) {
    const struct bound b = {.member = member, .or_equal = or_equal};
    size_t at;

    if (z->packed != NULL)
        return zset_packed_before(z->packed, before_member, &b, &at);
    return ordered_rank(&z->large->order, item_before_member, &b);
}

struct walk {
    zset_visit *visit;
    void *ctx;
};

static void visit_item(void *ctx, const struct ordered_item *item) {
    const struct walk *w = ctx;

    w->visit(w->ctx, item->ptr);
}

void zset_walk(const struct zset *z, size_t rank, size_t count, bool down, zset_visit *visit, void *ctx) {
    struct walk w = {visit, ctx};
    const struct packed *p = z->packed;

    if (p == NULL) {
        ordered_walk(&z->large->order, rank, count, down, visit_item, &w);
        return;
    }
    for (size_t at = zset_packed_at(p, rank); count > 0; count--) {
        visit(ctx, p->data + at);
        if (!down) {
            packed_get(p, at, &at);
            packed_get(p, at, &at);
        } else if (at > 0) {
            at = packed_prev(p, packed_prev(p, at));
        }
    }
}

uint64_t zset_scan(const struct zset *z, uint64_t cursor, size_t count, zset_visit *visit, void *ctx) {
    if (z->packed == NULL)
        return members_scan(&z->large->members, cursor, count, visit, ctx);
    zset_walk(z, 0, z->packed_members, false, visit, ctx);
    return 0;
}
