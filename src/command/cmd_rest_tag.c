/* cmd_rest_tag.c - entity tags of collections, for the REST front: a private row.
 *
 *     rest.tag    key             16 hex digits, or null
 *     rest.tag    key "exists"    [the same, 1 or 0]
 *
 * A digest of the elements, as rest.read's etag is of a string: of a list in their order, of other collections in none. The
 * tag of a collection of more than TAG_BYTES_MAX would take too long for a held lock: it has none, and neither has a
 * string here. */
#include <flashkv/num.h>

#include "args.h"
#include "handlers.h"

enum { TAG_BYTES_MAX = 64 * 1024 };

static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t both[] = {a, b};

    return store_digest(slice_of(both, sizeof(both)));
}

struct sum {
    const void *of;
    uint64_t sum;
};

static void add_field(void *sum, hash_place at) {
    struct sum *s = sum;

    s->sum += mix(store_digest(hash_field(s->of, at)), store_digest(hash_value(s->of, at)));
}

static void add_member(void *sum, set_place at) {
    char room[SET_ROOM];
    struct sum *s = sum;

    s->sum += mix(store_digest(set_member(s->of, at, room)), 0);
}

static void add_scored(void *sum, zset_place at) {
    struct sum *s = sum;
    double score = zset_score(s->of, at);

    s->sum += mix(store_digest(zset_member(s->of, at)), store_digest(slice_of(&score, sizeof(score))));
}

static uint64_t list_digest(const struct list *l) {
    struct list_iter it = list_iter_at(l, 0, LIST_HEAD);
    struct slice element;
    uint64_t digest = 0;

    while (list_iter_next(&it, &element))
        digest = mix(digest, store_digest(element));
    return digest;
}

/* Of what is there now: fields may have expired. */
static uint64_t digest(const struct entry *e, int64_t now) {
    struct sum s = {NULL, 0};

    switch (entry_type(e)) {
    case TYPE_STRING:
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
    return mix(s.sum, (uint64_t)entry_type(e));
}

void cmd_rest_tag(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    char hex[NUM_HEX64];

    if (c->argc > 2)
        reply_array(c->reply, 2);
    if (e != NULL && entry_type(e) != TYPE_STRING && entry_bytes(e) <= TAG_BYTES_MAX) {
        num_format_hex64(digest(e, c->txn->now_ms), hex);
        reply_bulk(c->reply, slice_of(hex, NUM_HEX64));
    } else {
        reply_null(c->reply);
    }
    if (c->argc > 2)
        reply_integer(c->reply, e != NULL);
}
