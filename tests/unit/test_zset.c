/* Sorted sets against a plain array: both encodings, the conversion, ranks and bounds, scores of every kind, memory. */
#include <flashkv/num.h>
#include <flashkv/zset.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <store/table.h>

#include "failing_mem.h"
#include "unit.h"

enum { NAMES = 600, FEW = 100, STEPS = 20000, LONG = 200 };

static const unsigned char secret[TABLE_SECRET_SIZE] = {7};
static struct zset *zset;
static bool present[NAMES];
static double scores[NAMES]; /* of those present */
static size_t count;

static void setup(void) {
    zset = zset_new(secret);
    memset(present, 0, sizeof(present));
    count = 0;
    srand(1);
}

static void teardown(void) {
    zset_free(zset);
}

/* Some are long, one is empty. */
static struct slice name_of(unsigned n) {
    static char room[2][LONG + 16];
    static unsigned turn;
    char *text = room[turn++ % 2];
    size_t len = (size_t)snprintf(text, sizeof(room[0]), "%u", n);

    if (n == 0)
        return slice_of(text, 0);
    if (n >= FEW && n % 50 == 0) {
        memset(text + len, 'x', LONG);
        len += LONG;
    }
    return slice_of(text, len);
}

/* Many alike; integers of every length, fractions, infinities. */
static double any_score(void) {
    static const double some[] = {0, -1, 1, 127, 128, -128, 255, -256, 65536, 1e9, -1e15, 1e300, 0.1, -2.5};
    int choice = rand() % 24;

    if (choice < 14)
        return some[choice];
    if (choice < 16)
        return choice == 14 ? INFINITY : -INFINITY;
    return choice < 20 ? rand() % 10 : rand() / 3.0;
}

static bool comes_before(unsigned a, unsigned b) {
    struct slice x = name_of(a), y = name_of(b);
    size_t shorter = x.len < y.len ? x.len : y.len;
    int diff = memcmp(x.ptr, y.ptr, shorter);

    if (scores[a] != scores[b])
        return scores[a] < scores[b];
    return diff != 0 ? diff < 0 : x.len < y.len;
}

static int compare(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    return comes_before(x, y) ? -1 : comes_before(y, x);
}

/* The model's members in their order. */
static size_t sorted(unsigned *names) {
    size_t n = 0;

    for (unsigned i = 0; i < NAMES; i++)
        if (present[i])
            names[n++] = i;
    qsort(names, n, sizeof(*names), compare);
    return n;
}

struct visited {
    const unsigned *next;
    int step;
};

static void expect(void *ctx, zset_place at) {
    struct visited *v = ctx;

    ck_assert(slice_eq(zset_member(zset, at), name_of(*v->next)));
    ck_assert(zset_score(zset, at) == scores[*v->next]);
    v->next += v->step;
}

static void check_bounds(const unsigned *names, size_t n, double score) {
    size_t less = 0, or_equal = 0;

    for (size_t i = 0; i < n; i++) {
        less += scores[names[i]] < score;
        or_equal += scores[names[i]] <= score;
    }
    ck_assert_uint_eq(zset_below_score(zset, score, false), less);
    ck_assert_uint_eq(zset_below_score(zset, score, true), or_equal);
}

static void check(void) {
    unsigned names[NAMES];
    size_t n = sorted(names);
    struct visited up = {names, 1}, down = {names + (n > 0 ? n - 1 : 0), -1};

    ck_assert_uint_eq(zset_len(zset), n);
    zset_walk(zset, 0, n, false, expect, &up);
    if (n > 0)
        zset_walk(zset, n - 1, n, true, expect, &down);
    for (size_t i = 0; i < n; i++)
        ck_assert_uint_eq(zset_rank(zset, zset_find(zset, name_of(names[i]))), i);
    for (unsigned i = 0; i < NAMES; i++)
        ck_assert_int_eq(zset_find(zset, name_of(i)) != NULL, present[i]);
    for (unsigned i = 0; i < 30; i++)
        check_bounds(names, n, any_score());
}

static void set(unsigned n, double score) {
    zset_place at = zset_find(zset, name_of(n));

    ck_assert_int_eq(at != NULL, present[n]);
    if (at != NULL)
        ck_assert(zset_move(zset, at, score));
    else
        ck_assert_int_eq(zset_add(zset, name_of(n), score), ZSET_ADDED);
    count += !present[n];
    present[n] = true;
    scores[n] = score;
}

static void drop(unsigned n) {
    ck_assert_int_eq(zset_remove(zset, name_of(n)), present[n]);
    count -= present[n];
    present[n] = false;
}

static void drop_ranks(size_t from, size_t n) {
    unsigned names[NAMES];

    sorted(names);
    zset_remove_ranks(zset, from, n);
    for (size_t i = from; i < from + n; i++)
        present[names[i]] = false;
    count -= n;
}

