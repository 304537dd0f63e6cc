/* cmd_command_keys.c - COMMAND GETKEYS and GETKEYSANDFLAGS: the keys among a command's arguments.
 * Source: https://redis.io/commands/command-getkeysandflags */
#include <stdio.h>

#include "args.h"
#include "handlers.h"
#include "sort.h"
#include "table.h"
#include "traits.h"

/* The command in question: its call, whose argv begins with the third argument of ours, and the positions of its keys; a
 * further key, of SORT's STORE, is argument `stored` (0: none). */
struct asked {
    struct call call;
    struct key_args at;
    size_t stored;
};

static const struct command *asked_row(const struct call *c) {
    const struct command *cmd = command_lookup(call_arg(c, 2));
    char name[64];

    if (cmd != NULL && (cmd->flags & CMD_CONTAINER) && c->argc > 3 && c->argv[3].len < sizeof(name) / 2) {
        int len = snprintf(name, sizeof(name), "%s|%.*s", cmd->name, (int)c->argv[3].len, c->argv[3].ptr);

        cmd = command_lookup(slice_of(name, (size_t)len));
    }
    return cmd;
}

/* False: replied an error. */
static bool find_keys(struct call *c, struct asked *out) {
    const struct command *cmd = asked_row(c);
    size_t argc = c->argc - 2;

    *out = (struct asked){.call = {.command = cmd, .argc = argc, .argv = c->argv + 2}};
    if (cmd == NULL)
        reply_error(c->reply, "ERR Invalid command specified");
    else if (cmd->first_key == 0)
        reply_error(c->reply, "ERR The command has no key arguments");
    else if (cmd->arity >= 0 ? argc != (size_t)cmd->arity : argc < (size_t)-cmd->arity)
        reply_error(c->reply, "ERR Invalid number of arguments specified for command");
    else if (!command_key_args(cmd, argc, out->call.argv, &out->at))
        reply_error(c->reply, "ERR Invalid arguments specified for command");
    else {
        if ((cmd->flags & CMD_SORT) && (cmd->flags & CMD_WRITE))
            out->stored = sort_store_at(&out->call);
        return true;
    }
    return false;
}

static void reply_keys(struct call *c, const struct asked *a,
                       void (*reply_key)(struct call *c, const struct asked *a, size_t at)) {
    reply_array(c->reply, a->at.count + (a->stored > 0));
    for (size_t i = 0; i < a->at.count; i++)
        reply_key(c, a, key_args_at(&a->at, i));
    if (a->stored > 0)
        reply_key(c, a, a->stored);
}

static void reply_name_of(struct call *c, const struct asked *a, size_t at) {
    reply_bulk(c->reply, call_arg(&a->call, at));
}

/* SET overwrites its key, unless it replies the old value. */
static const char *flags_of_set(const struct asked *a) {
    for (size_t i = 3; i < a->call.argc; i++)
        if (arg_is(&a->call, i, "get"))
            return "RW access update";
    return "OW update";
}

static void reply_name_and_flags(struct call *c, const struct asked *a, size_t at) {
    const struct command *cmd = a->call.command;
    const struct command_traits *traits = command_traits(cmd);

    reply_array(c->reply, 2);
    reply_name_of(c, a, at);
    if (at == a->stored)
        reply_traits_words(c, "OW update");
    else if (cmd->handler == cmd_set)
        reply_traits_words(c, flags_of_set(a));
    else if (traits != NULL)
        reply_traits_key_flags(c, traits->keys, at);
    else
        reply_traits_words(c, cmd->flags & CMD_WRITE ? "RW access update" : "RO access");
}

void cmd_command_getkeys(struct call *c) {
    struct asked asked;

    if (find_keys(c, &asked))
        reply_keys(c, &asked, reply_name_of);
}

void cmd_command_getkeysandflags(struct call *c) {
    struct asked asked;

    if (find_keys(c, &asked))
        reply_keys(c, &asked, reply_name_and_flags);
}
