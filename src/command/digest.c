/* digest.c - digests of values. */
#include "digest.h"

uint64_t digest_mix(uint64_t a, uint64_t b) {
    uint64_t both[] = {a, b};

    return store_digest(slice_of(both, sizeof(both)));
}

struct sum {
    const void *of;
    uint64_t sum;
};

static void add_field(void *sum, hash_place at) {
    struct sum *s = sum;

    s->sum += digest_mix(store_digest(hash_field(s->of, at)), store_digest(hash_value(s->of, at)));
}

static void add_member(void *sum, set_place at) {
    char room[SET_ROOM];
    struct sum *s = sum;

    s->sum += digest_mix(store_digest(set_member(s->of, at, room)), 0);
}

static void add_scored(void *sum, zset_place at) {
    struct sum *s = sum;
    double score = zset_score(s->of, at);

    s->sum += digest_mix(store_digest(zset_member(s->of, at)), store_digest(slice_of(&score, sizeof(score))));
}

static uint64_t list_digest(const struct list *l) {
    struct list_iter it = list_iter_at(l, 0, LIST_HEAD);
    struct slice element;
    uint64_t digest = 0;

    while (list_iter_next(&it, &element))
        digest = digest_mix(digest, store_digest(element));
    return digest;
}

uint64_t value_digest(const struct entry *e, int64_t now) {
    struct sum s = {NULL, 0};

    switch (entry_type(e)) {
    case TYPE_STRING:
        s.sum = store_digest(entry_string(e));
        break;
    case TYPE_LIST:
        s.sum = list_digest(entry_list(e));
        break;
    case TYPE_HASH:
        s.of = entry_hash(e);
        hash_scan(s.of, 0, SIZE_MAX, now, add_field, &s);
        break;
    case TYPE_SET:
        s.of = entry_set(e);
        set_scan(s.of, 0, SIZE_MAX, add_member, &s);
        break;
    case TYPE_ZSET:
        s.of = entry_zset(e);
        zset_scan(s.of, 0, SIZE_MAX, add_scored, &s);
        break;
    }
    return digest_mix(s.sum, (uint64_t)entry_type(e));
}
