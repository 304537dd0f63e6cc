/* What is counted of commands: INFO commandstats, errorstats, latencystats, and a reset. */
#include "commands.h"

static void setup(void) {
    commands_setup();
    session.stats = stats_block_new(&server.stats);
    ck_assert_ptr_nonnull(session.stats);
}

static bool has(const char *line, const char *text) {
    return strstr(run_line(line), text) != NULL;
}

START_TEST(test_calls_failures_rejections) {
    run_line("set k v");
    run_line("set k v");
    run_line("incr k");
    run_line("set k");
    run_line("lpush k x");
    run_line("client id");
    ck_assert(has("info commandstats", "cmdstat_set:calls=2,"));
    ck_assert(has("info commandstats", "cmdstat_client|id:calls=1,"));
    ck_assert(has("info commandstats", ",rejected_calls=1,failed_calls=0\\x0d\\x0a")); /* SET */
    ck_assert(has("info commandstats", ",rejected_calls=0,failed_calls=1\\x0d\\x0a")); /* INCR, LPUSH */
    ck_assert(!has("info commandstats", "cmdstat_get:"));
    ck_assert(has("info errorstats", "errorstat_ERR:count=2\\x0d"));       /* INCR, the arity of SET */
    ck_assert(has("info errorstats", "errorstat_WRONGTYPE:count=1\\x0d")); /* LPUSH */
}
END_TEST

START_TEST(test_unknown_commands_are_errors_of_nobody) {
    run_line("bogus");
    run_line("config bogus");
    ck_assert(has("info errorstats", "errorstat_ERR:count=2\\x0d"));
    ck_assert(!has("info commandstats", "rejected_calls=1"));
}
END_TEST

START_TEST(test_reset) {
    run_line("set k v");
    run_line("bogus");
    check_line("config resetstat", "OK");
    ck_assert(!has("info commandstats", "cmdstat_set:"));
    ck_assert(!has("info errorstats", "errorstat_"));
    ck_assert(has("info commandstats", "cmdstat_config|resetstat:calls=1,")); /* it ended after its reset */
    run_line("set k v");
    ck_assert(has("info commandstats", "cmdstat_set:calls=1,"));
    check_line("config resetstat", "OK");
    run_line("set k v");
    ck_assert(has("info commandstats", "cmdstat_set:calls=1,"));
}
END_TEST

START_TEST(test_blocks_add_up) {
    run_line("set k v");
    session.stats = stats_block_new(&server.stats); /* as if in another thread */
    run_line("set k v");
    ck_assert(has("info commandstats", "cmdstat_set:calls=2,"));
    ck_assert(has("latency histogram set", "{\"set\": {\"calls\": (integer) 2, \"histogram_usec\": {"));
}
END_TEST

START_TEST(test_latencystats) {
    run_line("set k v");
    ck_assert(has("info latencystats", "latency_percentiles_usec_set:p50="));
    ck_assert(has("info latencystats", ",p99.9="));
    run_line("config resetstat");
    run_line("config set latency-tracking no");
    run_line("set k v");
    ck_assert(!has("info latencystats", "usec_set:"));
    ck_assert(has("info commandstats", "cmdstat_set:calls=1,"));
}
END_TEST

START_TEST(test_sessions_without_a_block_are_not_counted) {
    session.stats = NULL;
    run_line("set k v");
    run_line("bogus");
    check_line("info commandstats", "txt:\"# Commandstats\\x0d\\x0a\"");
    check_line("info errorstats", "txt:\"# Errorstats\\x0d\\x0a\"");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("stats");
    TCase *tc = tcase_create("stats");

    tcase_add_checked_fixture(tc, setup, commands_teardown);
    tcase_add_test(tc, test_calls_failures_rejections);
    tcase_add_test(tc, test_unknown_commands_are_errors_of_nobody);
    tcase_add_test(tc, test_reset);
    tcase_add_test(tc, test_blocks_add_up);
    tcase_add_test(tc, test_latencystats);
    tcase_add_test(tc, test_sessions_without_a_block_are_not_counted);
    suite_add_tcase(suite, tc);
    return suite;
}
