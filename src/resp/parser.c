/* parser.c - parsing RESP requests. */
#include "parser.h"

#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>

enum {
    ARGS_FIRST = 16,
    ARGS_KEEP = 1024,       /* a larger argv is freed after the command */
    BLOB_FIRST = 64 * 1024, /* bytes allocated on a header, before its bulk arrives */
    BLOB_GROWTH = 8, /* bytes allocated for each byte that has arrived: limits copying and unused memory */
    CRLF = 2,
    /* The fast path takes most commands, if they have arrived complete. */
    SHORT_ARGS = ARGS_FIRST,
    SHORT_BULK = 9999, /* four digits */
    SHORT_LEAST = 6,   /* bytes of the shortest bulk, "$0\r\n\r\n": a short header reads at most that many */
};

void parser_init(struct parser *p, const struct parser_limits *limits) {
    *p = (struct parser){.bulk = -1, .limits = limits};
    p->tight = limits->max_args < SHORT_ARGS || limits->max_bulk < SHORT_BULK ||
               limits->max_request < SHORT_ARGS * (SHORT_BULK + sizeof(struct arg));
}

static NOINLINE void drop_blobs(struct parser *p) {
    for (size_t i = 0; i < p->argc; i++)
        blob_unref(p->argv[i].blob);
    blob_unref(p->blob);
    p->blob = NULL;
    p->has_blobs = false;
}

static NOINLINE void drop_args(struct parser *p) {
    mem_free(p->argv);
    p->argv = NULL;
    p->cap = 0;
}

HOT void parser_next(struct parser *p) {
    if (p->has_blobs)
        drop_blobs(p);
    if (p->cap > ARGS_KEEP)
        drop_args(p);
    p->is_inline = false;
    p->argc = p->at = 0;
    p->left = 0;
    p->bulk = -1;
    p->bytes = 0;
}

void parser_free(struct parser *p) {
    parser_next(p);
    drop_args(p);
}

enum parse_result parser_fail(struct parser *p, const char *what) {
    snprintf(p->error, sizeof(p->error), "ERR Protocol error: %s", what);
    return PARSE_ERROR;
}

enum parse_result parser_no_memory(struct parser *p) {
    snprintf(p->error, sizeof(p->error), "ERR out of memory");
    return PARSE_ERROR;
}

bool parser_add(struct parser *p, struct arg a) {
    if (!mem_room(p->argv, p->argc, p->cap, ARGS_FIRST))
        return false;
    p->argv[p->argc++] = a;
    return true;
}

/* The buffer has moved: relocates the arguments in it. */
static void follow(struct parser *p, const char *in) {
    for (size_t i = 0; i < p->argc; i++)
        if (p->argv[i].blob == NULL)
            p->argv[i].ptr = in + ((uintptr_t)p->argv[i].ptr - (uintptr_t)p->base);
}

/* ---- header lines ------------------------------------------------------------------------------------------- */

/* The name of a header line in errors. */
struct header {
    char mark;
    const char *too_big, *invalid;
};
static const struct header multibulk_header = {'*', "too big mbulk count string", "invalid multibulk length"};
static const struct header bulk_header = {'$', "too big bulk count string", "invalid bulk length"};

static enum parse_result wrong_mark(struct parser *p, char c) {
    char what[] = "expected '$', got '?'";

    what[sizeof(what) - 3] = c != '\0' ? c : ' ';
    return parser_fail(p, what);
}

/* Parses the number of the header line at `at`, and advances it. */
static enum parse_result read_header(struct parser *p, const char *in, size_t len, const struct header *h,
                                     int64_t *n) {
    const char *line = in + p->at, *end = memchr(line, '\r', len - p->at);

    if (end == NULL)
        return len - p->at > PARSER_LINE_MAX ? parser_fail(p, h->too_big) : PARSE_MORE;
    if (in + len - end < CRLF)
        return PARSE_MORE;
    if (*line != h->mark)
        return wrong_mark(p, *line);
    if (!num_parse_i64(slice_of(line + 1, (size_t)(end - line - 1)), n))
        return parser_fail(p, h->invalid);
    p->at += (size_t)(end - line) + CRLF;
    return PARSE_DONE;
}

/* ---- a large, incomplete bulk ------------------------------------------------------------------------------- */

/* Bytes of the blob: including the CR LF, so that one receive can take all of it; it is cut off in the end. */
static size_t blob_wants(const struct parser *p) {
    return (size_t)p->bulk + CRLF;
}

char *parser_room(struct parser *p, size_t *room) {
    size_t want = blob_wants(p), cap = BLOB_GROWTH * p->blob->len;
    struct blob *b = p->blob;

    if (b->len == b->cap) {
        b = blob_grow(b, cap < want ? cap : want);
        if (b == NULL)
            return NULL;
        p->blob = b;
    }
    *room = b->cap - b->len;
    return b->data + b->len;
}

void parser_filled(struct parser *p, size_t n) {
    p->blob->len += n;
}

/* Copies bytes from the buffer to the blob. False: no memory. */
static bool fill_blob(struct parser *p, const char *from, size_t n) {
    while (n > 0) {
        size_t room, step;
        char *to = parser_room(p, &room);

        if (to == NULL)
            return false;
        step = n < room ? n : room;
        memcpy(to, from, step);
        parser_filled(p, step);
        from += step;
        n -= step;
    }
    return true;
}

