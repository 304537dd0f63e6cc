/* chain.h - bytes to be written to a file, and blobs between them that are written from where they are, so that a large
 * value is never copied under a lock. Private to persist.
 *
 *     bytes   [....................|.........|............]
 *     pieces          blob 0 at 20 ^         ^ blob 1 at 29
 *
 * The bytes of a chain that is long begin a page of memory (unless memory is short), and those that count may begin further
 * on (`lead`): so they can lie in their pages as in the blocks of a file. One owner. What does not fit into memory sets
 * `failed`, and nothing more is added. */
#ifndef FLASHKV_PERSIST_CHAIN_H
#define FLASHKV_PERSIST_CHAIN_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>

struct chain_piece {
    size_t at; /* goes after this many of the bytes */
    struct blob *blob;
};

struct chain {
    struct buf bytes;
    struct chain_piece *pieces;
    size_t piece_count, piece_cap;
    size_t blob_bytes;
    size_t lead; /* of the bytes, those that do not count, before all others */
    bool failed;
};

/* An empty chain that allocates nothing yet. */
static inline struct chain chain_make(void) {
    return (struct chain){.bytes = {.max = SIZE_MAX}};
}
static inline size_t chain_len(const struct chain *c) {
    return c->bytes.len - c->lead + c->blob_bytes;
}

/* Makes room for `extra` bytes more. False: no memory, and nothing changed. */
enum { CHAIN_ALIGNMENT = 4096, CHAIN_LONG = 64 * 1024 };
bool chain_grow(struct chain *c, size_t extra);

/* Room for `len` bytes more, to be written there at once. NULL: failed. (In the header, as every change that is logged
 * comes here several times.) */
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
/* The bytes of a blob: by a reference of its own, or copied when that costs less. */
enum { CHAIN_COPIED_MAX = 16 * 1024 };
static inline bool chain_copies(size_t len) {
    return len <= CHAIN_COPIED_MAX;
}
void chain_add_blob(struct chain *c, struct blob *b);
/* All of `from`, which is then empty. */
void chain_add_chain(struct chain *c, struct chain *from);

/* The first byte of an empty chain shall be `lead` bytes behind the beginning of a page, if it has so much room. */
void chain_set_lead(struct chain *c, size_t lead);
/* Forgets what is there (and drops the references), keeps up to `keep` bytes of room. */
void chain_clear(struct chain *c, size_t keep);
void chain_free(struct chain *c);

/* The parts in order: begin with a zeroed walk. False: that was all. */
struct chain_walk {
    size_t at, piece;
    bool blob_next;
};
bool chain_next(const struct chain *c, struct chain_walk *w, struct slice *part);

#endif
