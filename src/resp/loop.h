/* loop.h - an epoll thread and its connections. Private to resp.
 *
 * A connection belongs to one loop for life; only the loop's thread touches it. The loop's list of connections is
 * what others may add to, under its mutex. Input and output buffers belong to the loop: a connection has some of
 * its own only while a command is incomplete, or while its client does not take its replies. */
#ifndef FLASHKV_RESP_LOOP_H
#define FLASHKV_RESP_LOOP_H

#include <flashkv/lock.h>
#include <flashkv/resp.h>

#include "outq.h"
#include "parser.h"
#include "writer.h"

/* What an epoll event points to. */
enum source_kind { SOURCE_WAKER, SOURCE_LISTENER, SOURCE_CONN };
struct source {
    enum source_kind kind;
    int fd;
};

/* A command that has not arrived whole. */
struct partial {
    struct buf in;
    struct parser parser;
};

struct conn {
    struct source source; /* first */
    struct session session;
    struct loop *loop;
    struct partial *partial;  /* NULL between commands */
    struct outq *out;         /* NULL unless replies wait for the client */
    uint32_t events;          /* what epoll watches */
    bool ending;              /* closes when all replies are out */
    struct conn *prev, *next; /* in the loop's list */
};

enum { LOOP_INPUT = 64 * 1024 };

/* The role of loop.mutex (flashkv/thread_safety.h). */
extern struct mutex loop_role;

struct loop {
    struct server *server;
    struct resp *resp;
    int epoll;
    struct source waker; /* an eventfd: stop */
    pthread_t thread;
    _Atomic bool *stop;
    struct mutex mutex;
    struct conn *conns GUARDED_BY(loop_role);
    struct parser_limits limits;
    struct parser parser; /* for commands that arrive whole */
    struct outq out;      /* for replies that leave at once */
    char *input;          /* LOOP_INPUT bytes */
};

bool loop_init(struct loop *l, struct server *srv, struct resp *r, _Atomic bool *stop);
void loop_destroy(struct loop *l);
bool loop_start(struct loop *l);
void loop_wake(struct loop *l);
bool loop_watch(struct loop *l, struct source *s, uint32_t events);

/* Takes an accepted socket over, from any thread. False: no memory; the socket is still the caller's. */
bool conn_open(struct loop *l, int fd);
/* What epoll said of it. The connection may be gone afterwards. */
void conn_ready(struct conn *c, uint32_t events);
/* Closes and frees; only in the loop's thread. */
void conn_close(struct conn *c);

/* Accepts what waits and deals it out. False: no descriptors left; try again later. */
bool listener_accept(struct resp *r, int fd);

#endif
