/* The glance ahead: it sees the keys that the parser will, and no byte behind the end. */
#include <stdlib.h>

#include "resp/ahead.h"
#include "unit.h"

enum { NAMES = 8 };

static struct slice names[NAMES];

/* The names in a copy of exactly that size, so that AddressSanitizer sees its end. */
static size_t glance(const char *in, size_t len, size_t max) {
    static char *copy;

    free(copy);
    copy = malloc(len > 0 ? len : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, in, len);
    return ahead_names(copy, len, names, max);
}

START_TEST(first_arguments) {
    static const char in[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
                             "*1\r\n$4\r\nPING\r\n"
                             "*3\r\n$3\r\nSET\r\n$2\r\nb\n\r\n$4\r\n*2\r\n\r\n"
                             "*2\r\n$3\r\nGET\r\n$0\r\n\r\n";
    static const struct slice expected[] = {SLICE_LIT("a"), SLICE_LIT(""), SLICE_LIT("b\n"), SLICE_LIT("")};
    size_t len = sizeof(in) - 1, before = 0;

    ck_assert_uint_eq(glance(in, len, NAMES), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert(slice_eq(names[i], expected[i]));
    ck_assert_uint_eq(glance(in, len, 2), 2);
    for (size_t cut = 0; cut <= len; cut++) { /* what is not whole is not there */
        size_t n = glance(in, cut, NAMES);

        ck_assert(n == before || n == before + 1);
        for (size_t i = 0; i < n; i++)
            ck_assert(slice_eq(names[i], expected[i]));
        before = n;
    }
    ck_assert_uint_eq(before, 4);
}
END_TEST

START_TEST(what_it_does_not_read) {
    static const char *const inputs[] = {
        "",
        "GET a\r\n",
        "*\r\n",
        "*x\r\n",
        "*-1\r\n",
        "*1\n$4\r\nPING\r\n",
        "*1\r\n*4\r\nPING\r\n",
        "*2\r\n$3\r\nGET\r\n$-1\r\n",
        "*2\r\n$3\r\nGET\r\n$999999999\r\na\r\n",
        "*2\r\n$3\r\nGET\r\n$18446744073709551615\r\na\r\n",
        "*999999999\r\n$3\r\nGET\r\n",
        "*99999999999999999999\r\n$3\r\nGET\r\n",
    };

    for (size_t i = 0; i < sizeof(inputs) / sizeof(*inputs); i++)
        ck_assert_msg(glance(inputs[i], strlen(inputs[i]), NAMES) == 0, "%s", inputs[i]);
    ck_assert_uint_eq(glance("*1\r\n$4\r\nPING\r\nGET a\r\n", 22, NAMES), 1);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_ahead");
    TCase *tc = tcase_create("ahead");

    tcase_add_test(tc, first_arguments);
    tcase_add_test(tc, what_it_does_not_read);
    suite_add_tcase(suite, tc);
    return suite;
}
