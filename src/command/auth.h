/* auth.h - who is asking: for AUTH and HELLO. Private to the command layer. */
#ifndef FLASHKV_COMMAND_AUTH_H
#define FLASHKV_COMMAND_AUTH_H

#include <flashkv/command.h>

/* Makes the session the user's, if the password is right (any is, where none is set); false: replied WRONGPASS. */
bool auth_check(struct call *c, struct slice user, struct slice password);

#endif
