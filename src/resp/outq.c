/* outq.c - queueing and sending. */
#include "outq.h"

#include <errno.h>
#include <flashkv/mem.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { IOV_COUNT = 64, KEEP_BYTES = 256 * 1024 };

void outq_init(struct outq *q, size_t max) {
    *q = (struct outq){.bytes = buf_make(max)};
}

void outq_clear(struct outq *q) {
    for (size_t i = q->next_piece; i < q->piece_count; i++)
        blob_unref(q->pieces[i].blob);
    q->piece_count = q->next_piece = q->piece_sent = q->sent = 0;
    q->bytes.len = 0;
    q->overflow = false;
    if (q->bytes.cap > KEEP_BYTES) /* one large reply does not hold its room for ever */
        buf_free(&q->bytes);
}

void outq_free(struct outq *q) {
    outq_clear(q);
    buf_free(&q->bytes);
    mem_free(q->pieces);
    q->pieces = NULL;
    q->piece_cap = 0;
}

bool outq_empty(const struct outq *q) {
    return q->sent == q->bytes.len && q->next_piece == q->piece_count;
}

void outq_add(struct outq *q, const void *bytes, size_t len) {
    if (!buf_append(&q->bytes, bytes, len))
        q->overflow = true;
}

void outq_add_blob(struct outq *q, struct blob *b) {
    if (q->piece_count == q->piece_cap) {
        size_t cap = q->piece_cap > 0 ? 2 * q->piece_cap : 8;
        struct piece *pieces = NULL;

        if (cap * sizeof(*pieces) <= q->bytes.max)
            pieces = mem_realloc(q->pieces, cap * sizeof(*pieces));
        if (pieces == NULL) {
            q->overflow = true;
            return;
        }
        q->pieces = pieces;
        q->piece_cap = cap;
    }
    q->pieces[q->piece_count++] = (struct piece){q->bytes.len, blob_ref(b)};
}

/* The queue's next parts as an iovec; returns how many. */
static size_t outq_iov(const struct outq *q, struct iovec *iov) {
    size_t n = 0, at = q->sent, done = q->piece_sent;

    for (size_t i = q->next_piece; i < q->piece_count && n + 2 <= IOV_COUNT; i++, done = 0) {
        const struct piece *p = &q->pieces[i];

        if (p->at > at)
            iov[n++] = (struct iovec){q->bytes.data + at, p->at - at};
        at = p->at;
        iov[n++] = (struct iovec){p->blob->data + done, p->blob->len - done};
    }
    if (n < IOV_COUNT && at < q->bytes.len && (q->piece_count == 0 || at >= q->pieces[q->piece_count - 1].at))
        iov[n++] = (struct iovec){q->bytes.data + at, q->bytes.len - at};
    return n;
}

/* Notes that `n` more bytes are out. */
static void outq_advance(struct outq *q, size_t n) {
    while (n > 0) {
        bool in_bytes = q->next_piece == q->piece_count || q->sent < q->pieces[q->next_piece].at;
        size_t end = q->next_piece == q->piece_count ? q->bytes.len : q->pieces[q->next_piece].at, step;
        struct blob *b;

        if (in_bytes) {
            step = n < end - q->sent ? n : end - q->sent;
            q->sent += step;
        } else {
            b = q->pieces[q->next_piece].blob;
            step = n < b->len - q->piece_sent ? n : b->len - q->piece_sent;
            q->piece_sent += step;
            if (q->piece_sent == b->len) {
                blob_unref(b);
                q->next_piece++;
                q->piece_sent = 0;
            }
        }
        n -= step;
    }
}

enum send_result outq_send(struct outq *q, int fd, uint64_t *sent) {
    while (!outq_empty(q)) {
        struct iovec iov[IOV_COUNT];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = outq_iov(q, iov)};
        ssize_t n;

        if (msg.msg_iovlen == 1)
            n = send(fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL);
        else
            n = sendmsg(fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? SEND_BLOCKED : SEND_FAILED;
        *sent += (uint64_t)n;
        outq_advance(q, (size_t)n);
    }
    outq_clear(q);
    return SEND_ALL;
}
