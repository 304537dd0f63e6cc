/* table.c - Robin Hood hashing with incremental resizing; table.h explains it. */
#include "table.h"

#include <assert.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/random.h>

_Static_assert(sizeof(void *) == 8, "a slot packs an address of 48 bits: 64-bit machines only");

enum {
    ADDRESS_BITS = 48,
    DISTANCE_MAX = 255,
    CAPACITY_MIN = 16,
    MOVE_STEP = 12,  /* slots moved by each insertion and removal while resizing */
    WALK_EMPTY = 16, /* slots that a walk passes for each entry wanted, which bounds a page of a thin table */
};
#define ADDRESS_MASK ((UINT64_C(1) << ADDRESS_BITS) - 1)
#define DISTANCE_ONE (UINT64_C(1) << ADDRESS_BITS)

/* ---- slots -------------------------------------------------------------------------------------------- */

static struct entry *slot_entry(uint64_t slot) {
    return (struct entry *)(uintptr_t)(slot & ADDRESS_MASK);
}

static size_t slot_distance(uint64_t slot) {
    return (slot >> ADDRESS_BITS) & DISTANCE_MAX;
}

/* Tag and distance as encoded in a slot. The tag is the hash's low byte, since the home depends on the high bits. */
static uint64_t slot_mark(uint64_t hash, size_t distance) {
    return (hash & 0xff) << 56 | (uint64_t)distance << ADDRESS_BITS;
}

static size_t point_home(uint64_t point, size_t capacity) {
    return (size_t)(((unsigned __int128)point * capacity) >> 64);
}

/* The first point whose home is `home`; 0 (that is, 2^64) for home == capacity. */
static uint64_t home_point(size_t home, size_t capacity) {
    unsigned __int128 whole = (unsigned __int128)home << 64;

    return (uint64_t)((whole + capacity - 1) / capacity);
}

/* Slots after the last home: the maximum distance of an entry from it, and one that stays empty. */
static size_t slots_tail(size_t capacity) {
    return (capacity < DISTANCE_MAX ? capacity : DISTANCE_MAX) + 1;
}

static size_t slots_count(const struct slots *s) {
    return s->capacity + slots_tail(s->capacity);
}

/* Allocates slots for at least `capacity` homes, as many as the allocator's size class holds. */
static bool slots_alloc(struct slots *s, size_t capacity) {
    size_t bytes = mem_good_size((capacity + slots_tail(capacity)) * sizeof(uint64_t));
    size_t count = bytes / sizeof(uint64_t);

    s->at = mem_zalloc(bytes);
    if (s->at == NULL)
        return false;
    s->capacity = count > 2 * DISTANCE_MAX ? count - DISTANCE_MAX - 1 : (count - 1) / 2;
    s->bytes = bytes;
    return true;
}

static void slots_free(struct slots *s) {
    mem_free(s->at);
    *s = (struct slots){NULL, 0, 0};
}

/* Inserts an entry at its position, at or after `least`, shifting those with later homes up by one. False, nothing
 * changed: an entry's distance from its home would exceed what a slot can encode. */
static bool slots_place(struct slots *s, size_t least, uint64_t hash, struct entry *e) {
    size_t home = point_home(table_point(hash), s->capacity), pos = home > least ? home : least, end;

    while (s->at[pos] != 0 && slot_distance(s->at[pos]) >= pos - home)
        pos++;
    for (end = pos; s->at[end] != 0; end++)
        if (slot_distance(s->at[end]) == DISTANCE_MAX)
            return false;
    if (pos - home > DISTANCE_MAX)
        return false;
    for (; end > pos; end--)
        s->at[end] = s->at[end - 1] + DISTANCE_ONE;
    s->at[pos] = slot_mark(hash, pos - home) | (uintptr_t)e;
    return true;
}

