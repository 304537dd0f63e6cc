/* rights.c - checks a row and its arguments against the rights of a token. */
#include "rights.h"

#include <flashkv/tokens.h>

#include "args.h"
#include "handlers.h"
#include "table.h"

/* ---- scopes ----------------------------------------------------------------------------------------------------- */

/* Commands of the group "server" that disclose nothing but the client's own data, or constants. */
static bool is_harmless(const struct command *cmd) {
    static const char *const names[] = {"acl|whoami", "time"};
    struct slice name = slice_str(cmd->name);
    static const struct slice help = SLICE_LIT("|help");

    if (slice_eq(name, SLICE_LIT("command")) || slice_starts(name, SLICE_LIT("command|")))
        return true;
    if (name.len > help.len && slice_eq(slice_of(name.ptr + name.len - help.len, help.len), help))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_eq(name, slice_str(names[i])))
            return true;
    return false;
}

static bool is_group(const struct command *cmd, const char *group) {
    return strcmp(cmd->group, group) == 0;
}

/* The scope that the row needs (enum scope); 0: none. */
static unsigned scope_needed(const struct command *cmd) {
    if (cmd->flags & CMD_ADMIN)
        return SCOPE_ADMIN;
    if (cmd->handler == cmd_publish || cmd->handler == cmd_spublish)
        return SCOPE_WRITE;
    if (cmd->flags & CMD_PUBSUB)
        return SCOPE_READ;
    if (cmd->flags & CMD_WRITE)
        return SCOPE_WRITE;
    if (cmd->flags & CMD_READ || cmd->first_key > 0)
        return SCOPE_READ;
    if (is_group(cmd, "connection") || is_group(cmd, "transactions") || is_harmless(cmd))
        return 0;
    return SCOPE_ADMIN;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* SCAN cursor ... MATCH pattern, rest.watch likewise, KEYS pattern: does the pattern's literal prefix restrict it to the token's
 * keys? Of several MATCHes the last counts, so each one has to. */
static bool covers_pattern(const struct rights *r, struct slice pattern) {
    size_t n = 0;

    while (n < pattern.len && strchr("*?[\\", pattern.ptr[n]) == NULL)
        n++;
    return rights_cover(r, slice_of(pattern.ptr, n));
}

static bool covers_scan(const struct rights *r, const struct call *c) {
    bool found = false;

    if (slice_eq(slice_str(c->command->name), SLICE_LIT("keys")))
        return covers_pattern(r, call_arg(c, 1));
    if (c->command->handler != cmd_scan && c->command->handler != cmd_rest_watch)
        return false;
    for (size_t i = 2; i + 1 < c->argc; i += 2)
        if (arg_is(c, i, "match")) {
            if (!covers_pattern(r, call_arg(c, i + 1)))
                return false;
            found = true;
        }
    return found;
}

/* Words of SORT that name other keys. */
static bool sort_reaches_out(const struct call *c) {
    for (size_t i = 2; i < c->argc; i++)
        if (arg_is(c, i, "by") || arg_is(c, i, "get") || arg_is(c, i, "store"))
            return true;
    return false;
}

static bool covers_keys(const struct rights *r, const struct call *c) {
    const struct command *cmd = c->command;
    struct key_args at;

    if (cmd->flags & CMD_KEYSPACE)
        return covers_scan(r, c);
    if (cmd->flags & CMD_PUBSUB || (cmd->flags & CMD_SORT && sort_reaches_out(c)))
        return false;
    if (cmd->first_key == 0)
        return true;
    if (!command_key_args(cmd, c->argc, c->argv, &at))
        return false;
    for (size_t i = 0; i < at.count; i++)
        if (!rights_cover(r, call_arg(c, key_args_at(&at, i))))
            return false;
    return true;
}

/* A session with a token may not set the password: that would give it more than the token's scopes. */
static bool sets_password(const struct call *c) {
    struct slice name = slice_str(c->command->name);

    if (slice_eq(name, SLICE_LIT("acl|setuser")))
        return true;
    if (!slice_eq(name, SLICE_LIT("config|set")))
        return false;
    for (size_t i = 2; i < c->argc; i += 2)
        if (arg_is(c, i, "requirepass"))
            return true;
    return false;
}

bool rights_allow(struct call *c) {
    const struct rights *r = c->session->rights;
    unsigned needed = scope_needed(c->command);

    if (c->command->flags & CMD_NO_AUTH)
        return true;
    if ((needed & ~r->scopes) != 0 || sets_password(c))
        reply_error(c->reply, "NOPERM this user has no permissions to run the '%s' command",
                    c->command->name);
    else if (r->prefix_count > 0 && !covers_keys(r, c))
        reply_error(c->reply,
                    "NOPERM this user has no permissions to access one of the keys used as arguments");
    else
        return true;
    return false;
}
