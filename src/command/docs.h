/* docs.h - what COMMAND DOCS tells of a command that its row does not. Private to the command layer. */
#ifndef FLASHKV_COMMAND_DOCS_H
#define FLASHKV_COMMAND_DOCS_H

#include <flashkv/command.h>

struct command_docs {
    const char *name;
    const char *complexity;       /* NULL: nobody has said */
    const char *history;          /* "2.0.0 what came then;3.0.0 and then", or NULL */
    const char *flag;             /* "deprecated", "syscmd", or NULL */
    const char *deprecated_since; /* with `replaced_by` */
    const char *replaced_by;      /* NULL: not deprecated */
};

/* By its entry in docs_table.c, or what is so for those that have none. */
struct command_docs command_docs(const struct command *cmd);

#endif
