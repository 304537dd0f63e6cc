/* The keyspace: one key, several, all of them; expiry; accounting. */
#include <flashkv/mem.h>
#include <flashkv/store.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { NOW = 1000000, MAX_VALUE = 1 << 20, LARGE = 100000 };

static struct store *store;
static struct txn txn;

static struct key key(const char *name) {
    return store_key(store, slice_str(name));
}

static void begin(int64_t now_ms, enum txn_mode mode) {
    txn_begin(&txn, store, now_ms, TXN_ALL_SHARDS, mode);
}

static enum store_result set_at(const char *name, struct slice value, int64_t expire_at) {
    struct key k = key(name);
    struct string_value v = {.bytes = value, .expire_at = expire_at};

    return store_set_string(&txn, &k, &v);
}

static void set(const char *name, const char *value) {
    ck_assert_int_eq(set_at(name, slice_str(value), NO_EXPIRY), STORE_OK);
}

static const struct entry *get(const char *name) {
    struct key k = key(name);

    return store_get(&txn, &k);
}

static void check_value(const char *name, struct slice value) {
    const struct entry *e = get(name);

    ck_assert_ptr_nonnull(e);
    ck_assert(slice_eq(entry_string(e), value));
    ck_assert(slice_eq(entry_key(e), slice_str(name)));
}

static struct slice large(char fill, size_t len) {
    static char room[2 * LARGE];

    memset(room, fill, len);
    return slice_of(room, len);
}

static struct shard_stats stats(void) {
    struct shard_stats s;

    store_stats(store, &s, NULL);
    return s;
}

static void setup(void) {
    struct store_config config = {.max_value = MAX_VALUE};

    store = store_create(&config);
    ck_assert_ptr_nonnull(store);
}

static void teardown(void) {
    store_destroy(store);
}

START_TEST(test_set_get_delete) {
    struct key a = key("a");

    begin(NOW, TXN_WRITE);
    set("a", "1");
    set("b", "");
    set("", "empty key");
    check_value("a", SLICE_LIT("1"));
    check_value("b", SLICE_LIT(""));
    check_value("", SLICE_LIT("empty key"));
    set("a", "another, longer than the first one was");
    check_value("a", SLICE_LIT("another, longer than the first one was"));
    ck_assert(store_delete(&txn, &a));
    ck_assert(!store_delete(&txn, &a));
    ck_assert_ptr_null(get("a"));
    ck_assert_uint_eq(store_count(&txn), 2);
    txn_end(&txn);
    ck_assert_uint_eq(stats().sets, 4);
    ck_assert_uint_eq(stats().deletes, 1);
    ck_assert_uint_eq(stats().misses, 1);
    ck_assert_uint_eq(stats().gets, stats().hits + stats().misses);
}
END_TEST

/* Of keys that are there, and of others, however far the table has moved meanwhile. */
START_TEST(test_near_changes_nothing) {
    char name[16], absent[16];

    for (int i = 0; i < 20000; i++) {
        struct key k, none;

        snprintf(name, sizeof(name), "key%d", i);
        snprintf(absent, sizeof(absent), "none%d", i);
        begin(NOW, TXN_WRITE);
        set(name, name);
        txn_end(&txn);
        k = key(name);
        none = key(absent);
        store_prefetch_shard(store, &k);
        store_prefetch_slot(store, &k);
        store_prefetch_slot(store, &none);
        store_prefetch_entry(store, &k);
        store_prefetch_entry(store, &none);
        begin(NOW, TXN_READ);
        check_value(name, slice_str(name));
        ck_assert_ptr_null(get(absent));
        txn_end(&txn);
    }
}
END_TEST

START_TEST(test_binary_keys) {
    struct key k1 = store_key(store, slice_of("x\0y", 3)), k2 = store_key(store, slice_of("x\0z", 3));
    struct string_value v = {.bytes = slice_of("\0\xff", 2)};

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(store_set_string(&txn, &k1, &v), STORE_OK);
    ck_assert_ptr_nonnull(store_get(&txn, &k1));
    ck_assert_ptr_null(store_get(&txn, &k2));
    ck_assert(slice_eq(entry_string(store_get(&txn, &k1)), v.bytes));
    txn_end(&txn);
}
END_TEST

