/* access.h - what the access log has of a request: from its first line to its end. Private to http.
 * All on the connection's thread. */
#ifndef FLASHKV_HTTP_ACCESS_H
#define FLASHKV_HTTP_ACCESS_H

#include <flashkv/hints.h>

#include "access_log.h"
#include "request.h"

/* Keeps a copy of the raw target, behind `prefix`, which is freed with the request, for it is decoded in place. For want of
 * memory the line will have none. */
NOINLINE void access_begin(struct request *r, const char *raw, const char *prefix);
/* Logs the request, which took so long. */
NOINLINE void access_end(struct access_log *log, struct request *r, uint64_t ns);

#endif
