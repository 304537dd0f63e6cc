/* cmd_help.c - "CONFIG HELP" and the like, from the rows of the subcommands. */
#include <stdio.h>

#include "handlers.h"
#include "syntax.h"
#include "table.h"

enum { LINE_MAX_BYTES = 512 };

/* Replies a line that consists of three parts. */
static void reply_line(struct call *c, const char *first, const char *second, const char *third) {
    char line[LINE_MAX_BYTES];

    snprintf(line, sizeof(line), "%s%s%s", first, second, third);
    reply_status(c->reply, slice_str(line));
}

void cmd_help(struct call *c) {
    struct command_name name = command_upper(c->command);
    size_t prefix = strcspn(name.text, " ") + 1, rows = 0;

    for (size_t i = 0; i < command_count; i++)
        rows += strncmp(command_table[i].name, c->command->name, prefix) == 0;
    reply_array(c->reply, 1 + 2 * rows);
    name.text[prefix - 1] = '\0';
    reply_line(c, name.text, " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", "");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *cmd = &command_table[i];

        if (strncmp(cmd->name, c->command->name, prefix) != 0)
            continue;
        name = command_upper(cmd);
        reply_line(c, name.text + prefix, *cmd->syntax != '\0' ? " " : "", syntax_show(cmd->syntax).text);
        reply_line(c, "    ", cmd->summary, ".");
    }
}
