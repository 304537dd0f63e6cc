/* AUTH, HELLO AUTH, and ACL for the one user. */
#include <flashkv/mem.h>

#include "commands.h"

#define WRONGPASS "(error) WRONGPASS invalid username-password pair or user is disabled."
#define NOAUTH "(error) NOAUTH Authentication required."

START_TEST(test_without_a_password) {
    static const struct step steps[] = {
        {"auth x",
         "(error) ERR AUTH <password> called without any password configured for the default user. Are you "
         "sure your configuration is correct?"},
        {"auth default x", "OK"},
        {"auth other x", WRONGPASS},
        {"auth a b c", "(error) ERR syntax error"},
        {"auth", "(error) ERR wrong number of arguments for 'auth' command"},
        {"acl whoami", "\"default\""},
        {"acl users", "[\"default\"]"},
        {"acl list", "[\"user default on nopass ~* &* +@all\"]"},
        {"acl getuser nobody", "(nil)"},
        {"acl getuser default",
         "{\"flags\": ~[\"on\", \"nopass\"], \"passwords\": [], \"commands\": \"+@all\", \"keys\": \"~*\", "
         "\"channels\": \"&*\", \"selectors\": []}"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_with_a_password) {
    static const struct step steps[] = {
        {"config set requirepass abc", "OK"},
        {"get k", "(nil)"}, /* who was there before stays */
        {"acl list", "[\"user default on #ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
                     "~* &* +@all\"]"},
        {"reset", "RESET"},
        {"get k", NOAUTH},
        {"client id", NOAUTH},
        {"bogus", "(error) ERR unknown command 'bogus', with args beginning with: "},
        {"get", "(error) ERR wrong number of arguments for 'get' command"},
        {"auth wrong", WRONGPASS},
        {"auth abcd", WRONGPASS},
        {"auth default \"\"", WRONGPASS},
        {"auth other abc", WRONGPASS},
        {"get k", NOAUTH},
        {"hello 3 auth default wrong", WRONGPASS},
        {"hello 3 auth default", "(error) ERR Syntax error in HELLO option 'auth'"},
        {"auth abc", "OK"},
        {"get k", "(nil)"},
        {"reset", "RESET"},
        {"auth default abc", "OK"},
        {"get k", "(nil)"},
        {"config set requirepass \"\"", "OK"},
        {"reset", "RESET"},
        {"get k", "(nil)"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_hello_authenticates) {
    run_line("config set requirepass abc");
    run_line("reset");
    ck_assert_ptr_nonnull(strstr(run_line("hello 3 setname me"), "(error) NOAUTH HELLO must be called"));
    ck_assert_ptr_null(session.name);
    ck_assert_uint_eq(session.protocol, 2);
    ck_assert_ptr_nonnull(strstr(run_line("hello 3 auth default abc setname me"), "\"proto\": (integer) 3"));
    check_line("client getname", "\"me\"");
}
END_TEST

START_TEST(test_a_password_from_the_options) {
    mem_free(options.requirepass);
    options.requirepass = mem_dup("abc", 4);
    ck_assert(config_start(&server));
    check_line("reset", "RESET");
    check_line("get k", NOAUTH);
    check_line("auth abc", "OK");
    check_line("config get requirepass", "{\"requirepass\": \"abc\"}");
}
END_TEST

START_TEST(test_the_rest) {
    static const struct step steps[] = {
        {"acl setuser default on ~* +@all", "OK"},
        {"acl deluser a b", "(integer) 0"},
        {"acl deluser a default", "(error) ERR The 'default' user cannot be removed"},
        {"acl genpass 0",
         "(error) ERR ACL GENPASS argument must be the number of bits for the output password, a "
         "positive number up to 4096"},
        {"acl genpass x", "(error) ERR value is not an integer or out of range"},
        {"acl dryrun default get a", "OK"},
        {"acl dryrun nobody get a", "(error) ERR User 'nobody' not found"},
        {"acl dryrun default bogus", "(error) ERR Command 'bogus' not found"},
        {"acl dryrun default get", "(error) ERR wrong number of arguments for 'get' command"},
        {"acl log", "[]"},
        {"acl log reset", "OK"},
        {"acl cat bogus", "(error) ERR Unknown category 'bogus'"},
    };

    CHECK_STEPS(steps);
    ck_assert_uint_eq(strlen(run_line("acl genpass")), 64 + 2);
    ck_assert_uint_eq(strlen(run_line("acl genpass 5")), 2 + 2);
    ck_assert_ptr_nonnull(strstr(run_line("acl setuser x on"), "(error) ERR FlashKV has one user"));
    ck_assert_ptr_nonnull(strstr(run_line("acl setuser default -@all"), "modifier '-@all'"));
    ck_assert_ptr_nonnull(strstr(run_line("acl cat"), "\"keyspace\", "));
    ck_assert_ptr_nonnull(strstr(run_line("acl cat string"), "\"get\""));
    ck_assert_ptr_null(strstr(run_line("acl cat string"), "\"lpush\""));
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_acl");
    TCase *tc = tcase_create("cmd_acl");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_without_a_password);
    tcase_add_test(tc, test_with_a_password);
    tcase_add_test(tc, test_hello_authenticates);
    tcase_add_test(tc, test_a_password_from_the_options);
    tcase_add_test(tc, test_the_rest);
    suite_add_tcase(suite, tc);
    return suite;
}
