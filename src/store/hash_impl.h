/* hash_impl.h - what the files of the hash share. Private to them.
 *
 * A hash without expiring fields pays one NULL pointer for the feature. Others also keep the entries that have an expiry
 * in a second table, as a shard does with its keys: only that table is swept. */
#ifndef FLASHKV_STORE_HASH_IMPL_H
#define FLASHKV_STORE_HASH_IMPL_H

#include <flashkv/hash.h>

#include "members.h"
#include "packed.h"

struct field_expiry {
    struct table fields; /* entries of `members` */
    int64_t floor,
        floor_next; /* no field expires before `floor`; each pass of the sweep computes the next floor */
    int64_t latest; /* no field expires after this */
    uint64_t sweep_from;
};

struct hash {
    struct object object;
    uint32_t packed_fields; /* number of fields in `packed` */
    struct packed *packed;  /* field, value, field, value ...; NULL: the fields are in `members` */
    struct members members;
    struct field_expiry *expiry; /* NULL: no field has one */
};

/* Converts to a table. False, nothing changed: no memory. */
bool hash_unpack(struct hash *h);
/* Frees the table of expiries. */
void hash_expiry_free(struct hash *h);
/* Gives the copy's fields the expiries of the original's. False: no memory. */
bool hash_expiry_copy(const struct hash *h, struct hash *copy);
/* Sets a field of a hash that has expiring fields. */
enum hash_result hash_put_volatile(struct hash *h, struct slice field, struct slice value, int64_t now,
                                   bool keep);
/* Removes a field, also of such a hash. False: there was no live one. */
bool hash_take_member(struct hash *h, struct slice field, int64_t now);
/* What hash_need adds for the expiries. */
size_t hash_expiry_need(const struct hash *h, const struct edits *e);
hash_place hash_random_live(const struct hash *h, int64_t now);
/* Could some field have expired at `now`? */
static inline bool hash_has_due(const struct hash *h, int64_t now) {
    return h->expiry != NULL && h->expiry->floor <= now;
}

#endif
