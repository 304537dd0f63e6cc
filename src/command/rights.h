/* rights.h - which commands a session with a token may run. Private to the command layer.
 *
 * Derived from the row: its flags determine the scope, its key positions the keys that must have one of the token's
 * prefixes. Everything else needs the scope admin, so a new command is denied by default.
 *
 *     read     CMD_READ, or keys; subscriptions
 *     write    CMD_WRITE, whatever it replies; publishing
 *     admin    CMD_ADMIN, and everything else that does not concern the connection itself (e.g. INFO)
 *
 * A token with prefixes may not run commands over the whole keyspace, except SCAN and KEYS with a pattern that begins with a
 * prefix; nor pub/sub (messages disclose keys, but channels have no prefix), nor a SORT that reads or writes other keys. */
#ifndef FLASHKV_COMMAND_RIGHTS_H
#define FLASHKV_COMMAND_RIGHTS_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* May c->session run c->command, whose arity is valid? False: replied NOPERM. */
NOINLINE bool rights_allow(struct call *c);

#endif
