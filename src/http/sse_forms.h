/* sse_forms.h - replies and messages as server-sent events, in the two forms that clients expect. Private to http.
 *
 *     Upstash's    data: message,news,hello                      pmessage,pattern,channel,payload; subscribe,news,1
 *     ours         event: message
 *                  data: {"channel":"news","message":"hello"}
 *
 * In Upstash's, a line break of the payload starts another data line; a status, as MONITOR's, is an event of its own. */
#ifndef FLASHKV_HTTP_SSE_FORMS_H
#define FLASHKV_HTTP_SSE_FORMS_H

#include <flashkv/buf.h>
#include <flashkv/reply.h>

enum { SSE_ERROR = 256 };

/* Writes a reply, which becomes events (as of session_ops.encode). */
typedef void sse_emit(struct reply *r, const void *ctx);
/* Appends as events what `emit` replies; an error is copied to `error` instead. False: over the ceiling, or no memory. */
typedef bool sse_put(struct buf *out, sse_emit *emit, const void *ctx, char error[SSE_ERROR]);
sse_put sse_put_upstash, sse_put_json;
/* Appends one line of text as an event, in Upstash's form. */
bool sse_put_line(struct buf *out, struct slice line);

#endif
