/* ahead.h - the keys of commands that have arrived and not been run. Private to resp. Pure. */
#ifndef FLASHKV_RESP_AHEAD_H
#define FLASHKV_RESP_AHEAD_H

#include <flashkv/slice.h>

/* The first arguments, which most often are keys, of the commands that in[0 .. len) begins with and holds whole: at most
 * `max` of them, written to `names`. Returns how many. It stops at what is not written as clients write commands, and
 * judges nothing: the parser will. */
size_t ahead_names(const char *in, size_t len, struct slice *names, size_t max);

#endif
