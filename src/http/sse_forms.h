/* sse_forms.h - replies and messages as server-sent events, in the two forms that clients want. Private to http.
 *
 *     Upstash's    data: message,news,hello                      pmessage,pattern,channel,payload; subscribe,news,1
 *     ours         event: message
 *                  data: {"channel":"news","message":"hello"}
 *
 * In Upstash's a payload's line breaks begin another data line; a status, MONITOR's, is an event of its own. */
#ifndef FLASHKV_HTTP_SSE_FORMS_H
#define FLASHKV_HTTP_SSE_FORMS_H

#include <flashkv/buf.h>
#include <flashkv/reply.h>

enum { SSE_ERROR = 256 };

/* Answers what is to be put. */
typedef void sse_emit(struct reply *r, const void *ctx);
/* Appends as events what `say` answers; an error is in `error` then. False: no room, or no memory. */
typedef bool sse_put(struct buf *out, sse_emit *emit, const void *ctx, char error[SSE_ERROR]);
sse_put sse_put_upstash, sse_put_json;
/* One line of text as an event. */
bool sse_put_line(struct buf *out, struct slice line);

#endif
