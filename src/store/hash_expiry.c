/* hash_expiry.c - fields that expire; hash_impl.h explains it. */
#include <flashkv/mem.h>
#include <flashkv/random.h>

#include "hash_impl.h"

static uint64_t hash_of(const struct hash *h, struct slice field) {
    return table_hash(h->members.table.secret, field);
}

/* NULL: no memory. */
static struct field_expiry *expiry_of(struct hash *h) {
    if (h->expiry != NULL)
        return h->expiry;
    h->expiry = mem_alloc(sizeof(*h->expiry));
    if (h->expiry == NULL)
        return NULL;
    *h->expiry = (struct field_expiry){.floor = INT64_MAX, .floor_next = INT64_MAX};
    table_init(&h->expiry->fields, h->members.table.secret);
    return h->expiry;
}

void hash_expiry_free(struct hash *h) {
    if (h->expiry == NULL)
        return;
    table_free(&h->expiry->fields);
    mem_free(h->expiry);
    h->expiry = NULL;
}

static void note(struct field_expiry *x, int64_t at) {
    if (at < x->floor)
        x->floor = at;
    if (at < x->floor_next)
        x->floor_next = at;
    if (at > x->latest)
        x->latest = at;
}

/* Removes an entry from the table of fields with an expiry. */
static void forget(struct hash *h, const struct entry *e) {
    table_remove(&h->expiry->fields, hash_of(h, entry_key(e)), e);
    if (h->expiry->fields.used == 0)
        hash_expiry_free(h);
}

/* ---- fields -------------------------------------------------------------------------------------------------------- */

enum hash_result hash_put_volatile(struct hash *h, struct slice field, struct slice value, int64_t now,
                                   bool keep) {
    struct entry *stale = members_find(&h->members, field), *fresh;
    bool live = stale != NULL && !entry_expired(stale, now);

    if (stale == NULL || !entry_has(stale, E_EXPIRES)) {
        switch (members_put(&h->members, object_view(&h->object), field, value)) {
        case MEMBER_ADDED:
            return HASH_ADDED;
        case MEMBER_REPLACED:
            return HASH_REPLACED;
        case MEMBER_TOO_LONG:
            return HASH_TOO_LONG;
        case MEMBER_NO_MEMORY:
            return HASH_NO_MEMORY;
        }
    }
    fresh = members_make(field, value, keep && live ? entry_expire_at(stale) : NO_EXPIRY);
    if (fresh == NULL)
        return HASH_NO_MEMORY;
    if (keep && live)
        table_replace(&h->expiry->fields, hash_of(h, field), stale, fresh);
    else
        forget(h, stale);
    members_swap(&h->members, object_view(&h->object), stale, fresh);
    return live ? HASH_REPLACED : HASH_ADDED;
}

bool hash_take_member(struct hash *h, struct slice field, int64_t now) {
    struct entry *e = h->expiry != NULL ? members_find(&h->members, field) : NULL;

    if (e != NULL && entry_expired(e, now))
        return false;
    if (e != NULL && entry_has(e, E_EXPIRES))
        forget(h, e);
    return members_remove(&h->members, object_view(&h->object), field);
}

bool hash_expiry(const struct hash *h, struct slice field, int64_t now, int64_t *at) {
    const struct entry *e;
    struct slice value;

    *at = NO_EXPIRY;
    if (h->packed != NULL)
        return hash_get(h, field, now, &value);
    e = members_find(&h->members, field);
    if (e == NULL || entry_expired(e, now))
        return false;
    *at = entry_expire_at(e);
    return true;
}

bool hash_expire(struct hash *h, struct slice field, int64_t now, int64_t at) {
    struct entry *stale, *fresh;
    struct entry_spec spec;
    int64_t was;

    if (!hash_expiry(h, field, now, &was) || was == at)
        return true;
    if ((h->packed != NULL && !hash_unpack(h)) || expiry_of(h) == NULL)
        return false;
    stale = members_find(&h->members, field);
    if (was != NO_EXPIRY && at != NO_EXPIRY) {
        members_change(&h->members, object_view(&h->object), stale);
        entry_set_expire_at(stale, at);
        note(h->expiry, at);
        return true;
    }
    spec = entry_spec_of(stale);
    spec.expire_at = at;
    fresh = entry_new(&spec);
    if (fresh == NULL || (at != NO_EXPIRY && !table_insert(&h->expiry->fields, hash_of(h, field), fresh))) {
        if (fresh != NULL)
            entry_free(fresh);
        if (h->expiry->fields.used == 0)
            hash_expiry_free(h);
        return false;
    }
    if (at != NO_EXPIRY)
        note(h->expiry, at);
    else
        forget(h, stale);
    members_swap(&h->members, object_view(&h->object), stale, fresh);
    return true;
}

