/* outq.c - queueing and sending of output. */
#include "outq.h"

#include <errno.h>
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    IOV_COUNT = 64,
    PIECES_FIRST = 8,
    KEEP_BYTES = 512 * 1024,
    TURN_RECORDS = 64, /* TLS records per turn, since others wait */
};

void outq_init(struct outq *q, size_t max) {
    *q = (struct outq){.bytes = buf_make(max)};
}

HOT void outq_clear(struct outq *q) {
    for (size_t i = q->next_piece; i < q->piece_count; i++)
        blob_unref(q->pieces[i].blob);
    q->piece_count = q->next_piece = q->piece_sent = q->blob_bytes = 0;
    q->bytes.len = q->sent = 0;
    q->overflow = false;
    if (q->bytes.cap > KEEP_BYTES) /* a large reply does not keep its buffer for ever */
        buf_free(&q->bytes);
}

void outq_free(struct outq *q) {
    outq_clear(q);
    buf_free(&q->bytes);
    mem_free(q->pieces);
    outq_init(q, q->bytes.max);
}

/* Replies are allocated outside the reserve (mem.h). */
bool outq_grow(struct outq *q, size_t len) {
    bool paused = mem_reserve_pause(true), grown = buf_grow(&q->bytes, len);

    mem_reserve_pause(paused);
    return grown;
}

static COLD bool grow_pieces(struct outq *q) {
    bool paused = mem_reserve_pause(true);
    bool grown = mem_room(q->pieces, q->piece_count, q->piece_cap, PIECES_FIRST);

    mem_reserve_pause(paused);
    return grown;
}

void outq_add_blob(struct outq *q, struct blob *b) {
    if (b->len == 0)
        return;
    if (outq_size(q) >= q->bytes.max || (q->piece_count == q->piece_cap && !grow_pieces(q))) {
        q->overflow = true;
        return;
    }
    q->pieces[q->piece_count++] = (struct piece){q->bytes.len, blob_ref(b)};
    q->blob_bytes += b->len;
}

/* Fills an iovec with the next parts of the queue; returns how many. */
static size_t outq_iov(const struct outq *q, struct iovec *iov) {
    size_t n = 0, at = q->sent, done = q->piece_sent, i;

    for (i = q->next_piece; i < q->piece_count && n + 2 <= IOV_COUNT; i++, done = 0) {
        const struct piece *p = &q->pieces[i];

        if (p->at > at)
            iov[n++] = (struct iovec){q->bytes.data + at, p->at - at};
        at = p->at;
        iov[n++] = (struct iovec){p->blob->data + done, p->blob->len - done};
    }
    if (i == q->piece_count && n < IOV_COUNT && at < q->bytes.len)
        iov[n++] = (struct iovec){q->bytes.data + at, q->bytes.len - at};
    return n;
}

/* Records `n` more bytes as sent, up to the last blob; returns how many are after that. */
static NOINLINE size_t advance_pieces(struct outq *q, size_t n) {
    while (q->next_piece < q->piece_count) {
        struct piece *p = &q->pieces[q->next_piece];
        size_t before = p->at - q->sent, rest = p->blob->len - q->piece_sent;

        if (n < before)
            break;
        q->sent = p->at;
        n -= before;
        if (n < rest) {
            q->piece_sent += n;
            q->blob_bytes -= n;
            return 0;
        }
        n -= rest;
        q->blob_bytes -= rest;
        q->piece_sent = 0;
        q->next_piece++;
        blob_unref(p->blob);
    }
    return n;
}

/* Records `n` more bytes as sent. */
static inline void outq_advance(struct outq *q, size_t n) {
    if (q->piece_count > 0)
        n = advance_pieces(q, n);
    q->sent += n;
}

