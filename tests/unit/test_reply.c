/* Errors: no argument can forge a reply with one. */
#include <flashkv/reply.h>
#include <string.h>

#include "unit.h"

static char text[1024];

static void on_error(struct reply *r, struct slice s) {
    (void)r;
    ck_assert_uint_lt(s.len, sizeof(text));
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
}

static const struct reply_ops ops = {.error = on_error};

START_TEST(test_formats) {
    struct reply r = {.ops = &ops};

    reply_error(&r, "ERR %s has %d", "it", 7);
    ck_assert_str_eq(text, "ERR it has 7");
    ck_assert(r.failed);
}
END_TEST

START_TEST(test_control_characters) {
    struct reply r = {.ops = &ops};

    reply_error(&r, "ERR '%s'", "a\r\n+OK\r\n\t\x01\x1f\x7f\xff");
    ck_assert_str_eq(text, "ERR 'a  +OK     \x7f\xff'");
}
END_TEST

START_TEST(test_cut) {
    struct reply r = {.ops = &ops};
    char big[2000];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    reply_error(&r, "ERR %s", big);
    ck_assert_uint_eq(strlen(text), 511);
    ck_assert_int_eq(strncmp(text, "ERR xxx", 7), 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("reply");
    TCase *tc = tcase_create("reply");

    tcase_add_test(tc, test_formats);
    tcase_add_test(tc, test_control_characters);
    tcase_add_test(tc, test_cut);
    suite_add_tcase(suite, tc);
    return suite;
}
