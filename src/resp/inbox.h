/* inbox.h - what other threads have for a connection: bytes for its client, or its end. Private to resp.
 *
 *     any thread     inbox_put: a parcel into the connection's mail, the connection into the loop's post, and the loop
 *                    is woken, once for all that comes before it looks
 *     the loop       loop_deliver, at the end of each turn: conn_deliver for each connection in the post
 *
 * Ceiling: mail holds no more than max_output_bytes, as output does; what does not fit is the connection's end.
 * Everything here is guarded by the loop's mutex, which is a leaf: a producer may hold any other lock. */
#ifndef FLASHKV_RESP_INBOX_H
#define FLASHKV_RESP_INBOX_H

#include "outq.h"
#include <flashkv/session.h>

struct conn;
struct loop;

struct parcel {
    struct blob *bytes; /* a reference */
    bool is_reply;      /* DELIVER_REPLY */
};

struct mail {
    size_t bytes;
    uint32_t count, cap;
    struct parcel parcels[];
};

struct inbox {
    struct mail *mail;        /* NULL: none */
    struct conn *prev, *next; /* in the loop's post */
    bool listed;              /* there */
    bool lost;                /* there was no room for a parcel */
    bool close;               /* DELIVER_CLOSE */
    bool wake;                /* DELIVER_WAKE, not acted on yet */
};

/* The connections that have mail, in the order it came. */
struct post {
    struct conn *first, *last;
    size_t count;
};

/* A delivery, from any thread (session.h). */
void inbox_put(struct conn *c, struct blob *bytes, enum delivery what);
/* The same of the parts of a reply, with nothing between them. */
void inbox_put_parts(struct conn *c, struct blob *const *parts, size_t count);
/* In the loop's thread: puts the mail behind what is in `to`, whose overflow tells if it fits. True: the reply that a
 * blocked command waits for is among it. */
bool inbox_pour(struct conn *c, struct outq *to);
/* In the loop's thread: what is to become of the connection. */
void inbox_verdict(const struct conn *c, bool *lost, bool *close);
/* In the loop's thread: was there a DELIVER_WAKE since it last asked? */
bool inbox_woken(struct conn *c);
/* The connection ends: nobody can deliver to it any more. */
void inbox_drop(struct conn *c);

#endif
