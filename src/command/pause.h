/* pause.h - CLIENT PAUSE: commands that wait until it is over. Private to the command layer.
 *
 * A command that may not run is copied and its session blocked, as in blocking.h; when the pause is over, or ended, the
 * session's thread runs it. Sessions that nothing can be delivered to (HTTP) do not wait. */
#ifndef FLASHKV_COMMAND_PAUSE_H
#define FLASHKV_COMMAND_PAUSE_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* Of two pauses the stricter, and the later end. */
void pause_begin(struct server *srv, enum pause_mode mode, int64_t ms);
void pause_end(struct server *srv);
/* Does the pause hold this command back? Then it has been put aside, or an error replied. */
COLD bool pause_postpones(struct call *c);

#endif
