/* parser.c - RESP requests: multibulk and inline. */
#include "parser.h"

#include <ctype.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>

enum { FIRST_ARGS = 16, BLOB_FIRST = 256 * 1024 };

void parser_init(struct parser *p) {
    *p = (struct parser){.bulk = -1};
}

void parser_next_command(struct parser *p) {
    for (size_t i = 0; i < p->argc; i++)
        blob_unref(p->argv[i].blob);
    p->argc = 0;
    p->bytes = 0;
}

void parser_free(struct parser *p) {
    parser_next_command(p);
    blob_unref(p->blob);
    mem_free(p->argv);
    parser_init(p);
}

bool parser_midway(const struct parser *p) {
    return p->left > 0;
}

static enum parse_result fail(struct parser *p, const char *what) {
    snprintf(p->error, sizeof(p->error), "ERR Protocol error: %s", what);
    return PARSE_ERROR;
}

static bool add_arg(struct parser *p, struct arg a) {
    if (p->argc == p->cap) {
        size_t cap = p->cap > 0 ? 2 * p->cap : FIRST_ARGS;
        struct arg *argv = mem_realloc(p->argv, cap * sizeof(*argv));

        if (argv == NULL)
            return false;
        p->argv = argv;
        p->cap = cap;
    }
    p->argv[p->argc++] = a;
    return true;
}

void parser_moved(struct parser *p, const char *from, const char *to, size_t dropped) {
    p->pos -= dropped;
    for (size_t i = 0; i < p->argc; i++)
        if (p->argv[i].blob == NULL)
            p->argv[i].ptr = to + (p->argv[i].ptr - from - dropped);
}

/* ---- lines ---------------------------------------------------------------------------------------------------- */

/* The number in a header line at `pos` + 1; *after is behind the line. PARSE_COMMAND: there is one. */
static enum parse_result read_header(struct parser *p, const char *in, size_t len, size_t *after, int64_t *n,
                                     const char *too_big, const char *invalid) {
    const char *start = in + p->pos + 1, *end;
    size_t room = len - p->pos - 1;

    /* The common case, one or two digits, without a search. */
    if (room >= 3 && start[1] == '\r' && start[0] >= '0' && start[0] <= '9') {
        *n = start[0] - '0';
        *after = p->pos + 4;
        return PARSE_COMMAND;
    }
    end = room > 0 ? memchr(start, '\r', room) : NULL;
    if (end == NULL || end + 1 == in + len)
        return room > PARSER_INLINE_MAX ? fail(p, too_big) : PARSE_MORE;
    if (!num_parse_i64(slice_of(start, (size_t)(end - start)), n))
        return fail(p, invalid);
    *after = (size_t)(end + 2 - in);
    return PARSE_COMMAND;
}

/* ---- inline commands: words, "quoted \x41 words", 'quoted' ------------------------------------------------------ */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a double-quoted word: *at moves over it. */
static char unescape(const char *line, size_t len, size_t *at) {
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    const char *which;
    char c = line[(*at)++];

    if (c != '\\' || *at >= len)
        return c;
    if (line[*at] == 'x' && *at + 2 < len && hex_digit(line[*at + 1]) >= 0 && hex_digit(line[*at + 2]) >= 0) {
        c = (char)(hex_digit(line[*at + 1]) * 16 + hex_digit(line[*at + 2]));
        *at += 3;
        return c;
    }
    c = line[(*at)++];
    which = c != '\0' ? strchr(from, c) : NULL;
    return which != NULL ? to[which - from] : c;
}

/* A quoted part at *at (its opening quote), written to *out. False: unbalanced, or something sticks to it. */
static bool read_quoted(const char *line, size_t len, size_t *at, char **out) {
    char quote = line[(*at)++];

    while (*at < len && line[*at] != quote) {
        if (quote == '"')
            *(*out)++ = unescape(line, len, at);
        else if (line[*at] == '\\' && *at + 1 < len && line[*at + 1] == '\'')
            *(*out)++ = line[++*at], ++*at;
        else
            *(*out)++ = line[(*at)++];
    }
    if (*at >= len)
        return false;
    ++*at;
    return *at == len || isspace((unsigned char)line[*at]);
}

/* Splits a line into arguments, in place: what is resolved is never longer than what it is made from. */
static enum parse_result split_line(struct parser *p, char *line, size_t len) {
    size_t at = 0;

    for (;;) {
        char *word, *out;

        while (at < len && isspace((unsigned char)line[at]))
            at++;
        if (at == len)
            return p->argc > 0 ? PARSE_COMMAND : PARSE_MORE;
        word = out = line + at;
        while (at < len && !isspace((unsigned char)line[at])) {
            if (line[at] != '"' && line[at] != '\'')
                *out++ = line[at++];
            else if (!read_quoted(line, len, &at, &out))
                return fail(p, "unbalanced quotes in request");
        }
        if (!add_arg(p, (struct arg){word, (size_t)(out - word), NULL}))
            return fail(p, "out of memory");
    }
}

static enum parse_result read_inline(struct parser *p, char *in, size_t len) {
    char *line = in + p->pos, *end = memchr(line, '\n', len - p->pos);
    size_t n;

