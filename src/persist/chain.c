/* chain.c - chains of bytes and blobs that are written to a file. */
#include "chain.h"

#include <flashkv/mem.h>
#include <sys/mman.h>

enum { FIRST_PIECES = 8, HUGE_PAGE = 2 << 20 };

/* False, nothing changed: no memory. Uses huge pages if it fills them and the system has some: the kernel, and the
 * hypervisor of a virtual machine, have to look up and pin every page that is written from. */
static bool move_to_pages(struct buf *bytes, size_t cap) {
    bool huge = cap >= HUGE_PAGE;
    char *data = mem_aligned(huge ? HUGE_PAGE : CHAIN_ALIGNMENT, cap);

    if (data == NULL)
        return false;
    if (huge)
        madvise(data, cap / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    if (bytes->len > 0)
        memcpy(data, bytes->data, bytes->len);
    mem_free(bytes->data);
    bytes->data = data;
    bytes->cap = cap;
    return true;
}

bool chain_grow(struct chain *c, size_t extra) {
    size_t cap;

    if (!buf_next_cap(&c->bytes, extra, &cap))
        return false;
    /* As an ordinary buffer, which a reserve may serve (mem.h). */
    return (cap >= CHAIN_LONG && move_to_pages(&c->bytes, cap)) || buf_grow(&c->bytes, extra);
}

void chain_set_lead(struct chain *c, size_t lead) {
    c->lead = c->bytes.len = lead <= c->bytes.cap ? lead : 0;
}

static bool piece_room(struct chain *c) {
    return mem_room(c->pieces, c->piece_count, c->piece_cap, FIRST_PIECES);
}

void chain_add_blob(struct chain *c, struct blob *b) {
    if (chain_copies(b->len)) {
        chain_add(c, blob_slice(b));
    } else if (c->failed || !piece_room(c)) {
        c->failed = true;
    } else {
        c->pieces[c->piece_count++] = (struct chain_piece){c->bytes.len, blob_ref(b)};
        c->blob_bytes += b->len;
    }
}

void chain_add_chain(struct chain *c, struct chain *from) {
    size_t base = c->bytes.len;

    c->failed |= from->failed;
    chain_add(c, slice_of(from->bytes.data + from->lead, from->bytes.len - from->lead));
    for (size_t i = 0; i < from->piece_count && !c->failed; i++) {
        if (!piece_room(c)) {
            c->failed = true;
            break;
        }
        c->pieces[c->piece_count++] =
            (struct chain_piece){base + from->pieces[i].at - from->lead, blob_ref(from->pieces[i].blob)};
        c->blob_bytes += from->pieces[i].blob->len;
    }
    chain_clear(from, SIZE_MAX);
}

void chain_clear(struct chain *c, size_t keep) {
    for (size_t i = 0; i < c->piece_count; i++)
        blob_unref(c->pieces[i].blob);
    c->piece_count = 0;
    c->blob_bytes = 0;
    c->bytes.len = c->lead = 0;
    c->failed = false;
    if (c->bytes.cap > keep)
        buf_free(&c->bytes);
}

void chain_free(struct chain *c) {
    chain_clear(c, 0);
    mem_free(c->pieces);
    *c = chain_make();
}

bool chain_next(const struct chain *c, struct chain_walk *w, struct slice *part) {
    size_t end = w->piece < c->piece_count ? c->pieces[w->piece].at : c->bytes.len;

    w->at = w->at > c->lead ? w->at : c->lead;
    if (!w->blob_next) {
        *part = slice_of(c->bytes.data + w->at, end - w->at);
        w->at = end;
        w->blob_next = true;
        if (part->len > 0)
            return true;
    }
    if (w->piece >= c->piece_count)
        return false;
    *part = blob_slice(c->pieces[w->piece++].blob);
    w->blob_next = false;
    return true;
}
