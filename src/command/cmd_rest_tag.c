/* cmd_rest_tag.c - a private command for the entity tags of collections.
 *
 *     rest.tag    key             16 hex digits, or null
 *     rest.tag    key "exists"    [the same, 1 or 0]
 *
 * A digest of the elements, as rest.read's etag is of a string; the order matters only for a list. Null for a collection of
 * more than TAG_BYTES_MAX, whose digest would take too long under a lock, and for a string. */
#include <flashkv/num.h>

#include "args.h"
#include "digest.h"
#include "handlers.h"

enum { TAG_BYTES_MAX = 64 * 1024 };

void cmd_rest_tag(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    char hex[NUM_HEX64];

    if (c->argc > 2)
        reply_array(c->reply, 2);
    if (e != NULL && entry_type(e) != TYPE_STRING && entry_bytes(e) <= TAG_BYTES_MAX) {
        num_format_hex64(value_digest(e, c->txn->now_ms), hex);
        reply_bulk(c->reply, slice_of(hex, NUM_HEX64));
    } else {
        reply_null(c->reply);
    }
    if (c->argc > 2)
        reply_integer(c->reply, e != NULL);
}
