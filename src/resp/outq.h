/* outq.h - what is to be sent: bytes, and blobs between them that are sent from where they are. Private to resp.
 *
 *     bytes   [....................|.........|............]
 *     pieces          blob 0 at 20 ^         ^ blob 1 at 29
 *
 * Ceiling: `max` bytes waiting, what is in blobs included; but one blob of any size fits if it is the one to pass it,
 * so that a value larger than the ceiling can be read at all. One owner. */
#ifndef FLASHKV_RESP_OUTQ_H
#define FLASHKV_RESP_OUTQ_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/hints.h>
#include <flashkv/tls.h>

struct piece {
    size_t at; /* goes out after this many of the bytes */
    struct blob *blob;
};

struct outq {
    struct buf bytes;
    size_t sent; /* of the bytes */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    size_t next_piece; /* the first not wholly sent */
    size_t piece_sent; /* of that one */
    size_t blob_bytes; /* of all blobs, not yet sent */
    bool overflow;     /* something did not fit: what is there is not to be sent */
};

void outq_init(struct outq *q, size_t max);
void outq_free(struct outq *q);
/* Forgets what waits, keeps the room. */
void outq_clear(struct outq *q);
/* Bytes that wait. */
static inline size_t outq_size(const struct outq *q) {
    return q->bytes.len - q->sent + q->blob_bytes;
}

/* Room for `len` bytes more, to be written at the pointer returned and told by outq_added. NULL: overflow. */
COLD bool outq_grow(struct outq *q, size_t len);
static inline char *outq_room(struct outq *q, size_t len) {
    if (len <= q->bytes.cap - q->bytes.len || outq_grow(q, len))
        return q->bytes.data + q->bytes.len;
    q->overflow = true;
    return NULL;
}
static inline void outq_added(struct outq *q, const char *end) {
    q->bytes.len = (size_t)(end - q->bytes.data);
}
/* Takes a reference of its own. */
void outq_add_blob(struct outq *q, struct blob *b);

enum send_result { SEND_ALL, SEND_BLOCKED, SEND_FAILED };
/* Sends what the socket takes; *sent is added to. After SEND_ALL the queue is empty. */
enum send_result outq_send(struct outq *q, int fd, uint64_t *sent);
/* The same over TLS, and a bounded part of it: after SEND_BLOCKED the socket may take more at once. */
enum send_result outq_send_tls(struct outq *q, struct tls_conn *tls, uint64_t *sent);
/* What waits, in one piece; one reference, the caller's. NULL: no memory. */
struct blob *outq_copy(const struct outq *q);
/* Moves what waits, and the room it takes, to `to`, uninitialised so far; `q` is as new. */
void outq_move(struct outq *q, struct outq *to);

#endif
