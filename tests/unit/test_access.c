/* Access stamps: clocks that wrap and are set back, LFU's count, and which functions count a key as used. */
#include "store/access.h"

#include <flashkv/clock.h>
#include <stdlib.h>

#include "in_store.h"
#include "unit.h"

#define NOW INT64_C(1790000000000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)

static const struct access_rules lru = {0, 0, false}, lfu = {10, 1, true};

/* ---- the stamp alone ------------------------------------------------------------------------------------------- */

START_TEST(test_idle_time) {
    uint32_t stamp = access_first(&lru, NOW);

    ck_assert_int_eq(access_idle_ms(stamp, NOW), 0);
    for (int64_t idle = SECOND; idle < 185 * DAY; idle += idle / 3) {
        int64_t told = access_idle_ms(stamp, NOW + idle);

        ck_assert_int_gt(told, idle - 1024);
        ck_assert_int_lt(told, idle + 1024);
    }
    ck_assert_int_eq(access_next(&lru, stamp, NOW + DAY), access_first(&lru, NOW + DAY));
}
END_TEST

/* The 24 bits wrap about every 199 days; the clock may be set back by 12. */
START_TEST(test_idle_time_wraps) {
    int64_t wrap = INT64_C(1) << 34; /* ms: the stamp is the same again */

    for (int64_t at = 9 * wrap - 5 * SECOND; at < 9 * wrap + 5 * SECOND; at += SECOND)
        ck_assert_int_eq(access_idle_ms(access_first(&lru, at), at + 1024 * 100), 1024 * 100);
    ck_assert_int_eq(access_idle_ms(access_first(&lru, NOW), NOW - DAY), 0);
    ck_assert_int_eq(access_idle_ms(access_first(&lru, NOW), NOW - 12 * DAY), 0);
    ck_assert_int_eq(access_idle_ms(access_first(&lru, NOW), NOW + wrap), 0);
}
END_TEST

START_TEST(test_count_decays) {
    uint32_t stamp = access_first(&lfu, NOW);
    struct access_rules slower = {10, 7, true}, never = {10, 0, true};

    ck_assert_uint_eq(access_count(&lfu, stamp, NOW), ACCESS_COUNT_NEW);
    ck_assert_uint_eq(access_count(&lfu, stamp, NOW + 2 * MINUTE), ACCESS_COUNT_NEW - 2);
    ck_assert_uint_eq(access_count(&lfu, stamp, NOW + 100 * MINUTE), 0);
    ck_assert_uint_eq(access_count(&slower, stamp, NOW + 14 * MINUTE), ACCESS_COUNT_NEW - 2);
    ck_assert_uint_eq(access_count(&never, stamp, NOW + 100 * MINUTE), ACCESS_COUNT_NEW);
    /* A minute is a 65536th of the clock's way round. */
    stamp = access_first(&lfu, 65536 * MINUTE - 1);
    ck_assert_uint_eq(access_count(&lfu, stamp, 65536 * MINUTE + MINUTE), ACCESS_COUNT_NEW - 2);
    /* What was decayed is the base of the next count: from 0 to ACCESS_COUNT_NEW each access counts. */
    stamp = access_next(&lfu, access_first(&lfu, NOW), NOW + 100 * MINUTE);
    ck_assert_uint_eq(access_count(&lfu, stamp, NOW + 100 * MINUTE), 1);
}
END_TEST

static unsigned count_after(const struct access_rules *rules, unsigned accesses) {
    uint32_t stamp = access_first(rules, NOW);

    for (unsigned i = 0; i < accesses; i++)
        stamp = access_next(rules, stamp, NOW);
    return access_count(rules, stamp, NOW);
}

