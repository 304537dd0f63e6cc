/* options.c - one row at a time: find, parse, print. */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/options.h>
#include <stdio.h>

static uint64_t *number(const struct options *o, const struct option_row *row) {
    return (uint64_t *)((char *)(uintptr_t)o + row->offset);
}

static char **text(const struct options *o, const struct option_row *row) {
    return (char **)((char *)(uintptr_t)o + row->offset);
}

const struct option_row *option_find(struct slice name) {
    for (size_t i = 0; i < option_count; i++)
        if (slice_caseeq(name, slice_str(option_table[i].name)) ||
            (option_table[i].redis_name != NULL && slice_caseeq(name, slice_str(option_table[i].redis_name))))
            return &option_table[i];
    return NULL;
}

bool option_format(const struct options *o, const struct option_row *row, struct buf *out) {
    switch (row->type) {
    case OPTION_UINT:
    case OPTION_BYTES:
        return buf_printf(out, "%llu", (unsigned long long)*number(o, row));
    case OPTION_TEXT:
        return buf_append_slice(out, slice_str(*text(o, row)));
    case OPTION_CHOICE:
        return buf_append_slice(out, slice_str(row->choices[*number(o, row)]));
    }
    return false;
}

static bool set_number(struct options *o, const struct option_row *row, struct slice s, char *why,
                       size_t cap) {
    uint64_t n;
    bool parsed = row->type == OPTION_BYTES ? num_parse_bytes(s, &n) : num_parse_u64(s, &n);

    if (parsed && n >= row->min && n <= row->max) {
        *number(o, row) = n;
        return true;
    }
    snprintf(why, cap, "expects %s from %llu to %llu%s", row->unit, (unsigned long long)row->min,
             (unsigned long long)row->max, row->type == OPTION_BYTES ? " (kb, mb, gb may follow)" : "");
    return false;
}

static bool set_choice(struct options *o, const struct option_row *row, struct slice s, char *why,
                       size_t cap) {
    size_t n;

    for (size_t i = 0; row->choices[i] != NULL; i++)
        if (slice_caseeq(s, slice_str(row->choices[i]))) {
            *number(o, row) = i;
            return true;
        }
    n = (size_t)snprintf(why, cap, "expects one of");
    for (size_t i = 0; row->choices[i] != NULL && n < cap; i++)
        n += (size_t)snprintf(why + n, cap - n, "%s %s", i > 0 ? "," : "", row->choices[i]);
    return false;
}

static bool set_text(struct options *o, const struct option_row *row, struct slice s, char *why, size_t cap) {
    char *copy;

    if (s.len < row->min || s.len > row->max || memchr(s.ptr, '\0', s.len) != NULL) {
        snprintf(why, cap, "expects %s of %llu to %llu characters", row->unit, (unsigned long long)row->min,
                 (unsigned long long)row->max);
        return false;
    }
    copy = mem_alloc(s.len + 1);
    if (copy == NULL) {
        snprintf(why, cap, "out of memory");
        return false;
    }
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    mem_free(*text(o, row));
    *text(o, row) = copy;
    return true;
}

bool option_set(struct options *o, const struct option_row *row, struct slice s, char *why, size_t cap) {
    switch (row->type) {
    case OPTION_UINT:
    case OPTION_BYTES:
        return set_number(o, row, s, why, cap);
    case OPTION_TEXT:
        return set_text(o, row, s, why, cap);
    case OPTION_CHOICE:
        return set_choice(o, row, s, why, cap);
    }
    return false;
}

void options_free(struct options *o) {
    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].type == OPTION_TEXT)
            mem_free(*text(o, &option_table[i]));
    *o = (struct options){0};
}
