/* syntax.h - parses the syntax line of a row, its command's arguments, into a tree: the source of COMMAND DOCS and of the texts
 * for people. Private to the command layer. Pure functions, for any thread.
 *
 *     key [condition: NX | XX]@2.6.12 [EX seconds] {field value}...
 *
 *     key          a name; its type follows from the name (syntax.c), or is explicit: increment<double>. A key refers to one of
 *                  the row's key specifications, in order, or to an explicit one: key2#0
 *     NX           a literal word; before a name or group it is the token of that
 *     [ ]          optional
 *     a | b        one of these
 *     ( )          a required group
 *     { }          a group that is a block in COMMAND DOCS, even with a single argument
 *     label:       the name of a group; by default its token, or derived from its members
 *     x...         once or more; after a group with a token, the token is repeated each time
 *     x@7.0.0      since that version (after a group: all of it), x!7.0.0: deprecated since */
#ifndef FLASHKV_COMMAND_SYNTAX_H
#define FLASHKV_COMMAND_SYNTAX_H

#include <flashkv/slice.h>
#include <stdint.h>

enum syntax_type {
    SYNTAX_STRING,
    SYNTAX_INTEGER,
    SYNTAX_DOUBLE,
    SYNTAX_KEY,
    SYNTAX_PATTERN,
    SYNTAX_UNIX_TIME,
    SYNTAX_PURE_TOKEN,
    SYNTAX_ONEOF,
    SYNTAX_BLOCK,
};

enum { SYNTAX_ARGS_MAX = 40, SYNTAX_NAME_MAX = 64, SYNTAX_SHOWN_MAX = 400 };

struct syntax_arg {
    struct slice name, token, since, deprecated; /* parts of the line; ptr NULL: none */
    enum syntax_type type;
    int key_spec; /* -1: none */
    bool optional, multiple, multiple_token;
    uint8_t first, next; /* the first member of a group, the next argument of the same group; 0: none */
};

struct syntax {
    struct syntax_arg args[SYNTAX_ARGS_MAX]; /* the first is the root */
    size_t count;
};

/* Parses a line, which the tree's slices point into. False: a syntax error, or it has too many arguments. */
bool syntax_parse(const char *line, struct syntax *out);

/* The number of members of an argument. To iterate over them:
 *     for (uint8_t i = s->args[at].first; i != 0; i = s->args[i].next) */
size_t syntax_members(const struct syntax *s, uint8_t at);

/* The name in COMMAND DOCS, terminated, and truncated if it is too long. */
struct syntax_name {
    char text[SYNTAX_NAME_MAX];
};
struct syntax_name syntax_name(const struct syntax *s, uint8_t at);
/* "integer", "oneof" */
const char *syntax_type_name(enum syntax_type type);

/* The whole line for people: "key [NX | XX] [EX seconds] field value [field value ...]". */
struct syntax_shown {
    char text[SYNTAX_SHOWN_MAX];
};
struct syntax_shown syntax_show(const char *line);

#endif
