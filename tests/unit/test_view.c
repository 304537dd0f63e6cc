/* A view gives each element that was there when it began, once, whatever writers do between its pieces; and lists in order.
 * A model keeps what was there. */
#include <flashkv/view.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { ELEMENTS = 6000, NAMES = 2 * ELEMENTS, TEXT = 64, SEEDS = 6 };

static struct store *store;
static uint64_t state; /* of the random numbers */

static void setup(void) {
    const struct store_config config = {.max_value = 1 << 20};

    store = store_create(&config);
    ck_assert_ptr_nonnull(store);
}

static void teardown(void) {
    store_destroy(store);
}

static unsigned below(unsigned n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((state >> 33) % n);
}

static struct slice numbered(char text[TEXT], unsigned n) {
    return slice_of(text, (size_t)snprintf(text, TEXT, "member-%u", n));
}

/* A value, mostly short, now and then too long for the entry. */
static struct slice some_value(void) {
    static char bytes[8192];
    size_t len = below(20) == 0 ? 5000 + below(100) : 1 + below(4);

    memset(bytes, 'a' + (char)below(26), len);
    return slice_of(bytes, len);
}

/* ---- what is there, as texts ----------------------------------------------------------------------------------------- */

struct texts {
    char (*at)[TEXT];
    size_t count;
};

static struct texts texts_make(void) {
    return (struct texts){calloc(2 * NAMES, TEXT), 0};
}

/* The name, the value shortened to a digest, the expiry. */
static void put_text(struct texts *t, struct slice name, struct slice value, int64_t expire_at) {
    ck_assert_uint_lt(t->count, 2 * NAMES);
    snprintf(t->at[t->count++], TEXT, "%.*s %llx %lld", (int)(name.len < 24 ? name.len : 24), name.ptr,
             (unsigned long long)store_digest(value), (long long)expire_at);
}

static void put_item(void *ctx, const struct view_item *item) {
    put_text(ctx, item->name, item->value, item->expire_at);
}

struct reading {
    struct texts *texts;
    const struct hash *hash;
    const struct zset *zset;
    const struct set *set;
};

static void put_field(void *ctx, hash_place at) {
    const struct reading *r = ctx;

    put_text(r->texts, hash_field(r->hash, at), hash_value(r->hash, at), hash_expires_at(r->hash, at));
}

static void put_member(void *ctx, set_place at) {
    const struct reading *r = ctx;
    char room[SET_ROOM];

    put_text(r->texts, set_member(r->set, at, room), slice_of("", 0), NO_EXPIRY);
}

static void put_scored(void *ctx, zset_place at) {
    const struct reading *r = ctx;
    double score = zset_score(r->zset, at);

    put_text(r->texts, zset_member(r->zset, at), slice_of(&score, sizeof(score)), NO_EXPIRY);
}

static void put_elements(struct texts *t, const struct list *l) {
    struct list_iter it = list_iter_at(l, 0, LIST_HEAD);
    struct slice element;

    while (list_iter_next(&it, &element))
        put_text(t, element, slice_of("", 0), NO_EXPIRY);
}

