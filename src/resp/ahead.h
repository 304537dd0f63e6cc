/* ahead.h - the keys of the commands in the input buffer, to prefetch them. Private to resp. Pure. */
#ifndef FLASHKV_RESP_AHEAD_H
#define FLASHKV_RESP_AHEAD_H

#include <flashkv/slice.h>

/* Writes the first arguments, which mostly are keys, of the complete commands at the start of in[0 .. len) to `names`, at most
 * `max`, and returns how many. It stops at anything but a multibulk command; errors are left to the parser. */
size_t ahead_names(const char *in, size_t len, struct slice *names, size_t max);

#endif
