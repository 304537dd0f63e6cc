/* set.c - sets: a sorted array for a few integers, a table of entries otherwise. */
#include <flashkv/encoding.h>
#include <flashkv/entry.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/random.h>
#include <flashkv/set.h>

#include "members.h"

struct set {
    struct object object;
    bool is_table;      /* members, not ints */
    uint32_t used, cap; /* of `ints` */
    int64_t *ints;      /* ascending */
    struct members members;
};

static const struct slice nothing = {"", 0};

struct set *set_new(const unsigned char *secret) {
    struct set *s = mem_zalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->object.type = TYPE_SET;
    members_init(&s->members, secret);
    return s;
}

void set_free(struct set *s) {
    mem_free(s->ints);
    members_free(&s->members);
    mem_free(s);
}

struct set *set_copy(const struct set *s) {
    struct set *copy = set_new(s->members.table.secret);
    bool ok;

    if (copy == NULL)
        return NULL;
    copy->is_table = s->is_table;
    if (s->is_table) {
        ok = members_copy(&s->members, &copy->members);
    } else {
        copy->ints = mem_dup(s->ints, s->used * sizeof(*s->ints));
        copy->used = copy->cap = copy->ints != NULL ? s->used : 0;
        ok = copy->ints != NULL;
    }
    if (ok)
        return copy;
    set_free(copy);
    return NULL;
}

size_t set_len(const struct set *s) {
    return s->is_table ? members_count(&s->members) : s->used;
}

size_t set_bytes(const struct set *s) {
    return mem_good_size(sizeof(*s)) + mem_good_size(s->cap * sizeof(*s->ints)) + members_bytes(&s->members);
}

const struct members *set_members(const struct set *s) {
    return s->is_table ? &s->members : NULL;
}

const char *set_encoding(const struct set *s) {
    return s->is_table ? "hashtable" : "intset";
}

size_t set_need(const struct set *s, const struct edits *e) {
    size_t limit = encoding_limit(&encoding_limits.set_ints), most = s->used + e->elements;
    size_t need = need_entries(e->elements, e->bytes), ints = most < limit ? most : limit;

    if (!s->is_table) /* each command may reallocate the array, with a quarter to spare */
        need += e->commands * (2 * sizeof(*s->ints) * (ints + 1) + NEED_ENTRY) +
                need_entries(s->used, s->used * NUM_I64_MAX);
    return need + table_need(&s->members.table, (s->is_table ? 0 : s->used) + e->elements);
}

/* Only the canonical form (that of num_format_i64) is stored as an integer, so the same bytes are returned. */

/* ---- integers ---------------------------------------------------------------------------------------------------- */

/* The first index whose integer is not less than `n`. */
static uint32_t ints_search(const struct set *s, int64_t n) {
    uint32_t low = 0, high = s->used;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (s->ints[middle] < n)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool ints_has(const struct set *s, int64_t n) {
    uint32_t at = ints_search(s, n);

    return at < s->used && s->ints[at] == n;
}

static bool ints_resize(struct set *s, uint32_t want) {
    size_t bytes = mem_good_size(want * sizeof(*s->ints));
    int64_t *ints = mem_realloc(s->ints, bytes);

    if (ints == NULL)
        return false;
    s->ints = ints;
    s->cap = (uint32_t)(bytes / sizeof(*ints));
    return true;
}

static enum set_result ints_add(struct set *s, int64_t n) {
    uint32_t at = ints_search(s, n);

    if (s->used == s->cap && !ints_resize(s, s->used + s->used / 4 + 1))
        return SET_NO_MEMORY;
    memmove(&s->ints[at + 1], &s->ints[at], (s->used - at) * sizeof(*s->ints));
    s->ints[at] = n;
    s->used++;
    return SET_ADDED;
}

static bool ints_remove(struct set *s, int64_t n) {
    uint32_t at = ints_search(s, n);

    if (at == s->used || s->ints[at] != n)
        return false;
    s->used--;
    memmove(&s->ints[at], &s->ints[at + 1], (s->used - at) * sizeof(*s->ints));
    if (s->used > 0 && s->used < s->cap / 2)
        (void)ints_resize(s, s->used); /* if shrinking fails, it stays as it is */
    return true;
}

/* Converts to a table. False, nothing changed: no memory. */
static bool to_table(struct set *s) {
    struct members members;

    members_init(&members, s->members.table.secret);
    for (uint32_t i = 0; i < s->used; i++) {
        char digits[NUM_I64_MAX];

        if (members_put(&members, NULL, slice_of(digits, num_format_i64(s->ints[i], digits)), nothing) !=
            MEMBER_ADDED) {
            members_free(&members);
            return false;
        }
    }
    mem_free(s->ints);
    s->ints = NULL;
    s->used = s->cap = 0;
    s->members = members;
    s->is_table = true;
    return true;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

enum set_result set_add(struct set *s, struct slice member) {
    int64_t n;

    if (!s->is_table) {
        bool integer = num_parse_i64(member, &n);

        if (integer && ints_has(s, n))
            return SET_WAS_THERE;
        if (integer && s->used < encoding_limit(&encoding_limits.set_ints))
            return ints_add(s, n);
        if (!to_table(s))
            return SET_NO_MEMORY;
    }
    switch (members_put(&s->members, object_view(&s->object), member, nothing)) {
    case MEMBER_ADDED:
        return SET_ADDED;
    case MEMBER_REPLACED:
        return SET_WAS_THERE;
    case MEMBER_TOO_LONG:
        return SET_TOO_LONG;
    case MEMBER_NO_MEMORY:
        break;
    }
    return SET_NO_MEMORY;
}

bool set_has(const struct set *s, struct slice member) {
    int64_t n;

    if (s->is_table)
        return members_find(&s->members, member) != NULL;
    return num_parse_i64(member, &n) && ints_has(s, n);
}

bool set_remove(struct set *s, struct slice member) {
    int64_t n;

    if (s->is_table)
        return members_remove(&s->members, object_view(&s->object), member);
    return num_parse_i64(member, &n) && ints_remove(s, n);
}

/* ---- places: an integer of the array, or an entry ------------------------------------------------------------------ */

_Static_assert((int)SET_ROOM >= (int)NUM_I64_MAX, "any integer fits");

struct slice set_member(const struct set *s, set_place at, char room[SET_ROOM]) {
    if (s->is_table)
        return entry_key(at);
    return slice_of(room, num_format_i64(*(const int64_t *)at, room));
}

set_place set_random(const struct set *s) {
    if (s->is_table)
        return members_random(&s->members);
    return &s->ints[random_below(s->used)];
}

uint64_t set_scan(const struct set *s, uint64_t cursor, size_t count, set_visit *visit, void *ctx) {
    if (s->is_table)
        return members_scan(&s->members, cursor, count, visit, ctx);
    for (uint32_t i = 0; i < s->used; i++)
        visit(ctx, &s->ints[i]);
    return 0;
}
