/* loop.h - an epoll thread. Private to resp.
 *
 * A connection belongs to one loop for life, and only the loop's thread accesses it. Other threads reach a loop only by
 * queueing something under its mutex and waking it (loop_hand_over, inbox_put, loop_stop).
 *
 * The input and output buffers belong to the loop: a connection has some of its own only while a command is incomplete,
 * or while its client does not read its replies. */
#ifndef FLASHKV_RESP_LOOP_H
#define FLASHKV_RESP_LOOP_H

#include <flashkv/hints.h>
#include <flashkv/lock.h>
#include <flashkv/outbox.h>
#include <flashkv/server.h>

#include "deadlines.h"
#include "inbox.h"
#include "outq.h"
#include "parser.h"

struct conn;
struct loop;

/* The target of an epoll event, whose callback runs in the loop's thread and may free the source. */
struct source {
    void (*ready)(struct source *s, uint32_t events);
    struct loop *loop;
    int fd;
};

/* The counts of one wake-up, added to server.resp at its end. */
struct tally {
    uint64_t requests, errors, bytes_in, bytes_out;
};

/* The role of loop.mutex (flashkv/thread_safety.h). */
extern struct mutex loop_role;

enum { LOOP_INPUT = 64 * 1024 };

struct loop {
    /* The fields that every command uses. */
    struct server *server;
    int epoll;
    uint32_t ticks;     /* seconds since the start */
    bool woken, ticked; /* in this wake-up */
    _Atomic bool stopping;
    _Atomic bool post_due; /* the post is not empty: the loop is awake, or being woken */
    struct conn *held;     /* list of its connections whose replies wait for the disk */
    size_t flush_at;       /* bytes of replies that are sent before the end of the turn */
    char *input;           /* LOOP_INPUT bytes */
    struct tally tally;
    struct deadlines deadlines; /* of blocked connections */
    struct outq out;            /* for replies that are sent at once */
    bool keeps;          /* small replies, in `kept`: other connections are still to be served in this turn */
    struct outbox *kept; /* of replies to struct conn */
    struct parser parser; /* for commands that arrive complete */

    pthread_t thread;
    struct source waker;                        /* an eventfd */
    struct source timer;                        /* ticks once a second */
    void (*on_tick)(struct loop *l, void *ctx); /* a further action on each tick, or NULL */
    void *on_tick_ctx;
    _Atomic uint32_t load; /* number of connections: the listener picks the loop with the fewest */

    struct mutex mutex;
    struct conn *handed_over GUARDED_BY(loop_role); /* not yet in `conns` */
    struct post post GUARDED_BY(loop_role);

    struct conn *conns;
    _Atomic uint32_t held_count;
    bool listens;              /* registered with the journal */
    uint32_t waiting;          /* number of connections with unsent output */
    struct stats_block *stats; /* of the commands it runs; owned by server.stats */
    struct parser_limits limits;
};

/* False: out of memory or file descriptors; everything has been released. */
bool loop_init(struct loop *l, struct server *srv);
/* Closes the remaining connections. The thread has ended, or was never started. */
void loop_destroy(struct loop *l);
/* False: the thread could not be started. */
bool loop_start(struct loop *l, unsigned number);
/* loop_stop has the thread run the commands that have arrived, wait for clients to read their replies (at most a second), and
 * end; loop_join waits for that. */
void loop_stop(struct loop *l);
void loop_join(struct loop *l);

/* Add, modify and delete a source in epoll; any thread. False: no memory. */
bool loop_watch(struct source *s, uint32_t events);
NOINLINE bool loop_rewatch(struct source *s, uint32_t events);
void loop_unwatch(struct source *s);
/* Hands a new connection over to the loop, from any thread. */
void loop_hand_over(struct loop *l, struct conn *c);
/* In its thread: has the connections in the post take their deliveries. */
NOINLINE void loop_deliver(struct loop *l);

/* Sends the kept replies. */
void loop_send_kept(struct loop *l);

/* For the files of resp whose functions other threads call. */
void loop_lock(struct loop *l) ACQUIRE(loop_role);
void loop_unlock(struct loop *l) RELEASE(loop_role);
/* Wakes the loop from its present or next epoll_wait. */
void loop_wake(struct loop *l);

#endif
