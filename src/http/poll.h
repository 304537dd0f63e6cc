/* poll.h - long polls: a GET whose answer waits until its key changes. Private to http.
 *
 *     handler: read the key; not what is awaited -> poll_wait: POLL_LOOK_AGAIN   from now on the key is watched
 *              read it again; still not          -> poll_wait: POLL_WAITS        the request sleeps, without a thread
 *              called again: it changed, or time is up: read it again ...
 *
 * The key's own watch (rest_watch_begin) wakes it, so that a change wakes those who wait for this key and nobody else.
 * There can be as many as connections. */
#ifndef FLASHKV_HTTP_POLL_H
#define FLASHKV_HTTP_POLL_H

#include <flashkv/hints.h>

#include "request.h"

enum { POLL_MS_MAX = 300000 };

struct poll;

enum poll_outcome {
    POLL_LOOK_AGAIN, /* the key may have changed before it was watched */
    POLL_WAITS,      /* the handler returns MHD_YES, and is called again */
    POLL_OVER,       /* the time is up, or there is no memory to wait with: the answer is what is there */
};
COLD enum poll_outcome poll_wait(struct request *r, struct slice key, int64_t ms);
/* Before the request is answered, or when it ends: nobody wakes it any more. NULL is ignored. */
COLD void poll_end(struct request *r);

/* "30s", "500ms", or seconds: at most POLL_MS_MAX. */
bool poll_time(struct slice text, int64_t *ms);

#endif
