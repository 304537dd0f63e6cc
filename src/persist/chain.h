/* chain.h - bytes to be written to a file, with blobs between them that are written without being copied, so that a large
 * value is never copied under a lock. Private to persist.
 *
 *     bytes   [....................|.........|............]
 *     pieces          blob 0 at 20 ^         ^ blob 1 at 29
 *
 * The buffer of a long chain is page-aligned (unless memory is short), and its content may begin at an offset (`lead`), so that
 * it is aligned in memory as in the blocks of the file. Not thread-safe: one owner. Running out of memory sets
 * `failed`, and nothing more is added. */
#ifndef FLASHKV_PERSIST_CHAIN_H
#define FLASHKV_PERSIST_CHAIN_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>

struct chain_piece {
    size_t at; /* written after this many of the bytes */
    struct blob *blob;
};

struct chain {
    struct buf bytes;
    struct chain_piece *pieces;
    size_t piece_count, piece_cap;
    size_t blob_bytes;
    size_t lead; /* unused bytes at the start of the buffer */
    bool failed;
};

/* An empty chain that allocates nothing yet. */
static inline struct chain chain_make(void) {
    return (struct chain){.bytes = {.max = SIZE_MAX}};
}
static inline size_t chain_len(const struct chain *c) {
    return c->bytes.len - c->lead + c->blob_bytes;
}

/* Makes room for `extra` more bytes. False, nothing changed: no memory. */
enum { CHAIN_ALIGNMENT = 4096, CHAIN_LONG = 64 * 1024 };
bool chain_grow(struct chain *c, size_t extra);

/* Makes room for `len` more bytes, to be written at the returned pointer. NULL: failed. Inline, since every logged change
 * calls it several times. */
static inline char *chain_room(struct chain *c, size_t len) {
    char *at;

    if (c->failed || (len > c->bytes.cap - c->bytes.len && !chain_grow(c, len))) {
        c->failed = true;
        return NULL;
    }
    at = c->bytes.data + c->bytes.len;
    c->bytes.len += len;
    return at;
}
static inline void chain_add(struct chain *c, struct slice s) {
    char *to = chain_room(c, s.len);

    if (to != NULL && s.len > 0)
        memcpy(to, s.ptr, s.len);
}
/* Appends the bytes of a blob: by a reference of its own, or copied when that costs less. */
enum { CHAIN_COPIED_MAX = 16 * 1024 };
static inline bool chain_copies(size_t len) {
    return len <= CHAIN_COPIED_MAX;
}
void chain_add_blob(struct chain *c, struct blob *b);
/* Appends all of `from`, which is then empty. */
void chain_add_chain(struct chain *c, struct chain *from);

/* Sets the offset from a page boundary at which the content of an empty chain begins, if its buffer is large enough. */
void chain_set_lead(struct chain *c, size_t lead);
/* Empties the chain, dropping its references; keeps up to `keep` bytes of the buffer. */
void chain_clear(struct chain *c, size_t keep);
void chain_free(struct chain *c);

/* Iterates over the parts in order; begins with a zeroed walk. False: the end. */
struct chain_walk {
    size_t at, piece;
    bool blob_next;
};
bool chain_next(const struct chain *c, struct chain_walk *w, struct slice *part);

#endif
