/* syntax.c - parses and formats the syntax of a row. */
#include "syntax.h"

#include <ctype.h>
#include <flashkv/num.h>

static const char *const type_names[] = {
    [SYNTAX_STRING] = "string", [SYNTAX_INTEGER] = "integer",       [SYNTAX_DOUBLE] = "double",
    [SYNTAX_KEY] = "key",       [SYNTAX_PATTERN] = "pattern",       [SYNTAX_UNIX_TIME] = "unix-time",
    [SYNTAX_ONEOF] = "oneof",   [SYNTAX_PURE_TOKEN] = "pure-token", [SYNTAX_BLOCK] = "block",
};

/* The default types of arguments by name; all others are strings. */
static const struct {
    enum syntax_type type;
    const char *names;
} types_of_names[] = {
    {SYNTAX_KEY, " key key1 key2 newkey source destination src dst "},
    {SYNTAX_INTEGER,
     " bits client-id count cursor db decrement destination-db end increment index index1 index2 len limit "
     "milliseconds num-matches numfields numkeys numreplicas offset port protover rank seconds start stop "
     "version weight "},
    {SYNTAX_DOUBLE, " score timeout "},
    {SYNTAX_PATTERN, " pattern "},
    {SYNTAX_UNIX_TIME, " unix-time-seconds unix-time-milliseconds "},
};

const char *syntax_type_name(enum syntax_type type) {
    return type_names[type];
}

static enum syntax_type type_of_name(struct slice name) {
    char word[SYNTAX_NAME_MAX] = " ";

    if (name.len > sizeof(word) - 3)
        return SYNTAX_STRING;
    memcpy(word + 1, name.ptr, name.len);
    memcpy(word + 1 + name.len, " ", 2);
    for (size_t i = 0; i < sizeof(types_of_names) / sizeof(*types_of_names); i++)
        if (strstr(types_of_names[i].names, word) != NULL)
            return types_of_names[i].type;
    return SYNTAX_STRING;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

struct reader {
    const char *at;
    struct syntax *out;
    int keys;    /* number of keys so far */
    bool failed; /* a syntax error; the tree is then meaningless */
};

static char peek(struct reader *r) {
    while (*r->at == ' ')
        r->at++;
    return *r->at;
}

static bool take(struct reader *r, char wanted) {
    if (peek(r) != wanted)
        return false;
    r->at++;
    return true;
}

static struct slice take_until(struct reader *r, const char *ends) {
    struct slice s = slice_of(r->at, strcspn(r->at, ends));

    r->at += s.len;
    r->failed |= s.len == 0;
    return s;
}

static uint8_t new_arg(struct reader *r, enum syntax_type type, uint8_t first) {
    if (r->out->count == SYNTAX_ARGS_MAX) {
        r->failed = true;
        return 0;
    }
    r->out->args[r->out->count] = (struct syntax_arg){.type = type, .key_spec = -1, .first = first};
    return (uint8_t)r->out->count++;
}

static bool is_token(struct slice word) {
    for (size_t i = 0; i < word.len; i++)
        if (!isupper((unsigned char)word.ptr[i]) && word.ptr[i] != '-')
            return false;
    return word.len > 0;
}

static const char word_ends[] = " []{}()|@!<>#.";

static void read_type(struct reader *r, struct syntax_arg *arg) {
    struct slice name = take_until(r, ">");

    for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++)
        if (slice_eq(name, slice_str(type_names[i])))
            arg->type = (enum syntax_type)i;
    r->failed |= !take(r, '>');
}

static void read_key_spec(struct reader *r, struct syntax_arg *arg) {
    int64_t n = 0;

    r->failed |= !num_parse_i64(take_until(r, word_ends), &n);
    arg->key_spec = (int)n;
}

