/* Strict numbers: what Redis takes and refuses, at the edges of the range. */
#include <flashkv/num.h>
#include <float.h>
#include <math.h>

#include "unit.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

/* ---- integers ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    int64_t value;
} good_i64[] = {
    {"0", 0},
    {"7", 7},
    {"-1", -1},
    {"1234567890", 1234567890},
    {"9223372036854775806", INT64_MAX - 1},
    {"9223372036854775807", INT64_MAX},
    {"-9223372036854775807", -INT64_MAX},
    {"-9223372036854775808", INT64_MIN},
};

START_TEST(i64_both_ways) {
    char out[NUM_I64_MAX];
    int64_t n = 42;
    size_t len;

    ck_assert(num_parse_i64(slice_str(good_i64[_i].text), &n));
    ck_assert_int_eq(n, good_i64[_i].value);
    len = num_format_i64(n, out);
    ck_assert_str_eq(out, good_i64[_i].text);
    ck_assert_uint_eq(len, strlen(out));
}
END_TEST

static const struct slice bad_i64[] = {
    SLICE_LIT(""),
    SLICE_LIT("-"),
    SLICE_LIT("+5"),
    SLICE_LIT("05"),
    SLICE_LIT("00"),
    SLICE_LIT("-0"),
    SLICE_LIT("-05"),
    SLICE_LIT("--5"),
    SLICE_LIT(" 5"),
    SLICE_LIT("5 "),
    SLICE_LIT("5\n"),
    SLICE_LIT("5\0"),
    SLICE_LIT("\0"),
    SLICE_LIT("0x10"),
    SLICE_LIT("1e3"),
    SLICE_LIT("1.0"),
    SLICE_LIT("5a"),
    SLICE_LIT("a5"),
    SLICE_LIT("5/"), /* the neighbours of the digits */
    SLICE_LIT("5:"),
    SLICE_LIT("\xb5"),
    SLICE_LIT("9223372036854775808"),
    SLICE_LIT("-9223372036854775809"),
    SLICE_LIT("18446744073709551615"),
    SLICE_LIT("-18446744073709551615"),
    SLICE_LIT("18446744073709551616"),
    SLICE_LIT("99999999999999999999999999999999"),
};

START_TEST(i64_refused_and_output_untouched) {
    int64_t n = 42;

    ck_assert_msg(!num_parse_i64(bad_i64[_i], &n), "\"%.*s\" was accepted as %lld", (int)bad_i64[_i].len,
                  bad_i64[_i].ptr, (long long)n);
    ck_assert_int_eq(n, 42);
}
END_TEST

START_TEST(a_number_ends_with_its_slice) {
    int64_t n = 0;

    ck_assert(num_parse_i64(slice_of("123456", 3), &n));
    ck_assert_int_eq(n, 123);
}
END_TEST

START_TEST(u64_up_to_its_end) {
    char out[NUM_I64_MAX];
    uint64_t n = 42;

    ck_assert(!num_parse_u64(SLICE_LIT("18446744073709551616"), &n));
    ck_assert(!num_parse_u64(SLICE_LIT("20000000000000000000"), &n));
    ck_assert(!num_parse_u64(SLICE_LIT("100000000000000000000"), &n));
    ck_assert(!num_parse_u64(SLICE_LIT("-1"), &n));
    ck_assert(!num_parse_u64(SLICE_LIT("01"), &n));
    ck_assert(!num_parse_u64(SLICE_LIT(""), &n));
    ck_assert_uint_eq(n, 42);
    ck_assert(num_parse_u64(SLICE_LIT("18446744073709551615"), &n));
    ck_assert_uint_eq(n, UINT64_MAX);
    ck_assert_uint_eq(num_format_u64(n, out), 20);
    ck_assert_str_eq(out, "18446744073709551615");
    ck_assert_uint_eq(num_format_u64(0, out), 1);
    ck_assert_str_eq(out, "0");
}
END_TEST