/* Drops the sent bytes once they are half of the buffer, so that a queue which is never empty stays bounded. */
static void outq_compact(struct outq *q) {
    size_t left = q->piece_count - q->next_piece;

    if (q->sent < q->bytes.len / 2)
        return;
    for (size_t i = 0; i < left; i++) {
        q->pieces[i] = q->pieces[q->next_piece + i];
        q->pieces[i].at -= q->sent;
    }
    q->piece_count = left;
    q->next_piece = 0;
    buf_consume(&q->bytes, q->sent);
    q->sent = 0;
}

static NOINLINE ssize_t send_pieces(const struct outq *q, int fd, size_t *asked) {
    struct iovec iov[IOV_COUNT];
    struct msghdr msg = {.msg_iov = iov};

    msg.msg_iovlen = outq_iov(q, iov);
    *asked = 0;
    for (size_t i = 0; i < msg.msg_iovlen; i++)
        *asked += iov[i].iov_len;
    return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

/* One sendmsg; sets *asked to the number of bytes that were offered. */
static inline ssize_t send_next(const struct outq *q, int fd, size_t *asked) {
    if (q->piece_count > 0)
        return send_pieces(q, fd, asked);
    *asked = q->bytes.len - q->sent;
    return net_send(fd, q->bytes.data + q->sent, *asked);
}

HOT enum send_result outq_send(struct outq *q, int fd, uint64_t *sent) {
    while (outq_size(q) > 0) {
        size_t asked;
        ssize_t n = send_next(q, fd, &asked);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return SEND_FAILED;
        if (n > 0) {
            *sent += (uint64_t)n;
            outq_advance(q, (size_t)n);
        }
        if (n < (ssize_t)asked) { /* full: retrying at once would let a fast reader monopolise the thread */
            outq_compact(q);
            return SEND_BLOCKED;
        }
    }
    outq_clear(q);
    return SEND_ALL;
}

/* The content of the next TLS record: in place, if the next part is long enough, else gathered in `room`. */
static struct slice next_record(const struct outq *q, char room[TLS_RECORD]) {
    struct iovec iov[IOV_COUNT];
    size_t n = outq_iov(q, iov), len = 0;

    if (n == 1 || iov[0].iov_len >= TLS_RECORD)
        return slice_of(iov[0].iov_base, iov[0].iov_len);
    for (size_t i = 0; i < n && len < TLS_RECORD; i++) {
        size_t more = iov[i].iov_len < TLS_RECORD - len ? iov[i].iov_len : TLS_RECORD - len;

        memcpy(room + len, iov[i].iov_base, more);
        len += more;
    }
    return slice_of(room, len);
}

enum send_result outq_send_tls(struct outq *q, struct tls_conn *tls, uint64_t *sent) {
    char room[TLS_RECORD];

    for (int i = 0; outq_size(q) > 0; i++) {
        struct slice record = next_record(q, room);
        ssize_t n = i < TURN_RECORDS ? tls_send(tls, record.ptr, record.len) : -1;

        if (n < 0 && i < TURN_RECORDS && errno != EAGAIN)
            return SEND_FAILED;
        if (n < 0) {
            outq_compact(q);
            return SEND_BLOCKED;
        }
        *sent += (uint64_t)n;
        outq_advance(q, (size_t)n);
    }
    outq_clear(q);
    return SEND_ALL;
}

void outq_move(struct outq *q, struct outq *to) {
    outq_compact(q);
    buf_trim(&q->bytes);
    *to = *q;
    outq_init(q, q->bytes.max);
}

struct blob *outq_copy(const struct outq *q) {
    struct blob *b = blob_new(outq_size(q), outq_size(q));
    size_t from = q->sent, done = q->piece_sent;
    char *to = b != NULL ? b->data : NULL;

    if (b == NULL)
        return NULL;
    for (size_t i = q->next_piece; i < q->piece_count; i++, done = 0) {
        const struct piece *p = &q->pieces[i];

        to = (char *)mempcpy(to, q->bytes.data + from, p->at - from);
        to = (char *)mempcpy(to, p->blob->data + done, p->blob->len - done);
        from = p->at;
    }
    if (q->bytes.len > from)
        memcpy(to, q->bytes.data + from, q->bytes.len - from);
    return b;
}
