/* inbox.h - deliveries of other threads to a connection: bytes for its client, or its end. Private to resp.
 *
 *     any thread     inbox_put: adds a parcel to the connection's mail and the connection to the loop's post, and wakes the
 *                    loop, once for all deliveries before it reads them
 *     the loop       loop_deliver, at the end of each turn: conn_deliver for each connection in the post
 *
 * Ceiling: mail holds at most max_output_bytes, as the output does; exceeding it ends the connection.
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
    bool listed;              /* is in the post */
    bool lost;                /* a parcel exceeded the ceiling, or there was no memory for it */
    bool close;               /* DELIVER_CLOSE */
    bool wake;                /* DELIVER_WAKE, not acted on yet */
};

/* The connections that have mail, in order of arrival. */
struct post {
    struct conn *first, *last;
    size_t count;
};

/* A delivery, from any thread (session.h). */
void inbox_put(struct conn *c, struct blob *bytes, enum delivery what);
/* The same for the parts of a reply, with nothing between them. */
void inbox_put_parts(struct conn *c, struct blob *const *parts, size_t count);
/* In the loop's thread: appends the mail to `to`; if it does not fit, to->overflow is set. True: the reply that a
 * blocked command waits for is among it. */
bool inbox_pour(struct conn *c, struct outq *to);
/* In the loop's thread: did a delivery not fit (*lost)? Is the connection to be closed (*close)? */
void inbox_verdict(const struct conn *c, bool *lost, bool *close);
/* In the loop's thread: was there a DELIVER_WAKE since the last call? */
bool inbox_woken(struct conn *c);
/* Frees the mail of a connection that ends; nothing can be delivered to it any more. */
void inbox_drop(struct conn *c);

#endif
