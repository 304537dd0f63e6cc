/* parser.h - bytes to arguments, without sockets. Private to resp.
 *
 *     *2\r\n $3\r\nGET\r\n $1\r\nk\r\n          multibulk: what clients send
 *     GET k\r\n                                 inline: what people type
 *
 * A parser reads one command at a time from a buffer that its owner fills, stops in the middle of anything and goes
 * on when there is more. Arguments point into the buffer, which may move between two calls. Nothing is allocated for
 * what a header merely claims: `argv` grows as arguments arrive, and a bulk of PARSER_BLOB_MIN bytes or more that has
 * not arrived whole is gathered in a blob, which grows as bytes arrive and becomes the argument: never held twice.
 *
 * What is accepted and how errors are worded is Redis 7's (networking.c): the CR LF behind a number or a bulk is
 * skipped unseen, *0 and *-1 are nothing. Source: https://redis.io/docs/reference/protocol-spec. One owner. */
#ifndef FLASHKV_RESP_PARSER_H
#define FLASHKV_RESP_PARSER_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

enum { PARSER_BLOB_MIN = 32 * 1024, PARSER_LINE_MAX = 64 * 1024 };

struct parser_limits {
    uint64_t max_args;    /* arguments of a command */
    uint64_t max_bulk;    /* bytes of one argument */
    uint64_t max_request; /* bytes of all arguments together, with what they take to hold */
};

struct parser {
    struct arg *argv; /* the arguments read so far */
    size_t argc, cap;
    size_t at;         /* bytes of the command read so far */
    int64_t left;      /* bulks still to come; 0: a command begins */
    int64_t bulk;      /* length of the bulk that begins at `at`; -1: its header does */
    struct blob *blob; /* the large bulk being gathered */
    uint64_t bytes;    /* what the arguments take, by their headers */
    const char *base;  /* where the buffer was when it was last read */
    bool is_inline;
    bool has_blobs; /* among the arguments, or `blob` */
    bool tight;     /* limits are so low that short commands can pass them */
    const struct parser_limits *limits;
    char error[64]; /* after PARSE_ERROR: "ERR Protocol error: ..." */
};

enum parse_result {
    PARSE_DONE,  /* argv[0 .. argc) is a command, or argc is 0: nothing to do; it took `at` bytes */
    PARSE_MORE,  /* the buffer ends within a command */
    PARSE_ERROR, /* send `error`, then close: what follows cannot be told apart */
};

/* `limits` must outlive the parser. */
void parser_init(struct parser *p, const struct parser_limits *limits);
void parser_free(struct parser *p);
/* Reads on in `in`, which begins with the command under way (an inline command is unquoted in place). */
enum parse_result parser_read(struct parser *p, char *in, size_t len);
/* Forgets the command, whole or not: the next one is read from its first byte. */
void parser_next(struct parser *p);

/* After PARSE_MORE: how many of the buffer's bytes to keep. While a blob is being gathered the others are in it. */
static inline size_t parser_keeps(const struct parser *p, size_t len) {
    return p->blob != NULL ? p->at : len;
}
/* While `blob` is set: where its next bytes may be received directly. NULL: no memory. */
char *parser_room(struct parser *p, size_t *room);
void parser_filled(struct parser *p, size_t n);

/* Splits a line into words, in place ("quoted \x41 words", 'quoted'), and adds them to argv. */
COLD enum parse_result parser_split_line(struct parser *p, char *line, size_t len);

/* For the files of the parser. */
bool parser_add(struct parser *p, struct arg a);
COLD enum parse_result parser_fail(struct parser *p, const char *what);
COLD enum parse_result parser_no_memory(struct parser *p);

#endif
