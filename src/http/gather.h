/* gather.h - libmicrohttpd's small sends, gathered in an outbox. Private to http.
 *
 *     MHD_run -+- recv, parse, handler: gather_expect, MHD_queue_response -- send: kept
 *              +- recv, parse, handler: gather_expect, MHD_queue_response -- send: kept
 *              '- return;              gather_turn_over: send, send
 *
 * The library sends by send(2) and sendmsg(2), which it finds as every program does: by name. gather.c defines both, and
 * shutdown(2), in place of the C library's, as an allocator does with malloc. They are plain system calls to everybody but a thread
 * that has called gather_own, and to that one too but for the send that gather_expect has announced: it is copied, and reported as
 * done.
 *
 *   - Order. Whatever else the thread sends or shuts down, on any socket, sends first what is kept. A socket is closed after its
 *     connection's end was reported, which does so too (gather_forget).
 *   - Backpressure. What a socket does not take is a debt: the connection is suspended until it is paid. Until then the
 *     library's sends on that socket fail with EAGAIN, as they would if it had sent by itself.
 *   - Latency. A reply waits only for requests as short as its own: before any other is served, all is sent (gather_begin).
 *
 * All of it is the worker's thread's, or its owner's when that has ended. */
#ifndef FLASHKV_HTTP_GATHER_H
#define FLASHKV_HTTP_GATHER_H

#include <flashkv/outbox.h>
#include <stdbool.h>

struct conn;
struct debt;

/* Lists of debts, by socket: each send looks for one, and there may be as many as connections. */
enum { GATHER_BUCKETS = 256 };

/* All zero: empty. */
struct gather {
    struct outbox outbox;  /* of replies to struct conn */
    struct conn *expected; /* what is sent next on its socket may be kept; NULL: nothing may */
    unsigned debt_count;
    struct debt *debts[GATHER_BUCKETS];
    struct debt *fresh; /* those that do not wait for room yet */
};

/* The calling thread's sends go through it from now on. */
void gather_own(struct gather *g);
/* Sends what is kept. */
void gather_flush(struct gather *g);
/* A request is about to be answered. `quick`: within microseconds, so that what is kept may wait for it. */
static inline void gather_begin(struct gather *g, bool quick) {
    g->expected = NULL;
    if (!quick)
        gather_flush(g);
}
/* A reply was just queued that the library sends at once and whole, over TCP alone, and keeps the connection open behind. */
static inline void gather_expect(struct gather *g, struct conn *c) {
    g->expected = c;
}
/* The library is done with all that were ready: sends what is kept, suspends connections with debts. */
void gather_turn_over(struct gather *g);
/* The connection's socket is about to be closed. */
void gather_forget(struct gather *g, const struct conn *c);

#endif
