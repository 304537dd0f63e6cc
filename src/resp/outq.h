/* outq.h - what is to be sent: bytes, and blobs between them that are sent from where they are. Private to resp.
 *
 *     bytes   [....................|.........|............]
 *     pieces          blob 0 at 20 ^         ^ blob 1 at 29
 *
 * The bytes have a ceiling; a blob costs a reference. One owner. */
#ifndef FLASHKV_RESP_OUTQ_H
#define FLASHKV_RESP_OUTQ_H

#include <flashkv/blob.h>
#include <flashkv/buf.h>

struct piece {
    size_t at; /* goes out after this many of the bytes */
    struct blob *blob;
};

struct outq {
    struct buf bytes;
    struct piece *pieces;
    size_t piece_count, piece_cap;
    size_t sent;       /* of the bytes */
    size_t next_piece; /* the first not wholly sent */
    size_t piece_sent; /* of that one */
    bool overflow;     /* something did not fit: what is there is not to be sent */
};

void outq_init(struct outq *q, size_t max);
void outq_free(struct outq *q);
bool outq_empty(const struct outq *q);
/* Forgets everything but the room. */
void outq_clear(struct outq *q);
void outq_add(struct outq *q, const void *bytes, size_t len);
/* Takes a reference of its own. */
void outq_add_blob(struct outq *q, struct blob *b);

enum send_result { SEND_ALL, SEND_BLOCKED, SEND_FAILED };
/* Sends what the socket takes; *sent is added to. After SEND_ALL the queue is empty. */
enum send_result outq_send(struct outq *q, int fd, uint64_t *sent);

#endif
