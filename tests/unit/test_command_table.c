/* The command table: every row is sane, and found by its name alone. */
#include "command/syntax.h"
#include "command/table.h"

#include <ctype.h>
#include <string.h>

#include "unit.h"

#define FOR_EACH_ROW(row)                                                                                    \
    for (const struct command *row = command_table; row < command_table + command_count; row++)

static bool is_lower(const char *name) {
    for (; *name != '\0'; name++)
        if (!islower((unsigned char)*name) && *name != '|' && *name != '.' && *name != '-' && *name != '_')
            return false;
    return true;
}

START_TEST(test_names) {
    ck_assert_uint_gt(command_count, 0);
    FOR_EACH_ROW(row) {
        ck_assert_msg(row->name[0] != '\0' && is_lower(row->name), "%s", row->name);
        ck_assert_msg(strlen(row->name) < sizeof(struct command_name), "%s", row->name);
        for (const struct command *other = command_table; other < row; other++)
            ck_assert_msg(strcmp(row->name, other->name) != 0, "%s is there twice", row->name);
    }
}
END_TEST

START_TEST(test_texts) {
    static const char *const groups[] = {"string",     "list",         "hash",       "set",
                                         "sorted-set", "generic",      "connection", "server",
                                         "pubsub",     "transactions", "rest"};

    FOR_EACH_ROW(row) {
        bool known = false;

        for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
            known |= strcmp(row->group, groups[i]) == 0;
        ck_assert_msg(known, "%s is in the unknown group %s", row->name, row->group);
        ck_assert_msg(row->summary[0] != '\0' && row->summary[strlen(row->summary) - 1] != '.', "%s",
                      row->name);
        ck_assert_msg(isdigit((unsigned char)row->since[0]), "%s", row->name);
        ck_assert_ptr_nonnull(row->syntax);
    }
}
END_TEST

START_TEST(test_syntax) {
    FOR_EACH_ROW(row) {
        struct syntax s;

        ck_assert_msg(syntax_parse(row->syntax, &s), "%s: %s", row->name, row->syntax);
        ck_assert_msg(strlen(syntax_show(row->syntax).text) < SYNTAX_SHOWN_MAX - 1, "%s", row->name);
        for (uint8_t i = 1; i < s.count; i++) {
            struct syntax_name name = syntax_name(&s, i);

            ck_assert_msg(name.text[0] != '\0' && strlen(name.text) < SYNTAX_NAME_MAX - 1, "%s: %s",
                          row->name, name.text);
            ck_assert_msg(s.args[i].type != SYNTAX_ONEOF || syntax_members(&s, i) > 1, "%s: %s", row->name,
                          name.text);
        }
    }
}
END_TEST

/* The words an argument asks for at the least. */
static int words_needed(const struct syntax *s, uint8_t at) {
    const struct syntax_arg *arg = &s->args[at];
    int words = arg->first == 0, least = 1000;

    for (uint8_t i = arg->first; i != 0; i = s->args[i].next) {
        int needed = words_needed(s, i);

        words += needed;
        least = needed < least ? needed : least;
    }
    if (arg->type == SYNTAX_ONEOF)
        words = least > 0 ? least : 1; /* all may be left out of a choice, but not the choice */
    return arg->optional ? 0 : words + (arg->token.ptr != NULL && arg->type != SYNTAX_PURE_TOKEN);
}

START_TEST(test_arity_fits_syntax) {
    FOR_EACH_ROW(row) {
        int least = strchr(row->name, '|') != NULL ? 2 : 1;
        bool optional = strchr(row->syntax, '[') != NULL;
        struct syntax s;

        if (row->flags & CMD_CONTAINER)
            continue;
        ck_assert(syntax_parse(row->syntax, &s));
        if (s.args[0].first != 0)
            least += words_needed(&s, 0);
        if (optional)
            ck_assert_msg(row->arity == -least, "%s: arity %d, syntax needs %d", row->name, row->arity,
                          least);
        else
            ck_assert_msg(row->arity == least || row->arity == -least, "%s: arity %d, syntax needs %d",
                          row->name, row->arity, least);
    }
}
END_TEST

