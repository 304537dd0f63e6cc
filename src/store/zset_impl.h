/* zset_impl.h - what the files of the sorted set share. Private to them. */
#ifndef FLASHKV_STORE_ZSET_IMPL_H
#define FLASHKV_STORE_ZSET_IMPL_H

#include <flashkv/ordered.h>
#include <flashkv/zset.h>

#include "members.h"
#include "packed.h"

/* The large encoding. */
struct large {
    struct members members;
    struct ordered order;
};

struct zset {
    struct object object;
    const unsigned char *secret;
    uint32_t packed_members; /* number of members in `packed` */
    struct packed *packed;   /* NULL: the members are in `large` */
    struct large *large;     /* allocated separately, since most sorted sets are small */
};

/* ---- the order --------------------------------------------------------------------------------------------------- */

/* A bound in the order, for searches: members are before it by score, by bytes, or by score and then bytes. */
struct bound {
    double score;
    struct slice member;
    bool or_equal;
};

/* Is a member with this score and these bytes before the bound? */
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

/* The member at `at` with its score; *next is the position after both. */
struct slice zset_packed_pair(const struct packed *p, size_t at, double *score, size_t *next);
/* The position of the member of that rank. */
size_t zset_packed_at(const struct packed *p, size_t rank);
/* How many members are before the bound; *at is the position of the first that is not. */
size_t zset_packed_before(const struct packed *p, is_before *before, const struct bound *b, size_t *at);
/* Inserts a member at a position, or at its position in the order. False, nothing changed: no memory. */
bool zset_packed_put(struct zset *z, size_t at, struct slice member, double score);
bool zset_packed_add(struct zset *z, struct slice member, double score);
/* Removes `count` members from the position `from` on. */
void zset_packed_remove(struct zset *z, size_t from, size_t count);
/* Changes the score of the member at `at` and moves both to their position. False, nothing changed: no memory. */
bool zset_packed_change(struct zset *z, size_t at, double score);

#endif
