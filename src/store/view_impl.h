/* view_impl.h - what writers do for a view (flashkv/view.h). Private to the store.
 *
 * hash, set, sorted set: the view walks the table by points. A member that it has not visited yet is copied to the view
 *     before it changes or is removed, and the changed member is marked, by the view's number in the entry's access stamp
 *     (which members do not use otherwise), so that it is not visited a second time; so is a new member.
 *
 *         points   0 ......... next ............................. 2^64
 *                  visited     |  unchanged, or marked (and copied if it existed)
 *
 * list: the view has an array of the chunks at its beginning, in order. A chunk that has not been visited is copied to the view
 *     before it changes, or handed over to it when the list drops it.
 *
 *         chunks   | visited | visited | the list's | the view's own copy | the list's | ...
 *
 * Writers hold the shard exclusively, the reader of the view holds it shared: they never run at the same time. */
#ifndef FLASHKV_STORE_VIEW_IMPL_H
#define FLASHKV_STORE_VIEW_IMPL_H

#include <flashkv/blob.h>
#include <flashkv/hints.h>
#include <flashkv/view.h>

struct packed;
struct list;

/* The view of a collection that is about to change; mostly NULL. */
static inline struct view *object_view(const struct object *o) {
    return UNLIKELY(o->viewed) ? o->view : NULL;
}

/* To be called before a member's bytes or expiry change, or it is removed. */
void view_changes(struct view *v, uint64_t hash, struct entry *e);
/* To be called for a new entry, also for one that replaces an entry passed to view_changes. */
void view_added(struct view *v, uint64_t hash, struct entry *e);

/* To be called before a chunk's bytes change or it moves. */
void view_keeps_chunk(struct view *v, struct packed *chunk);
/* Offers a chunk that has left the list to the view, which takes ownership. False: it does not need it. */
bool view_takes_chunk(struct view *v, struct packed *chunk);

/* The collection leaves its key: it is deleted, replaced, or moved. */
void view_lose(struct object *o);
/* The same for all views of a shard. */
void view_lose_all(struct view *first);

struct viewed_chunk {
    struct packed *chunk;
    bool kept; /* owned by the view */
};
/* Fills an array with the list's chunks, and marks them; returns their number. NULL: only returns that. */
size_t list_chunks(const struct list *l, struct viewed_chunk *chunks);

#endif
