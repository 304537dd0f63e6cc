/* in_store.h - a store of its own for each test, and a transaction that a test begins. For one test program each. */
#ifndef TESTS_IN_STORE_H
#define TESTS_IN_STORE_H

#include <check.h>
#include <flashkv/store.h>

static struct store *store;
static struct txn txn;

static void setup(void) {
    store = store_create(&(struct store_config){.max_value = 1 << 20});
    ck_assert_ptr_nonnull(store);
}

static void teardown(void) {
    store_destroy(store);
}

static void begin(int64_t now_ms) {
    txn_begin(&txn, store, now_ms, TXN_ALL_SHARDS, TXN_WRITE);
}

static struct key key(const char *name) {
    return store_key(store, slice_str(name));
}

#endif
