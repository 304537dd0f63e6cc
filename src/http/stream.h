/* stream.h - responses that go on, and requests that wait: no thread is held while nothing happens. Private to http.
 *
 * A stream's bytes are made in one of two ways:
 *
 *   pulled   `fill` is called, on the connection's thread, each time all of what it made before has been taken: an
 *            export, a watch. It may run commands. At most what it makes at once is held. When there is nothing to
 *            make it says STREAM_IDLE, and is called again after stream_wake.
 *   pushed   no `fill`: any thread appends (stream_append) when something happens, a subscription's messages, say.
 *            An append wakes it.
 *
 * While there is nothing to send the connection is suspended, without a buffer.
 *
 * A request that waits (request_wait) has no response yet: its handler is called again when it is woken, or when its
 * time is up. A long poll.
 *
 * Life. `done` is called once, when the response is out or its connection gone, on the connection's thread; the stream is
 * freed after it. Whoever appends must be stopped by then: unsubscribe in `done`, under the lock that the appends are
 * made under. A client that leaves is found out at once when its kernel says so, else by the heartbeat, sent when nothing
 * else was for --http-heartbeat seconds: a stream that can be idle should have one.
 * Limits. What waits in a pushed stream is at most `max` bytes: a client that is slower than that is cut off.
 * stream_append, stream_wake and stream_end are thread-safe, never block, and may be called under a shard's lock.
 * http_stop ends all streams, but cuts those that were not idle when they were pulled, so that nobody takes a part for the
 * whole. */
#ifndef FLASHKV_HTTP_STREAM_H
#define FLASHKV_HTTP_STREAM_H

#include <flashkv/lock.h>

#include "request.h"

enum { STREAM_TICK_MS = 250 };

enum stream_state {
    STREAM_MORE, /* call again when this is sent */
    STREAM_IDLE, /* call again when this is sent and stream_wake was called, be it meanwhile */
    STREAM_END,  /* this is the last */
    STREAM_CUT, /* no memory, say: the connection is cut, so that the client sees that something is missing */
};

struct stream_ops {
    /* Makes the next bytes of a pulled stream, in `out`, which is empty. NULL: the stream is pushed. */
    enum stream_state (*fill)(void *ctx, struct buf *out);
    void (*done)(void *ctx);
    /* Makes a heartbeat; NULL: none. Called as `fill` is; of a pushed stream by any thread, under the stream's mutex. */
    void (*beat)(void *ctx, struct buf *out);
};

/* The role of pause_list.mutex (flashkv/thread_safety.h). */
extern struct mutex pause_list_role;

struct stream;

/* A stream for the request's response. NULL: no memory; `done` is not called. */
struct stream *stream_new(struct request *r, const struct stream_ops *ops, void *ctx, size_t max);
/* Queues the response, 200 with this media type: a handler's last act. The stream must not be touched by its maker any
 * more. (What was appended before goes out first.) */
enum MHD_Result stream_respond(struct stream *s, struct request *r, const char *type);
/* In place of stream_respond: nothing was queued, `done` is not called. */
void stream_free(struct stream *s);

/* Adds bytes. False: the stream has ended, or must, since its client is too slow. */
bool stream_append(struct stream *s, struct slice bytes);
/* Puts bytes before all that was appended so far; before stream_respond. False: no room. */
bool stream_prepend(struct stream *s, struct slice bytes);
/* A pulled stream that is idle, or will be, has something to make. */
void stream_wake(struct stream *s);
/* Ends it behind what was appended. */
void stream_end(struct stream *s);

/* Suspends the request until `until_ns` (clock_mono_ns; about: a second later at most), or request_wake. Its
 * handler returns what this does, and is called again. MHD_NO: no memory. */
enum MHD_Result request_wait(struct request *r, int64_t until_ns);
/* Has it worked for so long that others should have a turn (turns.h)? In its thread. */
bool request_turn_over(struct request *r);
/* Lets the other connections of its thread have a turn: the handler returns what this does, and is called again soon. */
enum MHD_Result request_yield(struct request *r);
/* Has it waited, and is its time up? */
bool request_waited(const struct request *r, bool *time_is_up);
/* Wakes it, or the next request_wait of it, at once; thread-safe, as stream_append. Whoever wakes must be stopped before
 * the handler answers, and have been preceded by request_prepare_wait. False of that: no memory. */
bool request_prepare_wait(struct request *r);
void request_wake(struct request *r);

/* ---- for server.c, listener.c and request.c ------------------------------------------------------------------------ */

/* All that is, or may be, suspended. */
struct pause;
struct pause_list {
    struct mutex mutex;
    struct pause *head GUARDED_BY(pause_list_role);
    bool stopped GUARDED_BY(pause_list_role);
};
void pause_list_init(struct pause_list *l);
void pause_list_destroy(struct pause_list *l);
/* Sends heartbeats and wakes what is due. How long until it should be called again, in ms; -1: until something comes. */
int pause_list_tick(struct pause_list *l);
/* Ends and wakes all there are, and those that come later. */
void pause_list_stop(struct pause_list *l);
void pause_free(struct pause *p);

#endif
