/* redact.h - which arguments are nobody's business: SLOWLOG and MONITOR show "(redacted)" instead. */
#ifndef FLASHKV_COMMAND_REDACT_H
#define FLASHKV_COMMAND_REDACT_H

#include <flashkv/command.h>

bool arg_is_secret(const struct call *c, size_t i);

#endif
