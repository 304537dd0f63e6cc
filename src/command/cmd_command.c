/* cmd_command.c - COMMAND: the command table for clients. Source: https://redis.io/commands/command */
#include <flashkv/glob.h>

#include "args.h"
#include "handlers.h"
#include "table.h"
#include "traits.h"

void cmd_command_count(struct call *c) {
    reply_integer(c->reply, (int64_t)command_count_public());
}

/* ---- COMMAND and COMMAND INFO -------------------------------------------------------------------------------- */

static const struct {
    uint32_t bit;
    const char *flag;     /* in COMMAND INFO */
    const char *category; /* of ACL, or NULL */
} flag_names[] = {
    {CMD_WRITE, "write", "@write"},
    {CMD_READ, "readonly", "@read"},
    {CMD_DENYOOM, "denyoom", NULL},
    {CMD_ADMIN, "admin", "@admin"},
    {CMD_PUBSUB, "pubsub", NULL},
    {CMD_FAST, "fast", "@fast"},
    {CMD_NUMKEYS, "movablekeys", NULL},
    {CMD_NO_MULTI, "no_multi", NULL},
    {CMD_BLOCKING, "blocking", "@blocking"},
};

static void reply_flags(struct call *c, const struct command *cmd) {
    size_t n = 0;

    for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
        n += (cmd->flags & flag_names[i].bit) != 0;
    reply_set(c->reply, n);
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
        if (cmd->flags & flag_names[i].bit)
            reply_status(c->reply, slice_str(flag_names[i].flag));
}

/* The ACL category of the row's group, without its "@". */
static const char *group_category(const struct command *cmd) {
    static const char *const others[][2] = {{"generic", "keyspace"}, {"transactions", "transaction"}};

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strcmp(cmd->group, others[i][0]) == 0)
            return others[i][1];
    return cmd->group;
}

static void reply_categories(struct call *c, const struct command *cmd) {
    char group[32] = "@";
    size_t n = 1;

    for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
        n += (cmd->flags & flag_names[i].bit) != 0 && flag_names[i].category != NULL;
    if (!(cmd->flags & CMD_FAST))
        n++;
    reply_set(c->reply, n);
    strncat(group, group_category(cmd), sizeof(group) - 2);
    reply_status(c->reply, slice_str(group));
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
        if ((cmd->flags & flag_names[i].bit) && flag_names[i].category != NULL)
            reply_status(c->reply, slice_str(flag_names[i].category));
    if (!(cmd->flags & CMD_FAST))
        reply_status(c->reply, SLICE_LIT("@slow"));
}

static void reply_pair(struct call *c, const char *name, const char *value) {
    reply_text(c->reply, name);
    reply_text(c->reply, value);
}

static void reply_pair_integer(struct call *c, const char *name, int64_t value) {
    reply_text(c->reply, name);
    reply_integer(c->reply, value);
}

static void begin_key_spec(struct call *c, const struct command *cmd, int64_t index, const char *find) {
    reply_map(c->reply, 3);
    reply_text(c->reply, "flags");
    reply_set(c->reply, 1);
    reply_status(c->reply, cmd->flags & CMD_WRITE ? SLICE_LIT("RW") : SLICE_LIT("RO"));
    reply_text(c->reply, "begin_search");
    reply_map(c->reply, 2);
    reply_pair(c, "type", "index");
    reply_text(c->reply, "spec");
    reply_map(c->reply, 1);
    reply_pair_integer(c, "index", index);
    reply_text(c->reply, "find_keys");
    reply_map(c->reply, 2);
    reply_pair(c, "type", find);
    reply_text(c->reply, "spec");
    reply_map(c->reply, 3);
}

/* Keys from an index to the last, by a step. */
static void reply_range_spec(struct call *c, const struct command *cmd, int64_t first, int64_t last,
                             int64_t step) {
    begin_key_spec(c, cmd, first, "range");
    reply_pair_integer(c, "lastkey", last < 0 ? last : last - first);
    reply_pair_integer(c, "keystep", step);
    reply_pair_integer(c, "limit", 0);
}

/* Keys counted by the argument before them. */
static void reply_numkeys_spec(struct call *c, const struct command *cmd) {
    begin_key_spec(c, cmd, cmd->first_key, "keynum");
    reply_pair_integer(c, "keynumidx", 0);
    reply_pair_integer(c, "firstkey", 1);
    reply_pair_integer(c, "keystep", 1);
}

static void reply_key_specs(struct call *c, const struct command *cmd) {
    if (cmd->flags & CMD_NUMKEYS) {
        reply_set(c->reply, 1 + (cmd->last_key > 0));
        if (cmd->last_key > 0)
            reply_range_spec(c, cmd, cmd->last_key, cmd->last_key, 1);
        reply_numkeys_spec(c, cmd);
        return;
    }
    reply_set(c->reply, cmd->first_key > 0);
    if (cmd->first_key > 0)
        reply_range_spec(c, cmd, cmd->first_key, cmd->last_key, cmd->key_step);
}

