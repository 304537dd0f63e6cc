/* sse.h - a session whose client reads server-sent events: it can subscribe and monitor, and nothing else. Private to
 * http.
 *
 *     data: subscribe,news,1
 *     data: message,news,hello            pmessage,pattern,channel,payload; of MONITOR, its lines
 *
 * A payload's line breaks begin another data line. Built on a pushed stream (stream.h) of at most SSE_PENDING_MAX bytes
 * that wait for a client who does not read; one slower than that is cut off. */
#ifndef FLASHKV_HTTP_SSE_H
#define FLASHKV_HTTP_SSE_H

#include "respond.h"

enum { SSE_PENDING_MAX = 1024 * 1024 };

/* Runs a command that subscribes, or MONITOR, and answers with the events it brings, until the client leaves. */
enum MHD_Result respond_events(struct request *r, size_t argc, const struct arg *argv);

#endif
