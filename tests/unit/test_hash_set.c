/* Hashes and sets against plain arrays: every encoding, every conversion, scans while they change, fair dice. */
#include <flashkv/hash.h>
#include <flashkv/num.h>
#include <flashkv/set.h>
#include <stdio.h>
#include <stdlib.h>
#include <store/table.h>

#include "unit.h"

enum { NAMES = 600, STEPS = 20000, LONG = 5000, LONG_VALUE = 8 /* 100 bytes: too many for a packed hash */ };

static const unsigned char secret[TABLE_SECRET_SIZE] = {7};
static struct hash *hash;
static struct set *set;
static unsigned values[NAMES]; /* model: 0 is absent */
static unsigned present, visits[NAMES];

static void setup(void) {
    hash = hash_new(secret);
    set = set_new(secret);
    memset(values, 0, sizeof(values));
    memset(visits, 0, sizeof(visits));
    present = 0;
    srand(1);
}

static void teardown(void) {
    hash_free(hash);
    set_free(set);
}

static char room[2][LONG + 32];

static struct slice name_of(unsigned n) {
    return slice_of(room[0], (size_t)snprintf(room[0], sizeof(room[0]), "%u", n));
}

/* Some are long, some are too large for an entry. */
static struct slice value_of(unsigned v) {
    size_t digits = (size_t)snprintf(room[1], sizeof(room[1]), "%u.", v);
    size_t len = v % 50 == 1 ? LONG : v % 7 == 1 ? 100 : v % 5;

    memset(room[1] + digits, 'x', len);
    return slice_of(room[1], digits + len);
}

static void check_hash(void) {
    struct slice got;

    ck_assert_uint_eq(hash_len(hash), present);
    for (unsigned n = 0; n < NAMES; n++) {
        bool there = hash_get(hash, name_of(n), HASH_ALL, &got);

        ck_assert_int_eq(there, values[n] != 0);
        ck_assert(!there || slice_eq(got, value_of(values[n])));
    }
}

static void change_hash(unsigned n, unsigned v) {
    if (v == 0) {
        ck_assert_int_eq(hash_remove(hash, name_of(n), HASH_ALL), values[n] != 0);
    } else {
        enum hash_result result = hash_set(hash, name_of(n), value_of(v), HASH_ALL);

        ck_assert_int_eq(result, values[n] != 0 ? HASH_REPLACED : HASH_ADDED);
    }
    present += (v != 0) - (values[n] != 0);
    values[n] = v;
}

START_TEST(a_hash_is_what_a_plain_array_says) {
    unsigned names = _i == 0 ? 40 : NAMES; /* few stay packed while the values are short */

    for (unsigned i = 0; i < STEPS; i++) {
        change_hash((unsigned)rand() % names,
                    (unsigned)rand() % 3 == 0 ? 0 : (unsigned)rand() % 1000 * (_i > 0) + 2);
        if (i % 500 == 0)
            check_hash();
    }
    check_hash();
    ck_assert_str_eq(hash_encoding(hash), _i == 0 ? "listpack" : "hashtable");
    for (unsigned n = 0; n < NAMES; n++)
        if (values[n] != 0)
            change_hash(n, 0);
    ck_assert_uint_eq(hash_len(hash), 0);
}
END_TEST

START_TEST(a_hash_is_converted_at_its_limits) {
    static char longest[64 + 1];

    for (unsigned n = 0; n < 512; n++)
        hash_set(hash, name_of(n), SLICE_LIT("v"), HASH_ALL);
    hash_set(hash, name_of(5), slice_of(longest, 64), HASH_ALL);
    ck_assert_str_eq(hash_encoding(hash), "listpack");
    if (_i == 0)
        hash_set(hash, name_of(5), slice_of(longest, 65), HASH_ALL);
    else if (_i == 1)
        hash_set(hash, slice_of(longest, 65), SLICE_LIT("v"), HASH_ALL);
    else
        hash_set(hash, name_of(512), SLICE_LIT("v"), HASH_ALL);
    ck_assert_str_eq(hash_encoding(hash), "hashtable");
    ck_assert_uint_eq(hash_len(hash), _i == 0 ? 512 : 513);
}
END_TEST

START_TEST(a_field_too_long_is_refused) {
    char *name = calloc(1, 131072);

    ck_assert_int_eq(hash_set(hash, slice_of(name, 131072), SLICE_LIT("v"), HASH_ALL), HASH_TOO_LONG);
    ck_assert_uint_eq(hash_len(hash), 0);
    ck_assert_int_eq(hash_set(hash, slice_of(name, 131071), SLICE_LIT("v"), HASH_ALL), HASH_ADDED);
    ck_assert_int_eq(set_add(set, slice_of(name, 131072)), SET_TOO_LONG);
    ck_assert_int_eq(set_add(set, slice_of(name, 131071)), SET_ADDED);
    free(name);
}
END_TEST

static void count_field(void *ctx, hash_place at) {
    uint64_t n;

    (void)ctx;
    ck_assert(num_parse_u64(hash_field(hash, at), &n) && n < NAMES);
    visits[n]++;
}