/* ---- doubles -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    double value;
} good_double[] = {
    {"0", 0},
    {"1.5", 1.5},
    {"-1.5", -1.5},
    {"+2", 2},
    {".5", 0.5},
    {"5.", 5},
    {"1e3", 1000},
    {"1E-3", 0.001},
    {"0x10", 16},
    {"inf", HUGE_VAL},
    {"+inf", HUGE_VAL},
    {"-inf", -HUGE_VAL},
    {"Infinity", HUGE_VAL},
    {"1.7976931348623157e308", 1.7976931348623157e308},
    {"9007199254740993", 9007199254740992.0},
};

START_TEST(double_accepted) {
    double d = 42;

    ck_assert_msg(num_parse_double(slice_str(good_double[_i].text), &d), "\"%s\" was refused",
                  good_double[_i].text);
    ck_assert(d == good_double[_i].value);
}
END_TEST

static const struct slice bad_double[] = {
    SLICE_LIT(""),       SLICE_LIT(" 1"),    SLICE_LIT("1 "),     SLICE_LIT("\t1"),     SLICE_LIT("1\n"),
    SLICE_LIT("nan"),    SLICE_LIT("-nan"),  SLICE_LIT("NaN(1)"), SLICE_LIT("1e400"),   SLICE_LIT("-1e400"),
    SLICE_LIT("1e-400"), SLICE_LIT("1.5.2"), SLICE_LIT("1,5"),    SLICE_LIT("e5"),      SLICE_LIT("."),
    SLICE_LIT("abc"),    SLICE_LIT("1\0"),   SLICE_LIT("\0"),     SLICE_LIT("infinit"),
};

START_TEST(double_refused_and_output_untouched) {
    double d = 42;

    ck_assert_msg(!num_parse_double(bad_double[_i], &d), "\"%.*s\" was accepted as %g",
                  (int)bad_double[_i].len, bad_double[_i].ptr, d);
    ck_assert(d == 42);
}
END_TEST

START_TEST(a_double_of_any_length_is_safe) {
    char digits[NUM_LONG_DOUBLE_MAX];
    double d = 42;

    memset(digits, '1', sizeof(digits));
    ck_assert(num_parse_double(slice_of(digits, 309), &d));
    ck_assert(!num_parse_double(slice_of(digits, 310), &d)); /* greater than any */
    memset(digits, '0', sizeof(digits));
    digits[1] = '.';
    ck_assert(num_parse_double(slice_of(digits, sizeof(digits) - 1), &d));
    ck_assert(!num_parse_double(slice_of(digits, sizeof(digits)), &d));
}
END_TEST

START_TEST(long_double_keeps_what_a_double_loses) {
    long double n = 42;

    ck_assert(num_parse_long_double(SLICE_LIT("9007199254740993"), &n));
    ck_assert(n == 9007199254740993.0L);
    ck_assert(num_parse_long_double(SLICE_LIT("1e400"), &n));
    ck_assert(n == 1e400L);
}
END_TEST

static const struct slice bad_long_double[] = {
    SLICE_LIT(""),    SLICE_LIT(" 1"),    SLICE_LIT("1 "),      SLICE_LIT("nan"), SLICE_LIT("1e5000"),
    SLICE_LIT("1,5"), SLICE_LIT("1.5.2"), SLICE_LIT("1e-5000"), SLICE_LIT("abc"), SLICE_LIT("1\0"),
};

START_TEST(long_double_refused_and_output_untouched) {
    static char digits[NUM_LONG_DOUBLE_MAX];
    long double n = 42;

    ck_assert(!num_parse_long_double(bad_long_double[_i], &n));
    memset(digits, '1', sizeof(digits));
    ck_assert(!num_parse_long_double(slice_of(digits, sizeof(digits)), &n));
    ck_assert(n == 42);
}
END_TEST

/* redis-server 7.0.15: ZADD, then ZSCORE. */
static const struct {
    double value;
    const char *text;
} score[] = {
    {0.1, "0.10000000000000001"},
    {3, "3"},
    {-0.0, "-0"},
    {99999999999999984.0, "99999999999999984"},
    {-99999999999999984.0, "-99999999999999984"},
    {1e17, "1e+17"},
    {1e20, "1e+20"},
    {1e-7, "9.9999999999999995e-08"},
    {-1.7976931348623157e308, "-1.7976931348623157e+308"},
    {HUGE_VAL, "inf"},
    {-HUGE_VAL, "-inf"},
};

START_TEST(double_written) {
    char out[NUM_DOUBLE_MAX];

    ck_assert_uint_eq(num_format_double(score[_i].value, out), strlen(score[_i].text));
    ck_assert_str_eq(out, score[_i].text);
}
END_TEST

