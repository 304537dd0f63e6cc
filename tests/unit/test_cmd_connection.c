/* The connection's commands: what a client says of itself, and which protocol it speaks. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define SPECIAL "cannot contain spaces, newlines or special characters."
#define HELLO(proto)                                                                                         \
    "{\"server\": \"redis\", \"version\": \"7.0.15\", \"proto\": (integer) " proto                           \
    ", \"id\": (integer) 1, \"mode\": \"standalone\", \"role\": \"master\", \"modules\": []}"

START_TEST(test_ping_echo_select) {
    static const struct step steps[] = {
        {"ping", "PONG"},
        {"ping \"a\\x00b\"", "\"a\\x00b\""},
        {"ping a b", "(error) ERR wrong number of arguments for 'ping' command"},
        {"echo \"\"", "\"\""},
        {"select 0", "OK"},
        {"select 1", "(error) ERR DB index is out of range"},
        {"select -1", "(error) ERR DB index is out of range"},
        {"select x", "(error) ERR value is not an integer or out of range"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_quit) {
    ck_assert(!session.close_after_reply);
    check_line("quit now please", "OK");
    ck_assert(session.close_after_reply);
}
END_TEST

START_TEST(test_names) {
    static const struct step steps[] = {
        {"client getname", "(nil)"},
        {"client setname me", "OK"},
        {"client getname", "\"me\""},
        {"client setname \"a b\"", "(error) ERR Client names " SPECIAL},
        {"client setname \"a\\n\"", "(error) ERR Client names " SPECIAL},
        {"client setname \"\\x00\"", "(error) ERR Client names " SPECIAL},
        {"client setname \"\\xe9\"", "(error) ERR Client names " SPECIAL},
        {"client getname", "\"me\""},
        {"client setname \"\"", "OK"}, /* takes it away */
        {"client getname", "(nil)"},
        {"client setinfo LIB-NAME lib", "OK"},
        {"client setinfo lib-ver 1.0", "OK"},
        {"client setinfo lib-ver \"1 0\"", "(error) ERR lib-ver " SPECIAL},
        {"client setinfo lib-name \"a\\r\"", "(error) ERR lib-name " SPECIAL},
        {"client setinfo bogus x", "(error) ERR Unrecognized option 'bogus'"},
        {"client id", "(integer) 1"},
    };

    CHECK_STEPS(steps);
    ck_assert_str_eq(session.lib_name, "lib");
    ck_assert_str_eq(session.lib_version, "1.0");
}
END_TEST

/* How many lines a reply of text has; one line a client. */
static size_t lines_of(const char *line) {
    size_t n = 0;

    for (const char *at = run_line(line); (at = strstr(at, "\\x0a")) != NULL; at++)
        n++;
    return n;
}

START_TEST(test_list) {
    static const struct step errors[] = {
        {"client list type bogus", "(error) ERR Unknown client type 'bogus'"},
        {"client list id x", "(error) ERR Invalid client ID"},
        {"client list id 0", "txt:\"\""},
        {"client list id", "(error) ERR syntax error"},
        {"client list type", "(error) ERR syntax error"},
        {"client list type normal normal", "(error) ERR syntax error"},
        {"client list bogus 1", "(error) ERR syntax error"},
        {"client list type master", "txt:\"\""},
        {"client list id 99", "txt:\"\""},
    };
    struct session other = {.fd = 9, .peer = "[::1]:5", .created_ms = session.now_ms - 7000};
    const char *reply;

    session_enter(&server.sessions, &other);
    ck_assert_uint_eq(lines_of("client list"), 2);
    ck_assert_uint_eq(lines_of("client list type NORMAL"), 2);
    ck_assert_uint_eq(lines_of("client list id 2 2 77"), 1);
    ck_assert_uint_eq(lines_of("client list id 2 1"), 2);
    ck_assert_uint_eq(lines_of("client info"), 1);
    reply = run_line("client list id 2");
    ck_assert_ptr_eq(strstr(reply, "txt:\"id=2 addr=[::1]:5 laddr= fd=9 name= age=7 "), reply);
    ck_assert_ptr_nonnull(
        strstr(reply, " events=r cmd=NULL user=default redir=-1 resp=0 lib-name= lib-ver=\\x0a\""));
    CHECK_STEPS(errors);
    session_leave(&server.sessions, &other);
    check_line("client setname me", "OK");
    reply = run_line("client info");
    ck_assert_ptr_nonnull(strstr(reply, " name=me "));
    ck_assert_ptr_nonnull(strstr(reply, " resp=2 "));
    ck_assert_ptr_nonnull(strstr(reply, " cmd=client|info user=default "));
}
END_TEST

START_TEST(test_hello) {
    static const struct step steps[] = {
        {"hello", HELLO("2")},
        {"hello 3", HELLO("3")},
        {"hello", HELLO("3")},
        {"hello 3 setname me auth default any", HELLO("3")},
        {"client getname", "\"me\""},
        {"hello 4", "(error) NOPROTO unsupported protocol version"},
        {"hello 1", "(error) NOPROTO unsupported protocol version"},
        {"hello x", "(error) ERR Protocol version is not an integer or out of range"},
        {"hello 2 bogus", "(error) ERR Syntax error in HELLO option 'bogus'"},
        {"hello 2 setname", "(error) ERR Syntax error in HELLO option 'setname'"},
        {"hello 2 auth default", "(error) ERR Syntax error in HELLO option 'auth'"},
        {"hello 2 auth bob secret", "(error) WRONGPASS invalid username-password pair or user is disabled."},
        {"hello 2 setname \"a b\"", "(error) ERR Client names " SPECIAL},
        {"hello", HELLO("3")}, /* what is refused changes nothing */
        {"client getname", "\"me\""},
        {"hello 2", HELLO("2")},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_reset) {
    static const struct step steps[] = {
        {"hello 3 setname me", HELLO("3")},
        {"reset", "RESET"},
        {"client getname", "(nil)"},
        {"hello", HELLO("2")},
    };

    CHECK_STEPS(steps);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_connection");
    TCase *tc = tcase_create("cmd_connection");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_ping_echo_select);
    tcase_add_test(tc, test_quit);
    tcase_add_test(tc, test_names);
    tcase_add_test(tc, test_list);
    tcase_add_test(tc, test_hello);
    tcase_add_test(tc, test_reset);
    suite_add_tcase(suite, tc);
    return suite;
}
