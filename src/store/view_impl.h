/* view_impl.h - what writers do for a view (flashkv/view.h). Private to the store.
 *
 * hash, set, sorted set: the view walks the table by points. A member whose point it has not come to is copied to the view
 *     before it changes or goes, and what stands there then is marked, by the view's number in the entry's stamp (which
 *     members have no other use for), not to be given a second time; so is a member that is new.
 *
 *         points   0 ......... next ............................. 2^64
 *                  given, free |  as it was, or marked (and kept)
 *
 * list: the view has an array of the chunks as they were, in order. A chunk that has not been given is copied to the view
 *     before it changes, or handed over when it goes.
 *
 *         chunks   | given | given | the list's | kept: the view's own | the list's | ...
 *
 * Writers hold the shard exclusively, who reads the view holds it shared: they never meet. */
#ifndef FLASHKV_STORE_VIEW_IMPL_H
#define FLASHKV_STORE_VIEW_IMPL_H

#include <flashkv/blob.h>
#include <flashkv/hints.h>
#include <flashkv/view.h>

struct packed;
struct list;

/* Who views a collection that is about to change; mostly NULL, nobody. */
static inline struct view *object_view(const struct object *o) {
    return UNLIKELY(o->viewed) ? o->view : NULL;
}

/* Before a member's bytes or expiry change, or it goes. */
void view_changes(struct view *v, uint64_t hash, struct entry *e);
/* An entry that is new, or replaces another that view_changes was told of. */
void view_added(struct view *v, uint64_t hash, struct entry *e);

/* Before a chunk's bytes change; it may move. */
void view_keeps_chunk(struct view *v, struct packed *chunk);
/* When a chunk has left the list. False: the view has no use for it. */
bool view_takes_chunk(struct view *v, struct packed *chunk);

/* The collection leaves its key: it is deleted, replaced, or moved. */
void view_lose(struct object *o);
/* All that are viewed in a shard do. */
void view_lose_all(struct view *first);

struct viewed_chunk {
    struct packed *chunk;
    bool kept; /* the view's own */
};
/* Fills an array of the list's chunks, and marks them; NULL: only their number. */
size_t list_chunks(const struct list *l, struct viewed_chunk *chunks);

#endif
