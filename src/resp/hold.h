/* hold.h - replies that wait for the disk: with --fsync always, none leaves before what it tells of is durable. Private
 * to resp.
 *
 * A connection whose output is held is read no further, and is in its loop's list until the journal has come so far. No
 * thread waits: the journal wakes the loop. */
#ifndef FLASHKV_RESP_HOLD_H
#define FLASHKV_RESP_HOLD_H

#include <flashkv/hints.h>

#include "conn.h"

/* Must the output wait? Then the connection is held. */
NOINLINE bool conn_must_hold(struct conn *c);
/* It closes. */
void conn_unhold(struct conn *c);
/* In the loop's thread: goes on with the connections whose output may leave now. */
NOINLINE void loop_release(struct loop *l);
/* The loop ends. */
void loop_unlisten(struct loop *l);

#endif
