/* COMMAND: the table as clients are told it. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define GET_ROW                                                                                              \
    "[\"get\", (integer) 2, ~[readonly, fast], (integer) 1, (integer) 1, (integer) 1, ~[@read, @string, "    \
    "@fast], ~[], "                                                                                          \
    "~[{\"flags\": ~[RO, access], \"begin_search\": {\"type\": \"index\", \"spec\": {\"index\": (integer) "  \
    "1}}, "                                                                                                  \
    "\"find_keys\": {\"type\": \"range\", \"spec\": {\"lastkey\": (integer) 0, \"keystep\": (integer) 1, "   \
    "\"limit\": (integer) 0}}}], ~[]]"

static size_t count_public_commands(void) {
    size_t n = 0;

    for (size_t i = 0; i < command_count; i++)
        n += !(command_table[i].flags & CMD_PRIVATE) && strchr(command_table[i].name, '|') == NULL;
    return n;
}

/* How often a text stands in the reply. */
static size_t count(const char *reply, const char *text) {
    size_t n = 0;

    for (; (reply = strstr(reply, text)) != NULL; reply++)
        n++;
    return n;
}

START_TEST(test_count) {
    char expected[32];

    snprintf(expected, sizeof(expected), "(integer) %zu", count_public_commands());
    check_line("command count", expected);
}
END_TEST

START_TEST(test_info) {
    static const struct step steps[] = {
        {"command info get", "[" GET_ROW "]"},
        {"command info GET bogus get", "[" GET_ROW ", (nil), " GET_ROW "]"},
        {"command info rest.read", "[(nil)]"},
        {"command info ping",
         "[[\"ping\", (integer) -1, ~[fast], (integer) 0, (integer) 0, (integer) 0, "
         "~[@fast, @connection], ~[\"request_policy:all_shards\", \"response_policy:all_succeeded\"], ~[], "
         "~[]]]"},
    };

    CHECK_STEPS(steps);
    ck_assert_uint_eq(count(run_line("command info config"), "[\"config|"), 5); /* its subcommands within */
    ck_assert_uint_eq(count(run_line("command info mset"), "\"lastkey\": (integer) -1"), 1);
    ck_assert_uint_eq(count(run_line("command info mset"), "\"keystep\": (integer) 2"), 1);
    ck_assert_uint_eq(count(run_line("command info rename"), "\"lastkey\": (integer) 0"),
                      2); /* two specifications */
}
END_TEST

/* COMMAND, COMMAND INFO and COMMAND DOCS of everything tell every public row once, and no private one. */
START_TEST(test_all_rows) {
    static const char *const lines[] = {"command", "command info", "command docs"};
    static const char *const before[] = {"[\"", "[\"", "\""};
    static const char *const after[] = {"\", (integer)", "\", (integer)", "\": {\"summary\""};
    const char *reply = run_line(lines[_i]);
    char text[64];

    for (size_t i = 0; i < command_count; i++) {
        snprintf(text, sizeof(text), "%s%s%s", before[_i], command_table[i].name, after[_i]);
        ck_assert_msg(count(reply, text) == !(command_table[i].flags & CMD_PRIVATE), "%s: %s", lines[_i],
                      text);
    }
}
END_TEST

START_TEST(test_docs) {
    static const struct step steps[] = {
        {"command docs bogus", "{}"},
        {"command docs rest.read", "{}"},
        {"command docs ECHO bogus",
         "{\"echo\": {\"summary\": \"Returns the message\", \"since\": \"1.0.0\", \"group\": "
         "\"connection\", \"complexity\": \"O(1)\", \"arguments\": [{\"name\": \"message\", \"type\": "
         "\"string\"}]}}"},
        {"command docs lpop",
         "{\"lpop\": {\"summary\": \"Removes and returns the first elements\", \"since\": \"1.0.0\", "
         "\"group\": "
         "\"list\", \"complexity\": \"O(N), N elements returned\", \"history\": ~[[\"6.2.0\", \"`count`\"]], "
         "\"arguments\": [{\"name\": \"key\", \"type\": \"key\", \"key_spec_index\": (integer) 0}, "
         "{\"name\": \"count\", \"type\": \"integer\", \"since\": \"6.2.0\", \"flags\": ~[optional]}]}}"},
    };

    CHECK_STEPS(steps);
    ck_assert_ptr_nonnull(strstr(run_line("command docs debug"), "\"subcommands\": {\"debug|"));
    ck_assert_ptr_nonnull(
        strstr(run_line("command docs debug"),
               "\"debug|sleep\": {\"summary\": \"Blocks the connection's thread for some "
               "seconds\", \"since\": \"1.0.0\", \"group\": \"server\", \"complexity\": "
               "\"O(1)\", \"arguments\": [{\"name\": \"seconds\", \"type\": \"double\"}]}"));
}
END_TEST

