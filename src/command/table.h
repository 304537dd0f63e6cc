/* table.h - looking commands up, for the command layer itself. */
#ifndef FLASHKV_COMMAND_TABLE_H
#define FLASHKV_COMMAND_TABLE_H

#include <flashkv/command.h>

/* A command's name in capitals, "|" as a space. */
struct command_name {
    char text[48];
};
struct command_name command_upper(const struct command *cmd);

/* Where a command's keys are among its arguments: `count` in all, one at `before` (0: none there), the others from
 * `first` on. */
struct key_args {
    size_t before, first, step, count;
};
/* Keys of a row with CMD_NUMKEYS. */
bool command_counted_keys(const struct command *cmd, size_t argc, const struct arg *argv,
                          struct key_args *out);
/* False: an argument counts more keys than there are, or is no count; the handler says which. In the header, since
 * every command with keys comes here. */
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
/* Is it a command of exactly one key, whatever its arguments? */
static inline bool command_has_one_key(const struct command *cmd) {
    return cmd->first_key > 0 && cmd->last_key == cmd->first_key && !(cmd->flags & (CMD_NUMKEYS | CMD_SORT));
}
/* The argument that the i-th key is. */
static inline size_t key_args_at(const struct key_args *k, size_t i) {
    if (k->before > 0 && i-- == 0)
        return k->before;
    return k->first + i * k->step;
}

/* Is this the row of a subcommand, "config|get"? Of one of this container's? */
bool command_is_subcommand(const struct command *cmd);
bool command_is_subcommand_of(const struct command *cmd, const struct command *container);
size_t command_count_subcommands(const struct command *container);
/* Is it one that clients of the Redis protocol know? How many of those are no subcommands? */
static inline bool command_is_public(const struct command *cmd) {
    return !(cmd->flags & CMD_PRIVATE);
}
size_t command_count_public(void);
/* The row that a client may name: neither private nor a subcommand, for "config|get" is no way to spell CONFIG GET. */
const struct command *command_callable(struct slice name);

#endif
