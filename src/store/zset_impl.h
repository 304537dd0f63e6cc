/* zset_impl.h - what the files of the sorted set share. Private to them. */
#ifndef FLASHKV_STORE_ZSET_IMPL_H
#define FLASHKV_STORE_ZSET_IMPL_H

#include <flashkv/ordered.h>
#include <flashkv/zset.h>

#include "members.h"
#include "packed.h"

/* What a large one is. */
struct large {
    struct members members;
    struct ordered order;
};

struct zset {
    struct object object;
    const unsigned char *secret;
    uint32_t packed_members; /* in `packed` */
    struct packed *packed;   /* NULL: they are in `large` */
    struct large *large;     /* of its own, since most sorted sets are small */
};

/* ---- the order --------------------------------------------------------------------------------------------------- */

/* A place in the order, for searches: members come before it by score, by bytes, or by score and then bytes. */
struct bound {
    double score;
    struct slice member;
    bool or_equal;
};

/* Does a member with these come before the bound? */
typedef bool is_before(const struct bound *b, double score, struct slice member);

static inline bool before_score(const struct bound *b, double score, struct slice member) {
    (void)member;
    return b->or_equal ? score <= b->score : score < b->score;
}

static inline bool before_member(const struct bound *b, double score, struct slice member) {
    (void)score;
    return slice_compare(member, b->member) < b->or_equal;
}

static inline bool before_both(const struct bound *b, double score, struct slice member) {
    return score < b->score || (score == b->score && slice_compare(member, b->member) < 0);
}

/* ---- packed (zset_packed.c) -------------------------------------------------------------------------------------- */

/* The member at `at` with its score, and the place after both. */
struct slice zset_packed_pair(const struct packed *p, size_t at, double *score, size_t *next);
/* The place of the member of that rank. */
size_t zset_packed_at(const struct packed *p, size_t rank);
/* How many members come before the bound, and the place of the first that does not. */
size_t zset_packed_before(const struct packed *p, is_before *before, const struct bound *b, size_t *at);
/* Inserts a member at a place, or at its own. False, nothing changed: no memory. */
bool zset_packed_put(struct zset *z, size_t at, struct slice member, double score);
bool zset_packed_add(struct zset *z, struct slice member, double score);
/* Removes so many members from the place `from` on. */
void zset_packed_remove(struct zset *z, size_t from, size_t count);
/* Gives the member at `at` another score, then brings both to their place. False, nothing changed: no memory. */
bool zset_packed_change(struct zset *z, size_t at, double score);

#endif