static void read_all(struct texts *t, const struct entry *e) {
    struct reading r = {.texts = t};

    t->count = 0;
    switch (entry_type(e)) {
    case TYPE_STRING:
        break;
    case TYPE_LIST:
        put_elements(t, entry_list(e));
        break;
    case TYPE_HASH:
        r.hash = entry_hash(e);
        hash_scan(r.hash, 0, SIZE_MAX, HASH_ALL, put_field, &r);
        break;
    case TYPE_SET:
        r.set = entry_set(e);
        set_scan(r.set, 0, SIZE_MAX, put_member, &r);
        break;
    case TYPE_ZSET:
        r.zset = entry_zset(e);
        zset_walk(r.zset, 0, zset_len(r.zset), false, put_scored, &r);
        break;
    }
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void check_same(struct texts *got, struct texts *want, bool ordered) {
    ck_assert_uint_eq(got->count, want->count);
    if (!ordered) {
        qsort(got->at, got->count, TEXT, compare);
        qsort(want->at, want->count, TEXT, compare);
    }
    for (size_t i = 0; i < got->count; i++)
        ck_assert_str_eq(got->at[i], want->at[i]);
}

/* ---- changes --------------------------------------------------------------------------------------------------------- */

static void change_hash(struct hash *h) {
    char text[TEXT];
    struct slice field = numbered(text, below(NAMES));

    switch (below(4)) {
    case 0:
        hash_remove(h, field, HASH_ALL);
        break;
    case 1:
        ck_assert(hash_expire(h, field, HASH_ALL, below(3) > 0 ? 1000000 + below(1000) : NO_EXPIRY));
        break;
    case 2:
        ck_assert_int_ne(hash_update(h, field, some_value(), HASH_ALL), HASH_NO_MEMORY);
        break;
    default:
        ck_assert_int_ne(hash_set(h, field, some_value(), HASH_ALL), HASH_NO_MEMORY);
    }
}

static void change_set(struct set *s) {
    char text[TEXT];
    struct slice member = numbered(text, below(NAMES));

    if (below(2) == 0)
        set_remove(s, member);
    else
        ck_assert_int_ne(set_add(s, member), SET_NO_MEMORY);
}

static void change_zset(struct zset *z) {
    char text[TEXT];
    struct slice member = numbered(text, below(NAMES));
    zset_place at = zset_find(z, member);

    if (at == NULL)
        ck_assert_int_eq(zset_add(z, member, below(1000)), ZSET_ADDED);
    else if (below(3) == 0)
        zset_remove(z, member);
    else if (below(10) == 0)
        zset_remove_ranks(z, below((unsigned)zset_len(z) - 3), 3);
    else
        ck_assert(zset_move(z, at, below(1000)));
}

static void erase_some(struct list *l) {
    struct list_iter it = list_iter_at(l, below((unsigned)list_len(l)), below(2) ? LIST_HEAD : LIST_TAIL);
    struct slice element;

    for (int i = 0; i < 5 && list_iter_next(&it, &element); i++)
        list_iter_erase(l, &it);
}

static void change_list(struct list *l) {
    char text[TEXT];
    struct slice element = numbered(text, below(NAMES));
    unsigned len = (unsigned)list_len(l);

    switch (below(8)) {
    case 0:
        list_drop(l, below(2) ? LIST_HEAD : LIST_TAIL, below(10) ? 2 : below(200));
        break;
    case 1:
        erase_some(l);
        break;
    case 2:
        ck_assert(list_set(l, below(len), below(2) ? element : some_value()));
        break;
    case 3:
        list_erase(l, below(len - 20), below(20));
        break;
    case 4:
    case 5:
        ck_assert(list_insert(l, below(len), element));
        break;
    default:
        for (int i = 0; i < 20; i++)
            ck_assert(list_push(l, below(2) ? LIST_HEAD : LIST_TAIL, element));
    }
}

static void fill(struct object *o, enum value_type type, unsigned i) {
    char text[TEXT];
    struct slice name = numbered(text, i);

    if (type == TYPE_HASH)
        ck_assert_int_eq(hash_set((struct hash *)o, name, some_value(), HASH_ALL), HASH_ADDED);
    else if (type == TYPE_SET)
        ck_assert_int_eq(set_add((struct set *)o, name), SET_ADDED);
    else if (type == TYPE_ZSET)
        ck_assert_int_eq(zset_add((struct zset *)o, name, below(1000)), ZSET_ADDED);
    else
        ck_assert(list_push((struct list *)o, LIST_TAIL, name));
}

static void change(struct object *o, enum value_type type) {
    if (type == TYPE_HASH)
        change_hash((struct hash *)o);
    else if (type == TYPE_SET)
        change_set((struct set *)o);
    else if (type == TYPE_ZSET)
        change_zset((struct zset *)o);
    else
        change_list((struct list *)o);
}

/* ---- the key --------------------------------------------------------------------------------------------------------- */

static struct key the_key(void) {
    return store_key(store, SLICE_LIT("key"));
}

static void begin(struct txn *t, enum txn_mode mode) {
    txn_begin(t, store, 1000, TXN_ALL_SHARDS, mode);
}

static void make_key(enum value_type type) {
    struct key k = the_key();
    struct object *o;
    struct txn t;

    begin(&t, TXN_WRITE);
    ck_assert_int_eq(store_edit_object(&t, &k, type, true, &o), STORE_OK);
    for (unsigned i = 0; i < ELEMENTS; i++)
        fill(o, type, i);
    ck_assert(store_object_done(&t, &k));
    txn_end(&t);
}

static void change_key(enum value_type type, unsigned times) {
    struct key k = the_key();
    struct object *o;
    struct txn t;

    begin(&t, TXN_WRITE);
    if (type == TYPE_HASH)
        ck_assert_int_eq(store_fields_expire(&t, &k), STORE_OK);
    ck_assert_int_eq(store_edit_object(&t, &k, type, false, &o), STORE_OK);
    while (times-- > 0)
        change(o, type);
    ck_assert(store_object_done(&t, &k));
    txn_end(&t);
}

/* Begins a view, and reads into `want` what is there. */
static struct view *view_key(struct texts *want) {
    struct key k = the_key();
    const struct entry *e;
    struct view *v;
    struct txn t;

    begin(&t, TXN_READ);
    e = store_peek(&t, &k);
    ck_assert(view_is_worth(e));
    read_all(want, e);
    v = view_begin(&t, key_shard(&k), e);
    ck_assert_ptr_nonnull(v);
    txn_end(&t);
    return v;
}

static enum view_state next(struct view *v, struct texts *got) {
    enum view_state result;
    struct txn t;

    begin(&t, TXN_READ);
    result = view_next(&t, v, put_item, got);
    txn_end(&t);
    return result;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

static const enum value_type types[] = {TYPE_LIST, TYPE_HASH, TYPE_SET, TYPE_ZSET};
enum { TYPES = sizeof(types) / sizeof(*types) };

/* Several views one after the other, some of them ended in their midst. */
START_TEST(elements_are_given_as_they_were) {
    enum value_type type = types[_i % TYPES];
    struct texts want = texts_make(), got = texts_make();

    state = (uint64_t)_i;
    make_key(type);
    for (int round = 0; round < 6; round++) {
        struct view *v = view_key(&want);
        enum view_state last = VIEW_MORE;
        int pieces = 0;

        got.count = 0;
        for (; last == VIEW_MORE && (round % 3 != 1 || pieces < 2); pieces++) {
            change_key(type, round == 0 ? 0 : below(300));
            last = next(v, &got);
        }
        if (last != VIEW_MORE) {
            ck_assert_int_eq(last, VIEW_THROUGH);
            ck_assert_int_gt(pieces, 2);
            check_same(&got, &want, type == TYPE_LIST);
        }
        change_key(type, 50);
        view_end(v);
    }
    free(want.at);
    free(got.at);
}
END_TEST

static void rename_key(struct txn *t, const struct key *k) {
    struct key other = store_key(store, SLICE_LIT("another"));

    ck_assert_int_eq(store_rename(t, k, &other), STORE_OK);
    ck_assert_int_eq(store_rename(t, &other, k), STORE_OK);
}

static void replace_key(struct txn *t, const struct key *k) {
    const struct string_value v = {.bytes = SLICE_LIT("v")};

    ck_assert_int_eq(store_set_string(t, k, &v), STORE_OK);
}

static void delete_key(struct txn *t, const struct key *k) {
    ck_assert(store_delete(t, k));
}

static void flush_all(struct txn *t, const struct key *k) {
    (void)k;
    store_flush(t, NULL);
}

static void expire_key(struct txn *t, const struct key *k) {
    bool existed;

    ck_assert_int_eq(store_set_expiry(t, k, 1, &existed), STORE_OK);
}

static void (*const losses[])(struct txn *t, const struct key *k) = {rename_key, replace_key, delete_key,
                                                                     flush_all, expire_key};
enum { LOSSES = sizeof(losses) / sizeof(*losses) };

START_TEST(a_collection_that_goes_is_lost) {
    enum value_type type = types[_i % TYPES];
    struct texts want = texts_make(), got = texts_make();
    struct key k = the_key();
    struct view *v;
    struct txn t;

    make_key(type);
    v = view_key(&want);
    ck_assert_int_eq(next(v, &got), VIEW_MORE);
    change_key(type, 500);
    begin(&t, TXN_WRITE);
    losses[_i / TYPES](&t, &k);
    txn_end(&t);
    ck_assert_int_eq(next(v, &got), VIEW_LOST);
    if (_i / TYPES ==
        0) { /* it lives on: whoever changes it, or views it anew, meets nothing of the first view */
        struct view *again;
        enum view_state last;

        change_key(type, 500);
        again = view_key(&want);
        got.count = 0;
        while ((last = next(again, &got)) == VIEW_MORE)
            continue;
        ck_assert_int_eq(last, VIEW_THROUGH);
        check_same(&got, &want, type == TYPE_LIST);
        view_end(again);
    }
    view_end(v);
    free(want.at);
    free(got.at);
}
END_TEST

/* An expiry of the key moves its entry, and not the collection. */
START_TEST(an_expiry_does_not_end_a_view) {
    struct texts want = texts_make(), got = texts_make();
    struct key k = the_key();
    enum view_state last;
    struct view *v;
    struct txn t;
    bool existed;

    make_key(TYPE_HASH);
    v = view_key(&want);
    begin(&t, TXN_WRITE);
    ck_assert_int_eq(store_set_expiry(&t, &k, 2000, &existed), STORE_OK);
    txn_end(&t);
    while ((last = next(v, &got)) == VIEW_MORE)
        change_key(TYPE_HASH, 10);
    ck_assert_int_eq(last, VIEW_THROUGH);
    check_same(&got, &want, false);
    view_end(v);
    free(want.at);
    free(got.at);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("view");
    TCase *t = tcase_create("view");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, elements_are_given_as_they_were, 0, SEEDS * TYPES);
    tcase_add_loop_test(t, a_collection_that_goes_is_lost, 0, TYPES * LOSSES);
    tcase_add_test(t, an_expiry_does_not_end_a_view);
    suite_add_tcase(s, t);
    return s;
}
