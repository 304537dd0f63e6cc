/* access.h - what the access log records of a request, from its first line to its end. Private to http.
 * Called by the connection's thread only. */
#ifndef FLASHKV_HTTP_ACCESS_H
#define FLASHKV_HTTP_ACCESS_H

#include <flashkv/hints.h>

#include "access_log.h"
#include "request.h"

/* Keeps a copy of the raw target, with `prefix` before it, until the end of the request: the original is decoded in place.
 * Without memory for the copy, the logged line has no target. */
NOINLINE void access_begin(struct request *r, const char *raw, const char *prefix);
/* Logs the request, which took `ns` nanoseconds. */
NOINLINE void access_end(struct access_log *log, struct request *r, uint64_t ns);

#endif
