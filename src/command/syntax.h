/* syntax.h - the one line in which a row says what arguments its command takes, read into a tree: what COMMAND DOCS answers,
 * and what people are shown, come from it. Private to the command layer. Pure functions, for any thread.
 *
 *     key [condition: NX | XX]@2.6.12 [EX seconds] {field value}...
 *
 *     key          a name; its type is that of the name (syntax.c), or said: increment<double>. A key is one of the
 *                  row's key specifications, in their order, or the one that is said: key2#0
 *     NX           a word to be written as it stands; one before a name, a group or several is their token
 *     [ ]          may be left out
 *     a | b        one of these
 *     ( )          a group that may not be left out
 *     { }          a group of which COMMAND DOCS makes a block, even if only one argument is in it
 *     label:       the name of a group; else it is named for its token, or its members
 *     x...         once or more often; behind a group that has a token, with the token each time
 *     x@7.0.0      since that version (behind a group: all of it), x!7.0.0: deprecated since */
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
    struct slice name, token, since, deprecated; /* of the line; ptr NULL: none */
    enum syntax_type type;
    int key_spec; /* -1: none */
    bool optional, multiple, multiple_token;
    uint8_t first, next; /* the first member of a group, the next argument of the same group; 0: none */
};

struct syntax {
    struct syntax_arg args[SYNTAX_ARGS_MAX]; /* the first is the block of all */
    size_t count;
};

/* Reads a line, of which the tree keeps slices. False: it is not of the form above, or too long. */
bool syntax_parse(const char *line, struct syntax *out);

/* The members of an argument: how many, and for loops
 *     for (uint8_t i = s->args[at].first; i != 0; i = s->args[i].next) */
size_t syntax_members(const struct syntax *s, uint8_t at);

/* As COMMAND DOCS names it; the name is terminated, and cut should it be too long. */
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
