/* outq.h - an output queue: bytes, with blobs between them that are sent without being copied. Private to resp.
 *
 *     bytes   [....................|.........|............]
 *     pieces          blob 0 at 20 ^         ^ blob 1 at 29
 *
 * Ceiling: `max` unsent bytes, including blobs; but the blob that exceeds it may be of any size, so that a value larger than
 * the ceiling can be read at all. Not thread-safe: one owner. */
#ifndef FLASHKV_RESP_OUTQ_H
#define FLASHKV_RESP_OUTQ_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>
#include <flashkv/hints.h>
#include <flashkv/tls.h>

struct piece {
    size_t at; /* sent after this many of the bytes */
    struct blob *blob;
};

struct outq {
    struct buf bytes;
    size_t sent; /* of the bytes */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    size_t next_piece; /* the first piece that is not wholly sent */
    size_t piece_sent; /* bytes sent of that one */
    size_t blob_bytes; /* unsent bytes of all blobs */
    bool overflow;     /* something did not fit: the queue must not be sent */
};

void outq_init(struct outq *q, size_t max);
void outq_free(struct outq *q);
/* Drops the queued output, keeps the buffer. */
void outq_clear(struct outq *q);
/* Unsent bytes. */
static inline size_t outq_size(const struct outq *q) {
    return q->bytes.len - q->sent + q->blob_bytes;
}

/* Reserves `len` bytes, to be written at the returned pointer and committed by outq_added. NULL: overflow. */
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
/* Sends as much as the socket takes, and adds that to *sent. After SEND_ALL the queue is empty. */
enum send_result outq_send(struct outq *q, int fd, uint64_t *sent);
/* The same over TLS, a bounded number of records: after SEND_BLOCKED the socket may still be writable. */
enum send_result outq_send_tls(struct outq *q, struct tls_conn *tls, uint64_t *sent);
/* The queued output as one blob; one reference, the caller's. NULL: no memory. */
struct blob *outq_copy(const struct outq *q);
/* Moves the queued output and its buffer to `to`, which is uninitialised; `q` is empty afterwards. */
void outq_move(struct outq *q, struct outq *to);

#endif
