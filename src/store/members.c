/* members.c - a table of entries as a collection. */
#include "members.h"

#include <flashkv/mem.h>

void members_init(struct members *m, const unsigned char *secret) {
    table_init(&m->table, secret);
    m->bytes = 0;
}

static void destroy(void *ctx, struct entry *e) {
    (void)ctx;
    object_free(entry_object(e));
    entry_free(e);
}

void members_free(struct members *m) {
    table_walk(&m->table, 0, TABLE_ALL, destroy, NULL);
    table_free(&m->table);
}

size_t members_bytes(const struct members *m) {
    return m->bytes + table_bytes(&m->table);
}

static uint64_t hash_of(const struct members *m, struct slice name) {
    return table_hash(m->table.secret, name);
}

struct entry *members_find(const struct members *m, struct slice name) {
    return table_find(&m->table, hash_of(m, name), name);
}

struct entry *members_make(struct slice name, struct slice value, int64_t expire_at) {
    struct entry_spec spec = {.type = TYPE_STRING, .key = name, .value = value, .expire_at = expire_at};
    struct blob *b = NULL;
    struct entry *e;

    if (value.len > STRING_INLINE_MAX) {
        if ((b = blob_copy(value)) == NULL)
            return NULL;
        spec.object = &b->object;
    }
    e = entry_new(&spec);
    if (e == NULL)
        blob_unref(b);
    return e;
}

static enum member_result insert(struct members *m, struct view *v, uint64_t hash, struct slice name,
                                 struct slice value, struct entry **e) {
    if (name.len > ENTRY_KEY_MAX)
        return MEMBER_TOO_LONG;
    *e = members_make(name, value, NO_EXPIRY);
    if (*e == NULL)
        return MEMBER_NO_MEMORY;
    if (!table_insert(&m->table, hash, *e)) {
        destroy(NULL, *e);
        return MEMBER_NO_MEMORY;
    }
    m->bytes += entry_footprint(*e);
    if (v != NULL)
        view_added(v, hash, *e);
    return MEMBER_ADDED;
}

enum member_result members_add(struct members *m, struct view *v, struct slice name, struct slice value,
                               struct entry **e) {
    return insert(m, v, hash_of(m, name), name, value, e);
}

enum member_result members_put(struct members *m, struct view *v, struct slice name, struct slice value) {
    uint64_t hash = hash_of(m, name);
    struct entry *stale = table_find(&m->table, hash, name), *fresh;

    if (stale == NULL)
        return insert(m, v, hash, name, value, &fresh);
    if (entry_can_rewrite(stale, value.len)) {
        if (v != NULL)
            view_changes(v, hash, stale);
        entry_rewrite(stale, value);
        return MEMBER_REPLACED;
    }
    fresh = members_make(name, value, NO_EXPIRY);
    if (fresh == NULL)
        return MEMBER_NO_MEMORY;
    members_swap(m, v, stale, fresh);
    return MEMBER_REPLACED;
}

void members_change(const struct members *m, struct view *v, struct entry *e) {
    if (v != NULL)
        view_changes(v, hash_of(m, entry_key(e)), e);
}

void members_swap(struct members *m, struct view *v, struct entry *stale, struct entry *fresh) {
    uint64_t hash = hash_of(m, entry_key(stale));

    if (v != NULL) {
        view_changes(v, hash, stale);
        view_added(v, hash, fresh);
    }
    table_replace(&m->table, hash, stale, fresh);
    m->bytes += entry_footprint(fresh) - entry_footprint(stale);
    if (entry_object(stale) != entry_object(fresh))
        object_free(entry_object(stale));
    entry_free(stale);
}

bool members_remove(struct members *m, struct view *v, struct slice name) {
    uint64_t hash = hash_of(m, name);
    struct entry *e = table_find(&m->table, hash, name);

    if (e == NULL)
        return false;
    if (v != NULL)
        view_changes(v, hash, e);
    table_remove(&m->table, hash, e);
    m->bytes -= entry_footprint(e);
    destroy(NULL, e);
    return true;
}

enum { CURSOR_DROPPED = 64 - 53 };

struct scan {
    members_visit *visit;
    void *ctx;
};

static void visit_entry(void *ctx, struct entry *e) {
    struct scan *s = ctx;

    s->visit(s->ctx, e);
}

uint64_t members_scan(const struct members *m, uint64_t cursor, size_t count, members_visit *visit,
                      void *ctx) {
    struct scan s = {visit, ctx};
    size_t want = count < TABLE_ALL ? count : TABLE_ALL;

    return table_walk(&m->table, cursor << CURSOR_DROPPED, want, visit_entry, &s) >> CURSOR_DROPPED;
}

struct entry *members_random(const struct members *m) {
    return table_random(&m->table);
}

struct copying {
    struct members *to;
    bool failed;
};

static void copy_entry(void *ctx, struct entry *e) {
    struct copying *c = ctx;

    c->failed = c->failed || members_put(c->to, NULL, entry_key(e), entry_string(e)) != MEMBER_ADDED;
}

bool members_copy(const struct members *m, struct members *copy) {
    struct copying c = {copy, false};

    table_walk(&m->table, 0, TABLE_ALL, copy_entry, &c);
    return !c.failed;
}
