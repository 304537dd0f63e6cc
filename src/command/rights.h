/* rights.h - what a session that came with a token may run. Private to the command layer.
 *
 * From the row alone: its flags say which scope it needs, its key positions which keys must have one of the token's
 * prefixes. What the row does not vouch for needs the scope admin, so a new command is closed until somebody thinks.
 *
 *     read     CMD_READ, or keys; subscriptions
 *     write    CMD_WRITE, whatever it answers; publishing
 *     admin    CMD_ADMIN, and all else that is not of the connection itself (INFO, say)
 *
 * A token with prefixes has no command over the whole keyspace but SCAN and KEYS whose pattern begins with a prefix, no
 * messages (they tell of keys, and have none), and no SORT that reads or writes other keys. */
#ifndef FLASHKV_COMMAND_RIGHTS_H
#define FLASHKV_COMMAND_RIGHTS_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* May c->session run c->command? False: replied NOPERM. Its arity is right. */
NOINLINE bool rights_allow(struct call *c);

#endif