/* A reader's reference keeps the old bytes while writers go on. */
START_TEST(test_large_value_outlives_its_key) {
    struct key k = key("big");
    struct blob *held;
    char *bytes;

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(set_at("big", large('a', LARGE), NO_EXPIRY), STORE_OK);
    held = blob_ref(entry_blob(get("big")));
    ck_assert_int_eq(store_edit_string(&txn, &k, LARGE, false, &bytes), STORE_OK);
    bytes[0] = 'b';
    ck_assert_int_eq(entry_string(get("big")).ptr[0], 'b');
    ck_assert_int_eq(held->data[0], 'a');
    store_delete(&txn, &k);
    txn_end(&txn);
    ck_assert(slice_eq(blob_slice(held), large('a', LARGE)));
    blob_unref(held);
}
END_TEST

START_TEST(test_blob_is_kept_not_copied) {
    struct key k = key("big");
    struct blob *b = blob_new(LARGE, LARGE);
    struct string_value v = {.blob = b};

    memset(b->data, 'x', LARGE);
    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(store_set_string(&txn, &k, &v), STORE_OK);
    ck_assert_ptr_eq(entry_blob(get("big")), b);
    txn_end(&txn);
    ck_assert(blob_shared(b));
    blob_unref(b);
}
END_TEST

/* A value with PAGED_LEAST bytes in the store, and the test's own reference to its blob. */
static struct blob *large_blob(const char *name) {
    struct key k = key(name);
    struct blob *b = blob_new(PAGED_LEAST, PAGED_LEAST);
    struct string_value v = {.blob = b};

    memset(b->data, 'x', PAGED_LEAST);
    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(store_set_string(&txn, &k, &v), STORE_OK);
    txn_end(&txn);
    return b;
}

START_TEST(test_paged_copy_takes_the_place) {
    struct key k = key("big");
    struct blob *b = large_blob("big"), *paged;
    char *bytes;

    ck_assert(!blob_wants_pages(b));
    ck_assert(blob_wants_pages(b));
    paged = blob_paged_copy(b);
    ck_assert_ptr_nonnull(paged);
    ck_assert(blob_paged(paged) && !blob_paged(b) && !blob_wants_pages(paged));
    begin(NOW, TXN_WRITE);
    store_swap_blob(&txn, &k, b, paged);
    ck_assert_ptr_eq(entry_blob(get("big")), paged);
    store_swap_blob(&txn, &k, b, b); /* not what is there any more */
    ck_assert_ptr_eq(entry_blob(get("big")), paged);
    txn_end(&txn);
    ck_assert(!blob_shared(b));
    blob_unref(b);
    blob_unref(paged);
    ck_assert(blob_shared(paged)); /* though the store alone has it: nobody may write to it */
    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(store_edit_string(&txn, &k, PAGED_LEAST, false, &bytes), STORE_OK);
    ck_assert_ptr_ne(bytes, paged->data);
    ck_assert(!blob_paged(entry_blob(get("big"))));
    txn_end(&txn);
}
END_TEST

START_TEST(test_small_values_want_no_pages) {
    struct blob *b = blob_new(PAGED_LEAST - 1, PAGED_LEAST - 1);

    for (int i = 0; i < 300; i++)
        ck_assert(!blob_wants_pages(b));
    blob_unref(b);
}
END_TEST

START_TEST(test_limits) {
    struct key k = key("a");
    char *bytes;

    begin(NOW, TXN_WRITE);
    set("a", "kept");
    ck_assert_int_eq(store_edit_string(&txn, &k, MAX_VALUE + 1, false, &bytes), STORE_TOO_LARGE);
    check_value("a", SLICE_LIT("kept"));
    ck_assert_int_eq(store_edit_string(&txn, &k, MAX_VALUE, false, &bytes), STORE_OK);
    txn_end(&txn);
}
END_TEST

