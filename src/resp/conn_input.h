/* conn_input.h - receiving the input of a connection, and running its commands. Private to resp. */
#ifndef FLASHKV_RESP_CONN_INPUT_H
#define FLASHKV_RESP_CONN_INPUT_H

#include <flashkv/hints.h>

#include "conn.h"

/* Receives once, and runs the commands that are then complete. False: the connection is lost. */
bool conn_receive(struct conn *c);
/* Continues with the commands that wait with the connection (it must have some). False: it is lost. */
NOINLINE bool conn_run_partial(struct conn *c);
/* Updates the deadline of a blocked session. Without memory for that, its command times out at once. */
void conn_set_deadline(struct conn *c);
/* Frees the waiting commands. */
void conn_drop_partial(struct conn *c);

#endif