static void reply_row(struct call *c, const struct command *cmd) {
    const struct command_traits *traits = command_traits(cmd);

    reply_array(c->reply, 10);
    reply_text(c->reply, cmd->name);
    reply_integer(c->reply, cmd->arity);
    if (traits != NULL)
        reply_traits_words(c, traits->flags);
    else
        reply_flags(c, cmd);
    if (cmd->flags & CMD_NUMKEYS) { /* the keys at fixed positions */
        reply_integer(c->reply, cmd->last_key);
        reply_integer(c->reply, cmd->last_key);
        reply_integer(c->reply, cmd->last_key > 0);
    } else {
        reply_integer(c->reply, cmd->first_key);
        reply_integer(c->reply, cmd->last_key);
        reply_integer(c->reply, cmd->key_step);
    }
    if (traits != NULL) {
        reply_traits_words(c, traits->categories);
        reply_traits_tips(c, traits->tips);
        reply_traits_keys(c, traits->keys);
    } else {
        reply_categories(c, cmd);
        reply_array(c->reply, 0); /* tips */
        reply_key_specs(c, cmd);
    }
    if (command_count_subcommands(cmd) == 0) {
        reply_set(c->reply, 0); /* as Redis has it */
        return;
    }
    reply_array(c->reply, command_count_subcommands(cmd));
    for (size_t i = 0; i < command_count; i++)
        if (command_is_subcommand_of(&command_table[i], cmd))
            reply_row(c, &command_table[i]);
}

static void reply_all_rows(struct call *c) {
    reply_array(c->reply, command_count_public());
    for (size_t i = 0; i < command_count; i++)
        if (command_is_public(&command_table[i]) && !command_is_subcommand(&command_table[i]))
            reply_row(c, &command_table[i]);
}

void cmd_command(struct call *c) {
    reply_all_rows(c);
}

void cmd_command_info(struct call *c) {
    if (c->argc == 2) {
        reply_all_rows(c);
        return;
    }
    reply_array(c->reply, c->argc - 2);
    for (size_t i = 2; i < c->argc; i++) {
        const struct command *cmd = command_lookup(call_arg(c, i));

        if (cmd != NULL)
            reply_row(c, cmd);
        else
            reply_null(c->reply);
    }
}

/* ---- COMMAND LIST -------------------------------------------------------------------------------------------- */

/* Does the row belong to this ACL category? */
static bool in_category(const struct command *cmd, struct slice category) {
    const struct command_traits *traits = command_traits(cmd);
    char name[32] = "@";

    if (traits != NULL && category.len < sizeof(name) - 1) {
        memcpy(name + 1, category.ptr, category.len);
        return traits_has(traits->categories, slice_of(name, category.len + 1));
    }
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
        if ((cmd->flags & flag_names[i].bit) && flag_names[i].category != NULL &&
            slice_caseeq(category, slice_str(flag_names[i].category + 1)))
            return true;
    return slice_caseeq(category, slice_str(group_category(cmd))) ||
           (!(cmd->flags & CMD_FAST) && slice_caseeq(category, SLICE_LIT("slow")));
}

/* Does the row pass FILTERBY of the call (arguments 3 and 4)? */
static bool filter_passes(const struct call *c, const struct command *cmd) {
    return arg_is(c, 3, "pattern") ? glob_match(call_arg(c, 4), slice_str(cmd->name))
                                   : in_category(cmd, call_arg(c, 4));
}

void cmd_acl_cat(struct call *c) {
    static const char *const categories[] = {
        "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
        "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
        "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};
    enum { COUNT = sizeof(categories) / sizeof(*categories) };
    struct names names = names_make(c);
    bool known = c->argc == 2;

    if (arg_too_many(c, 3))
        return;
    for (size_t i = 0; i < COUNT; i++)
        if (c->argc == 2)
            names_add(&names, slice_str(categories[i]));
        else
            known = known || arg_is(c, 2, categories[i]);
    for (size_t i = 0; i < command_count && c->argc == 3; i++)
        if (command_is_public(&command_table[i]) && in_category(&command_table[i], call_arg(c, 2)))
            names_add(&names, slice_str(command_table[i].name));
    if (known) {
        names_reply(c, &names);
        return;
    }
    reply_error(c->reply, "ERR Unknown category '%.*s'", arg_shown(&c->argv[2]), c->argv[2].ptr);
    buf_free(&names.bytes);
}

void cmd_command_list(struct call *c) {
    struct names names = names_make(c);
    bool filtered = c->argc == 5 && arg_is(c, 2, "filterby") &&
                    (arg_is(c, 3, "pattern") || arg_is(c, 3, "aclcat") || arg_is(c, 3, "module"));

    if (c->argc != 2 && !filtered) {
        reply_syntax_error(c);
        return;
    }
    for (size_t i = 0; i < command_count; i++)
        if (command_is_public(&command_table[i]) &&
            (!filtered || (!arg_is(c, 3, "module") && filter_passes(c, &command_table[i]))))
            names_add(&names, slice_str(command_table[i].name));
    names_reply(c, &names);
}