/* The slot, not before `least`, of an entry that is in the table. */
static size_t slots_locate(const struct slots *s, size_t least, uint64_t hash, const struct entry *e) {
    size_t home = point_home(table_point(hash), s->capacity), pos = home > least ? home : least;

    while (slot_entry(s->at[pos]) != e)
        pos++;
    return pos;
}

/* Removes the entry in slot `pos`, shifting its followers back by one. */
static void slots_take(struct slots *s, size_t pos) {
    for (; slot_distance(s->at[pos + 1]) > 0; pos++)
        s->at[pos] = s->at[pos + 1] - DISTANCE_ONE;
    s->at[pos] = 0;
}

/* ---- the table ---------------------------------------------------------------------------------------- */

void table_init(struct table *t, const unsigned char *secret) {
    *t = (struct table){.secret = secret};
}

void table_free(struct table *t) {
    slots_free(&t->now);
    slots_free(&t->old);
    table_init(t, t->secret);
}

size_t table_bytes(const struct table *t) {
    return t->now.bytes + t->old.bytes;
}

/* The array that contains a point; *least is the first valid slot of it. */
static struct slots *table_side(const struct table *t, uint64_t point, size_t *least) {
    if (t->old.at != NULL && point_home(point, t->old.capacity) >= t->moved) {
        *least = t->old_next;
        return (struct slots *)&t->old;
    }
    *least = 0;
    return (struct slots *)&t->now;
}

HOT struct entry *table_find(const struct table *t, uint64_t hash, struct slice key) {
    size_t least, home, pos;
    const struct slots *s = table_side(t, table_point(hash), &least);
    const uint64_t *at = s->at;
    uint64_t mark;

    if (at == NULL)
        return NULL;
    home = point_home(table_point(hash), s->capacity);
    pos = home > least ? home : least;
    for (mark = slot_mark(hash, pos - home);; mark += DISTANCE_ONE, pos++) {
        uint64_t slot = at[pos];

        if ((slot & ~ADDRESS_MASK) == mark && slot != 0 && entry_key_is(slot_entry(slot), key))
            return slot_entry(slot);
        if (slot == 0 || slot_distance(slot) < pos - home)
            return NULL;
    }
}

/* Prefetches the cache line of an address. The empty asm statement keeps gcc from treating the functions below, which only
 * prefetch, as free of side effects, and omitting calls to them. */
static inline void prefetch_line(const void *at) {
    __builtin_prefetch(at);
    __asm__ volatile("");
}

void table_prefetch_slot(const struct table *t, uint64_t hash) {
    size_t least;
    const struct slots *s = table_side(t, table_point(hash), &least);

    if (s->at != NULL)
        prefetch_line(&s->at[point_home(table_point(hash), s->capacity)]);
}

/* Compares tags only: comparing keys would wait for the entries. */
void table_prefetch_entry(const struct table *t, uint64_t hash) {
    size_t least, home, pos;
    const struct slots *s = table_side(t, table_point(hash), &least);

    if (s->at == NULL)
        return;
    home = point_home(table_point(hash), s->capacity);
    for (pos = home > least ? home : least; s->at[pos] != 0; pos++)
        if ((s->at[pos] & ~ADDRESS_MASK) == slot_mark(hash, pos - home)) {
            const char *e = (const char *)slot_entry(s->at[pos]);

            prefetch_line(e);
            prefetch_line(e + CACHE_LINE); /* most entries are longer than a line */
            return;
        } else if (slot_distance(s->at[pos]) < pos - home) {
            return;
        }
}

void table_replace(struct table *t, uint64_t hash, const struct entry *stale, struct entry *fresh) {
    size_t least;
    struct slots *s = table_side(t, table_point(hash), &least);
    uint64_t *slot = &s->at[slots_locate(s, least, hash, stale)];

    *slot = (*slot & ~ADDRESS_MASK) | (uintptr_t)fresh;
}

/* ---- growing and shrinking ---------------------------------------------------------------------------- */

static bool table_crowded(const struct table *t) {
    return t->used + 1 > t->now.capacity - t->now.capacity / 8;
}