START_TEST(test_keys) {
    FOR_EACH_ROW(row) {
        int least = row->arity < 0 ? -row->arity : row->arity;

        if (row->first_key == 0) {
            ck_assert_msg(row->last_key == 0 && row->key_step == 0, "%s", row->name);
            continue;
        }
        if (row->flags & CMD_PUBSUB)
            continue; /* channels stand where keys would, and may be left out */
        ck_assert_msg(row->first_key > 0 && row->first_key < least, "%s: first key", row->name);
        ck_assert_msg(row->key_step > 0, "%s: key step", row->name);
        if (row->flags & CMD_NUMKEYS) {
            ck_assert_msg(row->last_key < row->first_key && row->first_key + 1 < least, "%s: numkeys",
                          row->name);
            continue;
        }
        ck_assert_msg(row->last_key < 0 || (row->last_key >= row->first_key && row->last_key < least),
                      "%s: last key", row->name);
        ck_assert_msg(!(row->flags & (CMD_READ | CMD_EXCLUSIVE)) != !(row->flags & CMD_WRITE),
                      "%s either reads its keys or writes them", row->name);
        ck_assert_msg(!(row->flags & CMD_KEYSPACE), "%s: over some keys or over all", row->name);
        ck_assert_msg(row->flags >> CMD_DEMAND_SHIFT == DEMAND_NONE || row->flags & CMD_WRITE,
                      "%s writes nothing, and needs no reserve", row->name);
    }
}
END_TEST

/* A container has subcommands, and every subcommand a container. */
START_TEST(test_containers) {
    FOR_EACH_ROW(row) {
        size_t subcommands = 0, len = strlen(row->name);

        FOR_EACH_ROW(sub) {
            subcommands += strncmp(sub->name, row->name, len) == 0 && sub->name[len] == '|';
        }
        ck_assert_msg((subcommands > 0) == ((row->flags & CMD_CONTAINER) != 0), "%s", row->name);
        ck_assert_msg(row->handler != NULL || (row->flags & CMD_CONTAINER), "%s has no handler", row->name);
        if (command_is_subcommand(row)) {
            const struct command *container = command_lookup(slice_of(row->name, strcspn(row->name, "|")));

            ck_assert_msg(container != NULL && container->flags & CMD_CONTAINER, "%s", row->name);
        }
    }
}
END_TEST

START_TEST(test_lookup) {
    FOR_EACH_ROW(row) {
        struct command_name other = command_upper(row);
        bool private = (row->flags & CMD_PRIVATE) != 0;

        ck_assert_ptr_eq(command_lookup(slice_str(row->name)), private ? NULL : row);
        ck_assert_ptr_eq(command_private(slice_str(row->name)), private ? row : NULL);
        if (command_is_subcommand(row))
            continue;
        ck_assert_ptr_eq(command_lookup(slice_str(other.text)), private ? NULL : row);
        other.text[0] = row->name[0];
        ck_assert_ptr_eq(command_lookup(slice_str(other.text)), private ? NULL : row);
        ck_assert_ptr_null(command_lookup(slice_of(row->name, strlen(row->name) + 1)));
    }
    ck_assert_str_eq(command_upper(command_lookup(SLICE_LIT("config|get"))).text, "CONFIG GET");
}
END_TEST

START_TEST(test_unknown_names) {
    static const char *const names[] = {
        "",          "g",
        "ge",        "gett",
        "get ",      "\xff\xfe",
        "config|",   "|get",
        "rest.read", "a-name-that-is-longer-than-any-command-of-ours-could-be"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ck_assert_ptr_null(command_lookup(slice_str(names[i])));
    ck_assert_ptr_null(command_lookup(slice_of(NULL, 0)));
    ck_assert_ptr_null(command_private(SLICE_LIT("get")));
    ck_assert_ptr_null(command_private(SLICE_LIT("nothing")));
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("command_table");
    TCase *tc = tcase_create("command_table");

    tcase_add_test(tc, test_names);
    tcase_add_test(tc, test_texts);
    tcase_add_test(tc, test_syntax);
    tcase_add_test(tc, test_arity_fits_syntax);
    tcase_add_test(tc, test_keys);
    tcase_add_test(tc, test_containers);
    tcase_add_test(tc, test_lookup);
    tcase_add_test(tc, test_unknown_names);
    suite_add_tcase(suite, tc);
    return suite;
}
