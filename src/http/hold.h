/* hold.h - responses that wait for the disk: with --fsync always, none leaves before what it tells of is durable. The
 * request is suspended meanwhile, and woken when the journal has come so far. Private to http. */
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
    bool listens GUARDED_BY(hold_list_role); /* to the journal */
};

void hold_list_init(struct hold_list *l);
/* No request is in it any more. */
void hold_list_destroy(struct hold_list *l, struct server *srv);

/* Notes up to where the log has to be durable before the request's response leaves. */
static inline void hold_until(struct request *r, uint64_t reach) {
    if (reach > r->reach)
        r->reach = reach;
}
/* Must the response wait? */
bool hold_needed_for(const struct request *r);
static inline bool hold_needed(const struct request *r) {
    return r->reach != 0 && hold_needed_for(r);
}
/* Takes the response over; what a handler returns, as it returns MHD_queue_response. */
COLD enum MHD_Result hold_response(struct request *r, unsigned status, struct MHD_Response *response);
/* Called again: queues the response that was held, or waits on. */
COLD enum MHD_Result hold_again(struct request *r);
/* The request ends. */
void hold_drop(struct request *r);

#endif
