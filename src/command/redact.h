/* redact.h - secret arguments, for which SLOWLOG and MONITOR show "(redacted)". */
#ifndef FLASHKV_COMMAND_REDACT_H
#define FLASHKV_COMMAND_REDACT_H

#include <flashkv/command.h>

bool arg_is_secret(const struct call *c, size_t i);

#endif
