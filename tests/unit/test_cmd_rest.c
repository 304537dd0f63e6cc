/* The REST front's private commands: reading all of a key, writing and deleting on a condition. */
#include <flashkv/rest.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

/* Runs a private command: "rest.write ..." */
static const char *rest(const char *line) {
    char name[16];

    ck_assert_int_eq(sscanf(line, "%15s", name), 1);
    ck_assert_ptr_nonnull(command_private(slice_str(name)));
    return run_row(command_private(slice_str(name)), line);
}

static void check_rest(const struct step *steps, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *reply = rest(steps[i].line);

        ck_assert_msg(strcmp(reply, steps[i].reply) == 0, "step %zu, %s: %s, expected %s", i, steps[i].line,
                      reply, steps[i].reply);
    }
}
#define CHECK_REST(steps) check_rest(steps, sizeof(steps) / sizeof(*(steps)))

/* What XXH3-64 makes of the values used here: fixed by its specification, as Redis's DIGEST prints it. */
static const char *tag_of(const char *value) {
    static char hex[17];

    snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)store_digest(slice_str(value)));
    return hex;
}

/* [outcome, tag, expire_at] */
static const char *outcome(enum rest_outcome o, const char *value, long long expire_at) {
    static char text[128];

    if (value != NULL)
        snprintf(text, sizeof(text), "[(integer) %d, \"%s\", (integer) %lld]", o, tag_of(value), expire_at);
    else
        snprintf(text, sizeof(text), "[(integer) %d, (nil), (integer) %lld]", o, expire_at);
    return text;
}

START_TEST(test_digest) {
    ck_assert_str_eq(tag_of(""), "2d06800538d394c2"); /* XXH3_64bits of nothing, from xxHash's own tests */
}
END_TEST

START_TEST(test_read) {
    char expected[160];

    ck_assert_str_eq(rest("rest.read k"), "(nil)");
    ck_assert_str_eq(rest("rest.get k"), "(nil)");
    check_line("set k v ex 100", "OK");
    snprintf(expected, sizeof(expected), "[\"v\", (integer) 0, (integer) 1700000100000, \"\", \"%s\"]",
             tag_of("v"));
    ck_assert_str_eq(rest("rest.read k"), expected);
    ck_assert_str_eq(rest("rest.write k w text/plain \"\" \"\""), outcome(REST_REPLACED, "w", 0));
    snprintf(expected, sizeof(expected), "[\"w\", (integer) 0, (integer) 0, \"text/plain\", \"%s\"]",
             tag_of("w"));
    ck_assert_str_eq(rest("rest.read k"), expected);
    ck_assert_str_eq(rest("rest.get k"), "[\"w\", (integer) 0, (integer) 0, \"text/plain\"]");
    check_line("rpush l a b", "(integer) 2");
    ck_assert_str_eq(rest("rest.read l"), "[[\"a\", \"b\"], (integer) 1, (integer) 0, \"\", (nil)]");
}
END_TEST

START_TEST(test_write_expiry) {
    ck_assert_str_eq(rest("rest.write k v \"\" \"\" \"\""), outcome(REST_CREATED, "v", 0));
    ck_assert_str_eq(rest("rest.write k w \"\" 1700000000005 \"\""),
                     outcome(REST_REPLACED, "w", 1700000000005));
    ck_assert_str_eq(rest("rest.write k x \"\" keep \"\""), outcome(REST_REPLACED, "x", 1700000000005));
    ck_assert_str_eq(rest("rest.write k y \"\" soon \"\""),
                     "(error) ERR value is not an integer or out of range");
    check_line("get k", "\"x\"");
    ck_assert_str_eq(rest("rest.write n v \"\" keep \"\""), outcome(REST_CREATED, "v", 0));
    session.now_ms += 5;
    ck_assert_str_eq(rest("rest.write k z \"\" keep \"\""), outcome(REST_CREATED, "z", 0));
}
END_TEST

START_TEST(test_write_conditions) {
    char line[128];

    ck_assert_str_eq(rest("rest.write k v \"\" \"\" xx"), outcome(REST_REFUSED, NULL, 0));
    ck_assert_str_eq(rest("rest.write k v \"\" \"\" match *"), outcome(REST_REFUSED, NULL, 0));
    check_line("exists k", "(integer) 0");
    ck_assert_str_eq(rest("rest.write k v \"\" \"\" none-match *"), outcome(REST_CREATED, "v", 0));
    ck_assert_str_eq(rest("rest.write k w \"\" \"\" none-match *"), outcome(REST_REFUSED, "v", 0));
    ck_assert_str_eq(rest("rest.write k w \"\" \"\" nx"), outcome(REST_REFUSED, "v", 0));
    ck_assert_str_eq(rest("rest.write k w \"\" \"\" xx"), outcome(REST_REPLACED, "w", 0));
    ck_assert_str_eq(rest("rest.write k x \"\" \"\" match 0123456789abcdef"), outcome(REST_REFUSED, "w", 0));
    snprintf(line, sizeof(line), "rest.write k x \"\" \"\" match 0123456789abcdef %s", tag_of("w"));
    ck_assert_str_eq(rest(line), outcome(REST_REPLACED, "x", 0));
    ck_assert_str_eq(rest(line), outcome(REST_REFUSED, "x", 0)); /* the tag is not that of now */
    snprintf(line, sizeof(line), "rest.write k y \"\" \"\" none-match %s", tag_of("x"));
    ck_assert_str_eq(rest(line), outcome(REST_REFUSED, "x", 0));
    snprintf(line, sizeof(line), "rest.write k y \"\" \"\" none-match %s", tag_of("y"));
    ck_assert_str_eq(rest(line), outcome(REST_REPLACED, "y", 0));
    check_line("get k", "\"y\"");
}
END_TEST

