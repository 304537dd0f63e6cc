/* zset_packed.c - the packed encoding of a sorted set: members in order, each followed by its score. */
#include <flashkv/entry.h>

#include "zset_impl.h"

/* A score as bytes: an integer in as few as it needs, low ones first, its sign in the lowest bit (0 and -0, which are
 * equal here as in Redis, take none); any other as an 8-byte double. */
enum { SCORE_MAX = sizeof(double) };
#define INTEGER_MAX ((double)(INT64_C(1) << 53)) /* doubles below are exact, and fit in 7 bytes */

static struct slice score_pack(double score, unsigned char bytes[SCORE_MAX]) {
    int64_t n = score > -INTEGER_MAX && score < INTEGER_MAX ? (int64_t)score : 0;
    size_t len = 0;

    if ((double)n != score) {
        memcpy(bytes, &score, sizeof(score));
        return slice_of(bytes, sizeof(score));
    }
    for (uint64_t bits = (uint64_t)n << 1 ^ (uint64_t)(n >> 63); bits != 0; bits >>= 8)
        bytes[len++] = (unsigned char)bits;
    return slice_of(bytes, len);
}

static double score_unpack(struct slice s) {
    uint64_t bits = 0;
    double score;

    if (s.len == SCORE_MAX) {
        memcpy(&score, s.ptr, sizeof(score));
        return score;
    }
    for (size_t i = s.len; i-- > 0;)
        bits = bits << 8 | (unsigned char)s.ptr[i];
    return (double)((int64_t)(bits >> 1) ^ -(int64_t)(bits & 1));
}

struct slice zset_packed_pair(const struct packed *p, size_t at, double *score, size_t *next) {
    struct slice member = packed_get(p, at, next);

    *score = score_unpack(packed_get(p, *next, next));
    return member;
}

size_t zset_packed_at(const struct packed *p, size_t rank) {
    size_t at = 0;

    for (size_t skip = 2 * rank; skip > 0; skip--)
        packed_get(p, at, &at);
    return at;
}

size_t zset_packed_before(const struct packed *p, is_before *before, const struct bound *b, size_t *at) {
    size_t rank = 0, next;

    for (*at = 0; *at < p->used; *at = next, rank++) {
        double score;
        struct slice member = zset_packed_pair(p, *at, &score, &next);

        if (!before(b, score, member))
            break;
    }
    return rank;
}

bool zset_packed_put(struct zset *z, size_t at, struct slice member, double score) {
    unsigned char bytes[SCORE_MAX];
    struct packed *p, *with_score;
    size_t score_at;

    p = packed_insert(z->packed, at, member);
    if (p == NULL)
        return false;
    z->packed = p;
    packed_get(p, at, &score_at);
    with_score = packed_insert(p, score_at, score_pack(score, bytes));
    if (with_score == NULL) {
        z->packed = packed_erase(p, at, score_at);
        return false;
    }
    z->packed = with_score;
    z->packed_members++;
    return true;
}

bool zset_packed_add(struct zset *z, struct slice member, double score) {
    const struct bound b = {.score = score, .member = member};
    size_t at;

    zset_packed_before(z->packed, before_both, &b, &at);
    return zset_packed_put(z, at, member, score);
}

void zset_packed_remove(struct zset *z, size_t from, size_t count) {
    size_t to = from;

    for (size_t skip = 2 * count; skip > 0; skip--)
        packed_get(z->packed, to, &to);
    z->packed = packed_erase(z->packed, from, to);
    z->packed_members -= (uint32_t)count;
}

static void reverse(unsigned char *from, unsigned char *to) {
    while (from < to) {
        unsigned char byte = *from;

        *from++ = *--to;
        *to = byte;
    }
}

/* Exchanges the neighbours [a, b) and [b, c). */
static void exchange(unsigned char *data, size_t a, size_t b, size_t c) {
    reverse(data + a, data + b);
    reverse(data + b, data + c);
    reverse(data + a, data + c);
}

bool zset_packed_change(struct zset *z, size_t at, double score) {
    unsigned char bytes[SCORE_MAX];
    struct slice fresh = score_pack(score, bytes);
    size_t score_at, stale_at, end, to;
    struct bound b = {.score = score, .member = packed_get(z->packed, at, &score_at)};
    struct packed *p;

    zset_packed_before(z->packed, before_both, &b, &to);
    p = packed_insert(z->packed, score_at, fresh);
    if (p == NULL)
        return false;
    stale_at = score_at + packed_size(fresh.len);
    packed_get(p, stale_at, &end);
    p = packed_erase(p, stale_at, end);
    if (to <= at)
        exchange(p->data, to, at, stale_at);
    else
        exchange(p->data, at, stale_at, to + stale_at - end + (stale_at - score_at));
    z->packed = p;
    return true;
}
