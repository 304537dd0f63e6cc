/* options.c - one option: find its row, parse and format its value. */
#include <flashkv/cgroup.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/options.h>

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
    case OPTION_LIVE_UINT:
    case OPTION_BYTES:
    case OPTION_MEMORY:
        return buf_printf(out, "%llu", (unsigned long long)__atomic_load_n(number(o, row), __ATOMIC_RELAXED));
    case OPTION_TEXT:
        return buf_append_slice(out, slice_str(*text(o, row)));
    case OPTION_CHOICE:
        return buf_append_slice(out, slice_str(row->choices[*number(o, row)]));
    }
    return false;
}

/* Formats in the largest unit that is exact: "64kb". */
static bool format_bytes(struct buf *out, uint64_t n) {
    static const char *const units[] = {"", "kb", "mb", "gb"};
    size_t u = 0;

    while (n > 0 && n % 1024 == 0 && u + 1 < sizeof(units) / sizeof(*units)) {
        n /= 1024;
        u++;
    }
    return buf_printf(out, "%llu%s", (unsigned long long)n, units[u]);
}

bool option_range(const struct option_row *row, struct buf *out) {
    bool ok = true;

    switch (row->type) {
    case OPTION_UINT:
    case OPTION_LIVE_UINT:
        return buf_printf(out, "%llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
    case OPTION_BYTES:
        return format_bytes(out, row->min) && buf_printf(out, " to ") && format_bytes(out, row->max);
    case OPTION_MEMORY:
        return buf_printf(out, "bytes, or 1%% to 100%%");
    case OPTION_TEXT:
        return buf_printf(out, "%s", row->unit);
    case OPTION_CHOICE:
        for (size_t i = 0; row->choices[i] != NULL; i++)
            ok = ok && buf_printf(out, "%s%s", i > 0 ? ", " : "", row->choices[i]);
        return ok;
    }
    return false;
}

/* Writes what is accepted to `why`. Returns false. */
static bool refuse(const struct option_row *row, char *why, size_t cap) {
    struct buf out = {why, 0, cap, cap}; /* never grows, so never allocates */

    buf_printf(&out, row->type == OPTION_CHOICE ? "expects one of " : "expects ");
    if (row->type == OPTION_TEXT)
        buf_printf(&out, "%llu to %llu characters", (unsigned long long)row->min,
                   (unsigned long long)row->max);
    else
        option_range(row, &out);
    if (row->unit != NULL)
        buf_printf(&out, " (%s%s)", row->unit,
                   row->type == OPTION_BYTES || row->type == OPTION_MEMORY ? "; kb, mb or gb may follow"
                                                                           : "");
    return false;
}

/* "75%" of the memory that this process may use now: a container's limits can be changed while it runs. */
static bool parse_share(struct slice s, uint64_t *n) {
    uint64_t percent;

    if (s.len == 0 || s.ptr[s.len - 1] != '%' || !num_parse_u64(slice_of(s.ptr, s.len - 1), &percent) ||
        percent < 1 || percent > 100)
        return false;
    *n = resources_find("").memory / 100 * percent;
    return *n > 0;
}

static bool parse_number(const struct option_row *row, struct slice s, uint64_t *n) {
    if (row->type == OPTION_MEMORY)
        return num_parse_bytes(s, n) || parse_share(s, n);
    return row->type == OPTION_BYTES ? num_parse_bytes(s, n) : num_parse_u64(s, n);
}

static bool set_number(struct options *o, const struct option_row *row, struct slice s) {
    uint64_t n;

    if (!parse_number(row, s, &n) || n < row->min || n > row->max)
        return false;
    __atomic_store_n(number(o, row), n, __ATOMIC_RELAXED); /* other threads read the field of a live option */
    return true;
}

static bool set_choice(struct options *o, const struct option_row *row, struct slice s) {
    for (size_t i = 0; row->choices[i] != NULL; i++)
        if (slice_caseeq(s, slice_str(row->choices[i]))) {
            *number(o, row) = i;
            return true;
        }
    return false;
}

static bool set_text(struct options *o, const struct option_row *row, struct slice s) {
    char *copy;

    if (s.len < row->min || s.len > row->max || memchr(s.ptr, '\0', s.len) != NULL)
        return false;
    copy = mem_alloc(s.len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    mem_free(*text(o, row));
    *text(o, row) = copy;
    return true;
}

bool option_set(struct options *o, const struct option_row *row, struct slice s, char *why, size_t cap) {
    bool ok = false;

    switch (row->type) {
    case OPTION_UINT:
    case OPTION_LIVE_UINT:
    case OPTION_BYTES:
    case OPTION_MEMORY:
        ok = set_number(o, row, s);
        break;
    case OPTION_TEXT:
        ok = set_text(o, row, s);
        break;
    case OPTION_CHOICE:
        ok = set_choice(o, row, s);
        break;
    }
    return ok || refuse(row, why, cap);
}

void options_free(struct options *o) {
    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].type == OPTION_TEXT)
            mem_free(*text(o, &option_table[i]));
    *o = (struct options){0};
}
