/* What tokens may run: by rows of the command table, and over all of it. */
#include <flashkv/tokens.h>

#include "commands.h"

static char *prefixes[] = {"a:"};
static const struct rights nothing = {.scopes = 0}, reader = {.scopes = SCOPE_READ},
                           writer = {.scopes = SCOPE_WRITE}, admin = {.scopes = SCOPE_ADMIN},
                           keeper = {
                               .scopes = SCOPE_READ | SCOPE_WRITE, .prefixes = prefixes, .prefix_count = 1};

static bool refused(const struct rights *rights, const char *line) {
    const char *reply;

    session.rights = rights;
    reply = run_line(line);
    session.rights = NULL;
    return strncmp(reply, "(error) NOPERM", 14) == 0;
}

START_TEST(scopes) {
    static const struct {
        const char *line;
        const struct rights *may;
    } cases[] = {
        {"GET k", &reader},
        {"SET k v", &writer},
        {"GETDEL k", &writer},
        {"SCAN 0", &reader},
        {"KEYS *", &reader},
        {"FLUSHALL", &writer},
        {"INFO", &admin},
        {"CONFIG GET port", &admin},
        {"PUBLISH c m", &writer},
        {"PUBSUB CHANNELS", &reader},
        {"CLIENT LIST", &admin},
        {"ACL USERS", &admin},
        {"SLOWLOG LEN", &admin},
        {"OBJECT ENCODING k", &reader},
        {"WATCH k", &reader},
        {"DBSIZE", &reader},
        {"SORT k", &writer},
        {"SORT_RO k", &reader},
        {"SUNIONSTORE d k", &writer},
    };
    static const struct rights *const all[] = {&nothing, &reader, &writer, &admin};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++)
            ck_assert_msg(refused(all[k], cases[i].line) == (all[k] != cases[i].may), "%s: %zu",
                          cases[i].line, k);
}
END_TEST

START_TEST(what_everybody_may) {
    static const char *const lines[] = {"PING",  "ECHO x",  "COMMAND COUNT", "TIME",        "CLIENT ID",
                                        "MULTI", "DISCARD", "ACL WHOAMI",    "CONFIG HELP", "HELLO"};

    session.rights = &nothing;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (strncmp(lines[i], "ACL", 3) != 0) /* it has no name here */
            ck_assert_msg(strstr(run_line(lines[i]), "NOPERM") == NULL, "%s", lines[i]);
}
END_TEST

START_TEST(keys_outside_of_the_prefixes) {
    static const char *const no[] = {"GET b",
                                     "GET a",
                                     "MGET a:1 b",
                                     "MSET a:1 x b y",
                                     "DEL a:1 b",
                                     "RENAME b a:1",
                                     "RENAME a:1 b",
                                     "COPY a:1 b",
                                     "SUNIONSTORE a:1 a:2 b",
                                     "SUNIONSTORE b a:1",
                                     "SINTERCARD 2 a:1 b",
                                     "ZUNIONSTORE b 1 a:1",
                                     "ZUNION 2 a:1 b",
                                     "LMPOP 2 a:1 b LEFT",
                                     "LMPOP 9 a:1 LEFT",
                                     "SORT a:1 BY w_*",
                                     "SORT a:1 GET x",
                                     "SORT a:1 STORE a:2",
                                     "SCAN 0",
                                     "SCAN 0 COUNT 5",
                                     "SCAN 0 MATCH *",
                                     "SCAN 0 MATCH a*",
                                     "SCAN 0 MATCH a:* MATCH *",
                                     "SCAN 0 MATCH ?:*",
                                     "SCAN 0 MATCH a\\\\:*",
                                     "KEYS *",
                                     "KEYS a?*",
                                     "RANDOMKEY",
                                     "DBSIZE",
                                     "FLUSHALL",
                                     "WATCH a:1 b",
                                     "PUBLISH a:1 m",
                                     "PUBSUB CHANNELS",
                                     "OBJECT ENCODING b",
                                     "LMOVE a:1 b LEFT LEFT",
                                     "INFO"};
    static const char *const yes[] = {
        "GET a:1",  "MGET a:1 a:",        "SET a:2 v",    "SCAN 0 MATCH a:*", "SCAN 0 COUNT 5 MATCH a:x",
        "KEYS a:*", "SORT a:1 LIMIT 0 5", "ZUNION 1 a:z", "COPY a:2 a:3",     "PING"};

    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        ck_assert_msg(refused(&keeper, no[i]), "%s", no[i]);
    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        ck_assert_msg(!refused(&keeper, yes[i]), "%s", yes[i]);
}
END_TEST

/* A row that names no key, or changes or reads keys, is closed to who has no scope; whoever adds one need not think of it. */
START_TEST(every_row_of_the_table) {
    for (size_t i = 0; i < command_count; i++) {
        const struct command *cmd = &command_table[i];
        size_t argc = (size_t)(cmd->arity < 0 ? -cmd->arity : cmd->arity);
        struct arg argv[16];
        bool own = strcmp(cmd->group, "connection") == 0 || strcmp(cmd->group, "transactions") == 0;

        if (cmd->handler == NULL || cmd->flags & (CMD_NO_AUTH | CMD_CONTAINER) ||
            strchr(cmd->name, '|') != NULL)
            continue;
        if ((own && !(cmd->flags & CMD_ADMIN) && cmd->first_key == 0) || strcmp(cmd->name, "time") == 0)
            continue;
        for (size_t k = 0; k < argc; k++)
            argv[k] = (struct arg){"1", 1, NULL};
        session.rights = &nothing;
        ck_assert_msg(strncmp(run_argv(cmd, argc, argv), "(error) NOPERM", 14) == 0, "%s", cmd->name);
    }
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("rights");
    TCase *tc = tcase_create("rights");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, scopes);
    tcase_add_test(tc, what_everybody_may);
    tcase_add_test(tc, keys_outside_of_the_prefixes);
    tcase_add_test(tc, every_row_of_the_table);
    suite_add_tcase(suite, tc);
    return suite;
}
