/* docs.h - the part of COMMAND DOCS that is not in a command's row. Private to the command layer. */
#ifndef FLASHKV_COMMAND_DOCS_H
#define FLASHKV_COMMAND_DOCS_H

#include <flashkv/command.h>

struct command_docs {
    const char *name;
    const char *complexity;       /* NULL: unknown */
    const char *history;          /* "2.0.0 change;3.0.0 another change", or NULL */
    const char *flag;             /* "deprecated", "syscmd", or NULL */
    const char *deprecated_since; /* with `replaced_by` */
    const char *replaced_by;      /* NULL: not deprecated */
};

/* The entry in docs_table.c, or the defaults for a command without one. */
struct command_docs command_docs(const struct command *cmd);

#endif