/* New keys, ones to be replaced or written over, one named twice, and a value that is refused: all stay as they were. */
START_TEST(test_several_or_none) {
    struct key keys[] = {key("new"),  key("long"),     key("same"), key("new"),
                         key("list"), key("volatile"), key("big")};
    struct string_value values[] = {
        {.bytes = SLICE_LIT("n")},  {.bytes = large('b', LARGE)}, {.bytes = SLICE_LIT("SAME")},
        {.bytes = SLICE_LIT("nn")}, {.bytes = SLICE_LIT("l")},    {.bytes = SLICE_LIT("v")},
        {.bytes = SLICE_LIT("b")},
    };
    enum { COUNT = sizeof(keys) / sizeof(*keys) };
    struct object *list = NULL;
    uint64_t bytes;

    begin(NOW, TXN_WRITE);
    for (size_t i = 0; i < COUNT; i++) { /* their tables are there from now on */
        ck_assert_int_eq(store_set_strings(&txn, 1, &keys[i], &values[i], NULL, NULL), STORE_OK);
        store_delete(&txn, &keys[i]);
    }
    set("long", "long");
    set("same", "same");
    ck_assert_int_eq(set_at("volatile", SLICE_LIT("was"), NOW + 5), STORE_OK);
    ck_assert_int_eq(store_edit_object(&txn, &keys[4], TYPE_LIST, true, &list), STORE_OK);
    list_push((struct list *)list, LIST_HEAD, SLICE_LIT("element"));
    store_object_done(&txn, &keys[4]);
    bytes = stats().bytes;

    values[COUNT - 1].bytes.len = MAX_VALUE + 1;
    ck_assert_int_eq(store_set_strings(&txn, COUNT, keys, values, NULL, NULL), STORE_TOO_LARGE);
    check_value("long", SLICE_LIT("long"));
    check_value("same", SLICE_LIT("same"));
    ck_assert_int_eq(entry_expire_at(get("volatile")), NOW + 5);
    ck_assert_int_eq(entry_type(get("list")), TYPE_LIST);
    ck_assert_ptr_null(get("new"));
    ck_assert_ptr_null(get("big"));
    ck_assert_uint_eq(stats().bytes, bytes);

    values[COUNT - 1].bytes.len = 1;
    ck_assert_int_eq(store_set_strings(&txn, COUNT, keys, values, NULL, NULL), STORE_OK);
    check_value("new", SLICE_LIT("nn"));
    check_value("long", large('b', LARGE));
    check_value("same", SLICE_LIT("SAME"));
    check_value("list", SLICE_LIT("l"));
    check_value("volatile", SLICE_LIT("v"));
    ck_assert_int_eq(entry_expire_at(get("volatile")), NO_EXPIRY);
    check_value("big", SLICE_LIT("b"));
    txn_end(&txn);
    ck_assert_uint_eq(stats().volatile_keys, 0);
}
END_TEST

/* Every step of growing and shrinking a string keeps the bytes that stay and zeroes the new ones. */
START_TEST(test_edit_string) {
    static const size_t lens[] = {0, 1, 20, 21, 4095, 4096, 4097, 50000, 50001, 200000, 5, 0, 4096, 9000};
    struct key k = key("s");
    char model[200000] = "", *bytes;
    size_t before = 0;

    begin(NOW, TXN_WRITE);
    for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
        ck_assert_int_eq(store_edit_string(&txn, &k, lens[i], false, &bytes), STORE_OK);
        if (lens[i] > before)
            memset(model + before, 0, lens[i] - before);
        check_value("s", slice_of(model, lens[i]));
        memset(bytes, (int)('A' + i), lens[i]);
        memset(model, (int)('A' + i), lens[i]);
        check_value("s", slice_of(model, lens[i]));
        before = lens[i];
    }
    txn_end(&txn);
}
END_TEST

