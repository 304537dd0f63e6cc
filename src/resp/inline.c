/* inline.c - splits an inline command into words, as Redis's sdssplitargs: abc "a b\x41\n" 'it\'s' */
#include <ctype.h>

#include "parser.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Unescapes one character of a double-quoted part, and advances *at. */
static char unescape(const char *line, size_t len, size_t *at) {
    static const char letters[] = "nrtba", meant[] = "\n\r\t\b\a";
    const char *which;
    char c = line[(*at)++];

    if (c != '\\' || *at == len)
        return c;
    c = line[(*at)++];
    if (c == 'x' && *at + 2 <= len && hex_digit(line[*at]) >= 0 && hex_digit(line[*at + 1]) >= 0) {
        c = (char)(hex_digit(line[*at]) * 16 + hex_digit(line[*at + 1]));
        *at += 2;
        return c;
    }
    which = c != '\0' ? strchr(letters, c) : NULL;
    return which != NULL ? meant[which - letters] : c;
}

/* Unquotes the part whose opening quote is at *at to *out. False: no closing quote, or one in the middle of a word. */
static bool unquote(const char *line, size_t len, size_t *at, char **out) {
    char quote = line[(*at)++];

    while (*at < len && line[*at] != quote) {
        if (quote == '"') {
            *(*out)++ = unescape(line, len, at);
            continue;
        }
        if (line[*at] == '\\' && *at + 1 < len && line[*at + 1] == '\'')
            ++*at;
        *(*out)++ = line[(*at)++];
    }
    if (*at == len)
        return false;
    ++*at;
    return *at == len || isspace((unsigned char)line[*at]);
}

static bool ends_word(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum parse_result parser_split_line(struct parser *p, char *line, size_t len) {
    size_t at = 0;

    for (;;) {
        char *word, *out;

        while (at < len && isspace((unsigned char)line[at]))
            at++;
        if (at == len)
            return PARSE_DONE;
        /* In place: an unquoted word is never longer than the quoted one. */
        word = out = line + at;
        while (at < len && !ends_word(line[at])) {
            if (line[at] != '"' && line[at] != '\'')
                *out++ = line[at++];
            else if (!unquote(line, len, &at, &out))
                return parser_fail(p, "unbalanced quotes in request");
        }
        if (!parser_add(p, (struct arg){word, (size_t)(out - word), NULL}))
            return parser_no_memory(p);
    }
}
