/* conn.h - one client connection. Private to resp.
 *
 *     ARRIVING --- taken up by its loop ---> OPEN <--- a command blocks, its reply is delivered ---> BLOCKED
 *        \------------> SHAKING: TLS ------> OPEN
 *     OPEN ---- QUIT, protocol error ----> ENDING --- replies are sent --> LINGERING --- its end, or 2 s ---> closed
 *       \------ the client sends no more ----/  \---- after the client's own end --------------------------> closed
 *
 * Lingering: our side is shut down and further input is discarded. Closing with unread input would make TCP reset
 * the connection, and the client could lose the error message. */
#ifndef FLASHKV_RESP_CONN_H
#define FLASHKV_RESP_CONN_H

#include "loop.h"

enum conn_state { CONN_ARRIVING, CONN_SHAKING, CONN_OPEN, CONN_BLOCKED, CONN_ENDING, CONN_LINGERING };

/* The input of an incomplete command, or of commands that have to wait, and the state of its parser. */
struct partial {
    struct buf in;
    struct parser parser;
    uint32_t since_tick; /* tick of the last progress: CONN_PROGRESS bytes, or a complete command */
    size_t progress;     /* bytes since then */
};

struct conn {
    struct source source; /* first */
    struct tls_conn *tls; /* NULL: plain TCP */
    enum conn_state state;
    bool client_ended;       /* the client has shut down its side */
    bool held;               /* the output waits for the disk (hold.h) */
    uint32_t events;         /* those registered with epoll */
    uint32_t active_tick;    /* tick of its loop at the last activity */
    struct partial *partial; /* NULL between commands */
    struct outq *out;        /* NULL unless replies wait for the client */
    /* Here, since the first fields of a session are used together with those above, and the other fields of both seldom. */
    struct session session;
    uint64_t peer;            /* counted in server.peers; 0: not */
    struct conn *prev, *next; /* in the loop's list */
    struct conn *held_prev, *held_next;
    struct inbox inbox;
    uint32_t deadline_place; /* deadlines.h; 0: none */
};

/* A connection on an accepted socket of a peer that was admitted (peers.h); counts it and lists its session. NULL: no memory;
 * the socket is still the caller's. Any thread. */
struct conn *conn_open(struct loop *l, int fd, uint64_t peer);
/* In its loop's thread: starts serving it, and closes it if that fails. */
void conn_attach(struct conn *c);
/* Initialises its session. */
void conn_session_init(struct conn *c);
/* The queue for replies: the connection's own if older replies wait there, else the loop's. */
static inline struct outq *conn_outq(struct conn *c) {
    return c->out != NULL ? c->out : &c->source.loop->out;
}
/* Has epoll report, too, when its socket can be written to. False: it is lost. */
bool conn_await_room(struct conn *c);
/* Closes and frees it: in its loop's thread, or after that has ended. */
void conn_close(struct conn *c);
/* In its loop's thread: takes the deliveries of other threads. It may be closed afterwards. */
void conn_deliver(struct conn *c);
/* Its held output may be sent now. */
void conn_go_out(struct conn *c);
/* In its loop's thread: its deadline (deadlines.h) has passed. It may be closed afterwards. */
void conn_time_up(struct conn *c);
/* Once a second: closes it if it has been idle, has made no progress with a command, or has taken no output for too long. */
void conn_tick(struct conn *c);

#endif
