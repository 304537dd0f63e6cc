/* view.h - a consistent view of a large collection, read a piece at a time while writers change it (copy on write).
 *
 *     shard held:        view_begin       the instant of the view
 *     held again, later: view_next ...    each visits some elements as they were at that instant, until VIEW_THROUGH
 *     not held:          view_end
 *
 * Each element that existed at that instant is visited once, those of a list in order. Before a writer changes an element that
 * has not been visited, it is copied to the view. So only what changes is copied, a lock is held no
 * longer than one piece takes (some 1000 elements, or 256 KiB; one element of a list, whatever its size), and the cost to
 * writers is a copy of each element, or chunk of a list, that they change for the first time.
 *
 * A collection that leaves its key meanwhile (DEL, SET, RENAME, FLUSHALL, eviction) is lost to its view. A collection has at
 * most one view. Layer: store. */
#ifndef FLASHKV_VIEW_H
#define FLASHKV_VIEW_H

#include <flashkv/store.h>

struct view;

/* Is the value large enough to be worth a view? Strings and compact encodings never are. */
bool view_is_worth(const struct entry *e);
/* The transaction holds the entry's shard, shared or exclusively. NULL: no memory. */
struct view *view_begin(struct txn *t, unsigned shard, const struct entry *e);

struct view_item {
    struct slice name;  /* the element of a list, the member, or the field */
    struct slice value; /* of a field; of a member of a sorted set its score, a double; else empty */
    struct blob *blob;  /* the blob that holds `value`, to be kept with blob_ref; or NULL */
    int64_t expire_at;  /* of a field */
};
/* An item is valid for the length of the call. */
typedef void view_visit(void *ctx, const struct view_item *item);

enum view_state {
    VIEW_MORE,
    VIEW_THROUGH,   /* all elements were visited */
    VIEW_LOST,      /* the collection has left its key */
    VIEW_NO_MEMORY, /* an element that changed could not be copied */
};
/* The transaction holds the shard. */
enum view_state view_next(struct txn *t, struct view *v, view_visit *visit, void *ctx);
/* Ends the view, in whatever state it is, and frees it. The thread holds no shard. */
void view_end(struct view *v);

#endif
