/* session.h - who is asking: the state of one client that commands see and change.
 *
 * A front end embeds a session in its connection (RESP) or makes one per request (HTTP). The thread that
 * serves the connection is the only one to touch it, but for the fields that CLIENT LIST reads from other
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

/* What another thread has for a client. */
enum delivery {
    DELIVER_MESSAGE, /* bytes of their own, between replies: a published message, a line for MONITOR */
    DELIVER_REPLY, /* the reply of the command that the session is blocked in; it goes on with the next one */
    DELIVER_WAKE,  /* no bytes: its thread is to call session_woken */
    DELIVER_CLOSE, /* no bytes: the connection ends at once, with what it still had to say */
};

/* What a front end whose sessions outlive a request does for them. A session may end at any time, so whoever keeps a
 * pointer to one does so under a lock of its own, holds that lock while it delivers, and is told by session_end. */
struct session_ops {
    /* The bytes of what `say` answers, in this version of RESP: encoded once, delivered to many. One reference, the
     * caller's. NULL: no memory, or over max-output-bytes. Any thread. */
    struct blob *(*encode)(const struct server *srv, unsigned protocol,
                           void (*say)(struct reply *r, const void *ctx), const void *ctx);
    /* Queues them behind the session's output, with a reference of its own, and wakes its thread. Any thread, the
     * session's own included, under any lock below LOCK_RANK_LEAF; never blocks. What passes max-output-bytes ends the
     * connection, counted as an output overflow. A thread's deliveries keep their order. */
    void (*deliver)(struct session *s, struct blob *bytes, enum delivery what);
    /* In a handler of the session: what was delivered before now comes before the handler's reply. */
    void (*drain)(struct session *s);
    /* Of the messages that `encode` makes (enum message_form); of RESP sessions the protocol says it. */
    unsigned form;
    /* Several deliveries at once, with nothing between them: a DELIVER_REPLY in parts. NULL: not for this front. */
    void (*deliver_parts)(struct session *s, struct blob *const *parts, size_t count);
};

struct session {
    /* What every command looks at, in as few lines of the cache as it needs. */
    int64_t now_ms; /* wall clock of the current batch: the front end sets it before each one */
    int64_t ticks;  /* clock_ticks when what was last measured ended (command/measure.h) */
    const struct command *_Atomic last_command;
    _Atomic int64_t active_ms;   /* when that was */
    struct stats_block *stats;   /* of the thread that serves it; NULL: its commands are not measured */
    const struct rights *rights; /* what its token allows (tokens.h); NULL: everything */
    struct multi *multi;         /* of the command layer: MULTI and WATCH; NULL when neither is used */
    _Atomic uint8_t protocol;    /* RESP version, 2 or 3 */
    uint8_t mute;                /* enum session_mute */
    _Atomic bool no_touch;       /* CLIENT NO-TOUCH: the keys it uses do not count as used */
    bool close_after_reply;      /* QUIT: send what is there, then close */
    /* Set by a handler that gives no reply: one will be delivered, run nothing until then. */
    _Atomic bool blocked;
    /* Blocked, but for no key: it waits for CLIENT PAUSE's end or its next turn, and CLIENT UNBLOCK ends neither. */
    _Atomic bool postponed;
    bool unauthenticated; /* a password is asked of it: it may run nothing but CMD_NO_AUTH */
    bool listens;   /* what it waits for is messages, not its own next command: it may be idle for ever */
    uint64_t reach; /* the log has to be durable up to here before the replies leave (journal_reached) */
    _Atomic uint64_t input_bytes, input_room, output_bytes; /* in buffers, for CLIENT LIST */

    uint64_t id; /* unique in this process, from 1; 0 until listed */
    int fd;      /* its socket; 0: none */
    enum session_front front;
    _Atomic bool monitors;                         /* sees every command: MONITOR */
    struct session_subscriber *_Atomic subscriber; /* of the command layer: NULL until it subscribes */
    const struct session_ops *ops;                 /* NULL: nothing can be delivered to it */
    struct parked *parked; /* of the command layer: the call that it is blocked in (blocking.h), or NULL */
    struct walk *walk;     /* of the command layer: the command that it runs in turns (walk.h), or NULL */
    _Atomic uint32_t block_serial; /* how often it has been blocked */
    _Atomic uint64_t unblock;      /* CLIENT UNBLOCK asks for: 2 * serial + with an error; 0: nothing */
    int64_t created_ms;
    struct slice request_id; /* HTTP: what the slow log calls the request, borrowed; empty: nothing */
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
/* Gives the session its id and lists it; takes it off again and frees its names. Thread-safe. */
void session_enter(struct session_list *l, struct session *s);
void session_leave(struct session_list *l, struct session *s);
/* Fills s->peer from the socket, if that has not been done: HTTP's sessions leave it to whoever wants to know. */
void session_find_peer(struct session *s);
/* Its own end's address, asked of the socket each time: "" if there is none. Returns `out`. */
const char *session_local(const struct session *s, char out[SESSION_ADDRESS]);
/* For front ends whose sessions can be blocked; by the session's thread, under no lock.
 * When the blocked command's time is up: monotonic milliseconds, 0: never. */
int64_t session_deadline_ms(const struct session *s);
/* It is up: unless another thread was faster, the reply that says so is delivered. */
void session_time_up(struct server *srv, struct session *s);
/* DELIVER_WAKE has come. */
void session_woken(struct server *srv, struct session *s);
/* The reply (DELIVER_REPLY) has come: it is blocked no longer. */
void session_go_on(struct session *s);

/* The client is gone: takes it out of everything that could deliver to it, then off the list. Not under any lock. */
void session_end(struct server *srv, struct session *s);

#endif