static int by_value(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Counting is by chance, and one count of a thousand is far out: the middle one of many is not. */
static int usual_count_after(const struct access_rules *rules, unsigned accesses) {
    enum { COUNTS = 31 };
    int counts[COUNTS];

    for (int i = 0; i < COUNTS; i++)
        counts[i] = (int)count_after(rules, accesses);
    qsort(counts, COUNTS, sizeof(*counts), by_value);
    return counts[COUNTS / 2];
}

/* The table of redis.conf: 100 accesses make about 10, 1000 about 18, 100 000 about 142, with a factor of 10. */
START_TEST(test_count_is_a_logarithm) {
    struct access_rules every = {0, 1, true};

    ck_assert_int_ge(usual_count_after(&lfu, 100), 8);
    ck_assert_int_le(usual_count_after(&lfu, 100), 13);
    ck_assert_int_ge(usual_count_after(&lfu, 1000), 15);
    ck_assert_int_le(usual_count_after(&lfu, 1000), 22);
    ck_assert_int_ge(usual_count_after(&lfu, 100000), 130);
    ck_assert_int_le(usual_count_after(&lfu, 100000), 160);
    ck_assert_uint_eq(count_after(&every, 10), ACCESS_COUNT_NEW + 10);
    ck_assert_uint_eq(count_after(&every, 10000), 255);
}
END_TEST

/* ---- in a store ------------------------------------------------------------------------------------------------ */

static void set(const char *name, size_t len) {
    static const char bytes[10000];
    struct key k = key(name);
    struct string_value v = {.bytes = slice_of(bytes, len)};

    ck_assert_int_eq(store_set_string(&txn, &k, &v), STORE_OK);
}

/* In seconds. */
static int64_t idle(const char *name) {
    struct key k = key(name);
    const struct entry *e = store_peek(&txn, &k);

    ck_assert_ptr_nonnull(e);
    return store_idle_ms(&txn, e) / SECOND;
}

static unsigned frequency(const char *name) {
    struct key k = key(name);
    const struct entry *e = store_peek(&txn, &k);

    ck_assert_ptr_nonnull(e);
    return store_frequency(&txn, e);
}

static void at(int64_t now_ms) {
    txn_end(&txn);
    begin(now_ms);
}

START_TEST(test_what_is_an_access) {
    struct key k = key("k"), to = key("to");
    bool existed;

    begin(NOW);
    set("k", 10);
    at(NOW + 1024 * 50);
    ck_assert_int_eq(idle("k"), 51);
    store_inspect(&txn, &k);
    store_peek(&txn, &k);
    ck_assert_int_eq(idle("k"), 51);
    txn.no_touch = true;
    store_get(&txn, &k);
    ck_assert_int_eq(idle("k"), 51);
    txn.no_touch = false;
    store_get(&txn, &k);
    ck_assert_int_eq(idle("k"), 0);
    at(NOW + 1024 * 100);
    ck_assert_int_eq(idle("k"), 51);
    ck_assert_int_eq(store_set_expiry(&txn, &k, NOW + DAY, &existed), STORE_OK); /* moves the entry */
    ck_assert_int_eq(idle("k"), 0);
    at(NOW + 1024 * 150);
    txn.no_touch = true;
    ck_assert_int_eq(store_rename(&txn, &k, &to), STORE_OK);
    ck_assert_int_eq(idle("to"), 51);
    ck_assert_int_eq(store_copy(&txn, &to, &k), STORE_OK); /* a copy is new */
    ck_assert_int_eq(idle("k"), 0);
    txn_end(&txn);
}
END_TEST

/* In every way that a key is written over. */
START_TEST(test_writing_is_an_access) {
    static const size_t lens[] = {10, 10, 11, 100, 9000, 9000, 10};

    begin(NOW);
    set("k", 10);
    for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
        struct key k = key("k");
        char *bytes;

        at(NOW + (int64_t)(2 * i + 1) * MINUTE);
        ck_assert_int_ge(idle("k"), 59);
        set("k", lens[i]);
        ck_assert_int_eq(idle("k"), 0);
        at(NOW + (int64_t)(2 * i + 2) * MINUTE);
        ck_assert_int_eq(store_edit_string(&txn, &k, lens[i] + 1, true, &bytes), STORE_OK);
        ck_assert_int_eq(idle("k"), 0);
    }
    txn_end(&txn);
}
END_TEST

START_TEST(test_frequency_stays_with_the_key) {
    struct access_rules every = {0, 1, true};
    struct key k = key("k");

    store_set_access(store, every);
    begin(NOW);
    set("k", 10);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW);
    store_get(&txn, &k);
    store_get(&txn, &k);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW + 2);
    set("k", 20);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW + 3);
    set("k", 9000);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW + 4);
    ck_assert_int_eq(
        store_set_strings(&txn, 1, &k, &(struct string_value){.bytes = SLICE_LIT("v")}, NULL, NULL),
        STORE_OK);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW + 5);
    at(NOW + 3 * MINUTE);
    ck_assert_uint_eq(frequency("k"), ACCESS_COUNT_NEW + 2);
    txn_end(&txn);
}
END_TEST

/* While keys are loaded time stands at 0; they are not a lifetime old for it. */
START_TEST(test_loaded_keys) {
    begin(0);
    set("k", 10);
    at(clock_wall_ms());
    ck_assert_int_le(idle("k"), 60);
    txn_end(&txn);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("access");
    TCase *stamp = tcase_create("stamp"), *in_store = tcase_create("store");

    tcase_add_test(stamp, test_idle_time);
    tcase_add_test(stamp, test_idle_time_wraps);
    tcase_add_test(stamp, test_count_decays);
    tcase_add_test(stamp, test_count_is_a_logarithm);
    suite_add_tcase(s, stamp);
    tcase_add_checked_fixture(in_store, setup, teardown);
    tcase_add_test(in_store, test_what_is_an_access);
    tcase_add_test(in_store, test_writing_is_an_access);
    tcase_add_test(in_store, test_frequency_stays_with_the_key);
    tcase_add_test(in_store, test_loaded_keys);
    suite_add_tcase(s, in_store);
    return s;
}
