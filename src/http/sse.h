/* sse.h - a session whose client reads server-sent events (sse_forms.h): it can subscribe and monitor, and nothing else.
 * Private to http.
 *
 * Built on a pushed stream (stream.h) of at most SSE_PENDING_MAX bytes that wait for a client who does not read; one
 * slower than that is cut off. */
#ifndef FLASHKV_HTTP_SSE_H
#define FLASHKV_HTTP_SSE_H

#include "respond.h"

enum { SSE_PENDING_MAX = 1024 * 1024 };

enum sse_form { SSE_UPSTASH, SSE_JSON };

/* Runs commands that subscribe, or MONITOR, and answers with the events they bring, until the client leaves; or with the
 * first error. */
enum MHD_Result respond_events(struct request *r, enum sse_form form, const struct words *commands,
                               size_t count);

#endif
