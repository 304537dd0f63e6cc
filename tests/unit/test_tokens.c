/* Tokens: whose secret it is, and which keys it covers. (What a file may hold: tests/e2e/auth.py.) */
#include <flashkv/tokens.h>

#include "unit.h"

START_TEST(those_of_the_environment) {
    char *env[] = {"SRH_TOKENS=no", "UPSTASH_REDIS_REST_TOKEN=one", "X=y", "SRH_TOKEN=two", NULL};
    struct tokens t;
    char why[200];

    ck_assert(tokens_load(&t, "", env, why, sizeof(why)));
    ck_assert_uint_eq(t.count, 2);
    ck_assert_str_eq(tokens_find(&t, SLICE_LIT("one"))->name, "UPSTASH_REDIS_REST_TOKEN");
    ck_assert_str_eq(tokens_find(&t, SLICE_LIT("two"))->name, "SRH_TOKEN");
    ck_assert_ptr_null(tokens_find(&t, SLICE_LIT("")));
    ck_assert_ptr_null(tokens_find(&t, SLICE_LIT("tw")));
    ck_assert_ptr_null(tokens_find(&t, SLICE_LIT("no")));
    ck_assert(rights_cover(&t.list[0], SLICE_LIT("anything")) && rights_cover(&t.list[0], SLICE_LIT("")));
    tokens_free(&t);
    ck_assert_ptr_null(tokens_find(&t, SLICE_LIT("one")));
}
END_TEST

START_TEST(prefixes) {
    char *list[] = {"a:", "bc"};
    struct rights r = {.prefixes = list, .prefix_count = 2};

    ck_assert(rights_cover(&r, SLICE_LIT("a:")) && rights_cover(&r, SLICE_LIT("a:\0x")) &&
              rights_cover(&r, SLICE_LIT("bcd")));
    ck_assert(!rights_cover(&r, SLICE_LIT("a")) && !rights_cover(&r, SLICE_LIT("")) &&
              !rights_cover(&r, SLICE_LIT("A:")) && !rights_cover(&r, SLICE_LIT("xbc")));
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("tokens");
    TCase *tc = tcase_create("tokens");

    tcase_add_test(tc, those_of_the_environment);
    tcase_add_test(tc, prefixes);
    suite_add_tcase(suite, tc);
    return suite;
}
