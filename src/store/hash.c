/* hash.c - hashes: packed while the fields are few and short, a table of entries after that. */
#include <flashkv/encoding.h>
#include <flashkv/entry.h>
#include <flashkv/mem.h>
#include <flashkv/random.h>

#include "hash_impl.h"

enum { PACKED_FIRST = 56 };

struct hash *hash_new(const unsigned char *secret) {
    struct hash *h = mem_zalloc(sizeof(*h));

    if (h == NULL)
        return NULL;
    h->object.type = TYPE_HASH;
    members_init(&h->members, secret);
    h->packed = packed_new(PACKED_FIRST);
    if (h->packed == NULL) {
        mem_free(h);
        return NULL;
    }
    return h;
}

void hash_free(struct hash *h) {
    hash_expiry_free(h);
    mem_free(h->packed);
    members_free(&h->members);
    mem_free(h);
}

struct hash *hash_copy(const struct hash *h) {
    struct hash *copy = mem_zalloc(sizeof(*copy));
    bool ok;

    if (copy == NULL)
        return NULL;
    copy->object.type = TYPE_HASH;
    copy->packed_fields = h->packed_fields;
    members_init(&copy->members, h->members.table.secret);
    if (h->packed != NULL)
        ok = (copy->packed = packed_copy(h->packed)) != NULL;
    else
        ok = members_copy(&h->members, &copy->members) && hash_expiry_copy(h, copy);
    if (ok)
        return copy;
    hash_free(copy);
    return NULL;
}

size_t hash_len(const struct hash *h) {
    return h->packed != NULL ? h->packed_fields : members_count(&h->members);
}

size_t hash_bytes(const struct hash *h) {
    size_t inside = h->packed != NULL ? packed_footprint(h->packed) : members_bytes(&h->members);

    if (h->expiry != NULL)
        inside += mem_good_size(sizeof(*h->expiry)) + table_bytes(&h->expiry->fields);
    return mem_good_size(sizeof(*h)) + inside;
}

const struct members *hash_members(const struct hash *h) {
    return h->packed == NULL ? &h->members : NULL;
}

const char *hash_encoding(const struct hash *h) {
    return h->packed != NULL ? "listpack" : "hashtable";
}

size_t hash_need(const struct hash *h, const struct edits *e) {
    size_t entries = encoding_limit(&encoding_limits.hash_entries);
    size_t longest = encoding_limit(&encoding_limits.hash_value);
    size_t fields = hash_len(h), more = e->elements, need = need_entries(e->elements, e->bytes);

    if (h->packed != NULL) {
        need += packed_need(h->packed, e, 2 * entries, longest);
        if (fields + e->elements <= entries && e->bytes <= longest && !e->expiries)
            return need; /* it stays packed */
        need += need_entries(fields, h->packed->used);
        more += fields;
    }
    need += table_need(&h->members.table, more);
    return need + (h->expiry != NULL || e->expiries ? hash_expiry_need(h, e) : 0);
}

/* ---- packed ---------------------------------------------------------------------------------------------------- */

/* The offsets of a field and of its value, which follows it; false: no such field. */
static bool packed_find(const struct packed *p, struct slice field, size_t *at, size_t *value_at) {
    for (size_t i = 0, next; i < p->used; packed_get(p, next, &i))
        if (slice_eq(packed_get(p, i, &next), field)) {
            *at = i;
            *value_at = next;
            return true;
        }
    return false;
}

/* Would the hash still be within the limits of the packed encoding with this field and value? */
static bool stays_packed(const struct hash *h, struct slice field, struct slice value, bool adds) {
    size_t longest = encoding_limit(&encoding_limits.hash_value);

    return field.len <= longest && value.len <= longest &&
           h->packed_fields + adds <= encoding_limit(&encoding_limits.hash_entries);
}

static bool packed_add(struct hash *h, struct slice field, struct slice value) {
    struct packed *p = packed_insert(h->packed, h->packed->used, field), *with_value;

    if (p == NULL)
        return false;
    h->packed = p;
    with_value = packed_insert(p, p->used, value);
    if (with_value == NULL) {
        h->packed = packed_erase(p, packed_prev(p, p->used), p->used);
        return false;
    }
    h->packed = with_value;
    h->packed_fields++;
    return true;
}

/* Replaces the value at `at`: the new one goes in first, so that a failure leaves the old. */
static bool packed_replace(struct hash *h, size_t at, struct slice value) {
    struct packed *p = packed_insert(h->packed, at, value);
    size_t stale, end;

    if (p == NULL)
        return false;
    packed_get(p, at, &stale);
    packed_get(p, stale, &end);
    h->packed = packed_erase(p, stale, end);
    return true;
}

