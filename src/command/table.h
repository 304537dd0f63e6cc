/* table.h - looking commands up, for the command layer itself. */
#ifndef FLASHKV_COMMAND_TABLE_H
#define FLASHKV_COMMAND_TABLE_H

#include <flashkv/command.h>

/* A command's name in upper case, with "|" replaced by a space. */
struct command_name {
    char text[48];
};
struct command_name command_upper(const struct command *cmd);

/* The positions of a command's keys among its arguments: `count` in all, one at `before` (0: none), the others from
 * `first` on. */
struct key_args {
    size_t before, first, step, count;
};
/* The key positions for a row with CMD_NUMKEYS. */
bool command_counted_keys(const struct command *cmd, size_t argc, const struct arg *argv,
                          struct key_args *out);
/* False: numkeys exceeds the arguments or is not a count; the handler replies the error. Inline, since every command with keys
 * calls it. */
static inline bool command_key_args(const struct command *cmd, size_t argc, const struct arg *argv,
                                    struct key_args *out) {
    size_t first = (size_t)cmd->first_key, step = (size_t)cmd->key_step, last, count = 1;

    if (cmd->flags & CMD_NUMKEYS)
        return command_counted_keys(cmd, argc, argv, out);
    last = cmd->last_key < 0 ? argc - (size_t)-cmd->last_key : (size_t)cmd->last_key;
    if (last != first) /* one key: no division */
        count = last < first ? 0 : (last - first) / step + 1;
    *out = (struct key_args){0, first, step, count};
    return true;
}
/* Does it have exactly one key, whatever its arguments? */
static inline bool command_has_one_key(const struct command *cmd) {
    return cmd->first_key > 0 && cmd->last_key == cmd->first_key && !(cmd->flags & (CMD_NUMKEYS | CMD_SORT));
}
/* The index of the argument that is the i-th key. */
static inline size_t key_args_at(const struct key_args *k, size_t i) {
    if (k->before > 0 && i-- == 0)
        return k->before;
    return k->first + i * k->step;
}

/* Is this the row of a subcommand, "config|get"? Is it one of this container? */
bool command_is_subcommand(const struct command *cmd);
bool command_is_subcommand_of(const struct command *cmd, const struct command *container);
size_t command_count_subcommands(const struct command *container);
/* Is it visible to RESP clients? The number of those that are not subcommands. */
static inline bool command_is_public(const struct command *cmd) {
    return !(cmd->flags & CMD_PRIVATE);
}
size_t command_count_public(void);
/* Looks up a row that clients may call by name: neither private nor a subcommand ("config|get" is not a valid spelling). */
const struct command *command_callable(struct slice name);

#endif