/* A field that gets an expiry is allocated again. */
size_t hash_expiry_need(const struct hash *h, const struct edits *e) {
    static const struct table none;
    const struct table *fields = h->expiry != NULL ? &h->expiry->fields : &none;
    size_t anew = e->expiries ? e->elements * (STRING_INLINE_MAX + STRING_INLINE_MAX / 4) : 0;

    return NEED_ENTRY + anew + table_need(fields, e->elements);
}

struct copying {
    struct hash *copy;
    bool failed;
};

static void copy_expiry(void *ctx, struct entry *e) {
    struct copying *c = ctx;

    c->failed = c->failed || !hash_expire(c->copy, entry_key(e), HASH_ALL, entry_expire_at(e));
}

bool hash_expiry_copy(const struct hash *h, struct hash *copy) {
    struct copying c = {copy, false};

    if (h->expiry != NULL)
        table_walk(&h->expiry->fields, 0, TABLE_ALL, copy_expiry, &c);
    return !c.failed;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

bool hash_is_volatile(const struct hash *h) {
    return h->expiry != NULL;
}

int64_t hash_due_at(const struct hash *h) {
    return h->expiry != NULL ? h->expiry->floor : INT64_MAX;
}

struct counting {
    int64_t now;
    size_t expired, live;
};

static void count(void *ctx, struct entry *e) {
    struct counting *c = ctx;

    if (entry_expired(e, c->now))
        c->expired++;
    else
        c->live++;
}

size_t hash_live(const struct hash *h, int64_t now) {
    struct counting c = {.now = now};

    if (hash_has_due(h, now))
        table_walk(&h->expiry->fields, 0, TABLE_ALL, count, &c);
    return hash_len(h) - c.expired;
}

/* Searches until it finds a live field. */
bool hash_is_dead(const struct hash *h, int64_t now) {
    enum { STEP = 16 };
    const struct field_expiry *x = h->expiry;
    struct counting c = {.now = now};
    uint64_t from = 0;

    if (!hash_has_due(h, now) || x->fields.used < members_count(&h->members))
        return false;
    if (x->latest <= now)
        return true;
    do
        from = table_walk(&x->fields, from, STEP, count, &c);
    while (from != 0 && c.live == 0);
    return c.live == 0;
}

struct picking {
    int64_t now;
    uint64_t skip;
    hash_place pick;
};

static void pick(void *ctx, const void *entry) {
    struct picking *p = ctx;

    if (!entry_expired(entry, p->now) && p->pick == NULL && p->skip-- == 0)
        p->pick = entry;
}

hash_place hash_random_live(const struct hash *h, int64_t now) {
    enum { TRIES = 32 };
    struct picking p = {now, 0, NULL};

    for (int i = 0; i < TRIES; i++) {
        const struct entry *e = members_random(&h->members);

        if (!entry_expired(e, now))
            return e;
    }
    p.skip = random_below(hash_live(h, now));
    members_scan(&h->members, 0, SIZE_MAX, pick, &p);
    return p.pick;
}

/* ---- sweeping ------------------------------------------------------------------------------------------------------ */

enum { SWEEP_MAX = 128 };

struct sweep {
    int64_t now, earliest;
    size_t count;
    struct entry *expired[SWEEP_MAX];
};

static void sweep_look(void *ctx, struct entry *e) {
    struct sweep *s = ctx;
    int64_t at = entry_expire_at(e);

    if (at <= s->now && s->count < SWEEP_MAX)
        s->expired[s->count++] = e;
    else if (at < s->earliest)
        s->earliest = at;
}

size_t hash_sweep(struct hash *h, int64_t now, size_t want, void (*expired)(void *ctx, struct slice field),
                  void *ctx) {
    struct field_expiry *x = h->expiry;
    struct sweep s = {.now = now, .earliest = INT64_MAX};

    if (!hash_has_due(h, now))
        return 0;
    x->sweep_from = table_walk(&x->fields, x->sweep_from, want, sweep_look, &s);
    if (s.earliest < x->floor_next)
        x->floor_next = s.earliest;
    if (x->sweep_from == 0) { /* a pass is complete */
        x->floor = x->floor_next;
        x->floor_next = INT64_MAX;
    }
    for (size_t i = 0; i < s.count; i++) {
        expired(ctx, entry_key(s.expired[i]));
        hash_take_member(h, entry_key(s.expired[i]), HASH_ALL);
    }
    return s.count;
}