START_TEST(test_list) {
    static const struct step steps[] = {
        {"command list filterby pattern get*", "[\"get\", \"getdel\", \"getex\", \"getrange\", \"getset\"]"},
        {"command list filterby pattern config|*",
         "[\"config|get\", \"config|help\", \"config|resetstat\", \"config|rewrite\", \"config|set\"]"},
        {"command list filterby pattern rest*", "[]"},
        {"command list filterby module any", "[]"},
        {"command list filterby aclcat generic", "[]"},
        {"command list filterby bogus x", "(error) ERR syntax error"},
        {"command list filterby pattern", "(error) ERR syntax error"},
        {"command list bogus pattern x", "(error) ERR syntax error"},
    };

    CHECK_STEPS(steps);
    ck_assert_uint_eq(count(run_line("command list"), "\"get\""), 1);
    ck_assert_uint_eq(count(run_line("command list"), "\"client|list\""), 1); /* subcommands too */
    ck_assert_uint_eq(count(run_line("command list"), "rest."), 0);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat WRITE"), "\"set\""), 1);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat write"), "\"get\""), 0);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat keyspace"), "\"del\""), 1);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat list"), "\"l"), 13);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat slow"), "\"set\""), 1);
    ck_assert_uint_eq(count(run_line("command list filterby aclcat slow"), "\"get\""), 0);
}
END_TEST

START_TEST(test_getkeys) {
    static const struct step steps[] = {
        {"command getkeys get k", "[\"k\"]"},
        {"command getkeys mset a 1 b 2", "[\"a\", \"b\"]"},
        {"command getkeys mget a b a", "[\"a\", \"b\", \"a\"]"},
        {"command getkeys memory usage k", "[\"k\"]"},
        {"command getkeys rename a b", "[\"a\", \"b\"]"},
        {"command getkeys sort a store b", "[\"a\", \"b\"]"},
        {"command getkeys sort a by store limit 0 1 store x get # store b", "[\"a\", \"b\"]"},
        {"command getkeys sort a bogus store b", "[\"a\", \"b\"]"},
        {"command getkeys sort_ro a by w*", "[\"a\"]"},
        {"command getkeys set k \"\" ex 1", "[\"k\"]"},
        {"command getkeys get", "(error) ERR wrong number of arguments for 'command|getkeys' command"},
        {"command getkeys get a b", "(error) ERR Invalid number of arguments specified for command"},
        {"command getkeys mset a", "(error) ERR Invalid number of arguments specified for command"},
        {"command getkeys ping x", "(error) ERR The command has no key arguments"},
        {"command getkeys bogus x", "(error) ERR Invalid command specified"},
        {"command getkeysandflags mset a 1 b 2", "[[\"a\", ~[OW, update]], [\"b\", ~[OW, update]]]"},
        {"command getkeysandflags lmove a b left left",
         "[[\"a\", ~[RW, access, delete]], [\"b\", ~[RW, insert]]]"},
        {"command getkeysandflags sort a by w* store b", "[[\"a\", ~[RO, access]], [\"b\", ~[OW, update]]]"},
        {"command getkeysandflags set k v ex 1", "[[\"k\", ~[OW, update]]]"},
        {"command getkeysandflags set k v GET", "[[\"k\", ~[RW, access, update]]]"},
        {"command getkeysandflags hexpire h 1 fields 1 f", "[[\"h\", ~[RW, access, update]]]"},
        {"command getkeysandflags ping x", "(error) ERR The command has no key arguments"},
        {"command getkeys rest.read x", "(error) ERR Invalid command specified"},
    };

    CHECK_STEPS(steps);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_command");
    TCase *tc = tcase_create("cmd_command");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_count);
    tcase_add_test(tc, test_info);
    tcase_add_loop_test(tc, test_all_rows, 0, 3);
    tcase_add_test(tc, test_docs);
    tcase_add_test(tc, test_list);
    tcase_add_test(tc, test_getkeys);
    suite_add_tcase(suite, tc);
    return suite;
}
