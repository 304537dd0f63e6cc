/* hold.h - responses that wait for the disk: with --fsync always, a response is sent only when the changes that it reports are
 * durable. Meanwhile the request is suspended; the journal's progress wakes it. Private to http. */
#ifndef FLASHKV_HTTP_HOLD_H
#define FLASHKV_HTTP_HOLD_H

#include <flashkv/hints.h>
#include <flashkv/lock.h>

#include "request.h"

/* The role of hold_list.mutex (flashkv/thread_safety.h). */
extern struct mutex hold_list_role;

struct hold_list {
    struct mutex mutex;
    struct request *head GUARDED_BY(hold_list_role);
    bool listens GUARDED_BY(hold_list_role); /* the journal's callback is registered */
};

void hold_list_init(struct hold_list *l);
/* The list is empty by then. */
void hold_list_destroy(struct hold_list *l, struct server *srv);

/* Records the log position that must be durable before the request's response is sent. */
static inline void hold_until(struct request *r, uint64_t reach) {
    if (reach > r->reach)
        r->reach = reach;
}
/* Does the response have to wait? */
bool hold_needed_for(const struct request *r);
static inline bool hold_needed(const struct request *r) {
    return r->reach != 0 && hold_needed_for(r);
}
/* Takes ownership of the response and waits. Returns what the handler must return, in place of MHD_queue_response's result. */
COLD enum MHD_Result hold_response(struct request *r, unsigned status, struct MHD_Response *response);
/* Called when the handler is called again: queues the held response, or continues to wait. */
COLD enum MHD_Result hold_again(struct request *r);
/* Called at the end of the request: drops the held response, if any. */
void hold_drop(struct request *r);

#endif
