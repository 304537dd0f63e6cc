/* Lists: replies and errors as redis-server 7.0.15 gives them. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define WRONGTYPE "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_INTEGER "(error) ERR value is not an integer or out of range"
#define NOT_POSITIVE "(error) ERR value is out of range, must be positive"

START_TEST(test_push_and_pop) {
    static const struct step steps[] = {
        {"rpush l a b c", "(integer) 3"},
        {"lpush l x y", "(integer) 5"},
        {"lrange l 0 -1", "[\"y\", \"x\", \"a\", \"b\", \"c\"]"},
        {"llen l", "(integer) 5"},
        {"lpop l", "\"y\""},
        {"rpop l", "\"c\""},
        {"lpop l 2", "[\"x\", \"a\"]"},
        {"rpop l 0", "[]"},
        {"rpop l 9", "[\"b\"]"},
        {"exists l", "(integer) 0"}, /* an empty list is no list */
        {"lpop l", "(nil)"},
        {"lpop l 1", "(nil array)"},
        {"lpop l 0", "(nil array)"},
        {"llen l", "(integer) 0"},
        {"rpush l \"\" \"a\\x00b\"", "(integer) 2"},
        {"rpop l 2", "[\"a\\x00b\", \"\"]"},
        {"lpop l -1", NOT_POSITIVE},
        {"lpop l x", NOT_POSITIVE},
        {"rpop l 1 2", "(error) ERR wrong number of arguments for 'rpop' command"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_pushx) {
    static const struct step steps[] = {
        {"lpushx l a", "(integer) 0"},
        {"rpushx l a", "(integer) 0"},
        {"exists l", "(integer) 0"},
        {"rpush l m", "(integer) 1"},
        {"lpushx l b a", "(integer) 3"},
        {"rpushx l y z", "(integer) 5"},
        {"lrange l 0 -1", "[\"a\", \"b\", \"m\", \"y\", \"z\"]"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_ranges) {
    static const struct step steps[] = {
        {"rpush l a b c d e", "(integer) 5"},
        {"lrange l 1 3", "[\"b\", \"c\", \"d\"]"},
        {"lrange l -2 -1", "[\"d\", \"e\"]"},
        {"lrange l -100 1", "[\"a\", \"b\"]"},
        {"lrange l 3 100", "[\"d\", \"e\"]"},
        {"lrange l 3 2", "[]"},
        {"lrange l 5 9", "[]"},
        {"lrange l 0 -6", "[]"},
        {"lrange l -9223372036854775808 9223372036854775807", "[\"a\", \"b\", \"c\", \"d\", \"e\"]"},
        {"lrange l 9223372036854775807 -9223372036854775808", "[]"},
        {"lrange l x 1", NOT_INTEGER},
        {"lrange l 0 1.0", NOT_INTEGER},
        {"lrange none 0 -1", "[]"},
        {"lrange none x 1", NOT_INTEGER},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_index_and_set) {
    static const struct step steps[] = {
        {"lindex l 0", "(nil)"},
        {"lset l 0 x", "(error) ERR no such key"},
        {"lset l x x", "(error) ERR no such key"},
        {"rpush l a b c", "(integer) 3"},
        {"lindex l 0", "\"a\""},
        {"lindex l -1", "\"c\""},
        {"lindex l -3", "\"a\""},
        {"lindex l 3", "(nil)"},
        {"lindex l -4", "(nil)"},
        {"lindex l -9223372036854775808", "(nil)"},
        {"lindex l x", NOT_INTEGER},
        {"lset l 1 longer-than-before", "OK"},
        {"lset l -1 \"\"", "OK"},
        {"lrange l 0 -1", "[\"a\", \"longer-than-before\", \"\"]"},
        {"lset l 3 x", "(error) ERR index out of range"},
        {"lset l -4 x", "(error) ERR index out of range"},
        {"lset l x y", NOT_INTEGER},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_rem) {
    static const struct step steps[] = {
        {"lrem l 0 a", "(integer) 0"},
        {"rpush l a b a c a b", "(integer) 6"},
        {"lrem l 2 a", "(integer) 2"},
        {"lrange l 0 -1", "[\"b\", \"c\", \"a\", \"b\"]"},
        {"lrem l -1 b", "(integer) 1"},
        {"lrange l 0 -1", "[\"b\", \"c\", \"a\"]"},
        {"lrem l 0 none", "(integer) 0"},
        {"lrem l 9 b", "(integer) 1"},
        {"lrem l -9223372036854775808 c", "(integer) 1"},
        {"lrem l x a", NOT_INTEGER},
        {"lrem l 0 a", "(integer) 1"},
        {"exists l", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_insert) {
    static const struct step steps[] = {
        {"linsert l before a x", "(integer) 0"},
        {"exists l", "(integer) 0"},
        {"rpush l a b a", "(integer) 3"},
        {"linsert l BEFORE a x", "(integer) 4"},
        {"linsert l after b y", "(integer) 5"},
        {"linsert l before none z", "(integer) -1"},
        {"linsert l between a z", "(error) ERR syntax error"},
        {"linsert l after x z", "(integer) 6"},
        {"lrange l 0 -1", "[\"x\", \"z\", \"a\", \"b\", \"y\", \"a\"]"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_trim) {
    static const struct step steps[] = {
        {"ltrim l 0 1", "OK"},
        {"rpush l a b c d e", "(integer) 5"},
        {"ltrim l 0 -1", "OK"},
        {"ltrim l 1 -2", "OK"},
        {"lrange l 0 -1", "[\"b\", \"c\", \"d\"]"},
        {"ltrim l -2 100", "OK"},
        {"lrange l 0 -1", "[\"c\", \"d\"]"},
        {"ltrim l x 1", NOT_INTEGER},
        {"ltrim l 1 0", "OK"},
        {"exists l", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_expiry_stays) {
    static const struct step steps[] = {
        {"rpush l a b", "(integer) 2"},
        {"expire l 100", "(integer) 1"},
        {"lpush l c", "(integer) 3"},
        {"lset l 0 d", "OK"},
        {"lpop l", "\"d\""},
        {"ttl l", "(integer) 100"},
        {"lpop l 2", "[\"a\", \"b\"]"},
        {"rpush l new", "(integer) 1"},
        {"ttl l", "(integer) -1"},
    };

    CHECK_STEPS(steps);
    check_line("pexpire l 5", "(integer) 1");
    session.now_ms += 5;
    check_line("lrange l 0 -1", "[]");
    check_line("rpush l fresh", "(integer) 1");
    check_line("ttl l", "(integer) -1");
}
END_TEST

START_TEST(test_wrong_type) {
    static const struct step steps[] = {
        {"set s v", "OK"},          {"lpush s a", WRONGTYPE},     {"rpush s a", WRONGTYPE},
        {"lpushx s a", WRONGTYPE},  {"rpushx s a", WRONGTYPE},    {"lpop s", WRONGTYPE},
        {"rpop s 2", WRONGTYPE},    {"llen s", WRONGTYPE},        {"lindex s 0", WRONGTYPE},
        {"lindex s x", WRONGTYPE},  {"lrange s 0 1", WRONGTYPE},  {"lrange s x 1", NOT_INTEGER},
        {"lset s 0 x", WRONGTYPE},  {"lrem s 0 x", WRONGTYPE},    {"linsert s before a b", WRONGTYPE},
        {"ltrim s 0 1", WRONGTYPE}, {"ltrim s x 1", NOT_INTEGER}, {"get s", "\"v\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_move) {
    static const struct step steps[] = {
        {"lmove none m left left", "(nil)"},
        {"rpush l a b c", "(integer) 3"},
        {"lmove l m left right", "\"a\""},
        {"lmove l m right left", "\"c\""},
        {"lrange m 0 -1", "[\"c\", \"a\"]"},
        {"rpoplpush l m", "\"b\""},
        {"exists l", "(integer) 0"},
        {"lmove m m left right", "\"b\""},
        {"lrange m 0 -1", "[\"c\", \"a\", \"b\"]"},
        {"rpoplpush m m", "\"b\""},
        {"lmove m m left left", "\"b\""},
        {"lrange m 0 -1", "[\"b\", \"c\", \"a\"]"},
        {"lmove m l up left", "(error) ERR syntax error"},
        {"set s v", "OK"},
        {"lmove s m left left", WRONGTYPE},
        {"lmove m s left left", WRONGTYPE},
        {"lrange m 0 -1", "[\"b\", \"c\", \"a\"]"},
        {"rpush one x", "(integer) 1"},
        {"expire one 100", "(integer) 1"},
        {"rpoplpush one one", "\"x\""},
        {"ttl one", "(integer) 100"}, /* it was never gone */
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_mpop) {
    static const struct step steps[] = {
        {"lmpop 2 a b left", "(nil array)"},
        {"rpush b 1 2 3", "(integer) 3"},
        {"lmpop 2 a b left", "[\"b\", [\"1\"]]"},
        {"lmpop 2 a b right count 9", "[\"b\", [\"3\", \"2\"]]"},
        {"exists b", "(integer) 0"},
        {"lmpop 0 b left", "(error) ERR numkeys should be greater than 0"},
        {"lmpop 1 b left count 0", "(error) ERR count should be greater than 0"},
        {"lmpop 2 b left", "(error) ERR syntax error"},
        {"lmpop 1 b left count 1 count 1", "(error) ERR syntax error"},
        {"set s v", "OK"},
        {"lmpop 1 s left", WRONGTYPE},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_pos) {
    static const struct step steps[] = {
        {"lpos l a", "(nil)"},
        {"lpos l a count 0", "[]"},
        {"rpush l a b a c a", "(integer) 5"},
        {"lpos l a", "(integer) 0"},
        {"lpos l a rank 2", "(integer) 2"},
        {"lpos l a rank -1", "(integer) 4"},
        {"lpos l a rank -2 count 0", "[(integer) 2, (integer) 0]"},
        {"lpos l a count 0 maxlen 4", "[(integer) 0, (integer) 2]"},
        {"lpos l b rank -1 maxlen 3", "(nil)"},
        {"lpos l b rank -1 maxlen 4", "(integer) 1"},
        {"lpos l a rank 9223372036854775807", "(nil)"},
        {"lpos l a count -1", "(error) ERR COUNT can't be negative"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* One command of 10 000 elements; what comes out is what went in, in both directions. */
START_TEST(test_many_elements) {
    enum { COUNT = 10000 };
    static char names[COUNT][16];
    static struct slice argv[COUNT + 2];
    char line[64], expected[64];

    argv[0] = SLICE_LIT("rpush");
    argv[1] = SLICE_LIT("l");
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "e%d", i);
        argv[i + 2] = slice_str(names[i]);
    }
    ck_assert_str_eq(run_args(COUNT + 2, argv), "(integer) 10000");
    for (int i = 0; i < COUNT; i += 997) {
        snprintf(line, sizeof(line), "lindex l %d", i);
        snprintf(expected, sizeof(expected), "\"e%d\"", i);
        check_line(line, expected);
        snprintf(line, sizeof(line), "lrange l %d %d", i, i);
        snprintf(expected, sizeof(expected), "[\"e%d\"]", i);
        check_line(line, expected);
    }
    check_line("linsert l before e5000 new", "(integer) 10001");
    check_line("lrange l 4999 5001", "[\"e4999\", \"new\", \"e5000\"]");
    check_line("lrem l -1 e0", "(integer) 1");
    check_line("ltrim l 9998 -1", "OK");
    check_line("lrange l 0 -1", "[\"e9998\", \"e9999\"]");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_list");
    TCase *tc = tcase_create("cmd_list");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_push_and_pop);
    tcase_add_test(tc, test_pushx);
    tcase_add_test(tc, test_ranges);
    tcase_add_test(tc, test_index_and_set);
    tcase_add_test(tc, test_rem);
    tcase_add_test(tc, test_insert);
    tcase_add_test(tc, test_trim);
    tcase_add_test(tc, test_move);
    tcase_add_test(tc, test_mpop);
    tcase_add_test(tc, test_pos);
    tcase_add_test(tc, test_expiry_stays);
    tcase_add_test(tc, test_wrong_type);
    tcase_add_test(tc, test_many_elements);
    suite_add_tcase(suite, tc);
    return suite;
}
