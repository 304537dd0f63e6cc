/* pause.h - CLIENT PAUSE: postponing commands until it is over. Private to the command layer.
 *
 * A command that may not run is copied and its session blocked, as in blocking.h; when the pause ends, the
 * session's thread runs it. Sessions that nothing can be delivered to (HTTP) do not wait. */
#ifndef FLASHKV_COMMAND_PAUSE_H
#define FLASHKV_COMMAND_PAUSE_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* Of two pauses the stricter, and the later end. */
void pause_begin(struct server *srv, enum pause_mode mode, int64_t ms);
void pause_end(struct server *srv);
/* True: the command was postponed, or an error replied. */
COLD bool pause_postpones(struct call *c);

#endif
