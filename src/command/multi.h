/* multi.h - what MULTI and WATCH keep for a session. Private to the command layer.
 *
 *     WATCH ----> watches in the shards of their keys (watch.h); a change sets `touched`
 *     MULTI ----> commands are copied to the queue, their keys hashed, their shards gathered
 *     EXEC  ----> dispatch takes the shards of the queue and of the watches, once; the queue runs under one struct txn
 *
 * The watches' shards are among those of EXEC since to end a watch needs its shard; a change that comes after the look
 * at `touched` would not matter: nobody can have seen it and not yet what EXEC does. */
#ifndef FLASHKV_COMMAND_MULTI_H
#define FLASHKV_COMMAND_MULTI_H

#include <flashkv/command.h>
#include <flashkv/hints.h>
#include <flashkv/watch.h>

struct watch;

/* A command that waits for EXEC: one allocation, with its arguments, keys and bytes behind it. */
struct queued {
    struct queued *next;
    const struct command *command;
    size_t argc, key_count;
    struct key *keys;
    struct arg argv[];
};

struct multi {
    bool open;                    /* after MULTI */
    bool aborted;                 /* a command was refused: EXEC will be */
    size_t writes;                /* how many of the queued commands do */
    bool takes_memory;            /* one of them may: CMD_DENYOOM */
    _Atomic bool touched;         /* a watched key changed; by other threads, under its shard */
    uint64_t shards;              /* of the queued commands */
    uint64_t watch_shards;        /* of the watched keys */
    struct queued *first, **last; /* the queue */
    size_t count;
    struct watch *watches;
    uint64_t bytes; /* of the queue and the watches; at most max-request-bytes */
};

/* A copy of the call's command that needs nothing of the call, for later; NULL: no memory. */
struct queued *queued_keep(const struct call *c);
void queued_free(struct queued *q);
void queued_run(struct server *srv, struct session *s, const struct queued *q, struct reply *r);

/* In a transaction every command comes here before it is run. True: queued or refused, and replied. */
bool multi_queue(struct call *c);
/* A command was refused before it could be queued: unknown, or of wrong arity. */
COLD void multi_refused(struct session *s);
/* For the rows with CMD_TRANSACTION: the shards to be held, and whether exclusively. */
uint64_t multi_shards(const struct call *c, enum txn_mode *mode);
/* After such a command, without locks: frees what is no longer needed. */
void multi_tidy(struct session *s);
/* Ends watches and transaction, under the locks of CMD_TRANSACTION. */
void multi_end(struct call *c);

#endif
