/* walk.h - KEYS over many keys: some thousands at a time, so that the other connections of the thread have their turns between.
 * Private to the command layer.
 *
 * The session is blocked meanwhile, as by CLIENT PAUSE (`postponed`: nobody can unblock it), and is woken by itself
 * (DELIVER_WAKE) after all that has come for its thread; at the end the reply is delivered in parts. No key is missed that
 * is there throughout. In EXEC, and where a session cannot wait (HTTP), it is done in one go. */
#ifndef FLASHKV_COMMAND_WALK_H
#define FLASHKV_COMMAND_WALK_H

#include <flashkv/command.h>

/* The next turn of the session's walk, which it has; by the session's thread, under no lock. */
void walk_go_on(struct session *s);
/* Ends the walk, if the session has one. */
void walk_forget(struct session *s);

#endif
