/* resume.h - a queue of suspended connections to resume: any thread adds, their worker takes out a few per turn. Private to
 * http.
 *
 * An event that wakes many at once, such as a message to a thousand subscribers, must not make all other connections of the
 * thread wait until the last of them has been served.
 *
 * Requests and streams have a queue each, so that a request does not wait for all streams ahead of it. Both are first in, first
 * out: a stream that is woken again goes to the end.
 * Adding is a compare-and-swap: it may be done under any lock, and nobody waits for a thread that was preempted in the middle
 * of it. */
#ifndef FLASHKV_HTTP_RESUME_H
#define FLASHKV_HTTP_RESUME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

enum resume_kind { RESUME_REQUEST, RESUME_STREAM, RESUME_KINDS };

/* Embedded in what is suspended; must live until resume_next returns it; in the queue at most once at a time. */
struct resumption {
    struct resumption *next;
    struct MHD_Connection *connection;
    enum resume_kind kind;
};

struct resume_queue {
    struct resumption *_Atomic came; /* a stack, the latest first; any thread */
    struct {
        struct resumption *first, **end;
    } waiting[RESUME_KINDS]; /* owned by the worker's thread, as are all functions below */
};

void resume_init(struct resume_queue *q);
/* Any thread. What it did before happens before resume_next returns `r`. */
void resume_add(struct resume_queue *q, struct resumption *r);

/* Is the queue non-empty? */
bool resume_waits(const struct resume_queue *q);
/* Removes and returns the next of a kind; NULL: none. */
struct resumption *resume_next(struct resume_queue *q, enum resume_kind kind);

#endif
