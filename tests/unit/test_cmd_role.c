/* One database, one server: ROLE, REPLICAOF, MOVE, SWAPDB; MEMORY; DEBUG; options that CONFIG SET changes. */
#include <stdio.h>

#include "commands.h"

#define OUT_OF_RANGE "(error) ERR DB index is out of range"

START_TEST(test_one_of_each) {
    static const struct step steps[] = {
        {"role", "[\"master\", (integer) 0, []]"},
        {"replicaof no one", "OK"},
        {"slaveof NO ONE", "OK"},
        {"replicaof localhost 6379", "(error) ERR FlashKV has no replication"},
        {"move k 0", "(error) ERR source and destination objects are the same"},
        {"move k 1", OUT_OF_RANGE},
        {"move k x", "(error) ERR value is not an integer or out of range"},
        {"swapdb 0 0", "OK"},
        {"swapdb 0 1", OUT_OF_RANGE},
        {"swapdb x 0", "(error) ERR invalid first DB index"},
        {"swapdb 0 x", "(error) ERR invalid second DB index"},
        {"shutdown bogus", "(error) ERR syntax error"},
        {"shutdown save nosave", "(error) ERR syntax error"},
        {"shutdown abort now", "(error) ERR syntax error"},
        {"shutdown abort", "(error) ERR No shutdown in progress."},
    };

    CHECK_STEPS(steps);
    ck_assert_ptr_nonnull(strstr(run_line("lolwut version 5"), "FlashKV ver. "));
}
END_TEST

START_TEST(test_memory) {
    static const struct step steps[] = {
        {"memory usage none", "(nil)"},
        {"memory usage k samples", "(error) ERR syntax error"},
        {"memory usage k samples -1", "(error) ERR syntax error"},
        {"memory usage k bogus 1", "(error) ERR syntax error"},
        {"memory usage k samples x", "(error) ERR value is not an integer or out of range"},
        {"memory purge", "OK"},
    };
    long long small, large;

    run_line("set k v");
    CHECK_STEPS(steps);
    ck_assert_int_eq(sscanf(run_line("memory usage k"), "(integer) %lld", &small), 1);
    run_line("setrange k 9999 x");
    ck_assert_int_eq(sscanf(run_line("memory usage k samples 0"), "(integer) %lld", &large), 1);
    ck_assert(small > 0 && small < large && large >= 10000);
    ck_assert_ptr_nonnull(strstr(run_line("memory malloc-stats"), "bytes allocated"));
    ck_assert_ptr_nonnull(strstr(run_line("memory doctor"), "txt:\""));
}
END_TEST

