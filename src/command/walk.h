/* walk.h - KEYS over many keys: some thousands in each turn, so that the thread serves its other connections in between.
 * Private to the command layer.
 *
 * The session is blocked meanwhile, as by CLIENT PAUSE (`postponed`: it cannot be unblocked), and wakes itself
 * (DELIVER_WAKE) behind the events that are pending for its thread; at the end the reply is delivered in parts. A key that
 * exists all the time is not missed. In EXEC, and if a session cannot be blocked (HTTP), all is done in one turn. */
#ifndef FLASHKV_COMMAND_WALK_H
#define FLASHKV_COMMAND_WALK_H

#include <flashkv/command.h>

/* The next turn of the session's walk (it must have one); called by the session's thread, under no lock. */
void walk_go_on(struct session *s);
/* Ends the walk, if the session has one. */
void walk_forget(struct session *s);

#endif