START_TEST(it_is_what_a_plain_array_says) {
    unsigned names = _i == 0 ? FEW : NAMES; /* few, and none long, stay packed */

    for (unsigned i = 0; i < STEPS; i++) {
        unsigned n = (unsigned)rand() % names;

        if (rand() % 3 > 0)
            set(n, any_score());
        else
            drop(n);
        if (i % 100 == 0 && count > 20)
            drop_ranks((size_t)rand() % (count - 10), (size_t)rand() % 10);
        if (i % 500 == 0)
            check();
    }
    check();
    ck_assert_str_eq(zset_encoding(zset), _i == 0 ? "listpack" : "skiplist");
    drop_ranks(0, count);
    check();
}
END_TEST

START_TEST(a_copy_is_the_same_and_its_own) {
    struct zset *original = zset;

    for (unsigned n = 0; n < (_i == 0 ? FEW : NAMES); n++)
        set(n, any_score());
    for (size_t allowed = 0;; allowed++) {
        mem_fail_after(allowed);
        zset = zset_copy(original);
        mem_fail_after(SIZE_MAX);
        if (zset != NULL)
            break;
    }
    ck_assert_str_eq(zset_encoding(zset), zset_encoding(original));
    zset_free(original);
    check();
    drop(1);
    check();
}
END_TEST

START_TEST(a_result_goes_back_to_where_it_fits) {
    ck_assert(zset_expect(zset, 128));
    ck_assert_str_eq(zset_encoding(zset), "listpack");
    ck_assert(zset_expect(zset, 129));
    ck_assert_str_eq(zset_encoding(zset), "skiplist");
    for (unsigned n = 0; n < (_i == 0 ? FEW : FEW + 1); n++) /* the last is long */
        set(n, any_score());
    for (size_t allowed = 0; allowed < (_i == 0 ? 5 : 20); allowed++) {
        mem_fail_after(allowed);
        zset_pack(zset);
        mem_fail_after(SIZE_MAX);
        check();
    }
    zset_pack(zset);
    ck_assert_str_eq(zset_encoding(zset), _i == 0 ? "listpack" : "skiplist");
    check();
}
END_TEST

START_TEST(it_is_converted_at_its_limits) {
    static char longest[65];

    for (unsigned n = 0; n < 127; n++) {
        char name[16];

        zset_add(zset, slice_of(name, (size_t)snprintf(name, sizeof(name), "m%u", n)), n);
    }
    ck_assert_int_eq(zset_add(zset, slice_of(longest, 64), 1), ZSET_ADDED);
    ck_assert_str_eq(zset_encoding(zset), "listpack");
    if (_i == 0)
        zset_add(zset, SLICE_LIT("another"), 1);
    else
        zset_remove_ranks(zset, 0, 10), zset_add(zset, slice_of(longest, 65), 1);
    ck_assert_str_eq(zset_encoding(zset), "skiplist");
    ck_assert_uint_eq(zset_len(zset), _i == 0 ? 129 : 119);
}
END_TEST

START_TEST(a_member_too_long_is_refused) {
    char *name = calloc(1, 131072);

    ck_assert_int_eq(zset_add(zset, slice_of(name, 131072), 1), ZSET_TOO_LONG);
    ck_assert_uint_eq(zset_len(zset), 0);
    ck_assert_int_eq(zset_add(zset, slice_of(name, 131071), 1), ZSET_ADDED);
    free(name);
}
END_TEST

START_TEST(members_of_one_score_are_found_by_their_bytes) {
    for (unsigned n = 0; n < (_i == 0 ? FEW : NAMES); n++)
        set(n, 7);
    for (unsigned n = 0; n < (_i == 0 ? FEW : NAMES); n++) {
        size_t rank = zset_rank(zset, zset_find(zset, name_of(n)));

        ck_assert_uint_eq(zset_below_member(zset, name_of(n), false), rank);
        ck_assert_uint_eq(zset_below_member(zset, name_of(n), true), rank + 1);
    }
    ck_assert_uint_eq(zset_below_member(zset, SLICE_LIT("\xff"), false), count);
}
END_TEST

START_TEST(every_score_comes_back_as_it_went_in) {
    for (int bit = 0; bit < 64; bit++)
        for (int around = -1; around <= 1; around++) {
            double score = ldexp(1, bit) + around;

            for (int sign = -1; sign <= 1; sign += 2) {
                ck_assert_int_eq(zset_add(zset, SLICE_LIT("m"), sign * score), ZSET_ADDED);
                ck_assert(zset_score(zset, zset_find(zset, SLICE_LIT("m"))) == sign * score);
                ck_assert(zset_remove(zset, SLICE_LIT("m")));
            }
        }
    ck_assert_str_eq(zset_encoding(zset), "listpack");
}
END_TEST

