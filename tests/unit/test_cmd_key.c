/* Keys of any type: deleting, expiry, renaming, walking; as redis-server 7.0.15 answers. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define NOT_INTEGER "(error) ERR value is not an integer or out of range"
#define EXPIRE(cmd) "(error) ERR invalid expire time in '" cmd "' command"
#define NO_KEY "(error) ERR no such key"
#define SYNTAX "(error) ERR syntax error"

START_TEST(test_del_and_exists) {
    static const struct step steps[] = {
        {"mset a 1 b 2 c 3", "OK"},
        {"rpush l x", "(integer) 1"},
        {"exists a b none a l", "(integer) 4"},
        {"touch a none", "(integer) 1"},
        {"del a none a l", "(integer) 2"},
        {"unlink b b", "(integer) 1"},
        {"exists a b l", "(integer) 0"},
        {"dbsize", "(integer) 1"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_type) {
    static const struct step steps[] = {
        {"type k", "none"},        {"set k v", "OK"},    {"type k", "string"},
        {"incr n", "(integer) 1"}, {"type n", "string"}, {"rpush l x", "(integer) 1"},
        {"type l", "list"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ---- access -------------------------------------------------------------------------------------------------- */

#define NOT_LFU                                                                                              \
    "(error) ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "   \
    "when "                                                                                                  \
    "switching between policies at runtime LRU and LFU data will take some time to adjust."
#define NOT_LRU                                                                                              \
    "(error) ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "         \
    "switching "                                                                                             \
    "between policies at runtime LRU and LFU data will take some time to adjust."

START_TEST(test_idle_time) {
    static const struct step looked_at[] = {
        {"object idletime k", "(integer) 10"},
        {"object idletime none", "(nil)"},
        {"object freq k", NOT_LFU},
        {"ttl k", "(integer) -1"},
        {"expiretime k", "(integer) -1"},
        {"type k", "string"},
        {"exists k", "(integer) 1"},
        {"object encoding k", "\"embstr\""},
        {"scan 0", "[\"0\", [\"k\"]]"},
        {"client no-touch on", "OK"},
        {"get k", "\"v\""},
        {"object idletime k", "(integer) 10"},
        {"touch k", "(integer) 1"},
        {"object idletime k", "(integer) 0"},
    };

    check_line("set k v", "OK");
    session.now_ms += 10240;
    (void)run_line("memory usage k"); /* how much depends on the allocator */
    CHECK_STEPS(looked_at);
    session.now_ms += 10240;
    check_line("get k", "\"v\"");
    check_line("object idletime k", "(integer) 10");
    check_line("client no-touch off", "OK");
    check_line("get k", "\"v\"");
    check_line("object idletime k", "(integer) 0");
}
END_TEST

START_TEST(test_frequency) {
    static const struct step steps[] = {
        {"config set maxmemory-policy allkeys-lfu lfu-log-factor 0", "OK"},
        {"set k v", "OK"},
        {"object freq k", "(integer) 5"},
        {"get k", "\"v\""},
        {"append k v", "(integer) 2"},
        {"object freq k", "(integer) 7"},
        {"exists k", "(integer) 1"},
        {"object freq k", "(integer) 7"},
        {"object freq none", "(nil)"},
        {"object idletime k", NOT_LRU},
        {"object idletime none", "(nil)"},
    };

    CHECK_STEPS(steps);
    session.now_ms += 3 * 60000;
    check_line("object freq k", "(integer) 4");
    check_line("config set lfu-decay-time 0", "OK");
    check_line("object freq k", "(integer) 7");
    check_line("config set maxmemory-policy volatile-lru", "OK");
    check_line("object freq k", NOT_LFU);
}
END_TEST

/* ---- expiry -------------------------------------------------------------------------------------------------- */

START_TEST(test_expired_is_gone) {
    static const struct step before[] = {
        {"mset k 1 other 2", "OK"},      {"rpush l x", "(integer) 1"}, {"pexpire k 10", "(integer) 1"},
        {"pexpire l 10", "(integer) 1"}, {"dbsize", "(integer) 3"},
    };
    static const struct step after[] = {
        {"exists k l", "(integer) 0"},
        {"ttl k", "(integer) -2"},
        {"pttl k", "(integer) -2"},
        {"expiretime k", "(integer) -2"},
        {"type k", "none"},
        {"get k", "(nil)"},
        {"dbsize", "(integer) 1"},
        {"keys *", "[\"other\"]"},
        {"scan 0 count 1000", "[\"0\", [\"other\"]]"},
        {"randomkey", "\"other\""},
        {"llen l", "(integer) 0"},
        {"expire k 10", "(integer) 0"},
        {"persist k", "(integer) 0"},
        {"rename k x", NO_KEY},
        {"renamenx other l", "(integer) 1"},
        {"del k", "(integer) 0"},
        {"setnx k v", "(integer) 1"},
        {"ttl k", "(integer) -1"},
    };

    CHECK_STEPS(before);
    session.now_ms += 10;
    CHECK_STEPS(after);
}
END_TEST