/* redis-server 7.0.15: HINCRBYFLOAT from 0. */
static const struct {
    long double value;
    const char *text;
} counted[] = {
    {0.1L, "0.1"},   {3, "3"},     {5000, "5000"}, {1e20L, "100000000000000000000"},
    {10.5L, "10.5"}, {-0.0L, "0"}, {-1e-30L, "0"}, {1e-7L, "0.0000001"},
};

START_TEST(long_double_written) {
    char out[NUM_LONG_DOUBLE_MAX];

    ck_assert_uint_eq(num_format_long_double(counted[_i].value, out), strlen(counted[_i].text));
    ck_assert_str_eq(out, counted[_i].text);
}
END_TEST

START_TEST(greatest_long_double_fits) {
    char out[NUM_LONG_DOUBLE_MAX];

    ck_assert_uint_eq(num_format_long_double(-LDBL_MAX, out), 1 + LDBL_MAX_10_EXP + 1);
}
END_TEST

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    uint64_t value;
} good_bytes[] = {
    {"0", 0},           {"512", 512},
    {"1b", 1},          {"1k", 1000},
    {"1kb", 1024},      {"1KB", 1024},
    {"1KiB", 1024},     {"2m", 2000000},
    {"2mb", 2 << 20},   {"2MiB", 2 << 20},
    {"1g", 1000000000}, {"1gb", 1 << 30},
    {"1GiB", 1 << 30},  {"17179869183gb", UINT64_MAX - (1 << 30) + 1},
};

START_TEST(bytes_accepted) {
    uint64_t n = 42;

    ck_assert_msg(num_parse_bytes(slice_str(good_bytes[_i].text), &n), "\"%s\" was refused",
                  good_bytes[_i].text);
    ck_assert_uint_eq(n, good_bytes[_i].value);
}
END_TEST

static const struct slice bad_bytes[] = {
    SLICE_LIT(""),    SLICE_LIT("kb"),    SLICE_LIT("-1kb"), SLICE_LIT("1 kb"),          SLICE_LIT("1kbs"),
    SLICE_LIT("1tb"), SLICE_LIT("1.5mb"), SLICE_LIT("01kb"), SLICE_LIT("17179869184gb"), SLICE_LIT("1k\0"),
};

START_TEST(hex_has_all_its_digits) {
    char out[NUM_HEX64];

    num_format_hex64(0, out);
    ck_assert(memcmp(out, "0000000000000000", NUM_HEX64) == 0);
    num_format_hex64(UINT64_C(0x0123456789abcdef), out);
    ck_assert(memcmp(out, "0123456789abcdef", NUM_HEX64) == 0);
    num_format_hex64(UINT64_MAX, out);
    ck_assert(memcmp(out, "ffffffffffffffff", NUM_HEX64) == 0);
}
END_TEST

START_TEST(bytes_refused_and_output_untouched) {
    uint64_t n = 42;

    ck_assert_msg(!num_parse_bytes(bad_bytes[_i], &n), "\"%.*s\" was accepted", (int)bad_bytes[_i].len,
                  bad_bytes[_i].ptr);
    ck_assert_uint_eq(n, 42);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("num");
    TCase *tc = tcase_create("num");

    tcase_add_loop_test(tc, i64_both_ways, 0, ROWS(good_i64));
    tcase_add_loop_test(tc, i64_refused_and_output_untouched, 0, ROWS(bad_i64));
    tcase_add_test(tc, hex_has_all_its_digits);
    tcase_add_test(tc, a_number_ends_with_its_slice);
    tcase_add_test(tc, u64_up_to_its_end);
    tcase_add_loop_test(tc, double_accepted, 0, ROWS(good_double));
    tcase_add_loop_test(tc, double_refused_and_output_untouched, 0, ROWS(bad_double));
    tcase_add_test(tc, a_double_of_any_length_is_safe);
    tcase_add_test(tc, long_double_keeps_what_a_double_loses);
    tcase_add_loop_test(tc, long_double_refused_and_output_untouched, 0, ROWS(bad_long_double));
    tcase_add_loop_test(tc, double_written, 0, ROWS(score));
    tcase_add_loop_test(tc, long_double_written, 0, ROWS(counted));
    tcase_add_test(tc, greatest_long_double_fits);
    tcase_add_loop_test(tc, bytes_accepted, 0, ROWS(good_bytes));
    tcase_add_loop_test(tc, bytes_refused_and_output_untouched, 0, ROWS(bad_bytes));
    suite_add_tcase(suite, tc);
    return suite;
}
