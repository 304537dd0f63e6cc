/* table.h - looking commands up, for the command layer itself. */
#ifndef FLASHKV_COMMAND_TABLE_H
#define FLASHKV_COMMAND_TABLE_H

#include <flashkv/command.h>

/* A command's name in capitals, "|" as a space. */
struct command_name {
    char text[48];
};
struct command_name command_upper(const struct command *cmd);

/* Where a command's keys are among its arguments: one at `before` (0: none), then `count` from `first` on. */
struct key_args {
    size_t before, first, step, count;
};
/* False: an argument counts more keys than there are, or is no count; the handler says which. */
bool command_key_args(const struct command *cmd, size_t argc, const struct arg *argv, struct key_args *out);
/* The argument that the i-th key is. */
static inline size_t key_args_at(const struct key_args *k, size_t i) {
    if (k->before > 0 && i-- == 0)
        return k->before;
    return k->first + i * k->step;
}
static inline size_t key_args_count(const struct key_args *k) {
    return k->count + (k->before > 0);
}

/* Is this the row of a subcommand, "config|get"? */
bool command_is_subcommand(const struct command *cmd);

#endif
