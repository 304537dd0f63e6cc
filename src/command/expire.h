/* expire.h - the conditions of EXPIRE and HEXPIRE. Private to the command layer. */
#ifndef FLASHKV_COMMAND_EXPIRE_H
#define FLASHKV_COMMAND_EXPIRE_H

#include <flashkv/command.h>

struct expire_options {
    bool nx, xx, gt, lt;
};
/* Do the options allow the present expiry `now_at` (may be NO_EXPIRY) to be replaced by `at`? */
bool expire_allowed(const struct expire_options *o, int64_t now_at, int64_t at);

#endif