static enum parse_result gather(struct parser *p, const char *in, size_t len) {
    size_t want = blob_wants(p), have = len - p->at, lacks;

    p->has_blobs = true;
    if (p->blob == NULL && (p->blob = blob_new(0, want < BLOB_FIRST ? want : BLOB_FIRST)) == NULL)
        return parser_no_memory(p);
    lacks = want - p->blob->len;
    if (!fill_blob(p, in + p->at, have < lacks ? have : lacks))
        return parser_no_memory(p);
    if (have < lacks)
        return PARSE_MORE;
    p->at += lacks;
    p->blob->len -= CRLF;
    if (!parser_add(p, (struct arg){p->blob->data, p->blob->len, p->blob}))
        return parser_no_memory(p);
    p->blob = NULL;
    return PARSE_DONE;
}

/* ---- commands ----------------------------------------------------------------------------------------------- */

static enum parse_result read_bulk_header(struct parser *p, const char *in, size_t len) {
    int64_t n;
    enum parse_result r = read_header(p, in, len, &bulk_header, &n);

    if (r != PARSE_DONE)
        return r;
    if (n < 0 || (uint64_t)n > p->limits->max_bulk)
        return parser_fail(p, bulk_header.invalid);
    p->bytes += (uint64_t)n + sizeof(struct arg);
    if (p->bytes > p->limits->max_request)
        return parser_fail(p, "request over max-request-bytes");
    p->bulk = n;
    return PARSE_DONE;
}

static enum parse_result read_bulk(struct parser *p, const char *in, size_t len) {
    enum parse_result r;

    if (p->bulk < 0 && (r = read_bulk_header(p, in, len)) != PARSE_DONE)
        return r;
    if (p->blob == NULL && len - p->at >= (size_t)p->bulk + CRLF) {
        if (!parser_add(p, (struct arg){in + p->at, (size_t)p->bulk, NULL}))
            return parser_no_memory(p);
        p->at += (size_t)p->bulk + CRLF;
    } else if (p->bulk < PARSER_BLOB_MIN) {
        return PARSE_MORE;
    } else if ((r = gather(p, in, len)) != PARSE_DONE) {
        return r;
    }
    p->bulk = -1;
    p->left--;
    return PARSE_DONE;
}

static enum parse_result read_multibulk_header(struct parser *p, const char *in, size_t len) {
    int64_t n;
    enum parse_result r = read_header(p, in, len, &multibulk_header, &n);

    if (r != PARSE_DONE)
        return r;
    if (n > 0 && (uint64_t)n > p->limits->max_args)
        return parser_fail(p, multibulk_header.invalid);
    p->left = n > 0 ? n : 0;
    return PARSE_DONE;
}

static enum parse_result read_inline(struct parser *p, char *in, size_t len) {
    const char *end = memchr(in, '\n', len);
    size_t n;

    if (end == NULL)
        return len > PARSER_LINE_MAX ? parser_fail(p, "too big inline request") : PARSE_MORE;
    n = (size_t)(end - in);
    p->at = n + 1;
    p->is_inline = true;
    return parser_split_line(p, in, n > 0 && in[n - 1] == '\r' ? n - 1 : n);
}

/* ---- the fast path ------------------------------------------------------------------------------------------ */

static inline unsigned digit_of(char c) {
    return (unsigned char)c - (unsigned)'0'; /* above 9: not a digit */
}

/* Parses a header with a number of few digits, and advances *at. -1: another kind of header, or an error. */
static inline int short_header(const char **at, const char *end, char mark) {
    const char *s = *at;
    unsigned n;

    if (end - s < SHORT_LEAST || s[0] != mark || (n = digit_of(s[1])) > 9)
        return -1;
    for (s += 2; *s != '\r'; s++) {
        unsigned digit = digit_of(*s);

        if (digit > 9 || n == 0 || n > SHORT_BULK / 10)
            return -1;
        n = 10 * n + digit;
    }
    *at = s + CRLF;
    return (int)n;
}

/* Parses a complete command with few short arguments. False, nothing consumed: it is not one. */
static bool read_short(struct parser *p, const char *in, size_t len) {
    const char *at = in, *end = in + len;
    int argc = short_header(&at, end, '*');

    if (argc <= 0 || argc > SHORT_ARGS || (size_t)argc > p->cap)
        return false;
    for (int i = 0; i < argc; i++) {
        int n = short_header(&at, end, '$');

        if (n < 0 || end - at < n + CRLF)
            return false;
        p->argv[i] = (struct arg){at, (size_t)n, NULL};
        at += n + CRLF;
    }
    p->argc = (size_t)argc;
    p->at = (size_t)(at - in);
    return true;
}

/* The slow path: any command, complete or not. */
static NOINLINE enum parse_result read_any(struct parser *p, char *in, size_t len) {
    enum parse_result r = PARSE_DONE;

    if (p->base != in) {
        follow(p, in);
        p->base = in;
    }
    if (p->left == 0) {
        if (len == 0)
            return PARSE_MORE;
        if (*in != '*')
            return read_inline(p, in, len);
        r = read_multibulk_header(p, in, len);
    }
    while (r == PARSE_DONE && p->left > 0)
        r = read_bulk(p, in, len);
    return r;
}

HOT enum parse_result parser_read(struct parser *p, char *in, size_t len) {
    if (p->left == 0 && !p->tight && read_short(p, in, len))
        return PARSE_DONE;
    return read_any(p, in, len);
}
