/* auth.h - who is asking: for AUTH and HELLO. Private to the command layer. */
#ifndef FLASHKV_COMMAND_AUTH_H
#define FLASHKV_COMMAND_AUTH_H

#include <flashkv/command.h>

/* Makes the session the user's: "default" with the password (any, where neither password nor tokens are set), or with
 * whatever token, or a token's name with that token. False: replied WRONGPASS. */
bool auth_check(struct call *c, struct slice user, struct slice password);

#endif