static uint8_t read_word(struct reader *r) {
    struct slice word = take_until(r, word_ends);
    uint8_t at = new_arg(r, SYNTAX_STRING, 0);
    struct syntax_arg *arg = &r->out->args[at];

    if (is_token(word)) {
        arg->type = SYNTAX_PURE_TOKEN;
        arg->token = word;
        return at;
    }
    r->failed |= word.len > 0 && word.ptr[word.len - 1] == ':'; /* a label without a group */
    arg->name = word;
    arg->type = type_of_name(word);
    if (*r->at == '<' && take(r, '<'))
        read_type(r, arg);
    if (arg->type == SYNTAX_KEY || *r->at == '#')
        arg->key_spec = r->keys++;
    if (*r->at == '#' && take(r, '#'))
        read_key_spec(r, arg);
    return at;
}

static uint8_t read_group(struct reader *r, char close);

static uint8_t read_item(struct reader *r) {
    uint8_t at = take(r, '[')   ? read_group(r, ']')
                 : take(r, '(') ? read_group(r, ')')
                 : take(r, '{') ? read_group(r, '}')
                                : read_word(r);
    struct syntax_arg *arg = &r->out->args[at];

    if (strncmp(r->at, "...", 3) == 0) {
        r->at += 3;
        arg->multiple = true;
        arg->multiple_token = arg->token.ptr != NULL;
    }
    if (*r->at == '@' && take(r, '@'))
        arg->since = take_until(r, " []{}()|!");
    if (*r->at == '!' && take(r, '!'))
        arg->deprecated = take_until(r, " []{}()|");
    return at;
}

/* Parses the items up to the end of a choice, of a group, or of the line; returns the first one. */
static uint8_t read_items(struct reader *r, size_t *count) {
    uint8_t first = 0, last = 0;

    for (*count = 0; strchr("|])}", peek(r)) == NULL && !r->failed;
         (*count)++) { /* strchr finds the NUL too */
        uint8_t at = read_item(r);

        if (first == 0)
            first = at;
        else
            r->out->args[last].next = at;
        last = at;
    }
    return first;
}

/* "EX" of "EX seconds"; nothing of "EX", or of "NO ONE". */
static struct slice read_token(struct reader *r) {
    struct slice word;
    const char *next;

    peek(r);
    word = slice_of(r->at, strcspn(r->at, word_ends));
    if (!is_token(word) || r->at[word.len] != ' ')
        return (struct slice){NULL, 0};
    next = r->at + word.len + strspn(r->at + word.len, " ");
    if (*next == '|' || is_token(slice_of(next, strcspn(next, word_ends))))
        return (struct slice){NULL, 0};
    r->at = next;
    return word;
}

static uint8_t read_choice(struct reader *r) {
    struct slice token = read_token(r);
    size_t count;
    uint8_t first = read_items(r, &count), at = count == 1 ? first : new_arg(r, SYNTAX_BLOCK, first);

    r->failed |= count == 0;
    if (token.ptr != NULL)
        r->out->args[at].token = token;
    return at;
}

/* "condition:" */
static struct slice read_label(struct reader *r) {
    struct slice word;

    peek(r);
    word = slice_of(r->at, strcspn(r->at, " "));
    if (word.len < 2 || word.ptr[word.len - 1] != ':')
        return (struct slice){NULL, 0};
    r->at += word.len;
    return slice_of(word.ptr, word.len - 1);
}

static uint8_t read_group(struct reader *r, char close) {
    struct slice label = read_label(r);
    uint8_t first = read_choice(r), last = first, at = first;

    while (take(r, '|') && !r->failed)
        last = r->out->args[last].next = read_choice(r);
    if (last != first)
        at = new_arg(r, SYNTAX_ONEOF, first);
    else if (close == '}' && r->out->args[first].type != SYNTAX_BLOCK)
        at = new_arg(r, SYNTAX_BLOCK, first);
    if (label.ptr != NULL)
        r->out->args[at].name = label;
    r->out->args[at].optional = close == ']';
    r->failed |= !take(r, close);
    return at;
}