START_TEST(test_lists_have_no_tag) {
    check_line("rpush l a", "(integer) 1");
    ck_assert_str_eq(rest("rest.write l v \"\" \"\" match 0123456789abcdef"), outcome(REST_REFUSED, NULL, 0));
    ck_assert_str_eq(rest("rest.remove l match 0123456789abcdef"), "[(integer) 4, (nil)]");
    check_line("type l", "list");
    ck_assert_str_eq(rest("rest.write l v \"\" \"\" match *"), outcome(REST_REPLACED, "v", 0));
    check_line("get l", "\"v\"");
}
END_TEST

START_TEST(test_remove) {
    static const struct step missing[] = {
        {"rest.remove k \"\"", "[(integer) 3, (nil)]"},
        {"rest.remove k match *", "[(integer) 4, (nil)]"},
    };
    static const struct step there[] = {
        {"rest.remove k \"\"", "[(integer) 2, (nil)]"},
        {"rest.remove k \"\"", "[(integer) 3, (nil)]"},
    };
    char line[64], expected[64];

    CHECK_REST(missing);
    check_line("set k v", "OK");
    snprintf(expected, sizeof(expected), "[(integer) 4, \"%s\"]", tag_of("v"));
    ck_assert_str_eq(rest("rest.remove k match 0123456789abcdef"), expected);
    ck_assert_str_eq(rest("rest.remove k none-match *"), expected);
    check_line("exists k", "(integer) 1");
    snprintf(line, sizeof(line), "rest.remove k match %s", tag_of("v"));
    ck_assert_str_eq(rest(line), "[(integer) 2, (nil)]");
    check_line("set k v", "OK");
    CHECK_REST(there);
}
END_TEST

START_TEST(test_incr_and_append) {
    char expected[160];

    check_line("set n 41 ex 100", "OK");
    snprintf(expected, sizeof(expected), "[(integer) 42, \"%s\", (integer) 1700000100000]", tag_of("42"));
    ck_assert_str_eq(rest("rest.incr n 1"), expected);
    snprintf(expected, sizeof(expected), "[(integer) 3, \"%s\", (integer) 1700000100000]", tag_of("420"));
    ck_assert_str_eq(rest("rest.append n 0"), expected);
    snprintf(expected, sizeof(expected),
             "[(error) ERR value is not an integer or out of range, \"%s\", (integer) 1700000100000]",
             tag_of("420"));
    ck_assert_str_eq(rest("rest.incr n x"), expected);
}
END_TEST

/* A large value's digest is computed by whoever wants it, outside the lock; from then on it is told. */
START_TEST(test_large_digest) {
    static char big[2 * STRING_INLINE_MAX + 1];
    const struct slice set[] = {SLICE_LIT("set"), SLICE_LIT("k"),
                                slice_str(memset(big, 'x', sizeof(big) - 1))};
    const struct command *read = command_private(SLICE_LIT("rest.read"));

    ck_assert_str_eq(run_args(3, set), "OK");
    ck_assert_ptr_nonnull(strstr(run_row(read, "rest.read k"), "\", (nil)]"));
    ck_assert_uint_gt(strlen(rest("rest.blob k")), STRING_INLINE_MAX);
    ck_assert_uint_eq(reply_blobs(), 1);
    rest("rest.remove k match 0123456789abcdef"); /* a comparison computes it too */
    ck_assert_ptr_nonnull(strstr(run_row(read, "rest.read k"), tag_of(big)));
    ck_assert_str_eq(rest("rest.blob k"), "(nil)");
    ck_assert_str_eq(rest("rest.blob none"), "(nil)");
    check_line("rpush l x", "(integer) 1");
    ck_assert_str_eq(rest("rest.blob l"), "(nil)");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_rest");
    TCase *tc = tcase_create("cmd_rest");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_digest);
    tcase_add_test(tc, test_read);
    tcase_add_test(tc, test_write_expiry);
    tcase_add_test(tc, test_write_conditions);
    tcase_add_test(tc, test_lists_have_no_tag);
    tcase_add_test(tc, test_remove);
    tcase_add_test(tc, test_incr_and_append);
    tcase_add_test(tc, test_large_digest);
    suite_add_tcase(suite, tc);
    return suite;
}