static bool table_thin(const struct table *t) {
    return t->now.capacity > 8 * CAPACITY_MIN && t->used < t->now.capacity / 8;
}

/* Starts moving all entries to an array of another capacity. False: no memory. */
static bool table_begin_move(struct table *t, size_t capacity) {
    struct slots fresh;

    assert(!table_moving(t));
    if (!slots_alloc(&fresh, capacity))
        return false;
    t->old = t->now;
    t->now = fresh;
    t->moved = t->old_next = 0;
    return true;
}

/* If there is no memory for the smaller array, the table stays as it is. */
static void table_shrink(struct table *t) {
    bool paused = mem_reserve_pause(true);

    (void)table_begin_move(t, t->now.capacity / 4);
    mem_reserve_pause(paused);
}

static uint64_t table_rehash(const struct table *t, uint64_t slot) {
    return table_hash(t->secret, entry_key(slot_entry(slot)));
}

/* Moves the entries of the next home to the new array. False, nothing changed: slots_place refused one. */
static bool table_move_home(struct table *t) {
    size_t first = t->old_next, home = first - slot_distance(t->old.at[first]), pos;

    for (pos = first; t->old.at[pos] != 0 && pos - slot_distance(t->old.at[pos]) == home; pos++) {
        uint64_t slot = t->old.at[pos];

        if (!slots_place(&t->now, 0, table_rehash(t, slot), slot_entry(slot)))
            goto undo;
    }
    t->moved = home + 1;
    t->old_next = pos > first ? pos : first + 1;
    return true;

undo:
    while (pos-- > first) {
        uint64_t hash = table_rehash(t, t->old.at[pos]);

        slots_take(&t->now, slots_locate(&t->now, 0, hash, slot_entry(t->old.at[pos])));
    }
    return false;
}

void table_move(struct table *t, size_t slots) {
    size_t count = slots_count(&t->old), end = t->old_next + slots, i;

    if (!table_moving(t))
        return;
    for (i = t->old_next; i < end && i < count; i++)
        __builtin_prefetch(slot_entry(t->old.at[i]));
    while (t->old_next < end && t->old_next < count)
        if (!table_move_home(t))
            return;
    if (t->old_next >= count)
        slots_free(&t->old);
}

/* Makes room for one more entry. False: no memory. */
static bool table_make_room(struct table *t) {
    if (!table_crowded(t))
        return true;
    if (table_moving(t)) /* finish the last resizing first */
        table_move(t, slots_count(&t->old));
    if (t->now.at == NULL)
        return slots_alloc(&t->now, CAPACITY_MIN);
    if (table_moving(t))
        return false;
    return table_begin_move(t, t->now.capacity + t->now.capacity / 4);
}

/* slots_place refused an entry though there are free slots: keys are inserted in the order of their hashes, as when a
 * table is copied by walking it. The table then grows at once to its next size. False: no memory. */
static bool table_spread(struct table *t) {
    if (!table_moving(t) && !table_begin_move(t, 2 * t->now.capacity))
        return false;
    table_move(t, slots_count(&t->old));
    return !table_moving(t);
}

bool table_insert(struct table *t, uint64_t hash, struct entry *e) {
    size_t least;
    struct slots *s;

    /* Failing to grow is no failure while there are free slots: the next insertion tries again. */
    if (!table_make_room(t) && t->used + 1 >= t->now.capacity)
        return false;
    table_move(t, MOVE_STEP);
    s = table_side(t, table_point(hash), &least);
    while (!slots_place(s, least, hash, e)) {
        if (!table_spread(t))
            return false;
        s = table_side(t, table_point(hash), &least);
    }
    t->used++;
    return true;
}

/* One growth by a quarter, or for many entries the sum of all sizes on the way. Those may be twice as large as the entries
 * need, if these are inserted in the order of their hashes (table_spread). */
