/* conn_input.h - what a connection receives, and running it. Private to resp. */
#ifndef FLASHKV_RESP_CONN_INPUT_H
#define FLASHKV_RESP_CONN_INPUT_H

#include <flashkv/hints.h>

#include "conn.h"

/* One receive, and what it completes. False: the connection is lost. */
bool conn_receive(struct conn *c);
/* Goes on with the commands that wait with it, of which there are some. False: it is lost. */
NOINLINE bool conn_run_partial(struct conn *c);
/* Notes when the wait of a blocked session ends, which may have changed. Without memory to note it, it ends at once. */
void conn_set_deadline(struct conn *c);
/* Frees them. */
void conn_drop_partial(struct conn *c);

#endif
