/* cmd_command_docs.c - COMMAND DOCS, from the rows and docs_table.c. Source: https://redis.io/commands/command-docs */
#include "args.h"
#include "docs.h"
#include "handlers.h"
#include "syntax.h"
#include "table.h"
#include "traits.h"

static void reply_pair(struct call *c, const char *name, struct slice value) {
    reply_text(c->reply, name);
    reply_bulk(c->reply, value);
}

static void reply_pair_if(struct call *c, const char *name, struct slice value) {
    if (value.ptr != NULL)
        reply_pair(c, name, value);
}

/* ---- arguments ----------------------------------------------------------------------------------------------- */

static void reply_args(struct call *c, const struct syntax *s, uint8_t at);

static void reply_flags(struct call *c, const struct syntax_arg *arg) {
    const bool set[] = {arg->optional, arg->multiple, arg->multiple_token};
    static const char *const names[] = {"optional", "multiple", "multiple_token"};

    reply_text(c->reply, "flags");
    reply_set(c->reply, (size_t)set[0] + set[1] + set[2]);
    for (size_t i = 0; i < 3; i++)
        if (set[i])
            reply_status(c->reply, slice_str(names[i]));
}

static void reply_arg(struct call *c, const struct syntax *s, uint8_t at) {
    const struct syntax_arg *arg = &s->args[at];
    bool flags = arg->optional || arg->multiple;
    struct syntax_name name = syntax_name(s, at);

    reply_map(c->reply, 2 + (size_t)(arg->key_spec >= 0) + (arg->token.ptr != NULL) +
                            (arg->since.ptr != NULL) + (arg->deprecated.ptr != NULL) + flags +
                            (arg->first != 0));
    reply_pair(c, "name", slice_str(name.text));
    reply_pair(c, "type", slice_str(syntax_type_name(arg->type)));
    if (arg->key_spec >= 0) {
        reply_text(c->reply, "key_spec_index");
        reply_integer(c->reply, arg->key_spec);
    }
    reply_pair_if(c, "token", arg->token);
    reply_pair_if(c, "since", arg->since);
    reply_pair_if(c, "deprecated_since", arg->deprecated);
    if (flags)
        reply_flags(c, arg);
    if (arg->first != 0)
        reply_args(c, s, at);
}

static void reply_args(struct call *c, const struct syntax *s, uint8_t at) {
    reply_text(c->reply, "arguments");
    reply_array(c->reply, syntax_members(s, at));
    for (uint8_t i = s->args[at].first; i != 0; i = s->args[i].next)
        reply_arg(c, s, i);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

/* "2.0.0 text;3.0.0 text" */
static void reply_history(struct call *c, const char *history) {
    struct slice line;

    reply_text(c->reply, "history");
    reply_set(c->reply, traits_words(history, ';'));
    while (traits_word(&history, ';', &line)) {
        const char *space = memchr(line.ptr, ' ', line.len);
        size_t version = (size_t)(space - line.ptr);

        reply_array(c->reply, 2);
        reply_bulk(c->reply, slice_of(line.ptr, version));
        reply_bulk(c->reply, slice_of(space + 1, line.len - version - 1));
    }
}

static void reply_deprecation(struct call *c, const struct command_docs *docs) {
    if (docs->flag == NULL)
        return;
    reply_text(c->reply, "doc_flags");
    reply_set(c->reply, 1);
    reply_status(c->reply, slice_str(docs->flag));
    if (docs->replaced_by == NULL)
        return;
    reply_pair(c, "deprecated_since", slice_str(docs->deprecated_since));
    reply_pair(c, "replaced_by", slice_str(docs->replaced_by));
}

static void reply_docs(struct call *c, const struct command *cmd) {
    struct command_docs docs = command_docs(cmd);
    size_t subs = command_count_subcommands(cmd);
    struct syntax syntax;
    bool args = syntax_parse(cmd->syntax, &syntax) && syntax.args[0].first != 0;

    reply_text(c->reply, cmd->name);
    reply_map(c->reply, 3 + (size_t)(docs.complexity != NULL) + (docs.flag != NULL) +
                            2 * (size_t)(docs.replaced_by != NULL) + (docs.history != NULL) + args +
                            (subs > 0));
    reply_pair(c, "summary", slice_str(cmd->summary));
    reply_pair(c, "since", slice_str(cmd->since));
    reply_pair(c, "group", slice_str(cmd->group));
    if (docs.complexity != NULL)
        reply_pair(c, "complexity", slice_str(docs.complexity));
    reply_deprecation(c, &docs);
    if (docs.history != NULL)
        reply_history(c, docs.history);
    if (args)
        reply_args(c, &syntax, 0);
    if (subs == 0)
        return;
    reply_text(c->reply, "subcommands");
    reply_map(c->reply, subs);
    for (size_t i = 0; i < command_count; i++)
        if (command_is_subcommand_of(&command_table[i], cmd))
            reply_docs(c, &command_table[i]);
}

void cmd_command_docs(struct call *c) {
    size_t n = 0;

    if (c->argc == 2) {
        reply_map(c->reply, command_count_public());
        for (size_t i = 0; i < command_count; i++)
            if (command_is_public(&command_table[i]) && !command_is_subcommand(&command_table[i]))
                reply_docs(c, &command_table[i]);
        return;
    }
    for (size_t i = 2; i < c->argc; i++)
        n += command_lookup(call_arg(c, i)) != NULL;
    reply_map(c->reply, n);
    for (size_t i = 2; i < c->argc; i++)
        if (command_lookup(call_arg(c, i)) != NULL)
            reply_docs(c, command_lookup(call_arg(c, i)));
}
