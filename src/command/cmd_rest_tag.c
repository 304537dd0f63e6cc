/* cmd_rest_tag.c - entity tags of collections, for the REST front: a private row.
 *
 *     rest.tag    key             16 hex digits, or null
 *     rest.tag    key "exists"    [the same, 1 or 0]
 *
 * A digest of the elements, as rest.read's etag is of a string: of a list in their order, of other collections in none. The
 * tag of a collection of more than TAG_BYTES_MAX would take too long for a held lock: it has none, and neither has a
 * string here. */
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
