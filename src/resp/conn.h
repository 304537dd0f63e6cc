/* conn.h - one client. Private to resp.
 *
 *     ARRIVING --- taken up by its loop ---> OPEN <--- a command waits, its reply is delivered ---> BLOCKED
 *        \------------> SHAKING: TLS ------> OPEN
 *     OPEN ---- QUIT, protocol error ----> ENDING --- replies are out ---> LINGERING --- its end, or 2 s ---> closed
 *       \------ the client sends no more ----/  \---- after the client's own end --------------------------> closed
 *
 * Lingering: our side is shut and what still comes is thrown away. Closing with input unread would make TCP reset
 * the connection, and the client could lose the error that it is being told. */
#ifndef FLASHKV_RESP_CONN_H
#define FLASHKV_RESP_CONN_H

#include "loop.h"

enum conn_state { CONN_ARRIVING, CONN_SHAKING, CONN_OPEN, CONN_BLOCKED, CONN_ENDING, CONN_LINGERING };

/* A command that has not arrived whole, or several that have to wait: their bytes, and how far they are read. */
struct partial {
    struct buf in;
    struct parser parser;
    uint32_t since_tick; /* of the loop, when CONN_PROGRESS bytes had come, or a command was whole */
    size_t progress;     /* bytes since then */
};

struct conn {
    struct source source; /* first */
    struct tls_conn *tls; /* NULL: what goes over the socket is what it is */
    enum conn_state state;
    bool client_ended;       /* it sends no more */
    bool held;               /* the output waits for the disk (hold.h) */
    uint32_t events;         /* what epoll watches for */
    uint32_t active_tick;    /* of its loop, when something last moved */
    struct partial *partial; /* NULL between commands */
    struct outq *out;        /* NULL unless replies wait for the client */
    /* What comes first in a session is used with what is above, the rest of both seldom. */
    struct session session;
    uint64_t peer;            /* counted in server.peers; 0: not */
    struct conn *prev, *next; /* in the loop's list */
    struct conn *held_prev, *held_next;
    struct inbox inbox;
    uint32_t deadline_place; /* deadlines.h; 0: none */
};

/* A connection on an accepted socket, counted and in the list of sessions, of a peer that was let in. NULL: no memory; the socket is still the
 * caller's. Any thread. */
struct conn *conn_open(struct loop *l, int fd, uint64_t peer);
/* In its loop's thread: takes it up, and closes it if that fails. */
void conn_attach(struct conn *c);
/* Fills in its session, from its socket. */
void conn_session_init(struct conn *c);
/* Where replies go: behind those that wait already. */
static inline struct outq *conn_outq(struct conn *c) {
    return c->out != NULL ? c->out : &c->source.loop->out;
}
/* Closes and frees: in its loop's thread, or when that has ended. */
void conn_close(struct conn *c);
/* In its loop's thread: takes what other threads delivered. It may be closed afterwards. */
void conn_deliver(struct conn *c);
/* Its output may leave now. */
void conn_go_out(struct conn *c);
/* In its loop's thread: its deadline (deadlines.h) has passed. */
void conn_time_up(struct conn *c);
/* Once a second: closes it if it has been idle, has not gone on with a command or not taken its replies, for too long. */
void conn_tick(struct conn *c);

#endif
