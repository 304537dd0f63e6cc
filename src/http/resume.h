/* resume.h - suspended connections that wait to go on: any thread puts them in, their own takes out some at a turn. Private
 * to http.
 *
 * What wakes many at once, a message to a thousand subscribers, must not make everybody else on the thread wait until the
 * last of them has been served.
 *
 * Requests and streams wait in a queue each, so that a request does not wait for all the streams before it. Both are first
 * in, first out: a stream that is woken again is behind the others.
 * Putting one in is a compare-and-swap: it may be done under any lock, and nobody waits for a thread that was stopped in
 * its midst. */
#ifndef FLASHKV_HTTP_RESUME_H
#define FLASHKV_HTTP_RESUME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

enum resume_kind { RESUME_REQUEST, RESUME_STREAM, RESUME_KINDS };

/* Part of what is suspended, and to stay until it is taken out; in the queue once at a time. */
struct resumption {
    struct resumption *next;
    struct MHD_Connection *connection;
    enum resume_kind kind;
};

struct resume_queue {
    struct resumption *_Atomic came; /* the last first; by any thread */
    struct {
        struct resumption *first, **end;
    } waiting[RESUME_KINDS]; /* of the thread that takes them out, as all below */
};

void resume_init(struct resume_queue *q);
/* Any thread. What it did before happens before resume_next gives `r`. */
void resume_add(struct resume_queue *q, struct resumption *r);

/* Is there any? */
bool resume_waits(const struct resume_queue *q);
/* Takes the next of a kind out; NULL: there is none. */
struct resumption *resume_next(struct resume_queue *q, enum resume_kind kind);

#endif