START_TEST(test_ttl_rounds) {
    static const struct {
        int64_t passed_ms;
        const char *ttl, *pttl;
    } at[] = {
        {0, "(integer) 100", "(integer) 100000"}, {500, "(integer) 100", "(integer) 99500"},
        {1, "(integer) 99", "(integer) 99499"},   {98999, "(integer) 1", "(integer) 500"},
        {1, "(integer) 0", "(integer) 499"},      {498, "(integer) 0", "(integer) 1"},
        {1, "(integer) -2", "(integer) -2"},
    };

    check_line("set k v ex 100", "OK");
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        session.now_ms += at[i].passed_ms;
        check_line("ttl k", at[i].ttl);
        check_line("pttl k", at[i].pttl);
    }
}
END_TEST

START_TEST(test_expire_forms) {
    static const struct step steps[] = {
        {"expire none 10", "(integer) 0"},
        {"set k v", "OK"},
        {"ttl k", "(integer) -1"},
        {"expiretime k", "(integer) -1"},
        {"expire k 10", "(integer) 1"},
        {"pttl k", "(integer) 10000"},
        {"expiretime k", "(integer) 1700000010"},
        {"pexpire k 1500", "(integer) 1"},
        {"pexpiretime k", "(integer) 1700000001500"},
        {"expiretime k", "(integer) 1700000002"}, /* rounded, as Redis does */
        {"expireat k 1700000020", "(integer) 1"},
        {"ttl k", "(integer) 20"},
        {"pexpireat k 1700000000001", "(integer) 1"},
        {"pttl k", "(integer) 1"},
        {"persist k", "(integer) 1"},
        {"persist k", "(integer) 0"},
        {"ttl k", "(integer) -1"},
        {"persist none", "(integer) 0"},
        {"get k", "\"v\""},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_expire_past_deletes) {
    static const char *const lines[] = {
        "expire k 0",
        "expire k -1",
        "pexpire k 0",
        "pexpire k -9223372036854775808",
        "expireat k 0",
        "expireat k 1",
        "expireat k -5",
        "pexpireat k 1700000000000",
        "pexpireat k -1",
        "expire k -9223372036854775",
        "expireat k 1700000000",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        check_line("set k v ex 1000", "OK");
        check_line(lines[i], "(integer) 1");
        check_line("exists k", "(integer) 0");
        check_line("dbsize", "(integer) 0");
    }
}
END_TEST

START_TEST(test_expire_bad_times) {
    static const struct step steps[] = {
        {"set k v", "OK"},
        {"expire k 9223372036854775807", EXPIRE("expire")},
        {"expire k 9223372036854775", EXPIRE("expire")},
        {"expire k -9223372036854775807", EXPIRE("expire")},
        {"expireat k 9223372036854775807", EXPIRE("expireat")},
        {"pexpire k 9223372036854775807", EXPIRE("pexpire")},
        {"pexpireat k 9223372036854775808", NOT_INTEGER},
        {"expire k x", NOT_INTEGER},
        {"expire k 1.5", NOT_INTEGER},
        {"expire k \"\"", NOT_INTEGER},
        {"expire none x", NOT_INTEGER},
        {"expire k x bogus", "(error) ERR Unsupported option bogus"},
        {"ttl k", "(integer) -1"},
        {"pexpireat k 9223372036854775807", "(integer) 1"},
        {"pexpiretime k", "(integer) 9223372036854775807"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_expire_conditions) {
    static const struct step steps[] = {
        {"set k v", "OK"},
        {"expire k 100 xx", "(integer) 0"},
        {"expire k 100 gt", "(integer) 0"}, /* never is later than any time */
        {"ttl k", "(integer) -1"},
        {"expire k 100 NX", "(integer) 1"},
        {"expire k 200 nx", "(integer) 0"},
        {"expire k 200 xx", "(integer) 1"},
        {"expire k 200 gt", "(integer) 0"},
        {"expire k 201 gt", "(integer) 1"},
        {"expire k 201 lt", "(integer) 0"},
        {"expire k 50 xx lt", "(integer) 1"},
        {"ttl k", "(integer) 50"},
        {"persist k", "(integer) 1"},
        {"expire k 60 lt", "(integer) 1"},
        {"ttl k", "(integer) 60"},
        {"expire k -1 gt", "(integer) 0"},
        {"exists k", "(integer) 1"},
        {"expire k -1 lt", "(integer) 1"},
        {"exists k", "(integer) 0"},
        {"expire k 1 nx xx", "(error) ERR NX and XX, GT or LT options at the same time are not compatible"},
        {"expire k 1 lt nx", "(error) ERR NX and XX, GT or LT options at the same time are not compatible"},
        {"expire k 1 gt lt", "(error) ERR GT and LT options at the same time are not compatible"},
        {"expire k 1 bogus", "(error) ERR Unsupported option bogus"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ---- renaming ------------------------------------------------------------------------------------------------ */

START_TEST(test_rename) {
    static const struct step steps[] = {
        {"rename none x", NO_KEY},
        {"rename none none", NO_KEY},
        {"renamenx none x", NO_KEY},
        {"set a 1 ex 100", "OK"},
        {"set b 2 ex 5", "OK"},
        {"rename a b", "OK"},
        {"mget a b", "[(nil), \"1\"]"},
        {"ttl b", "(integer) 100"},
        {"rename b b", "OK"},
        {"renamenx b b", "(integer) 0"},
        {"get b", "\"1\""},
        {"rpush l x y", "(integer) 2"},
        {"rename l b", "OK"}, /* any type over any other, and its expiry with it */
        {"type b", "list"},
        {"ttl b", "(integer) -1"},
        {"lrange b 0 -1", "[\"x\", \"y\"]"},
        {"set c 3", "OK"},
        {"renamenx c b", "(integer) 0"},
        {"renamenx c d", "(integer) 1"},
        {"exists b c d", "(integer) 2"},
        {"dbsize", "(integer) 2"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ---- the keyspace -------------------------------------------------------------------------------------------- */

START_TEST(test_keys) {
    static const struct step steps[] = {
        {"keys *", "[]"},
        {"randomkey", "(nil)"},
        {"set hello 1", "OK"},
        {"randomkey", "\"hello\""},
        {"rpush list x", "(integer) 1"},
        {"set \"\\xff\\x00\" bytes", "OK"},
        {"keys h?llo", "[\"hello\"]"},
        {"keys h[ae]llo", "[\"hello\"]"},
        {"keys h[^e]llo", "[]"},
        {"keys l*", "[\"list\"]"},
        {"keys \"\\xff*\"", "[\"\\xff\\x00\"]"},
        {"keys hell", "[]"},
        {"keys \"\"", "[]"},
    };

    CHECK_STEPS(steps);
    ck_assert_ptr_nonnull(strstr(run_line("keys *"), "\"\\xff\\x00\""));
}
END_TEST

START_TEST(test_keys_pattern_cost) { /* exponential in a careless matcher: this would not end */
    char a[20001];
    struct slice set[] = {SLICE_LIT("set"), {a, sizeof(a) - 1}, SLICE_LIT("v")};

    memset(a, 'a', sizeof(a));
    ck_assert_str_eq(run_args(3, set), "OK");
    check_line("keys a*a*a*a*a*a*a*a*a*a*a*a*b", "[]");
    check_line("scan 0 match a*a*a*a*a*a*a*a*a*a*a*a*b count 100", "[\"0\", []]");
}
END_TEST

START_TEST(test_keys_overflow) {
    options.max_output_bytes = 64;
    check_line("mset aaaaaaaaaaaaaaaaaaaaaaaa 1 bbbbbbbbbbbbbbbbbbbbbbbb 2", "OK");
    check_line("keys a*", "[\"aaaaaaaaaaaaaaaaaaaaaaaa\"]");
    check_line("mset cccccccccccccccccccccccc 3 dddddddddddddddddddddddd 4", "OK");
    check_line("keys *", "(error) ERR the reply would be larger than max-output-bytes, use SCAN");
    check_line("scan 0 count 100", "(error) ERR the reply would be larger than max-output-bytes, use SCAN");
}
END_TEST

START_TEST(test_scan_syntax) {
    static const struct step steps[] = {
        {"scan 0", "[\"0\", []]"},
        {"scan x", "(error) ERR invalid cursor"},
        {"scan -1", "[\"0\", []]"},
        {"scan \"\"", "[\"0\", []]"},
        {"scan \" 0\"", "(error) ERR invalid cursor"},
        {"scan 18446744073709551616", "(error) ERR invalid cursor"},
        {"scan 0 count 0", SYNTAX},
        {"scan 0 count -1", SYNTAX},
        {"scan 0 count x", NOT_INTEGER},
        {"scan 0 count", SYNTAX},
        {"scan 0 match", SYNTAX},
        {"scan 0 bogus 1", SYNTAX},
        {"set k v", "OK"},
        {"rpush l x", "(integer) 1"},
        {"scan 0 count 1000 type string", "[\"0\", [\"k\"]]"},
        {"scan 0 count 1000 TYPE LIST", "[\"0\", [\"l\"]]"},
        {"scan 0 count 1000 type hash", "[\"0\", []]"},
        {"scan 0 count 1000 match l* type list", "[\"0\", [\"l\"]]"},
        {"scan 0 count 1000 match l* type string", "[\"0\", []]"},
        {"scan 0 count 9223372036854775807 match k", "[\"0\", [\"k\"]]"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* Walks all keys in pages, as a client does; changes go on meanwhile. Counts how often each was told. */
static void walk(unsigned *told, int keys, const char *options_of_scan) {
    char cursor[32] = "0", line[128];
    int pages = 0;

    do {
        const char *at;

        snprintf(line, sizeof(line), "scan %s %s", cursor, options_of_scan);
        at = run_line(line);
        ck_assert_int_eq(sscanf(at, "[\"%31[0-9]\"", cursor), 1);
        while ((at = strstr(at, "\"key:")) != NULL) {
            long n = strtol(at += strlen("\"key:"), NULL, 10);

            if (n < keys)
                told[n]++;
        }
        snprintf(line, sizeof(line), "mset key:%d x key:%d x key:%d x", keys + pages, 2 * keys + pages,
                 3 * keys + pages);
        run_line(line);
        ck_assert_int_lt(++pages, 100 * keys);
    } while (strcmp(cursor, "0") != 0);
}

START_TEST(test_scan_walks_all) {
    enum { KEYS = 500 };
    static unsigned told[KEYS];
    static const char *const scan_options[] = {"count 7", "", "count 7 match key:*", "count 3 type string"};
    char line[64];

    for (int i = 0; i < KEYS; i++) {
        snprintf(line, sizeof(line), "set key:%d v", i);
        check_line(line, "OK");
    }
    memset(told, 0, sizeof(told));
    walk(told, KEYS, scan_options[_i]);
    for (int i = 0; i < KEYS; i++)
        ck_assert_msg(told[i] == 1, "key:%d was told %u times", i, told[i]);
}
END_TEST

START_TEST(test_randomkey_reaches_all) {
    bool seen[3] = {false, false, false};

    check_line("mset k0 a k1 b k2 c", "OK");
    for (int i = 0; i < 10000 && !(seen[0] && seen[1] && seen[2]); i++)
        seen[run_line("randomkey")[2] - '0'] = true;
    ck_assert(seen[0] && seen[1] && seen[2]);
}
END_TEST

START_TEST(test_copy) {
    static const struct step steps[] = {
        {"copy a b", "(integer) 0"},
        {"set a v ex 100", "OK"},
        {"copy a b", "(integer) 1"},
        {"ttl b", "(integer) 100"},
        {"copy a b", "(integer) 0"},
        {"append b w", "(integer) 2"},
        {"get a", "\"v\""},
        {"rpush l 1 2", "(integer) 2"},
        {"copy l b replace", "(integer) 1"},
        {"ttl b", "(integer) -1"},
        {"rpush b 3", "(integer) 3"},
        {"lrange l 0 -1", "[\"1\", \"2\"]"},
        {"hset h f v", "(integer) 1"},
        {"copy h i", "(integer) 1"},
        {"hset i f w", "(integer) 0"},
        {"hget h f", "\"v\""},
        {"sadd s 1 2", "(integer) 2"},
        {"copy s t", "(integer) 1"},
        {"sadd t x", "(integer) 1"},
        {"copy t u", "(integer) 1"},
        {"scard s", "(integer) 2"},
        {"scard u", "(integer) 3"},
        {"copy a a", "(error) ERR source and destination objects are the same"},
        {"copy a x db 1", "(error) ERR DB index is out of range"},
        {"copy a x bogus", "(error) ERR syntax error"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* The bytes are shared; both keys go in one transaction. */
START_TEST(test_copy_of_a_large_string) {
    check_line("setrange a 99999 x", "(integer) 100000");
    check_line("copy a b", "(integer) 1");
    check_line("copy b c", "(integer) 1");
    check_line("setrange b 0 y", "(integer) 100000");
    check_line("getrange a 99999 -1", "\"x\"");
    check_line("getrange a 0 0", "\"\\x00\"");
    check_line("del a b c", "(integer) 3");
    check_line("setrange a 99999 x", "(integer) 100000");
    check_line("copy a b", "(integer) 1");
    check_line("mset a 1 b 2 a 3", "OK");
    check_line("mget a b", "[\"3\", \"2\"]");
}
END_TEST

/* A leak, or a use after it was freed, of the bytes shows in the build with sanitizers. */
START_TEST(test_copy_over_what_is_shared) {
    check_line("setrange a 99999 x", "(integer) 100000");
    check_line("copy a b", "(integer) 1");
    check_line("copy a b replace", "(integer) 1");
    check_line("rename a b", "OK");
    check_line("getrange b 99999 -1", "\"x\"");
    check_line("del b", "(integer) 1");
}
END_TEST

START_TEST(test_sort) {
    static const struct step steps[] = {
        {"sort none", "[]"},
        {"rpush l 3 1 10", "(integer) 3"},
        {"sort l", "[\"1\", \"3\", \"10\"]"},
        {"sort l desc limit 0 1", "[\"10\"]"},
        {"sort l alpha", "[\"1\", \"10\", \"3\"]"},
        {"mset w1 3 w3 2 w10 1", "OK"},
        {"sort l by w*", "[\"10\", \"3\", \"1\"]"},
        {"sort l by w* get # get w* get no*",
         "[\"10\", \"1\", (nil), \"3\", \"2\", (nil), \"1\", \"3\", (nil)]"},
        {"hset h1 f x", "(integer) 1"},
        {"sort l get h*->f", "[\"x\", (nil), (nil)]"},
        {"sort l by nosort desc", "[\"10\", \"1\", \"3\"]"},
        {"sort l store l", "(integer) 3"},
        {"lrange l 0 -1", "[\"1\", \"3\", \"10\"]"},
        {"sort none store l", "(integer) 0"},
        {"exists l", "(integer) 0"},
        {"sadd s b a", "(integer) 2"},
        {"sort s", "(error) ERR One or more scores can't be converted into double"},
        {"sort s by nosort store d", "(integer) 2"},
        {"lrange d 0 -1", "[\"a\", \"b\"]"},
        {"sort_ro s alpha store d", "(error) ERR syntax error"},
        {"sort h1", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_wait) {
    static const struct step steps[] = {
        {"wait 0 0", "(integer) 0"},
        {"wait 3 10", "(integer) 0"},
        {"wait 0 -1", "(error) ERR timeout is negative"},
    };

    CHECK_STEPS(steps);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_key");
    TCase *tc = tcase_create("cmd_key");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_del_and_exists);
    tcase_add_test(tc, test_type);
    tcase_add_test(tc, test_idle_time);
    tcase_add_test(tc, test_frequency);
    tcase_add_test(tc, test_expired_is_gone);
    tcase_add_test(tc, test_ttl_rounds);
    tcase_add_test(tc, test_expire_forms);
    tcase_add_test(tc, test_expire_past_deletes);
    tcase_add_test(tc, test_expire_bad_times);
    tcase_add_test(tc, test_expire_conditions);
    tcase_add_test(tc, test_rename);
    tcase_add_test(tc, test_keys);
    tcase_add_test(tc, test_keys_pattern_cost);
    tcase_add_test(tc, test_keys_overflow);
    tcase_add_test(tc, test_scan_syntax);
    tcase_add_loop_test(tc, test_scan_walks_all, 0, 4);
    tcase_add_test(tc, test_randomkey_reaches_all);
    tcase_add_test(tc, test_copy);
    tcase_add_test(tc, test_copy_of_a_large_string);
    tcase_add_test(tc, test_copy_over_what_is_shared);
    tcase_add_test(tc, test_sort);
    tcase_add_test(tc, test_wait);
    suite_add_tcase(suite, tc);
    return suite;
}
