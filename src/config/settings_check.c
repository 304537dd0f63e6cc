/* settings_check.c - values of Redis's options that are lists. */
#include <flashkv/num.h>
#include <flashkv/settings.h>
#include <limits.h>
#include <math.h>

enum { WORDS_MAX = 64 };

/* Splits a text at each space; empty words count. Returns WORDS_MAX + 1 if there are more than WORDS_MAX. */
static size_t split(struct slice text, struct slice words[WORDS_MAX]) {
    size_t n = 0;

    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len);
        size_t len = space != NULL ? (size_t)(space - text.ptr) : text.len;

        if (n == WORDS_MAX)
            return WORDS_MAX + 1;
        words[n++] = slice_of(text.ptr, len);
        text = slice_of(text.ptr + len, text.len - len);
        if (text.len == 1 && n < WORDS_MAX) /* after a trailing space there is an empty word */
            words[n++] = slice_of(text.ptr + 1, 0);
        if (text.len > 0)
            text = slice_of(text.ptr + 1, text.len - 1);
    }
    return n;
}

const char *setting_check_save(struct slice text, struct buf *out) {
    struct slice words[WORDS_MAX];
    size_t count = split(text, words);
    int64_t n;

    if (count > WORDS_MAX || count % 2 != 0)
        return "Invalid save parameters";
    for (size_t i = 0; i < count; i++) {
        if (!num_parse_i64(words[i], &n) || n < (i % 2 == 0 ? 1 : 0))
            return "Invalid save parameters";
        buf_printf(out, i > 0 ? " %lld" : "%lld", (long long)n);
    }
    return NULL;
}

const char *setting_check_percentiles(struct slice text, struct buf *out) {
    struct slice words[WORDS_MAX];
    size_t count = split(text, words);
    double percent;

    for (size_t i = 0; i < count; i++) {
        if (count > WORDS_MAX || !num_parse_double(words[i], &percent) || isnan(percent))
            return "Invalid latency-tracking-info-percentiles parameters";
        if (percent < 0 || percent > 100)
            return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
        buf_printf(out, i > 0 ? " %.10g" : "%.10g", percent);
    }
    return NULL;
}

const char *setting_check_oom_score(struct slice text, struct buf *out) {
    struct slice words[WORDS_MAX];
    size_t count = split(text, words);
    int64_t n;

    if (count != 3)
        return "wrong number of arguments";
    for (size_t i = 0; i < count; i++) {
        if (!num_parse_i64(words[i], &n) || n < -2000 || n > 2000)
            return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
        buf_printf(out, i > 0 ? " %lld" : "%lld", (long long)n);
    }
    return NULL;
}

/* For each class of clients: hard limit, soft limit, seconds. They have no effect (max-output-bytes has), so a class that is
 * not named gets Redis's defaults, whatever it had. */
struct output_limit {
    const char *name, *other_name;
    uint64_t numbers[3];
};

static struct output_limit *find_limit(struct output_limit limits[3], struct slice name) {
    for (size_t i = 0; i < 3; i++)
        if (slice_caseeq(name, slice_str(limits[i].name)) ||
            slice_caseeq(name, slice_str(limits[i].other_name)))
            return &limits[i];
    return NULL;
}

const char *setting_check_output_limits(struct slice text, struct buf *out) {
    struct output_limit limits[] = {{"normal", "normal", {0, 0, 0}},
                                    {"slave", "replica", {268435456, 67108864, 60}},
                                    {"pubsub", "pubsub", {33554432, 8388608, 60}}};
    struct slice words[WORDS_MAX];
    size_t count = split(text, words);

    if (count > WORDS_MAX || count % 4 != 0)
        return "Wrong number of arguments in buffer limit configuration.";
    for (size_t i = 0; i < count; i += 4) {
        struct output_limit *l = find_limit(limits, words[i]);

        if (l == NULL)
            return "Invalid client class specified in buffer limit configuration.";
        if (!num_parse_bytes(words[i + 1], &l->numbers[0]) ||
            !num_parse_bytes(words[i + 2], &l->numbers[1]) || !num_parse_u64(words[i + 3], &l->numbers[2]))
            return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    }
    for (size_t i = 0; i < 3; i++)
        buf_printf(out, "%s%s %llu %llu %llu", i > 0 ? " " : "", limits[i].name,
                   (unsigned long long)limits[i].numbers[0], (unsigned long long)limits[i].numbers[1],
                   (unsigned long long)limits[i].numbers[2]);
    return NULL;
}

const char *setting_check_events(struct slice text, struct buf *out) {
    static const char all[] = "g$lshzxetd", others[] = "nKEm"; /* in the order of the reply */
    bool given[UCHAR_MAX + 1] = {false}, everything = true;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c != 'A' && (c == '\0' || (strchr(all, c) == NULL && strchr(others, c) == NULL)))
            return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        given[c] = true;
    }
    for (const char *c = all; *c != '\0'; c++)
        everything = everything && given[(unsigned char)*c];
    everything = everything || given['A'];
    if (everything)
        buf_append(out, "A", 1);
    for (const char *c = all; *c != '\0' && !everything; c++)
        if (given[(unsigned char)*c])
            buf_append(out, c, 1);
    for (const char *c = others; *c != '\0'; c++)
        if (given[(unsigned char)*c])
            buf_append(out, c, 1);
    return NULL;
}