    if (end == NULL)
        return len - p->pos > PARSER_INLINE_MAX ? fail(p, "too big inline request") : PARSE_MORE;
    n = (size_t)(end - line);
    p->pos += n + 1;
    if (n > 0 && line[n - 1] == '\r')
        n--;
    return split_line(p, line, n);
}

/* ---- multibulk -------------------------------------------------------------------------------------------------- */

char *parser_blob_room(struct parser *p, size_t *room) {
    size_t want = (size_t)p->bulk + 2, cap; /* with the CR LF behind it, which is cut off later */
    struct blob *b = p->blob;

    if (b == NULL)
        return NULL;
    if (b->len == b->cap) {
        cap = 2 * b->cap < want ? 2 * b->cap : want;
        b = blob_grow(b, cap);
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

/* Moves bytes of the buffer into the blob. PARSE_COMMAND: the bulk is whole and has become an argument. */
static enum parse_result read_blob(struct parser *p, const char *in, size_t len) {
    size_t want = (size_t)p->bulk + 2, room;

    while (p->blob->len < want && p->pos < len) {
        char *to = parser_blob_room(p, &room);
        size_t n = len - p->pos;

        if (to == NULL)
            return fail(p, "out of memory");
        n = n < room ? n : room;
        n = n < want - p->blob->len ? n : want - p->blob->len;
        memcpy(to, in + p->pos, n);
        p->blob->len += n;
        p->pos += n;
    }
    if (p->blob->len < want)
        return PARSE_MORE;
    p->blob->len -= 2;
    if (!add_arg(p, (struct arg){p->blob->data, p->blob->len, p->blob}))
        return fail(p, "out of memory");
    p->blob = NULL;
    return PARSE_COMMAND;
}

static enum parse_result read_bulk_header(struct parser *p, const char *in, size_t len,
                                          const struct parser_limits *limits) {
    enum parse_result r;
    size_t after;
    int64_t n;

    if (p->pos >= len)
        return PARSE_MORE;
    if (in[p->pos] != '$') {
        char what[32];

        snprintf(what, sizeof(what), "expected '$', got '%c'",
                 isprint((unsigned char)in[p->pos]) ? in[p->pos] : '?');
        return fail(p, what);
    }
    r = read_header(p, in, len, &after, &n, "too big bulk count string", "invalid bulk length");
    if (r != PARSE_COMMAND)
        return r;
    if (n < 0 || (uint64_t)n > limits->max_bulk)
        return fail(p, "invalid bulk length");
    p->bytes += (size_t)n + sizeof(struct arg);
    if (p->bytes > limits->max_request)
        return fail(p, "request is larger than max-request-bytes");
    p->pos = after;
    p->bulk = n;
    return PARSE_COMMAND;
}

static enum parse_result read_bulk(struct parser *p, const char *in, size_t len,
                                   const struct parser_limits *limits) {
    enum parse_result r;

    if (p->bulk < 0 && (r = read_bulk_header(p, in, len, limits)) != PARSE_COMMAND)
        return r;
    if (p->blob == NULL && len - p->pos >= (size_t)p->bulk + 2) {
        if (!add_arg(p, (struct arg){in + p->pos, (size_t)p->bulk, NULL}))
            return fail(p, "out of memory");
        p->pos += (size_t)p->bulk + 2;
    } else {
        if (p->blob == NULL && p->bulk < PARSER_BLOB_MIN)
            return PARSE_MORE;
        if (p->blob == NULL) {
            size_t cap = (size_t)p->bulk + 2 < BLOB_FIRST ? (size_t)p->bulk + 2 : BLOB_FIRST;

            p->blob = blob_new(0, cap);
            if (p->blob == NULL)
                return fail(p, "out of memory");
        }
        r = read_blob(p, in, len);
        if (r != PARSE_COMMAND)
            return r;
    }
    p->bulk = -1;
    p->left--;
    return PARSE_COMMAND;
}

static enum parse_result read_multibulk_header(struct parser *p, const char *in, size_t len,
                                               const struct parser_limits *limits) {
    enum parse_result r;
    size_t after;
    int64_t n;

    r = read_header(p, in, len, &after, &n, "too big mbulk count string", "invalid multibulk length");
    if (r != PARSE_COMMAND)
        return r;
    if (n > 0 && (uint64_t)n > limits->max_args)
        return fail(p, "invalid multibulk length");
    p->pos = after;
    p->left = n > 0 ? n : 0; /* *0 and *-1 are nothing at all */
    return PARSE_COMMAND;
}

enum parse_result parser_read(struct parser *p, char *in, size_t len, const struct parser_limits *limits) {
    enum parse_result r;

    while (p->left == 0) {
        if (p->pos >= len)
            return PARSE_MORE;
        if (in[p->pos] != '*') {
            size_t before = p->pos;

            r = read_inline(p, in, len);
            if (r != PARSE_MORE || p->pos == before)
                return r;
            continue; /* an empty line */
        }
        r = read_multibulk_header(p, in, len, limits);
        if (r != PARSE_COMMAND)
            return r;
    }
    while (p->left > 0) {
        r = read_bulk(p, in, len, limits);
        if (r != PARSE_COMMAND)
            return r;
    }
    return PARSE_COMMAND;
}
