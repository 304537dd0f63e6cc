/* Globs: the answers of redis-server 7.0.15 to KEYS, pattern by pattern, and the bound on the time. */
#include <flashkv/glob.h>
#include <stdlib.h>

#include "unit.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

static const struct {
    struct slice pattern, text;
    bool match;
} rows[] = {
    /* literals */
    {SLICE_LIT("abc"), SLICE_LIT("abc"), true},
    {SLICE_LIT("abc"), SLICE_LIT("ab"), false},
    {SLICE_LIT("ab"), SLICE_LIT("abc"), false},
    {SLICE_LIT("abc"), SLICE_LIT("ABC"), false},
    {SLICE_LIT(""), SLICE_LIT(""), true},
    {SLICE_LIT(""), SLICE_LIT("a"), false},
    {SLICE_LIT("a\0b"), SLICE_LIT("a\0b"), true},
    {SLICE_LIT("a\0b"), SLICE_LIT("a\0c"), false},
    {SLICE_LIT("\xff\xfe"), SLICE_LIT("\xff\xfe"), true},
    /* ? */
    {SLICE_LIT("?"), SLICE_LIT("a"), true},
    {SLICE_LIT("?"), SLICE_LIT(""), false},
    {SLICE_LIT("?"), SLICE_LIT("ab"), false},
    {SLICE_LIT("?"), SLICE_LIT("\0"), true},
    {SLICE_LIT("h?llo"), SLICE_LIT("hallo"), true},
    {SLICE_LIT("h??o"), SLICE_LIT("hallo"), false},
    /* * */
    {SLICE_LIT("*"), SLICE_LIT("a"), true},
    {SLICE_LIT("**"), SLICE_LIT("abc"), true},
    {SLICE_LIT("a*"), SLICE_LIT("a"), true},
    {SLICE_LIT("a***"), SLICE_LIT("a"), true},
    {SLICE_LIT("*a"), SLICE_LIT("b"), false},
    {SLICE_LIT("a*c"), SLICE_LIT("abbbc"), true},
    {SLICE_LIT("a*c"), SLICE_LIT("abbb"), false},
    {SLICE_LIT("a*b*c"), SLICE_LIT("a-b-b-c"), true},
    {SLICE_LIT("a*b*c"), SLICE_LIT("a-c-b"), false},
    {SLICE_LIT("*ab*ab"), SLICE_LIT("aabab"), true},
    {SLICE_LIT("*a?c"), SLICE_LIT("abacabc"), true},
    {SLICE_LIT("*\0*"), SLICE_LIT("a\0b"), true},
    /* [...] */
    {SLICE_LIT("h[ae]llo"), SLICE_LIT("hello"), true},
    {SLICE_LIT("h[ae]llo"), SLICE_LIT("hillo"), false},
    {SLICE_LIT("h[^e]llo"), SLICE_LIT("hallo"), true},
    {SLICE_LIT("h[^e]llo"), SLICE_LIT("hello"), false},
    {SLICE_LIT("h[!e]llo"), SLICE_LIT("hello"), true}, /* only ^ negates */
    {SLICE_LIT("[a-c]"), SLICE_LIT("b"), true},
    {SLICE_LIT("[a-c]"), SLICE_LIT("d"), false},
    {SLICE_LIT("[c-a]"), SLICE_LIT("b"), true},
    {SLICE_LIT("[c-a]"), SLICE_LIT("d"), false},
    {SLICE_LIT("[^a-c]"), SLICE_LIT("b"), false},
    {SLICE_LIT("[^a-c]"), SLICE_LIT("d"), true},
    {SLICE_LIT("[a-cx-z]"), SLICE_LIT("y"), true},
    {SLICE_LIT("[a^]"), SLICE_LIT("^"), true},
    {SLICE_LIT("[-a]"), SLICE_LIT("-"), true},
    {SLICE_LIT("[]"), SLICE_LIT("]"), false},
    {SLICE_LIT("[]a]"), SLICE_LIT("a]"), false}, /* an empty class, then a] */
    {SLICE_LIT("[^]"), SLICE_LIT("a"), true},
    {SLICE_LIT("[a]"), SLICE_LIT(""), false},
    {SLICE_LIT("[\\]]"), SLICE_LIT("]"), true},
    {SLICE_LIT("[\\^]"), SLICE_LIT("^"), true},
    {SLICE_LIT("[\\-z]"), SLICE_LIT("-"), true},
    {SLICE_LIT("[a\\-z]"), SLICE_LIT("b"), false},
    {SLICE_LIT("*[ab]"), SLICE_LIT("ccca"), true},
    /* unterminated classes end with the pattern */
    {SLICE_LIT("[abc"), SLICE_LIT("b"), true},
    {SLICE_LIT("[abc"), SLICE_LIT("d"), false},
    {SLICE_LIT("[abc"), SLICE_LIT("bc"), false},
    {SLICE_LIT("[^abc"), SLICE_LIT("d"), true},
    {SLICE_LIT("[a-"), SLICE_LIT("-"), true},
    {SLICE_LIT("[a-]"), SLICE_LIT("b"), false},
    {SLICE_LIT("[a-]"), SLICE_LIT("_"), true}, /* a range down to ] and no end */
    {SLICE_LIT("["), SLICE_LIT("["), false},
    {SLICE_LIT("[^"), SLICE_LIT("a"), true},
    {SLICE_LIT("[\\"), SLICE_LIT("\\"), true},
    {SLICE_LIT("*["), SLICE_LIT("a"), false},
    /* backslash */
    {SLICE_LIT("\\*"), SLICE_LIT("*"), true},
    {SLICE_LIT("\\*"), SLICE_LIT("a"), false},
    {SLICE_LIT("a\\?"), SLICE_LIT("a?"), true},
    {SLICE_LIT("a\\?"), SLICE_LIT("ab"), false},
    {SLICE_LIT("\\[a]"), SLICE_LIT("[a]"), true},
    {SLICE_LIT("\\a"), SLICE_LIT("a"), true},
    {SLICE_LIT("\\\\"), SLICE_LIT("\\"), true},
    {SLICE_LIT("a\\"), SLICE_LIT("a\\"), true}, /* nothing to escape */
    {SLICE_LIT("*\\*"), SLICE_LIT("ab*"), true},
};

