/* Strings: replies and errors as redis-server 7.0.15 gives them. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define WRONGTYPE "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
#define SYNTAX "(error) ERR syntax error"
#define NOT_INTEGER "(error) ERR value is not an integer or out of range"
#define EXPIRE(cmd) "(error) ERR invalid expire time in '" cmd "' command"

/* ---- SET ----------------------------------------------------------------------------------------------------- */

START_TEST(test_set_and_get) {
    static const struct step steps[] = {
        {"get k", "(nil)"},
        {"set k v", "OK"},
        {"get k", "\"v\""},
        {"set k \"\"", "OK"},
        {"get k", "\"\""},
        {"set \"\" \"a\\x00\\r\\n\\xff\"", "OK"}, /* any bytes, the key too */
        {"get \"\"", "\"a\\x00\\x0d\\x0a\\xff\""},
        {"set \"k\\x00\" other", "OK"},
        {"get k", "\"\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_set_conditions) {
    static const struct step steps[] = {
        {"set k v XX", "(nil)"},
        {"exists k", "(integer) 0"},
        {"set k v nx", "OK"},
        {"set k w NX", "(nil)"},
        {"get k", "\"v\""},
        {"set k w xx", "OK"},
        {"set k x get", "\"w\""},
        {"set new x get", "(nil)"},
        {"get new", "\"x\""},
        {"set k y nx get", "\"x\""}, /* refused: tells what is there */
        {"set k y xx get", "\"x\""},
        {"set none y xx get", "(nil)"},
        {"exists none", "(integer) 0"},
        {"set k z get get nx nx", "\"y\""},
        {"get k", "\"y\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_set_syntax) {
    static const struct step steps[] = {
        {"set k v nx xx", SYNTAX},          {"set k v xx nx", SYNTAX},
        {"set k v ex 1 px 1", SYNTAX},      {"set k v exat 1 keepttl", SYNTAX},
        {"set k v keepttl pxat 1", SYNTAX}, {"set k v ex", SYNTAX},
        {"set k v bogus", SYNTAX},          {"set k v \"\"", SYNTAX},
        {"set k v ex bogus nx xx", SYNTAX}, /* before the time is looked at */
        {"exists k", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_set_bad_times) {
    static const struct step steps[] = {
        {"set k v ex 0", EXPIRE("set")},
        {"set k v ex -1", EXPIRE("set")},
        {"set k v px 0", EXPIRE("set")},
        {"set k v exat 0", EXPIRE("set")},
        {"set k v pxat -9223372036854775808", EXPIRE("set")},
        {"set k v ex 9223372036854775807", EXPIRE("set")},
        {"set k v px 9223372036854775807", EXPIRE("set")},
        {"set k v exat 9223372036854775807", EXPIRE("set")},
        {"set k v ex 9223372036854775", EXPIRE("set")},
        {"set k v ex x", NOT_INTEGER},
        {"set k v ex 1.5", NOT_INTEGER},
        {"set k v ex 9223372036854775808", NOT_INTEGER},
        {"set k v ex \"\"", NOT_INTEGER},
        {"exists k", "(integer) 0"},
        {"set k old", "OK"},
        {"set k v ex 9223372036854775807", EXPIRE("set")},
        {"get k", "\"old\""},
        {"set k v pxat 9223372036854775807", "OK"},
        {"pexpiretime k", "(integer) 9223372036854775807"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_set_expiry) {
    static const struct step steps[] = {
        {"set k v ex 10 ex 100", "OK"},
        {"pttl k", "(integer) 100000"},
        {"set k v px 1500", "OK"},
        {"pttl k", "(integer) 1500"},
        {"set k v keepttl", "OK"},
        {"pttl k", "(integer) 1500"},
        {"set k v xx keepttl", "OK"},
        {"pttl k", "(integer) 1500"},
        {"set k v get keepttl", "\"v\""},
        {"pttl k", "(integer) 1500"},
        {"set k v", "OK"},
        {"pttl k", "(integer) -1"},
        {"set n v keepttl", "OK"},
        {"pttl n", "(integer) -1"},
        {"set k v exat 1700000010", "OK"},
        {"pttl k", "(integer) 10000"},
        {"set k v pxat 1700000000001", "OK"},
        {"pttl k", "(integer) 1"},
        {"set k v pxat 1700000000000", "OK"}, /* past already */
        {"get k", "(nil)"},
        {"exists k", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_expires) {
    check_line("set k v px 10", "OK");
    session.now_ms += 9;
    check_line("get k", "\"v\"");
    session.now_ms += 1;
    check_line("get k", "(nil)");
    check_line("set k w keepttl", "OK"); /* nothing there whose expiry could be kept */
    check_line("ttl k", "(integer) -1");
    check_line("set k v px 10", "OK");
    session.now_ms += 10;
    check_line("set k v xx", "(nil)");
    check_line("incr k", "(integer) 1");
    check_line("ttl k", "(integer) -1");
}
END_TEST

START_TEST(test_setnx_setex_psetex) {
    static const struct step steps[] = {
        {"setnx k v", "(integer) 1"},
        {"setnx k w", "(integer) 0"},
        {"get k", "\"v\""},
        {"setex k 100 w", "OK"},
        {"pttl k", "(integer) 100000"},
        {"psetex k 1500 x", "OK"},
        {"pttl k", "(integer) 1500"},
        {"get k", "\"x\""},
        {"setex k 0 v", EXPIRE("setex")},
        {"setex k 9223372036854775807 v", EXPIRE("setex")},
        {"psetex k -1 v", EXPIRE("psetex")},
        {"psetex k 9223372036854775807 v", EXPIRE("psetex")},
        {"setex k x v", NOT_INTEGER},
        {"psetex k 1.5 v", NOT_INTEGER},
        {"get k", "\"x\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ---- several keys -------------------------------------------------------------------------------------------- */

START_TEST(test_mset_and_mget) {
    static const struct step steps[] = {
        {"mset a 1 b 2 a 3", "OK"}, /* the last wins */
        {"rpush l x", "(integer) 1"},
        {"mget a none b l a", "[\"3\", (nil), \"2\", (nil), \"3\"]"},
        {"expire a 100", "(integer) 1"},
        {"mset a 1 l string", "OK"}, /* over another type, and without its expiry */
        {"ttl a", "(integer) -1"},
        {"get l", "\"string\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_mset_all_or_nothing) {
    static char big[MAX_VALUE_BYTES + 1];
    const struct slice argv[] = {SLICE_LIT("mset"), SLICE_LIT("a"), SLICE_LIT("1"), SLICE_LIT("b"),
                                 slice_of(big, sizeof(big))};

    ck_assert_str_eq(run_args(5, argv),
                     "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    check_line("mset a 1 b", "(error) ERR wrong number of arguments for 'mset' command");
    check_line("exists a b", "(integer) 0");
}
END_TEST

/* ---- get and change ------------------------------------------------------------------------------------------ */

START_TEST(test_getset_and_getdel) {
    static const struct step steps[] = {
        {"getset k a", "(nil)"},     {"expire k 100", "(integer) 1"}, {"getset k b", "\"a\""},
        {"ttl k", "(integer) -1"},   {"getdel k", "\"b\""},           {"getdel k", "(nil)"},
        {"exists k", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_getex) {
    static const struct step steps[] = {
        {"getex k", "(nil)"},
        {"getex k ex 10", "(nil)"},
        {"getex k ex bogus", "(nil)"}, /* as in Redis: the time is looked at when there is a key */
        {"set k v", "OK"},
        {"getex k", "\"v\""},
        {"pttl k", "(integer) -1"},
        {"getex k ex 10", "\"v\""},
        {"pttl k", "(integer) 10000"},
        {"getex k", "\"v\""},
        {"pttl k", "(integer) 10000"},
        {"getex k px 10", "\"v\""},
        {"pttl k", "(integer) 10"},
        {"getex k exat 1700000001", "\"v\""},
        {"pttl k", "(integer) 1000"},
        {"getex k pxat 1700000000007", "\"v\""},
        {"pttl k", "(integer) 7"},
        {"getex k persist", "\"v\""},
        {"pttl k", "(integer) -1"},
        {"getex k ex 0", EXPIRE("getex")},
        {"getex k px x", NOT_INTEGER},
        {"getex k bogus", SYNTAX},
        {"getex k ex", SYNTAX},
        {"getex k ex 1 persist", SYNTAX},
        {"getex k ex 1 px 1", SYNTAX},
        {"getex k keepttl", SYNTAX},
        {"getex k nx", SYNTAX},
        {"getex none bogus", SYNTAX},
        {"getex k persist persist", "\"v\""},
        {"getex k px 5 px 50", "\"v\""},
        {"pttl k", "(integer) 50"},
        {"getex k exat 1", "\"v\""}, /* past: read for the last time */
        {"exists k", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_append_and_strlen) {
    static const struct step steps[] = {
        {"strlen k", "(integer) 0"},     {"append k \"\"", "(integer) 0"},
        {"exists k", "(integer) 1"},     {"append k abc", "(integer) 3"},
        {"expire k 100", "(integer) 1"}, {"append k \"\\x00d\"", "(integer) 5"},
        {"get k", "\"abc\\x00d\""},      {"strlen k", "(integer) 5"},
        {"ttl k", "(integer) 100"},      {"set n 10", "OK"},
        {"append n 0", "(integer) 3"},   {"incr n", "(integer) 101"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_append_limit) {
    static char big[MAX_VALUE_BYTES];
    const struct slice argv[] = {SLICE_LIT("append"), SLICE_LIT("k"), slice_of(big, sizeof(big))};

    check_line("append k x", "(integer) 1");
    ck_assert_str_eq(run_args(3, argv),
                     "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    check_line("get k", "\"x\"");
}
END_TEST

/* ---- large values -------------------------------------------------------------------------------------------- */

START_TEST(test_large_by_reference) {
    static char big[STRING_INLINE_MAX + 1];
    const struct slice set[] = {SLICE_LIT("set"), SLICE_LIT("k"), slice_of(big, sizeof(big))};
    const struct slice small[] = {SLICE_LIT("set"), SLICE_LIT("s"), slice_of(big, STRING_INLINE_MAX)};
    static const char *const lines[] = {"get k", "getex k", "set k other nx get", "mget k"};
    size_t len;

    memset(big, 'x', sizeof(big));
    ck_assert_str_eq(run_args(3, set), "OK");
    ck_assert_str_eq(run_args(3, small), "OK");
    ck_assert_uint_eq(strlen(run_line("get s")), STRING_INLINE_MAX + 2);
    ck_assert_uint_eq(reply_blobs(), 0);
    len = strlen(run_line("get k"));
    ck_assert_uint_eq(len, sizeof(big) + 2);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        ck_assert_uint_ge(strlen(run_line(lines[i])), len);
        ck_assert_msg(reply_blobs() == 1, "%s copies", lines[i]);
    }
    ck_assert_uint_eq(strlen(run_line("getset k small")), len); /* outlives its key */
    ck_assert_str_eq(run_args(3, set), "OK");
    ck_assert_uint_eq(strlen(run_line("set k small get")), len);
    ck_assert_str_eq(run_args(3, set), "OK");
    ck_assert_uint_eq(strlen(run_line("getdel k")), len);
    ck_assert_uint_eq(reply_blobs(), 1);
}
END_TEST

/* A blob that the front end read into becomes the value; one that others hold is never written to. */
START_TEST(test_blob_argument) {
    struct blob *b = blob_new(2 * STRING_INLINE_MAX, 2 * STRING_INLINE_MAX);
    struct arg argv[] = {{"set", 3, NULL}, {"k", 1, NULL}, {b->data, b->len, b}};

    memset(b->data, 'x', b->len);
    ck_assert_str_eq(run_argv(NULL, 3, argv), "OK");
    ck_assert(blob_shared(b));
    check_line("append k y", "(integer) 8193");
    ck_assert_uint_eq(b->len, 2 * STRING_INLINE_MAX);
    ck_assert(!blob_shared(b));
    blob_unref(b);
    check_line("strlen k", "(integer) 8193");
}
END_TEST

START_TEST(test_value_limit) {
    static char big[MAX_VALUE_BYTES + 1];
    struct slice argv[] = {SLICE_LIT("set"), SLICE_LIT("k"), slice_of(big, sizeof(big))};
    static const char *const names[] = {"set", "setnx", "getset"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        argv[0] = slice_str(names[i]);
        ck_assert_str_eq(run_args(3, argv),
                         "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        check_line("exists k", "(integer) 0");
    }
    argv[2].len--;
    argv[0] = SLICE_LIT("set");
    ck_assert_str_eq(run_args(3, argv), "OK");
    check_line("strlen k", "(integer) 1048576");
}
END_TEST

/* ---- integers ------------------------------------------------------------------------------------------------ */

START_TEST(test_counters) {
    static const struct step steps[] = {
        {"incr n", "(integer) 1"},
        {"incrby n 41", "(integer) 42"},
        {"decr n", "(integer) 41"},
        {"decrby n 100", "(integer) -59"},
        {"incrby n -1", "(integer) -60"},
        {"decrby n -60", "(integer) 0"},
        {"get n", "\"0\""},
        {"decr m", "(integer) -1"},
        {"expire n 100", "(integer) 1"},
        {"incr n", "(integer) 1"},
        {"ttl n", "(integer) 100"},
        {"incrby n 1.5", NOT_INTEGER},
        {"incrby n +1", NOT_INTEGER},
        {"decrby n x", NOT_INTEGER},
        {"incrby n 9223372036854775808", NOT_INTEGER},
        {"get n", "\"1\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_counter_limits) {
    static const struct step steps[] = {
        {"set n 9223372036854775807", "OK"},
        {"incr n", "(error) ERR increment or decrement would overflow"},
        {"decrby n -1", "(error) ERR increment or decrement would overflow"},
        {"incrby n -9223372036854775808", "(integer) -1"},
        {"set n -9223372036854775808", "OK"},
        {"decr n", "(error) ERR increment or decrement would overflow"},
        {"incrby n -1", "(error) ERR increment or decrement would overflow"},
        {"decrby n -9223372036854775808", "(error) ERR decrement would overflow"},
        {"decrby none -9223372036854775808", "(error) ERR decrement would overflow"},
        {"exists none", "(integer) 0"},
        {"get n", "\"-9223372036854775808\""},
        {"incrby n 9223372036854775807", "(integer) -1"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_what_is_no_integer) {
    static const char *const values[] = {
        "\"\"", "+5",         "05", "\" 5\"", "\"5 \"", "-0",  "5.0",
        "0x5",  "\"5\\x00\"", "5a", "-",      "--5",    "1e3", "9223372036854775808"};
    char line[64], expected[64];

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        snprintf(line, sizeof(line), "set n %s", values[i]);
        check_line(line, "OK");
        snprintf(expected, sizeof(expected), "%s", run_line("get n"));
        check_line("incr n", NOT_INTEGER);
        check_line("get n", expected);
    }
}
END_TEST

START_TEST(test_wrong_type) {
    static const struct step steps[] = {
        {"rpush l a", "(integer) 1"},
        {"get l", WRONGTYPE},
        {"getset l x", WRONGTYPE},
        {"getdel l", WRONGTYPE},
        {"getex l", WRONGTYPE},
        {"getex l ex 0", WRONGTYPE},
        {"set l x get", WRONGTYPE},
        {"set l x nx get", WRONGTYPE},
        {"strlen l", WRONGTYPE},
        {"append l x", WRONGTYPE},
        {"incr l", WRONGTYPE},
        {"decrby l 1", WRONGTYPE},
        {"incrby l x", NOT_INTEGER},
        {"setnx l x", "(integer) 0"},
        {"set l x nx", "(nil)"},
        {"lrange l 0 -1", "[\"a\"]"},
        {"set l x", "OK"},
        {"get l", "\"x\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_parts) {
    static const struct step steps[] = {
        {"getrange k 0 -1", "\"\""},
        {"setrange k 0 \"\"", "(integer) 0"},
        {"exists k", "(integer) 0"},
        {"setrange k 2 abc", "(integer) 5"},
        {"get k", "\"\\x00\\x00abc\""},
        {"setrange k 0 xy", "(integer) 5"},
        {"getrange k 1 -2", "\"yab\""},
        {"substr k -99 1", "\"xy\""},
        {"getrange k -1 -2", "\"\""},
        {"getrange k 5 9", "\"\""},
        {"setrange k -1 a", "(error) ERR offset is out of range"},
        {"setrange k 1048576 a", "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)"},
        {"setrange k 9223372036854775807 a",
         "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)"},
        {"get k", "\"xyabc\""},
        {"msetnx a 1 b 2", "(integer) 1"},
        {"msetnx c 3 b 4", "(integer) 0"},
        {"mget a b c", "[\"1\", \"2\", (nil)]"},
        {"msetnx a", "(error) ERR wrong number of arguments for 'msetnx' command"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_incrbyfloat) {
    static const struct step steps[] = {
        {"incrbyfloat f 1.5", "\"1.5\""},
        {"incrbyfloat f 1.5", "\"3\""},
        {"incr f", "(integer) 4"},
        {"incrbyfloat f 5.0e3", "\"5004\""},
        {"incrbyfloat f x", "(error) ERR value is not a valid float"},
        {"incrbyfloat f inf", "(error) ERR increment would produce NaN or Infinity"},
        {"get f", "\"5004\""},
        {"set s abc", "OK"},
        {"incrbyfloat s 1", "(error) ERR value is not a valid float"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_lcs) {
    static const struct step steps[] = {
        {"mset a ohmytext b mynewtext", "OK"},
        {"lcs a b", "\"mytext\""},
        {"lcs a b len", "(integer) 6"},
        {"lcs a b idx minmatchlen 4 withmatchlen", "{\"matches\": [[[(integer) 4, (integer) 7], [(integer) "
                                                   "5, (integer) 8], (integer) 4]], \"len\": (integer) 6}"},
        {"lcs a none", "\"\""},
        {"lcs a none idx", "{\"matches\": [], \"len\": (integer) 0}"},
        {"lcs a b len idx", "(error) ERR If you want both the length and indexes, please just use IDX."},
        {"rpush l x", "(integer) 1"},
        {"lcs a l", "(error) ERR The specified keys must contain string values"},
        {"setrange big 299999 x", "(integer) 300000"},
        {"lcs big a", "(error) ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* As Redis 8.4 documents it: DIGEST, SET's and DELEX's conditions. */
START_TEST(test_if) {
    static const struct step steps[] = {
        {"digest k", "(nil)"},
        {"set k new ifeq x", "(nil)"},
        {"set k new ifdeq 0000000000000000", "(nil)"},
        {"exists k", "(integer) 0"},
        {"set k v1 ifne x", "OK"},
        {"set k v2 ifne v1", "(nil)"},
        {"set k v2 ifeq v1 ex 100", "OK"},
        {"ttl k", "(integer) 100"},
        {"set k v3 ifeq v2 keepttl get", "\"v2\""},
        {"set k v4 ifeq v2 get", "\"v3\""},
        {"ttl k", "(integer) 100"},
        {"set k v ifeq v3 nx", "(error) ERR syntax error"},
        {"set k v xx ifeq v3", "(error) ERR syntax error"},
        {"set k v ifeq v3 ifne v3", "(error) ERR syntax error"},
        {"set k v ifeq", "(error) ERR syntax error"},
        {"set k v ifdeq 123", "(error) ERR must be exactly 16 hexadecimal characters"},
        {"set k v ifdne 000000000000000x", "(error) ERR must be exactly 16 hexadecimal characters"},
        {"set k \"\"", "OK"},
        {"digest k", "\"2d06800538d394c2\""}, /* XXH3-64 of nothing */
        {"set k v ifdne 2D06800538D394C2", "(nil)"},
        {"set k v ifdeq 2D06800538D394C2", "OK"},
        {"delex k ifne v", "(integer) 0"},
        {"delex k ifdeq 2d06800538d394c2", "(integer) 0"},
        {"delex k ifdne 2d06800538d394c2", "(integer) 1"},
        {"delex k ifne v", "(integer) 0"},
        {"rpush l x", "(integer) 1"},
        {"digest l", WRONGTYPE},
        {"set l v ifne x", WRONGTYPE},
        {"delex l ifeq x", "(error) ERR Key should be of string type if conditions are specified"},
        {"delex l ifeq", "(error) ERR wrong number of arguments for 'delex' command"},
        {"delex l bogus x", "(error) ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"},
        {"delex l", "(integer) 1"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_raw) {
    static const struct step steps[] = {
        {"append k 12", "(integer) 2"},    {"object encoding k", "\"int\""}, {"append k 3", "(integer) 3"},
        {"object encoding k", "\"raw\""},  {"incr k", "(integer) 124"},      {"object encoding k", "\"int\""},
        {"setrange k 0 9", "(integer) 3"}, {"object encoding k", "\"raw\""}, {"set k 924", "OK"},
        {"object encoding k", "\"int\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_string");
    TCase *tc = tcase_create("cmd_string");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_set_and_get);
    tcase_add_test(tc, test_parts);
    tcase_add_test(tc, test_incrbyfloat);
    tcase_add_test(tc, test_set_conditions);
    tcase_add_test(tc, test_set_syntax);
    tcase_add_test(tc, test_set_bad_times);
    tcase_add_test(tc, test_set_expiry);
    tcase_add_test(tc, test_expires);
    tcase_add_test(tc, test_setnx_setex_psetex);
    tcase_add_test(tc, test_mset_and_mget);
    tcase_add_test(tc, test_mset_all_or_nothing);
    tcase_add_test(tc, test_getset_and_getdel);
    tcase_add_test(tc, test_getex);
    tcase_add_test(tc, test_append_and_strlen);
    tcase_add_test(tc, test_append_limit);
    tcase_add_test(tc, test_large_by_reference);
    tcase_add_test(tc, test_blob_argument);
    tcase_add_test(tc, test_value_limit);
    tcase_add_test(tc, test_counters);
    tcase_add_test(tc, test_counter_limits);
    tcase_add_test(tc, test_what_is_no_integer);
    tcase_add_test(tc, test_wrong_type);
    tcase_add_test(tc, test_lcs);
    tcase_add_test(tc, test_if);
    tcase_add_test(tc, test_raw);
    suite_add_tcase(suite, tc);
    return suite;
}
