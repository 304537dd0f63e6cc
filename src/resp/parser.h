/* parser.h - bytes to arguments, without sockets. Private to resp.
 *
 * A parser reads one command at a time from a buffer that its owner fills; it stops in the middle of anything
 * and goes on when there is more. Arguments point into the buffer: whoever moves the buffer tells the parser
 * (parser_moved). A bulk of PARSER_BLOB_MIN bytes or more that has not arrived whole is gathered in a blob of its
 * own, which grows as bytes arrive: what a header claims takes no memory.
 * Errors are worded as Redis 7's. Source: https://redis.io/docs/reference/protocol-spec. One owner. */
#ifndef FLASHKV_RESP_PARSER_H
#define FLASHKV_RESP_PARSER_H

#include <flashkv/command.h>

enum { PARSER_BLOB_MIN = 32 * 1024, PARSER_INLINE_MAX = 64 * 1024 };

struct parser_limits {
    uint64_t max_args, max_bulk, max_request; /* arguments; bytes of one; bytes of a whole command */
};

struct parser {
    struct arg *argv; /* the arguments read so far */
    size_t argc, cap;
    size_t pos;        /* in the buffer: all before it has been read */
    int64_t left;      /* arguments of a multibulk still to come; 0: at the start of a command */
    int64_t bulk;      /* bytes of the bulk at `pos`; -1: its header is to come */
    struct blob *blob; /* a large bulk being gathered */
    size_t bytes;      /* of the command so far */
    char error[80];    /* after PARSE_ERROR: "ERR Protocol error: ..." */
};

enum parse_result {
    PARSE_COMMAND, /* argv[0 .. argc) is one; parser_next_command goes on behind it */
    PARSE_MORE,    /* the buffer ends within a command, or before one */
    PARSE_ERROR,   /* send `error`, then close: what follows cannot be told apart */
};

void parser_init(struct parser *p);
void parser_free(struct parser *p);
/* Reads on in `in`, whose bytes an inline command's quotes are resolved in. */
enum parse_result parser_read(struct parser *p, char *in, size_t len, const struct parser_limits *limits);
/* Forgets the command just read. */
void parser_next_command(struct parser *p);
/* The buffer's bytes from `dropped` on now begin at `to`: they were at `from`. */
void parser_moved(struct parser *p, const char *from, const char *to, size_t dropped);
/* Where the owner may receive the rest of a blob directly, after the buffer's bytes were all read: *room bytes
 * at the pointer returned, told by parser_filled. NULL: no blob is being gathered, or no memory. */
char *parser_blob_room(struct parser *p, size_t *room);
void parser_filled(struct parser *p, size_t n);
/* Is a command begun and not finished? */
bool parser_midway(const struct parser *p);

#endif
