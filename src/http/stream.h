/* stream.h - streamed responses and waiting requests, which occupy no thread while nothing happens. Private to http.
 *
 * A stream's bytes are produced in one of two ways:
 *
 *   pulled   `fill` is called, on the connection's thread, each time everything that it produced has been taken: an export, a
 *            watch. It may run commands. At most the output of one call is buffered. When it has nothing to produce it returns
 *            STREAM_IDLE, and is called again after stream_wake.
 *   pushed   no `fill`: any thread appends (stream_append) when something happens, as for a subscription's messages. An append
 *            wakes the stream.
 *
 * While there is nothing to send the connection is suspended, without a buffer.
 *
 * A request that waits (request_wait) has no response yet: its handler is called again when it is woken or its time is up, as
 * for a long poll.
 *
 * Lifetime. `done` is called once, when the response is sent or its connection gone, on the connection's thread; the stream is
 * freed after it. All appends must have ended by then: unsubscribe in `done`, under the lock that the appends are made under. A
 * client that disconnects is noticed at once if its kernel reports it, else by the heartbeat, which is sent when nothing else was
 * for --http-heartbeat seconds: a stream that can be idle should have one.
 * Limits. A pushed stream buffers at most `max` bytes: a slower client is cut off.
 * stream_append, stream_wake and stream_end are thread-safe, never block, and may be called under a shard's lock.
 * http_stop ends all streams properly, except pulled ones that have never been idle (an export), which are cut, so that nobody
 * mistakes a part for the whole. */
#ifndef FLASHKV_HTTP_STREAM_H
#define FLASHKV_HTTP_STREAM_H

#include <flashkv/lock.h>

#include "request.h"

enum { STREAM_TICK_MS = 250 };

enum stream_state {
    STREAM_MORE, /* call again when this is sent */
    /* call again when this is sent and stream_wake was called, even if it was called meanwhile */
    STREAM_IDLE,
    STREAM_END, /* this was the last */
    /* an error, as no memory: the connection is cut, so that the client sees that something is missing */
    STREAM_CUT,
};

struct stream_ops {
    /* Produces the next bytes of a pulled stream, in `out`, which is empty. NULL: the stream is pushed. */
    enum stream_state (*fill)(void *ctx, struct buf *out);
    void (*done)(void *ctx);
    /* Writes a heartbeat; NULL: none. Called as `fill` is; of a pushed stream by any thread, under the stream's mutex. */
    void (*beat)(void *ctx, struct buf *out);
};

/* The role of pause_list.mutex (flashkv/thread_safety.h). */
extern struct mutex pause_list_role;

struct stream;

/* A stream for the request's response; `max` as above. NULL: no memory; `done` is not called. */
struct stream *stream_new(struct request *r, const struct stream_ops *ops, void *ctx, size_t max);
/* Queues the response, 200 with this media type: a handler's last act. The caller must not use the stream any more. Bytes
 * appended earlier are sent first. */
enum MHD_Result stream_respond(struct stream *s, struct request *r, const char *type);
/* Instead of stream_respond: frees it without a response, and without calling `done`. */
void stream_free(struct stream *s);

/* Appends bytes. False: the stream has ended, or ends now since its client is too slow. */
bool stream_append(struct stream *s, struct slice bytes);
/* Inserts bytes before everything appended so far; before stream_respond. False: over `max`, or no memory. */
bool stream_prepend(struct stream *s, struct slice bytes);
/* A pulled stream that is idle, or about to be, has something to produce. */
void stream_wake(struct stream *s);
/* Ends the stream after what was appended. */
void stream_end(struct stream *s);

/* Suspends the request until `until_ns` (clock_mono_ns; up to about a second late), or request_wake. Its handler returns the
 * result, and is called again. MHD_NO: no memory. */
enum MHD_Result request_wait(struct request *r, int64_t until_ns);
/* Has the thread's turn lasted so long that others should have one (turns.h)? Called in the request's thread. */
bool request_turn_over(struct request *r);
/* Ends the request's turn: the handler returns the result, and is called again soon. */
enum MHD_Result request_yield(struct request *r);
/* Has the request waited? If so, *time_is_up: until `until_ns`, or the server stops. */
bool request_waited(const struct request *r, bool *time_is_up);
/* request_wake wakes the request, or its next request_wait, at once; thread-safe, as stream_append. request_prepare_wait must
 * come first (false: no memory), and all wakers must have ended before the handler queues its response. */
bool request_prepare_wait(struct request *r);
void request_wake(struct request *r);

/* ---- for server.c, listener.c and request.c ------------------------------------------------------------------------ */

/* All streams and waiting requests. */
struct pause;
struct pause_list {
    struct mutex mutex;
    struct pause *head GUARDED_BY(pause_list_role);
    bool stopped GUARDED_BY(pause_list_role);
};
void pause_list_init(struct pause_list *l);
void pause_list_destroy(struct pause_list *l);
/* Sends heartbeats and wakes what is due. Returns in how many ms to call again; -1: there is nothing in the list. */
int pause_list_tick(struct pause_list *l);
/* Ends and wakes everything in the list, and whatever enters it later. */
void pause_list_stop(struct pause_list *l);
void pause_free(struct pause *p);

#endif
