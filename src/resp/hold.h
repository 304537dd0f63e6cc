/* hold.h - replies that wait for the disk: with --fsync always, none is sent before the changes it reports are durable.
 * Private to resp.
 *
 * A connection whose output is held is not read from, and is in its loop's list until the journal has reached its position.
 * No thread waits: the journal wakes the loop. */
#ifndef FLASHKV_RESP_HOLD_H
#define FLASHKV_RESP_HOLD_H

#include <flashkv/hints.h>

#include "conn.h"

/* Does the output have to wait? If so, holds the connection. */
NOINLINE bool conn_must_hold(struct conn *c);
/* Removes a connection that closes from the list. */
void conn_unhold(struct conn *c);
/* In the loop's thread: resumes the connections whose output may be sent now. */
NOINLINE void loop_release(struct loop *l);
/* Unregisters the loop from the journal. */
void loop_unlisten(struct loop *l);

#endif
