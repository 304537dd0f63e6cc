/* blocking.h - blocking commands: BLPOP and the like wait for a key, WAIT only for its timeout. Private to the command layer.
 *
 * A blocking command is a row with CMD_BLOCKING and a handler that parses its arguments, then calls take_or_block with
 * a function that takes an element if there is one. If there is none, the call is parked and the session, but no thread, blocked:
 *
 *     parked ---- a key it waits for gets a value of its type (dispatch, blocking_serve) ----> the reply of `take`
 *         \------ timeout (session_timed_out), CLIENT UNBLOCK --------------------------------> null, or an error
 *         \------ the client disconnects (session_end) ---------------------------------------> nothing
 *
 * It is queued at each of its keys, in the keys' shards (watch.h), and served in order of arrival. The transaction that changes
 * such a key serves the waiting calls before it releases the shards. If the first one also waits for keys in other shards,
 * all shards are released and locked again with those, ascending; other transactions may run between, so all keys are checked
 * again.
 *
 * Guard: whether a parked call still waits is changed only under all its shards, held exclusively; so any one of them
 * is enough to read it, and no call is served twice. Only the session's thread frees it, and only that thread accesses one
 * that waits for no key.
 *
 * If nothing can be delivered (HTTP), and in EXEC, the command does not wait. */
#ifndef FLASHKV_COMMAND_BLOCKING_H
#define FLASHKV_COMMAND_BLOCKING_H

#include <flashkv/command.h>

enum { BLOCKING_ARGS_MAX = 16 };

struct blocking {
    enum value_type type; /* the type of key that it takes from */
    size_t waits; /* how many of the call's keys it waits for, from the first on; 0: only for its timeout */
    /* Takes an element and replies it, or replies an error; false, nothing replied: there is none. May be
     * called from another thread, for a call whose argv is only its name. If it waits for several keys, the call then
     * has one: the key that is ready. It has to give its effects (call_effect). */
    bool (*take)(struct call *c, const void *args);
    const void *args;                /* the parsed arguments, copied */
    size_t args_size;                /* at most BLOCKING_ARGS_MAX */
    void (*nothing)(struct call *c); /* the reply where it does not wait: missing_null, missing_null_array */
    void (*late)(struct call *c);    /* the reply at its timeout; NULL: a null array, as for all but WAIT */
};

/* Takes an element, or blocks for up to `timeout_ms` (0: for ever). The handler's last call. */
void take_or_block(struct call *c, const struct blocking *how, int64_t timeout_ms);
/* Parses a timeout in seconds, fractions allowed. False: replied. */
bool arg_timeout(struct call *c, size_t i, int64_t *timeout_ms);

/* Serves the calls that wait for the transaction's ready keys; the transaction may be ended and begun again. */
void blocking_serve(struct server *srv, struct txn *t);
/* Postpones the call until then (monotonic), for CLIENT PAUSE. Replies an error if there is no memory for it. */
void blocking_postpone(struct call *c, int64_t until_ms);
/* Ends the wait of a session that is ending, without a reply. */
void blocking_forget(struct server *srv, struct session *s);
/* CLIENT UNBLOCK for another session, which the caller keeps from ending. False: it is not blocked. */
bool blocking_unblock(struct session *s, bool with_error);

#endif
