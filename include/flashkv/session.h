/* session.h - the state of one client that commands read and change.
 *
 * A front end embeds a session in its connection (RESP) or creates one per request (HTTP). Only the thread that
 * serves the connection accesses it, except for the fields that CLIENT LIST reads from other
 * threads: those are atomics, or guarded by the list's mutex. Layer: command. */
#ifndef FLASHKV_SESSION_H
#define FLASHKV_SESSION_H

#include <flashkv/lock.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stdint.h>

struct blob;
struct command;
struct multi;
struct stats_block;
struct parked;
struct reply;
struct rights;
struct server;
struct session;
struct session_subscriber;
struct walk;

/* CLIENT REPLY: which replies are not sent. */
enum session_mute { MUTE_NOTHING, MUTE_NEXT, MUTE_ALL, MUTE_ENDS };

enum { SESSION_ADDRESS = 56 };

enum session_front { SESSION_RESP, SESSION_HTTP, SESSION_RESTORE };

/* What another thread delivers to a client. */
enum delivery {
    DELIVER_MESSAGE, /* bytes outside of any reply: a published message, a line for MONITOR */
    DELIVER_REPLY,   /* the reply of the command that the session is blocked in; the session is resumed */
    DELIVER_WAKE,    /* no bytes: its thread shall call session_woken */
    DELIVER_CLOSE,   /* no bytes: the connection is closed after the output that is already queued */
};

/* The operations of a front end whose sessions outlive a request. A session may end at any time: code that keeps a pointer to
 * one does so under a lock of its own, holds that lock while it delivers, and is called by session_end to drop the pointer. */
struct session_ops {
    /* The bytes of the reply that `emit` writes, in this version of RESP: encoded once, delivered to many. One reference, the
     * caller's. NULL: no memory, or over max-output-bytes. Any thread. */
    struct blob *(*encode)(const struct server *srv, unsigned protocol,
                           void (*emit)(struct reply *r, const void *ctx), const void *ctx);
    /* Queues the bytes behind the session's output, with a reference of its own, and wakes its thread. Any thread, the
     * session's own included, under any lock below LOCK_RANK_LEAF; never blocks. Exceeding max-output-bytes ends the
     * connection, counted as an output overflow. The deliveries of one thread keep their order. */
    void (*deliver)(struct session *s, struct blob *bytes, enum delivery what);
    /* In a handler of the session: moves earlier deliveries to the output, ahead of the handler's reply. */
    void (*drain)(struct session *s);
    /* The form of the messages that `encode` makes (enum message_form); for RESP sessions it follows from the protocol. */
    unsigned form;
    /* Delivers a DELIVER_REPLY in several parts, with nothing between them. NULL: not supported by this front end. */
    void (*deliver_parts)(struct session *s, struct blob *const *parts, size_t count);
};

struct session {
    /* The fields that every command reads, in as few cache lines as possible. */
    int64_t now_ms; /* wall clock of the current batch: the front end sets it before each one */
    int64_t ticks;  /* clock_ticks at the end of the last measurement (command/measure.h) */
    const struct command *_Atomic last_command;
    _Atomic int64_t active_ms;   /* when it ran */
    struct stats_block *stats;   /* of the thread that serves it; NULL: its commands are not measured */
    const struct rights *rights; /* what its token allows (tokens.h); NULL: everything */
    struct multi *multi;         /* of the command layer: MULTI and WATCH; NULL when neither is used */
    _Atomic uint8_t protocol;    /* RESP version, 2 or 3 */
    uint8_t mute;                /* enum session_mute */
    _Atomic bool no_touch;       /* CLIENT NO-TOUCH: the keys it uses do not count as used */
    bool close_after_reply;      /* QUIT: send the queued output, then close */
    /* Set by a handler that emits no reply: run no further command until the reply is delivered. */
    _Atomic bool blocked;
    /* Blocked, but not on a key: until CLIENT PAUSE ends or for its next turn; CLIENT UNBLOCK does not apply. */
    _Atomic bool postponed;
    bool unauthenticated; /* it may run only CMD_NO_AUTH commands until it has given a password */
    bool listens;         /* subscribed or in MONITOR: the idle timeout does not apply */
    uint64_t reach; /* the log has to be durable up to here before the replies are sent (journal_reached) */
    _Atomic uint64_t input_bytes, input_room, output_bytes; /* in buffers, for CLIENT LIST */

    uint64_t id; /* unique in this process, from 1; 0 before session_enter */
    int fd;      /* its socket; 0: none */
    enum session_front front;
    _Atomic bool monitors;                         /* in MONITOR */
    struct session_subscriber *_Atomic subscriber; /* of the command layer: NULL until it subscribes */
    const struct session_ops *ops;                 /* NULL: nothing can be delivered to it */
    struct parked *parked; /* of the command layer: the call that it is blocked in (blocking.h), or NULL */
    struct walk *walk;     /* of the command layer: the command that it runs in steps (walk.h), or NULL */
    _Atomic uint32_t block_serial; /* how often it has been blocked */
    _Atomic uint64_t unblock;      /* a request of CLIENT UNBLOCK: 2 * serial + (1: with an error); 0: none */
    int64_t created_ms;
    struct slice request_id;             /* HTTP: the request's id in the slow log, borrowed; empty: none */
    char *name, *lib_name, *lib_version; /* NULL or owned; guarded by the list's mutex */
    char peer[SESSION_ADDRESS];          /* "127.0.0.1:50123", "[::1]:6379"; session_find_peer */
    struct session *prev, *next;         /* guarded by the list's mutex */
};

/* The role of session_list.mutex (thread_safety.h). */
extern struct mutex session_list_role;

/* All RESP clients. */
struct session_list {
    struct mutex mutex;
    struct session *head GUARDED_BY(session_list_role);
    uint64_t count GUARDED_BY(session_list_role);
    _Atomic uint64_t next_id;
};

/* The only ways to take and release the list's mutex. */
void session_list_lock(struct session_list *l) ACQUIRE(session_list_role);
void session_list_unlock(struct session_list *l) RELEASE(session_list_role);

void session_list_init(struct session_list *l);
void session_list_destroy(struct session_list *l);
/* Gives the session its id and adds it to the list; removes it and frees its names. Thread-safe. */
void session_enter(struct session_list *l, struct session *s);
void session_leave(struct session_list *l, struct session *s);
/* Sets s->peer from the socket, unless it is set: for HTTP sessions this is done only when it is needed. */
void session_find_peer(struct session *s);
/* Writes the socket's local address to `out` and returns it; "": there is none. */
const char *session_local(const struct session *s, char out[SESSION_ADDRESS]);
/* For front ends whose sessions can be blocked; called by the session's thread, which holds no lock.
 * The timeout of the blocked command, in monotonic milliseconds; 0: never. */
int64_t session_deadline_ms(const struct session *s);
/* The timeout has passed: delivers the reply for that, unless another thread has just served the command. */
void session_timed_out(struct server *srv, struct session *s);
/* DELIVER_WAKE has arrived. */
void session_woken(struct server *srv, struct session *s);
/* DELIVER_REPLY has arrived: the session is not blocked any more. */
void session_resume(struct session *s);

/* The client has disconnected: removes the session from everything that could deliver to it, then from the list. Called under
 * no lock. */
void session_end(struct server *srv, struct session *s);

#endif
