/* Watches of keys: who is told, who waits, many of them. */
#include <flashkv/watch.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

enum { NOW = 1000000 };

static struct store *store;
static struct txn txn;

struct seen {
    struct key_watch watch; /* first */
    unsigned told;
    bool ends; /* with the first change */
};

static bool on_changed(struct key_watch *w, const struct event *ev) {
    struct seen *s = (struct seen *)w;

    ck_assert_ptr_eq(ev->txn, &txn);
    (void)store_peek(ev->txn, ev->key);
    s->told++;
    return !s->ends;
}

static void setup(void) {
    struct store_config config = {.max_value = 1 << 20};

    store = store_create(&config);
    ck_assert_ptr_nonnull(store);
    txn_begin(&txn, store, NOW, TXN_ALL_SHARDS, TXN_WRITE);
}

static void teardown(void) {
    txn_end(&txn);
    store_destroy(store);
}

static struct key key(const char *name) {
    return store_key(store, slice_str(name));
}

static void change(const char *name) {
    struct key k = key(name);

    store_changed(&txn, &k, EVENT_GENERIC, "set");
}

static void watch(struct seen *s, const char *name) {
    struct key k = key(name);

    s->watch.changed = on_changed;
    ck_assert(store_watch(&txn, &k, &s->watch));
}

static void unwatch(struct key_watch *w, const char *name) {
    struct key k = key(name);

    store_unwatch(&txn, &k, w);
    ck_assert_ptr_null(w->of);
}

START_TEST(test_told) {
    struct seen a = {0}, b = {.ends = true}, c = {0};

    watch(&a, "k");
    watch(&b, "k");
    watch(&c, "l");
    change("k");
    change("k");
    change("m");
    ck_assert_uint_eq(a.told, 2);
    ck_assert_uint_eq(b.told, 1);
    ck_assert_uint_eq(c.told, 0);
    unwatch(&b.watch, "k"); /* has ended already */
    unwatch(&a.watch, "k");
    change("k");
    ck_assert_uint_eq(a.told, 2);
    unwatch(&c.watch, "l");
    watch(&c, "l"); /* the table begins anew */
    change("l");
    ck_assert_uint_eq(c.told, 1);
    unwatch(&c.watch, "l");
}
END_TEST

/* A transaction hears for its own shards only, and is asked when it begins. */
START_TEST(test_heard) {
    struct seen a = {0};
    struct key k = key("k");

    watch(&a, "k");
    txn_end(&txn);
    txn_begin(&txn, store, NOW, ~key_shard_bit(&k), TXN_WRITE);
    ck_assert(!txn.wanted);
    txn_end(&txn);
    txn_begin(&txn, store, NOW, key_shard_bit(&k), TXN_WRITE);
    ck_assert(txn.wanted);
    unwatch(&a.watch, "k");
    txn_end(&txn);
    txn_begin(&txn, store, NOW, TXN_ALL_SHARDS, TXN_WRITE);
    ck_assert(!txn.wanted);
}
END_TEST

/* A flush tells of the keys that it takes. */
START_TEST(test_flush) {
    struct seen there = {.ends = true}, missing = {0};
    struct key k = key("there");
    struct string_value v = {.bytes = SLICE_LIT("1")};

    ck_assert_int_eq(store_set_string(&txn, &k, &v), STORE_OK);
    watch(&there, "there");
    watch(&missing, "missing");
    for (int held = 0; held < 2; held++) {
        if (!held) {
            txn_end(&txn);
            txn_begin(&txn, store, NOW, 0, TXN_WRITE);
        }
        store_flush(&txn, NULL);
        if (!held) {
            txn_end(&txn);
            txn_begin(&txn, store, NOW, TXN_ALL_SHARDS, TXN_WRITE);
        }
        ck_assert_uint_eq(there.told, 1);
        ck_assert_uint_eq(missing.told, 0);
    }
    unwatch(&missing.watch, "missing");
}
END_TEST

START_TEST(test_waiting) {
    struct key_watch first = {0}, second = {0};
    struct key k = key("k"), l = key("l");
    struct watched_key *ready;
    struct ready_keys list;

    ck_assert(store_watch(&txn, &l, &first) && store_watch(&txn, &k, &second));
    unwatch(&first, "l");
    ck_assert(store_watch(&txn, &k, &first));
    change("l");
    ck_assert_ptr_null(txn.ready.first);
    change("k");
    change("k"); /* is ready already */
    list = txn_take_ready(&txn);
    ready = ready_keys_pop(&list);
    ck_assert(slice_eq(watched_key(ready)->name, SLICE_LIT("k")));
    ck_assert_ptr_null(ready_keys_pop(&list));
    ck_assert_ptr_eq(watched_key_waiting(ready), &second);
    ck_assert_ptr_eq(key_watch_next(&second), &first);
    ck_assert_ptr_null(key_watch_next(&first));
    change("k"); /* whoever has it will look again */
    ck_assert_ptr_null(txn.ready.first);
    unwatch(&first, "k");
    unwatch(&second, "k");
    ck_assert_ptr_null(watched_key_waiting(ready));
    watched_key_release(&txn, ready);

    ck_assert(store_watch(&txn, &k, &first));
    change("k");
    txn_end(&txn); /* served by nobody */
    txn_begin(&txn, store, NOW, TXN_ALL_SHARDS, TXN_WRITE);
    change("k");
    ck_assert_ptr_nonnull(txn.ready.first);
    unwatch(&first, "k");
}
END_TEST

START_TEST(test_many) {
    enum { KEYS = 5000, EACH = 4 };
    struct seen *seen = calloc(KEYS * EACH, sizeof(*seen));
    char name[32];

    ck_assert_ptr_nonnull(seen);
    for (size_t i = 0; i < KEYS * EACH; i++) {
        snprintf(name, sizeof(name), "key:%zu", i % KEYS);
        watch(&seen[i], name);
    }
    for (size_t i = 0; i < KEYS; i += 2) {
        snprintf(name, sizeof(name), "key:%zu", i);
        change(name);
    }
    for (size_t i = 0; i < KEYS * EACH; i++) {
        ck_assert_uint_eq(seen[i].told, i % KEYS % 2 == 0);
        snprintf(name, sizeof(name), "key:%zu", i % KEYS);
        unwatch(&seen[i].watch, name);
    }
    free(seen);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("watch");
    TCase *t = tcase_create("watch");

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_told);
    tcase_add_test(t, test_heard);
    tcase_add_test(t, test_flush);
    tcase_add_test(t, test_waiting);
    tcase_add_test(t, test_many);
    return s;
}
