/* From an argv to a handler: names, arity, subcommands, keys, locks; exactly one reply, always. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

START_TEST(test_arity) {
    static const struct step steps[] = {
        {"get", "(error) ERR wrong number of arguments for 'get' command"},
        {"GET a b", "(error) ERR wrong number of arguments for 'get' command"},
        {"set k", "(error) ERR wrong number of arguments for 'set' command"},
        {"mset a", "(error) ERR wrong number of arguments for 'mset' command"},
        {"mset a 1 b", "(error) ERR wrong number of arguments for 'mset' command"},
        {"config get", "(error) ERR wrong number of arguments for 'config|get' command"},
        {"Config Get", "(error) ERR wrong number of arguments for 'config|get' command"},
        {"config", "(error) ERR wrong number of arguments for 'config' command"},
        {"exists a", "(integer) 0"}, /* a refused MSET changed nothing */
        {"gEt a", "(nil)"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_unknown) {
    static const struct step steps[] = {
        {"bogus", "(error) ERR unknown command 'bogus', with args beginning with: "},
        {"bogus a b", "(error) ERR unknown command 'bogus', with args beginning with: 'a' 'b' "},
        {"\"\"", "(error) ERR unknown command '', with args beginning with: "},
        {"\"get\\x00\" k", "(error) ERR unknown command 'get', with args beginning with: 'k' "},
        {"rest.read k", "(error) ERR unknown command 'rest.read', with args beginning with: 'k' "},
        {"config|get save", "(error) ERR unknown command 'config|get', with args beginning with: 'save' "},
        {"config bogus", "(error) ERR unknown subcommand 'bogus'. Try CONFIG HELP."},
        {"CONFIG \"get\\x00\" save", "(error) ERR unknown subcommand 'get'. Try CONFIG HELP."},
        {"client \"\"", "(error) ERR unknown subcommand ''. Try CLIENT HELP."},
        {"bogus \"a\\r\\n+OK\"", "(error) ERR unknown command 'bogus', with args beginning with: 'a  +OK' "},
        {"\"x\\r\\n-ERR\"", "(error) ERR unknown command 'x  -ERR', with args beginning with: "},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* The error shows 128 bytes of the name, and of the arguments before the last one's quotes. */
START_TEST(test_unknown_is_cut) {
    char a[300], expected[600];
    const struct slice name = slice_of(a, sizeof(a));
    const struct slice one[] = {name, name, SLICE_LIT("more")};
    const struct slice two[] = {SLICE_LIT("bogus"), slice_of(a, 120), SLICE_LIT("12345678")};
    const struct slice sub[] = {SLICE_LIT("config"), name};

    memset(a, 'a', sizeof(a));
    snprintf(expected, sizeof(expected),
             "(error) ERR unknown command '%.128s', with args beginning with: '%.128s' ", a, a);
    ck_assert_str_eq(run_args(3, one), expected);
    snprintf(expected, sizeof(expected),
             "(error) ERR unknown command 'bogus', with args beginning with: '%.120s' '12345' ", a);
    ck_assert_str_eq(run_args(3, two), expected);
    snprintf(expected, sizeof(expected), "(error) ERR unknown subcommand '%.128s'. Try CONFIG HELP.", a);
    ck_assert_str_eq(run_args(2, sub), expected);
}
END_TEST

START_TEST(test_private_rows_run) {
    const struct command *row = command_private(SLICE_LIT("rest.read"));

    ck_assert_str_eq(run_row(row, "rest.read k"), "(nil)");
    ck_assert_str_eq(run_row(row, "rest.read"),
                     "(error) ERR wrong number of arguments for 'rest.read' command");
}
END_TEST

START_TEST(test_long_keys) {
    options.max_key_bytes = 4;
    check_line("set 1234 v", "OK");
    check_line("get 12345", "(error) ERR key is too long (5 bytes, at most 4: max-key-bytes)");
    check_line("mset a 1 12345 2", "(error) ERR key is too long (5 bytes, at most 4: max-key-bytes)");
    check_line("exists a", "(integer) 0");
    check_line("set 1234 a-long-value", "OK"); /* the value is no key */
}
END_TEST

/* More keys than there is room for on the stack, some of them twice, on many shards. */
START_TEST(test_many_keys) {
    enum { KEYS = 5000 };
    static char names[KEYS][16];
    static struct slice argv[2 * KEYS + 1];
    char expected[32];

    argv[0] = SLICE_LIT("mset");
    for (int i = 0; i < KEYS; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        argv[2 * i + 1] = argv[2 * i + 2] = slice_str(names[i]);
    }
    ck_assert_str_eq(run_args(2 * KEYS + 1, argv), "OK");
    snprintf(expected, sizeof(expected), "(integer) %d", KEYS);
    ck_assert_str_eq(run_line("dbsize"), expected);
    check_line("mget k0 k1 k2 k3 k4 k5 k6 k7 k4999",
               "[\"k0\", \"k1\", \"k2\", \"k3\", \"k4\", \"k5\", \"k6\", \"k7\", \"k4999\"]");
    argv[0] = SLICE_LIT("exists");
    snprintf(expected, sizeof(expected), "(integer) %d", 2 * KEYS);
    ck_assert_str_eq(run_args(2 * KEYS + 1, argv), expected);
    argv[0] = SLICE_LIT("del");
    snprintf(expected, sizeof(expected), "(integer) %d", KEYS);
    ck_assert_str_eq(run_args(2 * KEYS + 1, argv), expected);
    check_line("dbsize", "(integer) 0");
}
END_TEST

static struct shard_stats stats(void) {
    struct shard_stats total;

    store_stats(server.store, &total, NULL);
    return total;
}

/* Reading takes shared locks, writing exclusive ones, each shard once; without keys none is taken. */
START_TEST(test_locks) {
    struct shard_stats before = stats(), after;

    run_line("get k");
    after = stats();
    ck_assert_uint_eq(after.read_locks - before.read_locks, 1);
    ck_assert_uint_eq(after.write_locks, before.write_locks);
    before = after;
    run_line("mset k 1 k 2 k 3");
    after = stats();
    ck_assert_uint_eq(after.read_locks, before.read_locks);
    ck_assert_uint_eq(after.write_locks - before.write_locks, 1);
    before = after;
    run_line("ping");
    run_line("get");
    after = stats();
    ck_assert_uint_eq(after.read_locks, before.read_locks);
    ck_assert_uint_eq(after.write_locks, before.write_locks);
}
END_TEST

START_TEST(test_session_remembers) {
    session.now_ms += 5;
    run_line("get k");
    ck_assert_str_eq(session.last_command->name, "get");
    ck_assert_int_eq(session.active_ms, session.now_ms);
    run_line("config get save");
    ck_assert_str_eq(session.last_command->name, "config|get");
    run_line("set");
    ck_assert_str_eq(session.last_command->name, "config|get"); /* what did not run leaves no trace */
}
END_TEST

/* What is about keys has to wait until they are there. */
START_TEST(test_loading) {
    static const char loading[] = "(error) LOADING Redis is loading the dataset in memory";

    atomic_store(&server.loading, true);
    check_line("get k", loading);
    check_line("set k v", loading);
    check_line("flushall", loading);
    check_line("dbsize", loading);
    check_line("ping", "PONG");
    atomic_store(&server.loading, false);
    check_line("dbsize", "(integer) 0");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("dispatch");
    TCase *tc = tcase_create("dispatch");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_arity);
    tcase_add_test(tc, test_unknown);
    tcase_add_test(tc, test_unknown_is_cut);
    tcase_add_test(tc, test_private_rows_run);
    tcase_add_test(tc, test_long_keys);
    tcase_add_test(tc, test_many_keys);
    tcase_add_test(tc, test_locks);
    tcase_add_test(tc, test_session_remembers);
    tcase_add_test(tc, test_loading);
    suite_add_tcase(suite, tc);
    return suite;
}
