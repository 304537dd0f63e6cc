/* parser.h - the incremental parser of RESP requests, without sockets. Private to resp.
 *
 *     *2\r\n $3\r\nGET\r\n $1\r\nk\r\n          multibulk: from client libraries
 *     GET k\r\n                                 inline: typed by people
 *
 * A parser reads one command at a time, in place, from a buffer that its owner fills; it can stop anywhere and resume
 * when there is more. Arguments point into the buffer, which may move between two calls. Nothing is allocated on the
 * claim of a header alone: `argv` grows as arguments arrive, and a bulk of PARSER_BLOB_MIN bytes or more that is
 * incomplete is received into a blob, which grows as bytes arrive and becomes the argument: never held twice.
 *
 * Accepts the same as Redis 7 (networking.c), with the same errors: the CR LF after a number or a bulk is skipped
 * unchecked, *0 and *-1 are ignored. Source: https://redis.io/docs/reference/protocol-spec. Not thread-safe: one owner. */
#ifndef FLASHKV_RESP_PARSER_H
#define FLASHKV_RESP_PARSER_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

enum { PARSER_BLOB_MIN = 32 * 1024, PARSER_LINE_MAX = 64 * 1024 };

struct parser_limits {
    uint64_t max_args;    /* arguments of a command */
    uint64_t max_bulk;    /* bytes of one argument */
    uint64_t max_request; /* bytes of all arguments together, including their overhead in memory */
};

struct parser {
    struct arg *argv; /* the arguments read so far */
    size_t argc, cap;
    size_t at;         /* bytes of the command read so far */
    int64_t left;      /* bulks still to come; 0: at the start of a command */
    int64_t bulk;      /* length of the bulk that begins at `at`; -1: its header begins there */
    struct blob *blob; /* the large bulk that is being received */
    uint64_t bytes;    /* total of the arguments, by their headers */
    const char *base;  /* where the buffer was when it was last read */
    bool is_inline;
    bool has_blobs; /* among the arguments, or `blob` */
    bool tight;     /* the limits are so low that commands on the fast path can exceed them */
    const struct parser_limits *limits;
    char error[64]; /* after PARSE_ERROR: "ERR Protocol error: ..." */
};

enum parse_result {
    PARSE_DONE,  /* argv[0 .. argc) is a command of `at` bytes; argc 0: nothing to run */
    PARSE_MORE,  /* the buffer ends within a command */
    PARSE_ERROR, /* send `error`, then close: the start of the next command is unknown */
};

/* `limits` must outlive the parser. */
void parser_init(struct parser *p, const struct parser_limits *limits);
void parser_free(struct parser *p);
/* Continues parsing `in`, which begins with the current command (an inline command is unquoted in place). */
enum parse_result parser_read(struct parser *p, char *in, size_t len);
/* Drops the command, complete or not: the next one is parsed from its first byte. */
void parser_next(struct parser *p);

/* After PARSE_MORE: how many bytes of the buffer to keep; others are already in the blob. */
static inline size_t parser_keeps(const struct parser *p, size_t len) {
    return p->blob != NULL ? p->at : len;
}
/* While `blob` is set: where its next bytes can be received directly. NULL: no memory. */
char *parser_room(struct parser *p, size_t *room);
void parser_filled(struct parser *p, size_t n);

/* Splits a line into words, in place ("quoted \x41 words", 'quoted'), and adds them to argv. */
COLD enum parse_result parser_split_line(struct parser *p, char *line, size_t len);

/* For the files of the parser. */
bool parser_add(struct parser *p, struct arg a);
COLD enum parse_result parser_fail(struct parser *p, const char *what);
COLD enum parse_result parser_no_memory(struct parser *p);

#endif