START_TEST(test_edit_keeps_expiry_and_content_type) {
    struct key k = key("s");
    struct string_value v = {SLICE_LIT("x"), NULL, NOW + 500, SLICE_LIT("text/plain")};
    char *bytes;

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(store_set_string(&txn, &k, &v), STORE_OK);
    for (size_t len = 1; len < 20000; len = len * 3 + 1) {
        ck_assert_int_eq(store_edit_string(&txn, &k, len, false, &bytes), STORE_OK);
        ck_assert_int_eq(entry_expire_at(get("s")), NOW + 500);
        ck_assert(slice_eq(entry_content_type(get("s")), SLICE_LIT("text/plain")));
        ck_assert_int_eq(entry_string(get("s")).ptr[0], 'x');
    }
    set("s", "plain");
    ck_assert_int_eq(entry_expire_at(get("s")), NO_EXPIRY);
    ck_assert_uint_eq(entry_content_type(get("s")).len, 0);
    txn_end(&txn);
}
END_TEST

START_TEST(test_expired_is_gone) {
    struct key k = key("a");
    bool existed;

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(set_at("a", SLICE_LIT("1"), NOW + 10), STORE_OK);
    ck_assert_int_eq(set_at("b", SLICE_LIT("1"), NOW + 20), STORE_OK);
    set("c", "1");
    ck_assert_int_eq(set_at("past", SLICE_LIT("1"), NOW), STORE_OK);
    ck_assert_ptr_null(get("past"));
    ck_assert_uint_eq(store_count(&txn), 3);
    txn_end(&txn);

    begin(NOW + 10, TXN_READ);
    ck_assert_ptr_null(get("a"));
    ck_assert_ptr_nonnull(get("b"));
    ck_assert_uint_eq(store_count(&txn), 2);
    txn_end(&txn);

    begin(NOW + 10, TXN_WRITE);
    ck_assert(!store_delete(&txn, &k));
    ck_assert_int_eq(store_set_expiry(&txn, &k, NOW + 99, &existed), STORE_OK);
    ck_assert(!existed);
    txn_end(&txn);
    ck_assert_uint_eq(stats().expired, 1);
}
END_TEST

START_TEST(test_set_expiry) {
    struct key k = key("a");
    bool existed;

    begin(NOW, TXN_WRITE);
    set("a", "value");
    for (int64_t at = NOW + 1; at < NOW + 4; at++) {
        ck_assert_int_eq(store_set_expiry(&txn, &k, at, &existed), STORE_OK);
        ck_assert(existed);
        ck_assert_int_eq(entry_expire_at(get("a")), at);
    }
    ck_assert_int_eq(store_set_expiry(&txn, &k, NO_EXPIRY, &existed), STORE_OK);
    ck_assert_int_eq(entry_expire_at(get("a")), NO_EXPIRY);
    check_value("a", SLICE_LIT("value"));
    ck_assert_uint_eq(stats().volatile_keys, 0);
    ck_assert_int_eq(store_set_expiry(&txn, &k, NOW - 1, &existed), STORE_OK);
    ck_assert_ptr_null(get("a"));
    txn_end(&txn);
}
END_TEST

static enum store_result edit_list(const struct key *k, bool create, struct list **l) {
    struct object *o = NULL;
    enum store_result result = store_edit_object(&txn, k, TYPE_LIST, create, &o);

    *l = (struct list *)o;
    return result;
}

static enum store_result read_list(const struct key *k, const struct list **l) {
    const struct object *o = NULL;
    enum store_result result = store_read_object(&txn, k, TYPE_LIST, &o);

    *l = (const struct list *)o;
    return result;
}

START_TEST(test_list) {
    struct key k = key("l");
    struct list *l;
    const struct list *read;
    struct slice got;

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(edit_list(&k, false, &l), STORE_OK);
    ck_assert_ptr_null(l);
    ck_assert_int_eq(edit_list(&k, true, &l), STORE_OK);
    ck_assert(list_push(l, LIST_TAIL, SLICE_LIT("x")));
    store_object_done(&txn, &k);
    ck_assert_int_eq(read_list(&k, &read), STORE_OK);
    ck_assert(list_peek(read, LIST_HEAD, &got) && slice_eq(got, SLICE_LIT("x")));
    ck_assert_int_eq(entry_type(get("l")), TYPE_LIST);
    set("s", "1");
    k = key("s");
    ck_assert_int_eq(edit_list(&k, true, &l), STORE_WRONG_TYPE);
    ck_assert_int_eq(read_list(&k, &read), STORE_WRONG_TYPE);
    k = key("l");
    ck_assert_int_eq(edit_list(&k, true, &l), STORE_OK);
    list_drop(l, LIST_HEAD, 1);
    store_object_done(&txn, &k);
    ck_assert_ptr_null(get("l"));
    ck_assert_uint_eq(store_count(&txn), 1);
    txn_end(&txn);
}
END_TEST

