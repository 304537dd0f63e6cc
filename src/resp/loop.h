/* loop.h - an epoll thread. Private to resp.
 *
 * A connection belongs to one loop for life, and only the loop's thread touches it. Other threads reach a loop in
 * one way: they put something under its mutex and wake it (loop_hand_over, inbox_put, loop_stop).
 *
 * The input and output buffers are the loop's: a connection has some of its own only while a command is incomplete,
 * or while its client does not take its replies. */
#ifndef FLASHKV_RESP_LOOP_H
#define FLASHKV_RESP_LOOP_H

#include <flashkv/hints.h>
#include <flashkv/lock.h>
#include <flashkv/server.h>

#include "deadlines.h"
#include "inbox.h"
#include "outq.h"
#include "parser.h"

struct conn;
struct loop;

/* What an epoll event points to: called in the loop's thread. The source may be gone afterwards. */
struct source {
    void (*ready)(struct source *s, uint32_t events);
    struct loop *loop;
    int fd;
};

/* What a wake-up adds to server.resp: counted here, added once. */
struct tally {
    uint64_t requests, errors, bytes_in, bytes_out;
};

/* The role of loop.mutex (flashkv/thread_safety.h). */
extern struct mutex loop_role;

enum { LOOP_INPUT = 64 * 1024 };

struct loop {
    /* What every command uses. */
    struct server *server;
    int epoll;
    uint32_t ticks;     /* of the timer so far */
    bool woken, ticked; /* in this wake-up */
    _Atomic bool stopping;
    _Atomic bool post_due; /* the post holds something: the loop is awake, or being woken */
    struct conn *held;     /* of its connections, whose replies wait for the disk */
    size_t flush_at;       /* replies that are this much are sent before the turn's end */
    char *input;           /* LOOP_INPUT bytes */
    struct tally tally;
    struct deadlines deadlines; /* of blocked connections */
    struct outq out;            /* for replies that leave at once */
    struct parser parser;       /* for commands that arrive whole */

    pthread_t thread;
    struct source waker;                        /* an eventfd */
    struct source timer;                        /* ticks once a second */
    void (*on_tick)(struct loop *l, void *ctx); /* beside what the loop itself does; NULL: nothing */
    void *on_tick_ctx;
    _Atomic uint32_t load; /* connections: whoever accepts gives the next one to the least */

    struct mutex mutex;
    struct conn *handed_over GUARDED_BY(loop_role); /* not yet in `conns` */
    struct post post GUARDED_BY(loop_role);

    struct conn *conns;
    _Atomic uint32_t held_count;
    bool listens;              /* to the journal */
    uint32_t waiting;          /* of the connections, whose replies wait for the client */
    struct stats_block *stats; /* of the commands it runs; the server's */
    struct parser_limits limits;
};

/* False: out of memory or descriptors, and nothing is left of it. */
bool loop_init(struct loop *l, struct server *srv);
/* Closes what connections are left. The thread has ended, or never began. */
void loop_destroy(struct loop *l);
/* False: no thread to be had. */
bool loop_start(struct loop *l, unsigned number);
/* Answers what has arrived whole, waits for clients to take their replies (a second at most), ends the thread.
 * loop_stop tells it to, loop_join waits until it has. */
void loop_stop(struct loop *l);
void loop_join(struct loop *l);

/* Starts, changes, ends what epoll watches for; any thread. False: no memory. */
bool loop_watch(struct source *s, uint32_t events);
NOINLINE bool loop_rewatch(struct source *s, uint32_t events);
void loop_unwatch(struct source *s);
/* Gives a new connection to the loop, from any thread. */
void loop_hand_over(struct loop *l, struct conn *c);
/* In its thread: gives the connections what the post holds for them. */
NOINLINE void loop_deliver(struct loop *l);

/* For files of resp that other threads come through. */
void loop_lock(struct loop *l) ACQUIRE(loop_role);
void loop_unlock(struct loop *l) RELEASE(loop_role);
/* Ends the loop's wait, or its next one. */
void loop_wake(struct loop *l);

#endif