bool hash_unpack(struct hash *h) {
    struct members members;

    members_init(&members, h->members.table.secret);
    for (size_t at = 0; at < h->packed->used;) {
        struct slice field = packed_get(h->packed, at, &at), value = packed_get(h->packed, at, &at);

        if (members_put(&members, NULL, field, value) != MEMBER_ADDED) {
            members_free(&members);
            return false;
        }
    }
    mem_free(h->packed);
    h->packed = NULL;
    h->packed_fields = 0;
    h->members = members;
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------------------------- */

static enum hash_result packed_set(struct hash *h, struct slice field, struct slice value, size_t value_at,
                                   bool found) {
    if (found)
        return packed_replace(h, value_at, value) ? HASH_REPLACED : HASH_NO_MEMORY;
    return packed_add(h, field, value) ? HASH_ADDED : HASH_NO_MEMORY;
}

static enum hash_result put_member(struct hash *h, struct slice field, struct slice value, int64_t now,
                                   bool keep) {
    if (h->expiry != NULL)
        return hash_put_volatile(h, field, value, now, keep);
    switch (members_put(&h->members, object_view(&h->object), field, value)) {
    case MEMBER_ADDED:
        return HASH_ADDED;
    case MEMBER_REPLACED:
        return HASH_REPLACED;
    case MEMBER_TOO_LONG:
        return HASH_TOO_LONG;
    case MEMBER_NO_MEMORY:
        break;
    }
    return HASH_NO_MEMORY;
}

static enum hash_result set(struct hash *h, struct slice field, struct slice value, int64_t now, bool keep) {
    if (h->packed != NULL) {
        size_t at, value_at = 0;
        bool found = packed_find(h->packed, field, &at, &value_at);

        if (stays_packed(h, field, value, !found))
            return packed_set(h, field, value, value_at, found);
        if (!hash_unpack(h))
            return HASH_NO_MEMORY;
    }
    return put_member(h, field, value, now, keep);
}

enum hash_result hash_set(struct hash *h, struct slice field, struct slice value, int64_t now) {
    return set(h, field, value, now, false);
}

enum hash_result hash_update(struct hash *h, struct slice field, struct slice value, int64_t now) {
    return set(h, field, value, now, true);
}

bool hash_get(const struct hash *h, struct slice field, int64_t now, struct slice *value) {
    size_t at, value_at;
    const struct entry *e;

    if (h->packed != NULL) {
        if (!packed_find(h->packed, field, &at, &value_at))
            return false;
        *value = packed_get(h->packed, value_at, &at);
        return true;
    }
    e = members_find(&h->members, field);
    if (e == NULL || entry_expired(e, now))
        return false;
    *value = entry_string(e);
    return true;
}

bool hash_remove(struct hash *h, struct slice field, int64_t now) {
    size_t at, end;

    if (h->packed == NULL)
        return hash_take_member(h, field, now);
    if (!packed_find(h->packed, field, &at, &end))
        return false;
    packed_get(h->packed, end, &end);
    h->packed = packed_erase(h->packed, at, end);
    h->packed_fields--;
    return true;
}

/* ---- places: an element of the packed run, or an entry ---------------------------------------------------------- */

static size_t offset_of(const struct hash *h, hash_place at) {
    return (size_t)((const unsigned char *)at - h->packed->data);
}

struct slice hash_field(const struct hash *h, hash_place at) {
    size_t next;

    return h->packed != NULL ? packed_get(h->packed, offset_of(h, at), &next) : entry_key(at);
}

struct slice hash_value(const struct hash *h, hash_place at) {
    size_t next;

    if (h->packed == NULL)
        return entry_string(at);
    packed_get(h->packed, offset_of(h, at), &next);
    return packed_get(h->packed, next, &next);
}

int64_t hash_expires_at(const struct hash *h, hash_place at) {
    return h->packed != NULL ? NO_EXPIRY : entry_expire_at(at);
}

hash_place hash_random(const struct hash *h, int64_t now) {
    size_t at = 0;

    if (h->packed == NULL)
        return hash_has_due(h, now) ? hash_random_live(h, now) : members_random(&h->members);
    for (uint64_t skip = 2 * random_below(h->packed_fields); skip > 0; skip--)
        packed_get(h->packed, at, &at);
    return h->packed->data + at;
}

/* A scan that skips expired fields. */
struct live_scan {
    int64_t now;
    hash_visit *visit;
    void *ctx;
};

static void visit_live(void *ctx, const void *entry) {
    const struct live_scan *s = ctx;

    if (!entry_expired(entry, s->now))
        s->visit(s->ctx, entry);
}

uint64_t hash_scan(const struct hash *h, uint64_t cursor, size_t count, int64_t now, hash_visit *visit,
                   void *ctx) {
    if (h->packed == NULL && hash_has_due(h, now))
        return members_scan(&h->members, cursor, count, visit_live, &(struct live_scan){now, visit, ctx});
    if (h->packed == NULL)
        return members_scan(&h->members, cursor, count, visit, ctx);
    for (size_t at = 0, next; at < h->packed->used; at = next) {
        visit(ctx, h->packed->data + at);
        packed_get(h->packed, at, &next);
        packed_get(h->packed, next, &next);
    }
    return 0;
}
