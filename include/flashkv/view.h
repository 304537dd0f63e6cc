/* view.h - a large collection as it is at one moment, read a piece at a time while others change it.
 *
 *     shard held:   view_begin        the moment
 *     again, later: view_next ...     each visits some elements as they were at that moment, until VIEW_THROUGH
 *     not held:     view_end
 *
 * Each element that was there at the beginning is given once, those of a list in order. Writers go on meanwhile: before an
 * element changes that has not been given, it is kept for the view. So nothing is copied but what changes, no lock is held
 * for longer than a piece takes (some 1000 elements, or 256 KiB; one element of a list, whatever its size), and the cost to
 * writers is a copy of each element, or chunk of a list, that they change for the first time.
 *
 * A collection that leaves its key meanwhile (DEL, SET, RENAME, FLUSHALL, eviction) is lost to its view. A collection has one
 * view at most. Layer: store. */
#ifndef FLASHKV_VIEW_H
#define FLASHKV_VIEW_H

#include <flashkv/store.h>

struct view;

/* Is there so much of the value that it is worth a view? Strings and compact encodings never are. */
bool view_is_worth(const struct entry *e);
/* The transaction holds the entry's shard, shared or exclusively. NULL: no memory. */
struct view *view_begin(struct txn *t, unsigned shard, const struct entry *e);

struct view_item {
    struct slice name;  /* an element of a list, a member, a field */
    struct slice value; /* of a field; of a member of a sorted set, its score, a double; else empty */
    struct blob *blob;  /* that `value` is in, to be held with blob_ref; or NULL */
    int64_t expire_at;  /* of a field */
};
/* An item is valid for the length of the call. */
typedef void view_visit(void *ctx, const struct view_item *item);

enum view_state {
    VIEW_MORE,
    VIEW_THROUGH,   /* all was given */
    VIEW_LOST,      /* the collection is no longer what its key holds */
    VIEW_NO_MEMORY, /* to keep what changed */
};
/* The transaction holds the shard. */
enum view_state view_next(struct txn *t, struct view *v, view_visit *visit, void *ctx);
/* Lets the collection go, in whatever state the view is. The thread holds no shard. */
void view_end(struct view *v);

#endif