START_TEST(answers_as_redis) {
    ck_assert_msg(glob_match(rows[_i].pattern, rows[_i].text) == rows[_i].match, "%.*s and %.*s: %s",
                  (int)rows[_i].pattern.len, rows[_i].pattern.ptr, (int)rows[_i].text.len, rows[_i].text.ptr,
                  rows[_i].match ? "no match" : "match");
}
END_TEST

/* Where Redis compares signed bytes on x86 and unsigned ones on ARM, or leaves an empty key out of "**". */
START_TEST(answers_where_redis_depends_on_the_machine) {
    ck_assert(glob_match(SLICE_LIT("[a-\xff]"), SLICE_LIT("\x80")));
    ck_assert(!glob_match(SLICE_LIT("[a-\xff]"), SLICE_LIT("A")));
    ck_assert(glob_match(SLICE_LIT("*"), SLICE_LIT("")));
    ck_assert(glob_match(SLICE_LIT("**"), SLICE_LIT("")));
}
END_TEST

/* Redis before 6.2.? and most others take exponential time here; check's time limit would end the test. */
START_TEST(many_stars_on_a_long_text_finish) {
    enum { LEN = 64 * 1024 };
    char *text = malloc(LEN + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', LEN);
    text[LEN] = 'b';
    ck_assert(!glob_match(SLICE_LIT("a*a*a*a*a*a*a*a*b"), slice_of(text, LEN)));
    ck_assert(glob_match(SLICE_LIT("a*a*a*a*a*a*a*a*b"), slice_of(text, LEN + 1)));
    ck_assert(!glob_match(SLICE_LIT("*[a-z]*?*a*[^b]*\\a*c"), slice_of(text, LEN + 1)));
    free(text);
}
END_TEST

static const struct {
    const char *pattern, *prefix;
} prefixes[] = {
    {"", ""},       {"abc", "abc"},    {"user:*", "user:"}, {"*", ""},         {"a?c", "a"},
    {"a[bc]", "a"}, {"a\\*b*", "a*b"}, {"\\", "\\"},        {"a\\\\*", "a\\"}, {"a]b*", "a]b"},
};

START_TEST(literal_prefix) {
    struct slice pattern = slice_str(prefixes[_i].pattern);
    char out[32];
    size_t n = glob_literal_prefix(pattern, out);

    ck_assert_uint_eq(n, strlen(prefixes[_i].prefix));
    ck_assert_mem_eq(out, prefixes[_i].prefix, n);
}
END_TEST

START_TEST(literal_prefix_holds_a_nul) {
    char out[8];

    ck_assert_uint_eq(glob_literal_prefix(SLICE_LIT("a\0b*"), out), 3);
    ck_assert_mem_eq(out, "a\0b", 3);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("glob");
    TCase *tc = tcase_create("glob");

    tcase_add_loop_test(tc, answers_as_redis, 0, ROWS(rows));
    tcase_add_test(tc, answers_where_redis_depends_on_the_machine);
    tcase_add_test(tc, many_stars_on_a_long_text_finish);
    tcase_add_loop_test(tc, literal_prefix, 0, ROWS(prefixes));
    tcase_add_test(tc, literal_prefix_holds_a_nul);
    suite_add_tcase(suite, tc);
    return suite;
}
