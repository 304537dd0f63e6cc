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

struct command;

enum session_front { SESSION_RESP, SESSION_HTTP };

struct session {
    int64_t now_ms;           /* wall clock of the current batch: the front end sets it before each one */
    uint64_t id;              /* unique in this process, from 1; 0 until listed */
    int fd;                   /* for CLIENT LIST */
    _Atomic uint8_t protocol; /* RESP version, 2 or 3 */
    bool close_after_reply;   /* QUIT: send what is there, then close */
    enum session_front front;
    int64_t created_ms;
    _Atomic int64_t active_ms; /* last command */
    const struct command *_Atomic last_command;
    char *name, *lib_name, *lib_version; /* NULL or owned; guarded by the list's mutex */
    char peer[56], local[56];            /* "127.0.0.1:50123", "[::1]:6379" */
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

#endif