size_t table_need(const struct table *t, size_t n) {
    size_t capacity = t->now.capacity, all = t->used + n, most = all > capacity ? all : capacity;
    bool few = n < DISTANCE_MAX;

    if (few && (n == 0 || all < capacity - capacity / 8))
        return 0;
    if (few && n < capacity / 8)
        return 2 * sizeof(uint64_t) * (capacity + DISTANCE_MAX);
    return 128 * most + (all < DISTANCE_MAX ? 1 << 10 : 1 << 16);
}

void table_remove(struct table *t, uint64_t hash, const struct entry *e) {
    size_t least;
    struct slots *s = table_side(t, table_point(hash), &least);

    slots_take(s, slots_locate(s, least, hash, e));
    t->used--;
    if (!table_moving(t) && table_thin(t))
        table_shrink(t);
    table_move(t, MOVE_STEP);
}

struct entry *table_holds(const struct table *t, uint64_t hash, const struct entry *e) {
    size_t least, home, pos;
    const struct slots *s = table_side(t, table_point(hash), &least);

    if (s->at == NULL)
        return NULL;
    home = point_home(table_point(hash), s->capacity);
    for (pos = home > least ? home : least;; pos++) {
        uint64_t slot = s->at[pos];

        if (slot == 0 || slot_distance(slot) < pos - home)
            return NULL;
        if (slot_entry(slot) == e)
            return table_rehash(t, slot) == hash ? slot_entry(slot) : NULL;
    }
}

/* ---- walking ------------------------------------------------------------------------------------------ */

struct walk {
    const struct table *table;
    uint64_t from;
    size_t want; /* entries still wanted */
    table_visit *visit;
    void *ctx;
};

/* Walks one array from slot `least` on; returns the next point, 0 at the end of the array. */
static uint64_t slots_walk(const struct slots *s, size_t least, struct walk *w) {
    size_t home = point_home(w->from, s->capacity), pos = home > least ? home : least;
    size_t passed = 0, budget = w->want * WALK_EMPTY + WALK_EMPTY, last = home;

    for (; pos < slots_count(s); pos++, passed++) {
        uint64_t slot = s->at[pos];
        size_t at_home = pos - slot_distance(slot);

        if (slot != 0 && at_home < home)
            continue;
        if ((w->want == 0 || passed >= budget) && at_home > last)
            return at_home < s->capacity ? home_point(at_home, s->capacity) : 0;
        last = at_home;
        if (slot == 0)
            continue;
        if (at_home == home && table_point(table_rehash(w->table, slot)) < w->from)
            continue;
        w->visit(w->ctx, slot_entry(slot));
        w->want -= w->want > 0;
    }
    return 0;
}

uint64_t table_walk(const struct table *t, uint64_t from, size_t want, table_visit *visit, void *ctx) {
    struct walk w = {t, from, want, visit, ctx};
    size_t least;
    const struct slots *s = table_side(t, from, &least);
    uint64_t next;

    if (s->at == NULL)
        return 0;
    next = slots_walk(s, least, &w);
    if (s != &t->now || !table_moving(t) || t->moved >= t->old.capacity)
        return next;
    /* `from` is before the frontier. The new array holds nothing after the frontier; a walk that reaches it continues
     * in the old one. */
    w.from = home_point(t->moved, t->old.capacity);
    if (next != 0 && next < w.from)
        return next;
    return w.want == 0 ? w.from : slots_walk(&t->old, t->old_next, &w);
}

struct entry *table_random(const struct table *t) {
    size_t now = slots_count(&t->now) * (t->now.at != NULL);
    size_t old = table_moving(t) ? slots_count(&t->old) - t->old_next : 0; /* those before have been moved */
    uint64_t slot;

    if (t->used == 0)
        return NULL;
    do {
        size_t i = random_below(now + old);

        slot = i < now ? t->now.at[i] : t->old.at[t->old_next + i - now];
    } while (slot == 0);
    return slot_entry(slot);
}
