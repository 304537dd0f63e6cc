/* blocking.h - commands that wait: BLPOP and its like for a key, WAIT for time alone. Private to the command layer.
 *
 * A command that blocks is a row with CMD_BLOCKING and a handler that reads its arguments, then calls take_or_block with
 * a function that takes what is there. When nothing is, the call is parked and the session blocked, no thread with it:
 *
 *     parked ---- a key it waits for becomes a value of its type (dispatch, blocking_serve) ----> its take's reply
 *         \------ time is up (session_timed_out), CLIENT UNBLOCK ------------------------------------> null, or an error
 *         \------ the client goes (session_end) ---------------------------------------------------> nothing
 *
 * It stands in the queue of each of its keys, in the keys' shards (watch.h): first come first served. Whoever changes such
 * a key serves those who wait before it lets the shards go. Should the first in turn wait for keys in other shards too,
 * all are let go and taken again, ascending; others may come between, so everything is looked at anew.
 *
 * Guard: whether a parked call still waits is changed only under all its shards, held exclusively; so any one of them
 * is enough to read it, and nobody can be served twice. The session's thread alone frees it, and alone touches one
 * that waits for no key.
 *
 * Where nothing can be delivered (HTTP), and in EXEC, the command does not wait. */
#ifndef FLASHKV_COMMAND_BLOCKING_H
#define FLASHKV_COMMAND_BLOCKING_H

#include <flashkv/command.h>

enum { BLOCKING_ARGS_MAX = 16 };

struct blocking {
    enum value_type type; /* what a key has to be to be taken from */
    size_t waits; /* how many of the call's keys it waits for, from the first on; 0: for its time alone */
    /* Takes and replies what is there, or replies an error; false: there is nothing, and nothing was replied. May be
     * called from another thread, for a call whose argv is only its name. If it waits for several keys, the call then
     * has one: the key that is ready. It says its effects (call_effect). */
    bool (*take)(struct call *c, const void *args);
    const void *args;                /* what was read of the arguments: copied */
    size_t args_size;                /* at most BLOCKING_ARGS_MAX */
    void (*nothing)(struct call *c); /* the reply where it does not wait: missing_null, missing_null_array */
    void (*late)(
        struct call *c); /* the reply when its time is up; NULL: a null array, as they all have but WAIT */
};

/* Takes, or waits for `timeout_ms` (0: for ever). The handler's last act. */
void take_or_block(struct call *c, const struct blocking *how, int64_t timeout_ms);
/* A timeout in seconds, fractions allowed. False: replied. */
bool arg_timeout(struct call *c, size_t i, int64_t *timeout_ms);

/* Serves those who wait for the keys that the transaction made ready; it may be ended and begun anew. */
void blocking_serve(struct server *srv, struct txn *t);
/* Puts the call aside until then (monotonic): CLIENT PAUSE. Replies an error if there is no memory for it. */
void blocking_postpone(struct call *c, int64_t until_ms);
/* The session waits no longer, and gets no reply. */
void blocking_forget(struct server *srv, struct session *s);
/* CLIENT UNBLOCK of another session, which the caller keeps from ending. False: it is not blocked. */
bool blocking_unblock(struct session *s, bool with_error);

#endif