bool syntax_parse(const char *line, struct syntax *out) {
    struct reader r = {line, out, 0, false};
    size_t count;

    out->count = 0;
    new_arg(&r, SYNTAX_BLOCK, 0);
    out->args[0].first = read_items(&r, &count);
    return !r.failed && peek(&r) == '\0';
}

/* ---- formatting ---------------------------------------------------------------------------------------------- */

size_t syntax_members(const struct syntax *s, uint8_t at) {
    size_t n = 0;

    for (uint8_t i = s->args[at].first; i != 0; i = s->args[i].next)
        n++;
    return n;
}

/* A text that is truncated at its capacity. */
struct text {
    char *at;
    size_t room; /* with the NUL */
};

static void put(struct text *t, struct slice s) {
    size_t n = s.len < t->room ? s.len : t->room - 1;

    if (n > 0)
        memcpy(t->at, s.ptr, n);
    t->at += n;
    t->room -= n;
    *t->at = '\0';
}

static void put_str(struct text *t, const char *s) {
    put(t, slice_str(s));
}

static void put_name(struct text *t, const struct syntax *s, uint8_t at) {
    const struct syntax_arg *arg = &s->args[at];
    char *start = t->at;

    if (arg->name.ptr != NULL) {
        put(t, arg->name);
    } else if (arg->type == SYNTAX_BLOCK) {
        for (uint8_t i = arg->first; i != 0; i = s->args[i].next) {
            put_name(t, s, i);
            if (s->args[i].next != 0)
                put_str(t, "_");
        }
    } else {
        put(t, arg->token);
        for (; *start != '\0'; start++)
            *start = (char)tolower((unsigned char)*start);
    }
}

struct syntax_name syntax_name(const struct syntax *s, uint8_t at) {
    struct syntax_name name = {""};

    put_name(&(struct text){name.text, sizeof(name.text)}, s, at);
    return name;
}

static void show(struct text *t, const struct syntax *s, uint8_t at);

static void show_members(struct text *t, const struct syntax *s, uint8_t at, const char *between) {
    for (uint8_t i = s->args[at].first; i != 0; i = s->args[i].next) {
        show(t, s, i);
        if (s->args[i].next != 0)
            put_str(t, between);
    }
}

/* Formats the argument once, without its token. */
static void show_once(struct text *t, const struct syntax *s, uint8_t at) {
    const struct syntax_arg *arg = &s->args[at];
    bool bare = arg->optional && arg->token.ptr == NULL; /* in brackets already */

    if (arg->type == SYNTAX_BLOCK)
        show_members(t, s, at, " ");
    else if (arg->type == SYNTAX_ONEOF) {
        put_str(t, bare ? "" : "<");
        show_members(t, s, at, " | ");
        put_str(t, bare ? "" : ">");
    } else
        put(t, arg->type == SYNTAX_PURE_TOKEN ? arg->token : arg->name);
}

static void show_token(struct text *t, const struct syntax_arg *arg) {
    if (arg->token.ptr == NULL || arg->type == SYNTAX_PURE_TOKEN)
        return;
    put(t, arg->token);
    put_str(t, " ");
}

static void show(struct text *t, const struct syntax *s, uint8_t at) {
    const struct syntax_arg *arg = &s->args[at];

    put_str(t, arg->optional ? "[" : "");
    show_token(t, arg);
    show_once(t, s, at);
    if (arg->multiple) {
        put_str(t, " [");
        if (arg->multiple_token)
            show_token(t, arg);
        show_once(t, s, at);
        put_str(t, " ...]");
    }
    put_str(t, arg->optional ? "]" : "");
}

struct syntax_shown syntax_show(const char *line) {
    struct syntax_shown shown = {""};
    struct syntax s;

    if (syntax_parse(line, &s))
        show_members(&(struct text){shown.text, sizeof(shown.text)}, &s, 0, " ");
    return shown;
}
