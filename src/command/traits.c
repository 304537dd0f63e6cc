/* traits.c - parses the table of traits, and replies parts of it. */
#include "traits.h"

#include <flashkv/num.h>
#include <stdlib.h>

#include "args.h"

static int compare(const void *name, const void *row) {
    return strcmp(name, ((const struct command_traits *)row)->name);
}

const struct command_traits *command_traits(const struct command *cmd) {
    return bsearch(cmd->name, command_traits_table, command_traits_count, sizeof(*command_traits_table),
                   compare);
}

bool traits_word(const char **list, char divider, struct slice *word) {
    const char *end = strchr(*list, divider);

    if (**list == '\0')
        return false;
    *word = end != NULL ? slice_of(*list, (size_t)(end - *list)) : slice_str(*list);
    *list = end != NULL ? end + 1 : word->ptr + word->len;
    return true;
}

size_t traits_words(const char *list, char divider) {
    struct slice word;
    size_t n = 0;

    while (traits_word(&list, divider, &word))
        n++;
    return n;
}

bool traits_has(const char *list, struct slice wanted) {
    struct slice word;

    while (traits_word(&list, ' ', &word))
        if (slice_caseeq(word, wanted))
            return true;
    return false;
}

void reply_traits_words(struct call *c, const char *list) {
    struct slice word;

    reply_set(c->reply, traits_words(list, ' '));
    while (traits_word(&list, ' ', &word))
        reply_status(c->reply, word);
}

void reply_traits_tips(struct call *c, const char *list) {
    struct slice word;

    reply_set(c->reply, traits_words(list, ' '));
    while (traits_word(&list, ' ', &word))
        reply_bulk(c->reply, word);
}

/* ---- key specifications ------------------------------------------------------------------------------------------- */

static void reply_pair(struct call *c, const char *name, struct slice value) {
    reply_text(c->reply, name);
    reply_bulk(c->reply, value);
}

static void reply_pair_number(struct call *c, const char *name, struct slice digits) {
    int64_t n = 0;

    num_parse_i64(digits, &n);
    reply_text(c->reply, name);
    reply_integer(c->reply, n);
}

/* {"type": ..., "spec": {"index": 1}}; the first word is the type, the others are the numbers named by `names`. */
static void reply_spec(struct call *c, struct slice type, const char *const *names, size_t count,
                       const struct slice *values) {
    reply_map(c->reply, 2);
    reply_pair(c, "type", type);
    reply_text(c->reply, "spec");
    reply_map(c->reply, count);
    for (size_t i = 0; i < count; i++)
        reply_pair_number(c, names[i], values[i]);
}

/* "1": that argument; "KEYS:-2": after that word; "?": unknown. */
static void reply_begin(struct call *c, struct slice begin) {
    static const char *const index[] = {"index"};
    const char *colon = memchr(begin.ptr, ':', begin.len);

    if (colon == NULL) {
        bool known = !slice_eq(begin, SLICE_LIT("?"));

        reply_spec(c, known ? SLICE_LIT("index") : SLICE_LIT("unknown"), index, known, &begin);
        return;
    }
    reply_map(c->reply, 2);
    reply_pair(c, "type", SLICE_LIT("keyword"));
    reply_text(c->reply, "spec");
    reply_map(c->reply, 2);
    reply_pair(c, "keyword", slice_of(begin.ptr, (size_t)(colon - begin.ptr)));
    reply_pair_number(c, "startfrom", slice_of(colon + 1, (size_t)(begin.ptr + begin.len - colon - 1)));
}

/* "range 0 1 0", "keynum 0 1 1", "?" */
static void reply_find(struct call *c, const char *find) {
    static const char *const range[] = {"lastkey", "keystep", "limit"};
    static const char *const keynum[] = {"keynumidx", "firstkey", "keystep"};
    struct slice words[4];
    size_t n = 0;

    while (n < 4 && traits_word(&find, ' ', &words[n]))
        n++;
    if (n < 4)
        reply_spec(c, SLICE_LIT("unknown"), NULL, 0, NULL);
    else
        reply_spec(c, words[0], slice_eq(words[0], SLICE_LIT("range")) ? range : keynum, 3, words + 1);
}

/* One key specification of traits_table.c, split into its parts. */
struct key_spec {
    char flags[48], begin[16], find[32];
};

static struct key_spec spec_parse(struct slice spec) {
    struct key_spec out = {{0}, {0}, {0}};
    char *const parts[] = {out.flags, out.begin, out.find};
    const size_t rooms[] = {sizeof(out.flags), sizeof(out.begin), sizeof(out.find)};
    size_t part = 0, at = 0;

    for (size_t i = 0; i < spec.len && part < 3; i++) {
        if (spec.ptr[i] == '|') {
            part++;
            at = 0;
        } else if (at < rooms[part] - 1) {
            parts[part][at++] = spec.ptr[i];
        }
    }
    return out;
}

static void reply_key_spec(struct call *c, struct slice spec) {
    struct key_spec parts = spec_parse(spec);

    reply_map(c->reply, 3);
    reply_text(c->reply, "flags");
    reply_traits_words(c, parts.flags);
    reply_text(c->reply, "begin_search");
    reply_begin(c, slice_str(parts.begin));
    reply_text(c->reply, "find_keys");
    reply_find(c, parts.find);
}

void reply_traits_key_flags(struct call *c, const char *keys, size_t at) {
    struct key_spec best = {{0}, {0}, {0}};
    int64_t begin, best_begin = -1;
    struct slice spec;

    while (traits_word(&keys, ';', &spec)) {
        struct key_spec parts = spec_parse(spec);

        if (num_parse_i64(slice_str(parts.begin), &begin) && begin <= (int64_t)at && begin > best_begin) {
            best = parts;
            best_begin = begin;
        }
    }
    reply_traits_words(c, best.flags);
}

void reply_traits_keys(struct call *c, const char *keys) {
    struct slice spec;

    reply_set(c->reply, traits_words(keys, ';'));
    while (traits_word(&keys, ';', &spec))
        reply_key_spec(c, spec);
}
