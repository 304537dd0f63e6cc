/* Histograms: the borders of buckets, percentiles, sums. */
#include <flashkv/histogram.h>

#include "unit.h"

static struct histogram h, other;

static void setup(void) {
    h = other = (struct histogram){{0}};
}

START_TEST(buckets_follow_each_other) {
    uint64_t next = 0;

    for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++) {
        ck_assert_uint_eq(histogram_bucket(next), b);
        ck_assert_uint_eq(histogram_bucket(histogram_highest(b)), b);
        ck_assert_uint_le(histogram_highest(b) - next, next / 16); /* to 6 % */
        next = histogram_highest(b) + 1;
    }
    ck_assert_uint_eq(next, UINT64_C(1) << HISTOGRAM_TOP_BITS);
    ck_assert_uint_eq(histogram_bucket(next), HISTOGRAM_BUCKETS - 1);
    ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(percentiles) {
    ck_assert_uint_eq(histogram_percentile(&h, 50), 0);
    for (uint64_t ns = 1; ns <= 1000; ns++)
        histogram_add(&h, ns * 1000);
    ck_assert_uint_eq(histogram_total(&h), 1000);
    ck_assert_uint_eq(histogram_percentile(&h, 0), histogram_highest(histogram_bucket(1000)));
    ck_assert_uint_eq(histogram_percentile(&h, 50), histogram_highest(histogram_bucket(500000)));
    ck_assert_uint_eq(histogram_percentile(&h, 99.9), histogram_highest(histogram_bucket(999000)));
    ck_assert_uint_eq(histogram_percentile(&h, 100), histogram_highest(histogram_bucket(1000000)));
}
END_TEST

START_TEST(counts_up_to_a_value) {
    histogram_add(&h, 0);
    histogram_add(&h, 1023);
    histogram_add(&h, 1024);
    histogram_add(&h, UINT64_MAX);
    ck_assert_uint_eq(histogram_up_to(&h, 0), 1);
    ck_assert_uint_eq(histogram_up_to(&h, 1023), 2);
    ck_assert_uint_eq(histogram_up_to(&h, 2047), 3);
    ck_assert_uint_eq(histogram_up_to(&h, UINT64_MAX), 4);
}
END_TEST

START_TEST(sums_and_differences) {
    histogram_add(&h, 5);
    histogram_add(&other, 5);
    histogram_add(&other, 700);
    histogram_merge(&h, &other);
    ck_assert_uint_eq(histogram_total(&h), 3);
    ck_assert_uint_eq(histogram_up_to(&h, 5), 2);
    histogram_subtract(&h, &other);
    ck_assert_uint_eq(histogram_total(&h), 1);
    ck_assert_uint_eq(histogram_percentile(&h, 100), 5);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("histogram");
    TCase *tc = tcase_create("histogram");

    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, buckets_follow_each_other);
    tcase_add_test(tc, percentiles);
    tcase_add_test(tc, counts_up_to_a_value);
    tcase_add_test(tc, sums_and_differences);
    suite_add_tcase(suite, tc);
    return suite;
}