START_TEST(test_rename) {
    struct key a = key("a"), b = key("b");
    struct blob *blob;

    begin(NOW, TXN_WRITE);
    ck_assert_int_eq(set_at("a", large('x', LARGE), NOW + 50), STORE_OK);
    set("b", "old");
    blob = entry_blob(get("a"));
    ck_assert_int_eq(store_rename(&txn, &a, &b), STORE_OK);
    ck_assert_ptr_null(get("a"));
    ck_assert_ptr_eq(entry_blob(get("b")), blob);
    ck_assert_int_eq(entry_expire_at(get("b")), NOW + 50);
    ck_assert_int_eq(store_rename(&txn, &b, &b), STORE_OK);
    check_value("b", large('x', LARGE));
    ck_assert_uint_eq(store_count(&txn), 1);
    txn_end(&txn);
}
END_TEST

static void count_visit(void *ctx, const struct entry *e) {
    (void)e;
    ++*(size_t *)ctx;
}

START_TEST(test_scan_and_random) {
    size_t seen = 0, pages = 0;
    uint64_t cursor = 0;
    char name[16];

    begin(NOW, TXN_WRITE);
    ck_assert(!store_random(&txn, count_visit, &seen));
    ck_assert_uint_eq(store_scan(&txn, 0, 10, count_visit, &seen), 0);
    ck_assert_uint_eq(seen, 0);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        ck_assert_int_eq(set_at(name, SLICE_LIT("v"), i % 5 == 0 ? NOW + 1 : NO_EXPIRY), STORE_OK);
    }
    txn_end(&txn);
    txn_begin(&txn, store, NOW + 1, 0, TXN_READ);
    do {
        cursor = store_scan(&txn, cursor, 100, count_visit, &seen);
        ck_assert_uint_lt(cursor, UINT64_C(1) << 53);
        pages++;
    } while (cursor != 0);
    ck_assert_uint_eq(seen, 4000);
    ck_assert_uint_ge(pages, 40);
    seen = 0;
    ck_assert(store_random(&txn, count_visit, &seen));
    ck_assert_uint_eq(seen, 1);
    txn_end(&txn);
}
END_TEST

START_TEST(test_sweep) {
    struct sweep_result r, sum = {0, 0};
    char name[16];

    begin(NOW, TXN_WRITE);
    for (int i = 0; i < 9000; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        ck_assert_int_eq(set_at(name, SLICE_LIT("v"), i % 3 == 0 ? NO_EXPIRY : NOW + i % 3), STORE_OK);
    }
    txn_end(&txn);
    ck_assert_uint_eq(store_sweep(store, NOW).expired, 0);
    for (int round = 0; round < 50; round++) {
        r = store_sweep(store, NOW + 1);
        sum.expired += r.expired;
    }
    ck_assert_uint_eq(sum.expired, 3000);
    ck_assert_uint_eq(stats().keys, 6000);
    while (store_sweep(store, NOW + 5).expired > 0)
        continue;
    ck_assert_uint_eq(stats().volatile_keys, 0);
    /* Where nothing can expire, nothing is looked at. */
    ck_assert_uint_eq(store_sweep(store, NOW + 5).looked, 0);
    ck_assert_uint_eq(stats().keys, 3000);
}
END_TEST

static void flush_all(void) {
    txn_begin(&txn, store, NOW, 0, TXN_WRITE);
    store_flush(&txn, NULL);
    ck_assert_uint_eq(store_count(&txn), 0);
    txn_end(&txn);
}