START_TEST(test_debug) {
    static const struct step steps[] = {
        {"debug error \"ERR of yours\"", "(error) ERR of yours"},
        {"debug stringmatch-len 20000 a*b", "(integer) 0"},
        {"debug stringmatch-len 20000 a*", "(integer) 1"},
        {"debug stringmatch-len -1 a", "(error) ERR value is out of range"},
        {"debug set-active-expire 0", "OK"},
        {"debug set-active-expire x", "(error) ERR value is not an integer or out of range"},
        {"debug replybuffer resizing 0", "OK"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* Keys of every type come back from the bytes of a snapshot as they were; a digest tells. */
START_TEST(test_debug_reload) {
    static const char *const lines[] = {
        "set s v ex 1000",     "set n 12",        "setrange large 70000 x",
        "rpush l a b a",       "sadd ints 1 2 3", "sadd set a b",
        "zadd z 1.5 a -inf b", "hset h f v g w",  "hexpire h 1000 fields 1 f",
    };
    static const struct step steps[] = {
        {"debug reload bogus",
         "(error) ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."},
        {"debug reload", "OK"},
        {"debug reload nosave noflush merge", "OK"},
        {"debug loadaof", "(error) ERR nothing is kept: the server was started without --data-dir"},
        {"zrange z 0 -1 withscores", "[\"b\", (double) -inf, \"a\", (double) 1.5]"},
        {"lrange l 0 -1", "[\"a\", \"b\", \"a\"]"},
        {"httl h fields 2 f g", "[(integer) 1000, (integer) -1]"},
        {"ttl s", "(integer) 1000"},
        {"object encoding ints", "\"intset\""},
        {"debug digest-value none", "[0000000000000000000000000000000000000000]"},
    };
    char digest[64], value[64];

    ck_assert_str_eq(run_line("debug digest"), "0000000000000000000000000000000000000000");
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        run_line(lines[i]);
    snprintf(digest, sizeof(digest), "%s", run_line("debug digest"));
    snprintf(value, sizeof(value), "%s", run_line("debug digest-value h"));
    CHECK_STEPS(steps);
    ck_assert_str_eq(run_line("debug digest"), digest);
    run_line("hset h f other");
    ck_assert_str_ne(run_line("debug digest"), digest);
    ck_assert_str_ne(run_line("debug digest-value h"), value);
}
END_TEST

START_TEST(test_debug_refused) {
    options.debug_command = DEBUG_LOCAL; /* the session's address is unknown */
    ck_assert_ptr_nonnull(strstr(run_line("debug sleep 0"), "ERR DEBUG command not allowed."));
    ck_assert_ptr_nonnull(strstr(run_line("debug bogus"), "ERR DEBUG command not allowed."));
    options.debug_command = DEBUG_NO;
    ck_assert_ptr_nonnull(strstr(run_line("debug digest"), "ERR DEBUG command not allowed."));
    check_line("debug", "(error) ERR wrong number of arguments for 'debug' command");
}
END_TEST

START_TEST(test_options_that_change) {
    static const struct step steps[] = {
        {"config set maxclients 17 idle-timeout 5", "OK"},
        {"config get maxclients", "{\"maxclients\": \"17\"}"},
        {"config get max-connections timeout", "{\"max-connections\": \"17\", \"timeout\": \"5\"}"},
        {"config set maxclients 17 resp-port 6379", "OK"}, /* what it is */
        {"config set maxclients 18 resp-port 1", "(error) ERR CONFIG SET failed (possibly related to "
                                                 "argument 'resp-port') - can't set immutable config"},
        {"config set maxclients 18 timeout x",
         "(error) ERR CONFIG SET failed (possibly related to argument 'timeout') "
         "- expects 0 to 31536000 (seconds)"},
        {"config get maxclients", "{\"maxclients\": \"17\"}"}, /* none of them */
        {"config set maxclients 19 maxmemory 5mb", "OK"},
        {"config get maxclients maxmemory", "{\"maxclients\": \"19\", \"maxmemory\": \"5242880\"}"},
    };

    CHECK_STEPS(steps);
    ck_assert_uint_eq(options.max_connections, 19);
    ck_assert_uint_eq(options.idle_timeout, 5);
}
END_TEST

/* What would be a lie if it were only stored. */
START_TEST(test_tls_cannot_be_set) {
    static char cert[] = "/etc/cert.pem";
    static const struct step steps[] = {
        {"config get tls-cert-file tls-port", "{\"tls-cert-file\": \"/etc/cert.pem\", \"tls-port\": \"0\"}"},
        {"config set tls-cert-file /etc/cert.pem", "OK"},
        {"config set tls-cert-file /other.pem", "(error) ERR CONFIG SET failed (possibly related to argument "
                                                "'tls-cert-file') - can't set immutable config"},
        {"config set tls-port 6390",
         "(error) ERR CONFIG SET failed (possibly related to argument 'tls-port') "
         "- can't set immutable config"},
    };
    char *before = options.tls_cert;

    options.tls_cert = cert;
    CHECK_STEPS(steps);
    options.tls_cert = before;
}
END_TEST

START_TEST(test_pause_without_end) {
    check_line("client pause 9223372036854775807", "(error) ERR timeout is out of range");
    check_line("client pause 9223372036854775807 write", "(error) ERR timeout is out of range");
    ck_assert_uint_eq(server.paused, PAUSE_NONE);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_role");
    TCase *tc = tcase_create("cmd_role");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_one_of_each);
    tcase_add_test(tc, test_memory);
    tcase_add_test(tc, test_debug);
    tcase_add_test(tc, test_debug_reload);
    tcase_add_test(tc, test_debug_refused);
    tcase_add_test(tc, test_options_that_change);
    tcase_add_test(tc, test_tls_cannot_be_set);
    tcase_add_test(tc, test_pause_without_end);
    suite_add_tcase(suite, tc);
    return suite;
}
