/* sse.h - a session whose client reads server-sent events (sse_forms.h): it can only subscribe and monitor. Private to http.
 *
 * Built on a pushed stream (stream.h) that buffers at most SSE_PENDING_MAX bytes for a client that does not read; a slower one
 * is cut off. */
#ifndef FLASHKV_HTTP_SSE_H
#define FLASHKV_HTTP_SSE_H

#include "respond.h"

enum { SSE_PENDING_MAX = 1024 * 1024 };

enum sse_form { SSE_UPSTASH, SSE_JSON };

/* Runs commands that subscribe, or MONITOR, and responds with the events that they cause until the client leaves, or with the
 * first error. `commands` are borrowed. */
enum MHD_Result respond_events(struct request *r, enum sse_form form, const struct words *commands,
                               size_t count);

#endif
