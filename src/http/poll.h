/* poll.h - long polls: a GET whose response waits until its key changes. Private to http.
 *
 *     handler: read the key; not what is awaited -> poll_wait: POLL_LOOK_AGAIN   the key is watched from now on
 *              read it again; still not          -> poll_wait: POLL_WAITS        the request is suspended, without a thread
 *              called again: it changed, or the time is up: read it again ...
 *
 * The key's own watch (rest_watch_begin) wakes it, so that a change wakes only the requests that wait for this key. There can be
 * as many as connections. */
#ifndef FLASHKV_HTTP_POLL_H
#define FLASHKV_HTTP_POLL_H

#include <flashkv/hints.h>

#include "request.h"

enum { POLL_MS_MAX = 300000 };

struct poll;

enum poll_outcome {
    POLL_LOOK_AGAIN, /* the key may have changed before the watch began */
    POLL_WAITS,      /* suspended: the handler returns MHD_YES, and is called again */
    POLL_OVER,       /* the time is up, or no memory to wait: respond with the present state */
};
COLD enum poll_outcome poll_wait(struct request *r, struct slice key, int64_t ms);
/* Ends the watch, before the request is answered or when it ends: it is not woken any more. Does nothing without one. */
COLD void poll_end(struct request *r);

/* Parses "30s", "500ms", or seconds: from 0 to POLL_MS_MAX. False: another text, or out of range. */
bool poll_time(struct slice text, int64_t *ms);

#endif
