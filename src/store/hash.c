/* hash.c - fields packed while they are few and short, a table of entries after that. */
#include <flashkv/encoding.h>
#include <flashkv/entry.h>
#include <flashkv/hash.h>
#include <flashkv/mem.h>
#include <flashkv/random.h>

#include "members.h"
#include "packed.h"

struct hash {
    struct object object;
    uint32_t packed_fields; /* in `packed` */
    struct packed *packed;  /* field, value, field, value ...; NULL: they are in `members` */
    struct members members;
};

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
        ok = members_copy(&h->members, &copy->members);
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

    return mem_good_size(sizeof(*h)) + inside;
}

const char *hash_encoding(const struct hash *h) {
    return h->packed != NULL ? "listpack" : "hashtable";
}

/* ---- packed ---------------------------------------------------------------------------------------------------- */

/* The place of a field and of what follows it, its value; false: it is not there. */
static bool packed_find(const struct packed *p, struct slice field, size_t *at, size_t *value_at) {
    for (size_t i = 0, next; i < p->used; packed_get(p, next, &i))
        if (slice_eq(packed_get(p, i, &next), field)) {
            *at = i;
            *value_at = next;
            return true;
        }
    return false;
}

/* Would the hash still be small with this in it? */
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

/* Moves everything to the table. False, nothing changed: no memory. */
static bool unpack(struct hash *h) {
    struct members members;

    members_init(&members, h->members.table.secret);
    for (size_t at = 0; at < h->packed->used;) {
        struct slice field = packed_get(h->packed, at, &at), value = packed_get(h->packed, at, &at);

        if (members_put(&members, field, value) != MEMBER_ADDED) {
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

enum hash_result hash_set(struct hash *h, struct slice field, struct slice value) {
    if (h->packed != NULL) {
        size_t at, value_at = 0;
        bool found = packed_find(h->packed, field, &at, &value_at);

        if (stays_packed(h, field, value, !found))
            return packed_set(h, field, value, value_at, found);
        if (!unpack(h))
            return HASH_NO_MEMORY;
    }
    switch (members_put(&h->members, field, value)) {
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

bool hash_get(const struct hash *h, struct slice field, struct slice *value) {
    size_t at, value_at;
    const struct entry *e;

    if (h->packed != NULL) {
        if (!packed_find(h->packed, field, &at, &value_at))
            return false;
        *value = packed_get(h->packed, value_at, &at);
        return true;
    }
    e = members_find(&h->members, field);
    if (e != NULL)
        *value = entry_string(e);
    return e != NULL;
}

bool hash_remove(struct hash *h, struct slice field) {
    size_t at, end;

    if (h->packed == NULL)
        return members_remove(&h->members, field);
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

hash_place hash_random(const struct hash *h) {
    size_t at = 0;

    if (h->packed == NULL)
        return members_random(&h->members);
    for (uint64_t skip = 2 * random_below(h->packed_fields); skip > 0; skip--)
        packed_get(h->packed, at, &at);
    return h->packed->data + at;
}

uint64_t hash_scan(const struct hash *h, uint64_t cursor, size_t count, hash_visit *visit, void *ctx) {
    if (h->packed == NULL)
        return members_scan(&h->members, cursor, count, visit, ctx);
    for (size_t at = 0, next; at < h->packed->used; at = next) {
        visit(ctx, h->packed->data + at);
        packed_get(h->packed, at, &next);
        packed_get(h->packed, next, &next);
    }
    return 0;
}