START_TEST(a_scan_meets_every_field_that_stays) {
    uint64_t cursor = 0;
    unsigned more = 300;

    for (unsigned n = 0; n < 300; n++)
        change_hash(n, LONG_VALUE);
    do {
        cursor = hash_scan(hash, cursor, 10, HASH_ALL, count_field, NULL);
        for (unsigned i = 0; i < 20 && more < NAMES; i++)
            change_hash(more++, LONG_VALUE); /* the table grows meanwhile */
    } while (cursor != 0);
    for (unsigned n = 0; n < 300; n++)
        ck_assert_uint_ge(visits[n], 1);
}
END_TEST

START_TEST(any_field_is_as_likely) {
    unsigned n = _i == 0 ? 20 : 300, draws = 200 * n;

    for (unsigned i = 0; i < n; i++)
        change_hash(i, _i == 0 ? 2 : LONG_VALUE);
    for (unsigned i = 0; i < draws; i++)
        count_field(NULL, hash_random(hash, HASH_ALL));
    for (unsigned i = 0; i < n; i++) /* 200 each, and seven standard deviations */
        ck_assert_msg(visits[i] > 100 && visits[i] < 300, "field %u: %u times", i, visits[i]);
}
END_TEST

/* ---- sets ------------------------------------------------------------------------------------------------------ */

static struct slice member_of(unsigned n, bool integers) {
    int len = integers ? snprintf(room[0], sizeof(room[0]), "%d", (int)n * 7919 - 100000)
                       : snprintf(room[0], sizeof(room[0]), "0%u", n); /* no integer as one is written */

    return slice_of(room[0], (size_t)len);
}

static void change_set(unsigned n, bool add, bool integers) {
    if (add)
        ck_assert_int_eq(set_add(set, member_of(n, integers)), values[n] ? SET_WAS_THERE : SET_ADDED);
    else
        ck_assert_int_eq(set_remove(set, member_of(n, integers)), values[n] != 0);
    present += add - values[n];
    values[n] = add;
}

static bool integers; /* what the members of the test are */

static void count_member(void *ctx, set_place at) {
    char digits[SET_ROOM];
    struct slice member = set_member(set, at, digits);
    int64_t n;

    (void)ctx;
    if (!integers)
        member = slice_of(member.ptr + 1, member.len - 1);
    ck_assert(num_parse_i64(member, &n));
    n = integers ? (n + 100000) / 7919 : n;
    ck_assert(n >= 0 && n < NAMES);
    visits[n]++;
}

START_TEST(a_set_is_what_a_plain_array_says) {
    integers = _i == 0;
    for (unsigned i = 0; i < STEPS; i++)
        change_set((unsigned)rand() % 500, rand() % 2, integers);
    ck_assert_str_eq(set_encoding(set), integers ? "intset" : "hashtable");
    ck_assert_uint_eq(set_len(set), present);
    ck_assert_uint_eq(set_scan(set, 0, SIZE_MAX, count_member, NULL), 0);
    for (unsigned n = 0; n < NAMES; n++) {
        ck_assert_int_eq(set_has(set, member_of(n, integers)), values[n] != 0);
        ck_assert_uint_eq(visits[n], values[n]);
    }
}
END_TEST

START_TEST(integers_become_a_table_when_they_are_many_or_joined) {
    for (unsigned n = 0; n < 512; n++)
        change_set(n, true, true);
    ck_assert_str_eq(set_encoding(set), "intset");
    if (_i == 0)
        change_set(512, true, true);
    else
        ck_assert_int_eq(set_add(set, SLICE_LIT("+1")), SET_ADDED); /* not how an integer is written */
    ck_assert_str_eq(set_encoding(set), "hashtable");
    for (unsigned n = 0; n < 512; n++)
        ck_assert(set_has(set, member_of(n, true)));
    ck_assert_uint_eq(set_len(set), 513);
}
END_TEST

START_TEST(any_member_is_as_likely) {
    integers = _i == 0;
    for (unsigned n = 0; n < 100; n++)
        change_set(n, true, integers);
    for (unsigned i = 0; i < 100 * 200; i++)
        count_member(NULL, set_random(set));
    for (unsigned n = 0; n < 100; n++)
        ck_assert_msg(visits[n] > 100 && visits[n] < 300, "member %u: %u times", n, visits[n]);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("hash_set");
    TCase *tc = tcase_create("hash_set");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_hash_is_what_a_plain_array_says, 0, 2);
    tcase_add_loop_test(tc, a_hash_is_converted_at_its_limits, 0, 3);
    tcase_add_test(tc, a_field_too_long_is_refused);
    tcase_add_test(tc, a_scan_meets_every_field_that_stays);
    tcase_add_loop_test(tc, any_field_is_as_likely, 0, 2);
    tcase_add_loop_test(tc, a_set_is_what_a_plain_array_says, 0, 2);
    tcase_add_loop_test(tc, integers_become_a_table_when_they_are_many_or_joined, 0, 2);
    tcase_add_loop_test(tc, any_member_is_as_likely, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
