/* settings.c - settings: find a row, parse and format a value, apply several. */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/settings.h>
#include <limits.h>
#include <stdio.h>

static void settings_lock(struct settings *s) ACQUIRE(settings_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&s->mutex);
}

static void settings_unlock(struct settings *s) RELEASE(settings_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&s->mutex);
}

void settings_init(struct settings *s) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&s->mutex, LOCK_RANK_OPTIONS);
    memset(s->values, 0, sizeof(s->values));
}

void settings_destroy(struct settings *s) NO_THREAD_SAFETY_ANALYSIS {
    for (size_t i = 0; i < setting_count; i++)
        mem_free(s->values[i]);
    mutex_destroy(&s->mutex);
}

const struct setting_row *setting_find(struct slice name) {
    for (size_t i = 0; i < setting_count; i++)
        if (slice_caseeq(name, slice_str(setting_table[i].name)) ||
            (setting_table[i].alias != NULL && slice_caseeq(name, slice_str(setting_table[i].alias))))
            return &setting_table[i];
    return NULL;
}

bool setting_format(struct settings *s, const struct setting_row *row, struct buf *out) {
    const char *value;
    bool ok;

    settings_lock(s);
    value = s->values[row - setting_table];
    ok = buf_append_slice(out, slice_str(value != NULL ? value : row->fallback));
    settings_unlock(s);
    return ok;
}

/* ---- parsing, by kind: NULL, or the error message --------------------------------------------------------------- */

static const char *parse_flag(struct slice text, struct buf *out) {
    bool yes = slice_caseeq(text, SLICE_LIT("yes"));

    if (!yes && !slice_caseeq(text, SLICE_LIT("no")))
        return "argument must be 'yes' or 'no'";
    buf_append_slice(out, yes ? SLICE_LIT("yes") : SLICE_LIT("no"));
    return NULL;
}

static const char *out_of_range(const struct setting_row *row, char *why, size_t cap) {
    snprintf(why, cap, "argument must be between %lld and %lld inclusive", (long long)row->min,
             (long long)row->max);
    return why;
}

static const char *parse_number(const struct setting_row *row, struct slice text, struct buf *out, char *why,
                                size_t cap) {
    int64_t n;

    if (!num_parse_i64(text, &n))
        return "argument couldn't be parsed into an integer";
    if (n < row->min || n > row->max)
        return out_of_range(row, why, cap);
    buf_append_slice(out, text);
    return NULL;
}

/* A percentage, if the row allows one by a minimum of -100; it is stored as a negative number, as in Redis. */
static bool is_percentage(const struct setting_row *row, struct slice text) {
    return row->min < 0 && text.len > 0 && text.ptr[text.len - 1] == '%';
}

static const char *parse_bytes(const struct setting_row *row, struct slice text, struct buf *out, char *why,
                               size_t cap) {
    int64_t part;
    uint64_t n;

    if (is_percentage(row, text)) {
        if (!num_parse_i64(slice_of(text.ptr, text.len - 1), &part) || part < 0)
            return "argument must be a memory or percent value";
        if (part > -row->min)
            return "percentage argument must be less or equal to 100";
        buf_append_slice(out, text);
        return NULL;
    }
    if (!num_parse_bytes(text, &n))
        return row->min < 0 ? "argument must be a memory or percent value"
                            : "argument must be a memory value";
    if (row->max > 0 && (n < (uint64_t)row->min || n > (uint64_t)row->max))
        return out_of_range(row, why, cap);
    buf_printf(out, "%llu", (unsigned long long)n);
    return NULL;
}

static const char *parse_word(const struct setting_row *row, struct slice text, struct buf *out, char *why,
                              size_t cap) {
    struct buf list = {why, 0, cap, cap}; /* never grows, so never allocates */

    buf_printf(&list, "argument(s) must be one of the following: ");
    for (size_t i = 0; row->words[i] != NULL; i++) {
        if (slice_caseeq(text, slice_str(row->words[i]))) {
            buf_append_slice(out, slice_str(row->words[i]));
            return NULL;
        }
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", row->words[i]);
    }
    return why;
}

static const char *parse_text(const struct setting_row *row, struct slice text, struct buf *out) {
    if (memchr(text.ptr, '\0', text.len) != NULL)
        return "argument must not contain NUL";
    if (row->check != NULL)
        return row->check(text, out);
    return buf_append_slice(out, text) ? NULL : "argument is too long";
}

const char *setting_parse(struct setting_change *ch, struct slice text, char *why, size_t cap) {
    enum { VALUE_MAX = 4096 };
    struct buf value = buf_make(VALUE_MAX);
    const char *wrong = "can't set immutable config";

    switch (ch->row->kind) {
    case SETTING_FLAG:
        wrong = parse_flag(text, &value);
        break;
    case SETTING_NUMBER:
    case SETTING_HIDDEN:
        wrong = parse_number(ch->row, text, &value, why, cap);
        break;
    case SETTING_BYTES:
        wrong = parse_bytes(ch->row, text, &value, why, cap);
        break;
    case SETTING_WORD:
        wrong = parse_word(ch->row, text, &value, why, cap);
        break;
    case SETTING_TEXT:
        wrong = parse_text(ch->row, text, &value);
        break;
    case SETTING_FIXED:
        break;
    }
    if (wrong == NULL && !buf_append(&value, "", 1)) /* its NUL */
        wrong = value.len < VALUE_MAX ? "out of memory" : "argument is too long";
    if (wrong == NULL)
        ch->value = value.data;
    else
        buf_free(&value);
    return wrong;
}

void settings_apply(struct settings *s, const struct setting_change *changes, size_t count,
                    void (*applied)(void *ctx, const struct setting_change *ch), void *ctx) {
    settings_lock(s);
    for (size_t i = 0; i < count; i++) {
        char **value = &s->values[changes[i].row - setting_table];

        mem_free(*value);
        *value = changes[i].value;
        applied(ctx, &changes[i]);
    }
    settings_unlock(s);
}
