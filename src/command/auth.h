/* auth.h - authentication, for AUTH and HELLO. Private to the command layer. */
#ifndef FLASHKV_COMMAND_AUTH_H
#define FLASHKV_COMMAND_AUTH_H

#include <flashkv/command.h>

/* Authenticates the session: user "default" with the password (any, if neither a password nor tokens are set) or with any
 * token, or a token's name with that token. False: replied WRONGPASS. */
bool auth_check(struct call *c, struct slice user, struct slice password);

#endif
