/* table.h - looking commands up, for the command layer itself. */
#ifndef FLASHKV_COMMAND_TABLE_H
#define FLASHKV_COMMAND_TABLE_H

#include <flashkv/command.h>

/* A command's name in capitals, "|" as a space. */
struct command_name {
    char text[48];
};
struct command_name command_upper(const struct command *cmd);

/* Is this the row of a subcommand, "config|get"? */
bool command_is_subcommand(const struct command *cmd);

#endif