START_TEST(test_flush_and_bytes) {
    char name[16];

    for (int round = 0; round < 2; round++) {
        begin(NOW, TXN_WRITE);
        for (int i = 0; i < 3000; i++) {
            snprintf(name, sizeof(name), "k%d", i);
            ck_assert_int_eq(set_at(name, large('x', (size_t)i * 3), i % 2 ? NOW + 9 : NO_EXPIRY), STORE_OK);
        }
        txn_end(&txn);
        ck_assert_uint_gt(stats().bytes, (size_t)3000 * 2999 / 2 * 3);
        flush_all();
        ck_assert_uint_eq(stats().bytes, 0);
    }
}
END_TEST

/* What the shards say they hold is the sum over what they hold, whatever happened to it. */
static void sum_bytes(void *ctx, const struct entry *e) {
    *(uint64_t *)ctx += entry_bytes(e);
}

START_TEST(test_accounting_never_drifts) {
    char name[16], *bytes;
    uint64_t sum = 0;
    struct list *l;
    bool existed;

    srand(7);
    begin(NOW, TXN_WRITE);
    for (int i = 0; i < 30000; i++) {
        struct key k;

        snprintf(name, sizeof(name), "k%d", rand() % 300);
        k = key(name);
        switch (rand() % 6) {
        case 0:
            set_at(name, large('x', (size_t)(rand() % 9000)), rand() % 2 ? NOW + 9 : NO_EXPIRY);
            break;
        case 1:
            store_edit_string(&txn, &k, (size_t)(rand() % 9000), false, &bytes);
            break;
        case 2:
            store_delete(&txn, &k);
            break;
        case 3:
            store_set_expiry(&txn, &k, rand() % 2 ? NOW + 99 : NO_EXPIRY, &existed);
            break;
        case 4:
            if (edit_list(&k, true, &l) == STORE_OK) {
                list_push(l, LIST_TAIL, large('y', (size_t)(rand() % 900)));
                store_object_done(&txn, &k);
            }
            break;
        case 5:
            if (store_peek(&txn, &k) != NULL) {
                struct key to = key("renamed");

                store_rename(&txn, &k, &to);
            }
            break;
        }
    }
    store_scan(&txn, 0, 1000000, sum_bytes, &sum);
    txn_end(&txn);
    /* The tables' free slots are not any entry's: far less than 64 KiB here. */
    ck_assert_uint_ge(stats().bytes, sum);
    ck_assert_uint_lt(stats().bytes - sum, 64 * 1024);
    flush_all();
    ck_assert_uint_eq(stats().bytes, 0);
}
END_TEST

START_TEST(test_stats_reset) {
    begin(NOW, TXN_WRITE);
    set("a", "1");
    get("a");
    txn_end(&txn);
    ck_assert_uint_eq(stats().write_locks, STORE_SHARDS);
    store_stats_reset(store);
    ck_assert_uint_eq(stats().sets + stats().gets + stats().write_locks, 0);
    ck_assert_uint_eq(stats().keys, 1);
}
END_TEST

Suite *test_suite(void) {
    const struct {
        const char *name;
        const TTest *test;
    } tests[] = {
        {"one key", test_set_get_delete},
        {"one key", test_binary_keys},
        {"one key", test_near_changes_nothing},
        {"strings", test_large_value_outlives_its_key},
        {"strings", test_blob_is_kept_not_copied},
        {"strings", test_paged_copy_takes_the_place},
        {"strings", test_small_values_want_no_pages},
        {"strings", test_limits},
        {"strings", test_several_or_none},
        {"strings", test_edit_string},
        {"strings", test_edit_keeps_expiry_and_content_type},
        {"expiry", test_expired_is_gone},
        {"expiry", test_set_expiry},
        {"lists", test_list},
        {"several keys", test_rename},
        {"keyspace", test_scan_and_random},
        {"expiry", test_sweep},
        {"keyspace", test_flush_and_bytes},
        {"keyspace", test_accounting_never_drifts},
        {"keyspace", test_stats_reset},
    };
    Suite *suite = suite_create("store");

    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        TCase *tc = tcase_create(tests[i].name);

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, tests[i].test);
        suite_add_tcase(suite, tc);
    }
    return suite;
}
