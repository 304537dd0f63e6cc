/* SLOWLOG and LATENCY: what is logged of slow commands, and of moments that were slow. */
#include <flashkv/clock.h>
#include <stdio.h>

#include "commands.h"

enum { MS = 1000000 };

static void setup(void) {
    commands_setup();
    session.stats = stats_block_new(&server.stats);
    session.ticks = clock_ticks();
    ck_assert_ptr_nonnull(session.stats);
}

static void check_has(const char *line, const char *text) {
    const char *reply = run_line(line);

    ck_assert_msg(strstr(reply, text) != NULL, "%s is not in %s", text, reply);
}

/* Logs all commands from here on, and none that was before. */
static void log_everything(void) {
    check_line("config set slowlog-log-slower-than 0", "OK");
    check_line("slowlog reset", "OK");
}

START_TEST(test_nothing_is_slow) {
    check_line("config set slowlog-log-slower-than -1", "OK");
    run_line("ping");
    check_line("slowlog len", "(integer) 0");
    check_line("slowlog get", "[]");
}
END_TEST

START_TEST(test_entries) {
    log_everything();
    run_line("client setname me");
    run_line("set k v");
    check_line("config set slowlog-log-slower-than -1", "OK");
    check_line("slowlog len", "(integer) 3"); /* what sets it to -1 is not, at its end */
    check_has("slowlog get 2", "[\"set\", \"k\", \"v\"], \"\", \"me\"]");
    check_has("slowlog get", "[\"slowlog\", \"reset\"]");
    check_line("slowlog get 0", "[]");
    check_line("slowlog get -2", "(error) ERR count should be greater than or equal to -1");
    check_line("slowlog get x", "(error) ERR count should be greater than or equal to -1");
    check_line("slowlog reset", "OK");
    check_line("slowlog len", "(integer) 0");
}
END_TEST

START_TEST(test_the_oldest_go) {
    check_line("config set slowlog-max-len 3", "OK");
    log_everything();
    for (int i = 0; i < 10; i++)
        run_line("ping");
    check_line("config set slowlog-log-slower-than -1", "OK");
    check_line("slowlog len", "(integer) 3");
    check_has("slowlog get -1", "[\"ping\"]");
    ck_assert_ptr_null(strstr(run_line("slowlog get -1"), "\"reset\""));
}
END_TEST

START_TEST(test_arguments_are_cut) {
    char line[1024], expected[512];
    int n = snprintf(line, sizeof(line), "sadd");

    memset(expected, 'A', 128);
    snprintf(expected + 128, sizeof(expected) - 128, "... (72 more bytes)\"]");
    log_everything();
    for (int i = 0; i < 33; i++)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " %d", i);
    run_line(line);
    check_has("slowlog get 1", "\"29\", \"... (3 more arguments)\"]");
    memset(line, 'A', sizeof(line));
    memcpy(line, "echo ", 5);
    line[5 + 200] = '\0';
    run_line(line);
    check_has("slowlog get 1", expected);
}
END_TEST

START_TEST(test_passwords_are_not_shown) {
    log_everything();
    run_line("config set masterauth secret maxmemory 0");
    check_has("slowlog get 1", "\"masterauth\", \"(redacted)\", \"maxmemory\", \"0\"");
    run_line("hello 2 auth default secret setname x");
    check_has("slowlog get 1", "\"auth\", \"(redacted)\", \"(redacted)\", \"setname\", \"x\"");
}
END_TEST

START_TEST(test_slow_commands_are_events) {
    check_line("latency latest", "[]");
    check_line("config set latency-monitor-threshold 1000", "OK");
    check_has("latency doctor", "No latency spike");
    check_line("config set latency-monitor-threshold 50", "OK");
    run_line("debug sleep 0.06");
    check_has("latency latest", "[[\"command\", (integer) ");
    check_has("latency history command", "[[(integer) ");
    check_has("latency doctor", "command: 1 latency spikes");
    check_has("latency graph command", "txt:\"command - high ");
    check_line("latency history fast-command", "[]");
    check_line("latency reset fast-command bogus", "(integer) 0");
    check_line("latency reset", "(integer) 1");
    check_line("latency latest", "[]");
}
END_TEST

START_TEST(test_samples_of_a_second_are_one) {
    slow_set_monitor(&server.slow, 10);
    latency_add(&server.slow, LATENCY_EXPIRE_CYCLE, 9 * MS); /* below the threshold */
    check_line("latency history expire-cycle", "[]");
    for (int i = 0; i < 200; i++) {
        latency_add(&server.slow, LATENCY_EXPIRE_CYCLE, (uint64_t)(20 + i % 2) * MS);
        clock_shift_ms(i % 2 == 1 ? 1000 : 0);
    }
    check_has("latency latest", ", (integer) 21, (integer) 21]]");
    check_has("latency doctor", "expire-cycle: 10");
    latency_add(&server.slow, LATENCY_EXPIRE_CYCLE, 500 * MS);
    check_has("latency latest", ", (integer) 500, (integer) 500]]");
}
END_TEST

START_TEST(test_errors) {
    static const struct step steps[] = {
        {"latency history bogus", "[]"},
        {"latency graph bogus", "(error) ERR No samples available for event 'bogus'"},
        {"latency histogram bogus", "{}"},
        {"latency help x", "(error) ERR wrong number of arguments for 'latency|help' command"},
        {"latency", "(error) ERR wrong number of arguments for 'latency' command"},
        {"slowlog bogus", "(error) ERR unknown subcommand 'bogus'. Try SLOWLOG HELP."},
    };

    CHECK_STEPS(steps);
    check_has("latency doctor", "Latency monitoring is off");
    check_has("slowlog help",
              "[SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:, GET [count], ");
}
END_TEST

START_TEST(test_histograms_by_name) {
    run_line("client id");
    run_line("client info");
    run_line("get k");
    check_has("latency histogram client", "{\"client|id\": {\"calls\": (integer) 1");
    check_has("latency histogram client", "\"client|info\": {");
    check_has("latency histogram bogus GET set",
              "{\"get\": {\"calls\": (integer) 1, \"histogram_usec\": {(integer) ");
    ck_assert_ptr_null(strstr(run_line("latency histogram client|id"), "client|info"));
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_latency");
    TCase *tc = tcase_create("cmd_latency");

    tcase_add_checked_fixture(tc, setup, commands_teardown);
    tcase_add_test(tc, test_nothing_is_slow);
    tcase_add_test(tc, test_entries);
    tcase_add_test(tc, test_the_oldest_go);
    tcase_add_test(tc, test_arguments_are_cut);
    tcase_add_test(tc, test_passwords_are_not_shown);
    tcase_add_test(tc, test_slow_commands_are_events);
    tcase_add_test(tc, test_samples_of_a_second_are_one);
    tcase_add_test(tc, test_errors);
    tcase_add_test(tc, test_histograms_by_name);
    suite_add_tcase(suite, tc);
    return suite;
}