START_TEST(refused_memory_changes_nothing) {
    unsigned refused = 0;

    for (unsigned i = 0; i < 3000; i++) {
        unsigned n = (unsigned)rand() % (_i == 0 ? FEW : NAMES);
        double score = any_score();

        for (size_t allowed = 0;; allowed++) {
            zset_place at = zset_find(zset, name_of(n));
            bool done;

            mem_fail_after(allowed);
            done = at != NULL ? zset_move(zset, at, score) : zset_add(zset, name_of(n), score) == ZSET_ADDED;
            mem_fail_after(SIZE_MAX);
            if (done)
                break;
            refused++;
            if (i % 20 == 0)
                check();
        }
        count += !present[n];
        present[n] = true;
        scores[n] = score;
        if (rand() % 3 == 0)
            drop((unsigned)rand() % NAMES);
    }
    check();
    ck_assert_uint_gt(refused, 10);
}
END_TEST

/* A long member comes and goes. */
static void make_large(void) {
    zset_add(zset, name_of(550), 1);
    zset_remove(zset, name_of(550));
    ck_assert_str_eq(zset_encoding(zset), "skiplist");
}

static void note(void *ctx, zset_place at) {
    uint64_t n;

    ck_assert(num_parse_u64(zset_member(zset, at), &n));
    ((unsigned *)ctx)[n]++;
}

START_TEST(a_scan_meets_every_member_that_stays) {
    unsigned visits[NAMES] = {0}, more = 100;
    uint64_t cursor = 0;

    for (unsigned n = 1; n < 100; n++)
        zset_add(zset, name_of(n), n);
    ck_assert_str_eq(zset_encoding(zset), "listpack");
    if (_i == 1)
        make_large();
    do {
        cursor = zset_scan(zset, cursor, 10, note, visits);
        for (unsigned i = 0; i < 20 && more < NAMES; i++, more++)
            if (more % 50 != 0)
                zset_add(zset, name_of(more), more); /* it grows meanwhile */
    } while (cursor != 0);
    ck_assert_uint_gt(more, _i == 0 ? 100 : 200); /* it took several calls */
    for (unsigned n = 1; n < 100; n++)
        ck_assert_uint_ge(visits[n], 1);
}
END_TEST

START_TEST(any_member_is_as_likely) {
    unsigned visits[NAMES] = {0}, n = _i == 0 ? 20 : 49;

    for (unsigned i = 1; i <= n; i++)
        zset_add(zset, name_of(i), i % 5);
    if (_i == 1)
        make_large();
    for (unsigned i = 0; i < 200 * n; i++)
        note(visits, zset_random(zset));
    for (unsigned i = 1; i <= n; i++) /* 200 each, and seven standard deviations */
        ck_assert_msg(visits[i] > 100 && visits[i] < 300, "member %u: %u times", i, visits[i]);
}
END_TEST

/* Redis's dictionary and skip list take about 110 bytes for such a member. */
START_TEST(memory_is_accounted_and_small) {
    enum { MANY = 20000 };
    size_t empty = zset_bytes(zset);

    for (unsigned n = 0; n < MANY; n++) {
        char name[16];
        int len = snprintf(name, sizeof(name), "member:%06u", n);

        zset_add(zset, slice_of(name, (size_t)len), _i == 0 ? n : (unsigned)rand());
    }
    ck_assert_uint_le(zset_bytes(zset) / MANY, _i == 0 ? 66 : 74); /* libc, jemalloc 62 and 69 */
    zset_remove_ranks(zset, 0, MANY);
    ck_assert_uint_le(zset_bytes(zset), empty + 12288); /* a table that still shrinks */
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("zset");
    TCase *tc = tcase_create("zset");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, it_is_what_a_plain_array_says, 0, 2);
    tcase_add_loop_test(tc, a_copy_is_the_same_and_its_own, 0, 2);
    tcase_add_loop_test(tc, a_result_goes_back_to_where_it_fits, 0, 2);
    tcase_add_loop_test(tc, it_is_converted_at_its_limits, 0, 2);
    tcase_add_test(tc, a_member_too_long_is_refused);
    tcase_add_loop_test(tc, members_of_one_score_are_found_by_their_bytes, 0, 2);
    tcase_add_test(tc, every_score_comes_back_as_it_went_in);
    tcase_add_loop_test(tc, refused_memory_changes_nothing, 0, 2);
    tcase_add_loop_test(tc, a_scan_meets_every_member_that_stays, 0, 2);
    tcase_add_loop_test(tc, any_member_is_as_likely, 0, 2);
    tcase_add_loop_test(tc, memory_is_accounted_and_small, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
