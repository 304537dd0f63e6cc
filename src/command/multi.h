/* multi.h - the state of MULTI and WATCH for a session. Private to the command layer.
 *
 *     WATCH ----> watches in the shards of their keys (watch.h); a change sets `touched`
 *     MULTI ----> commands are copied to the queue, their keys hashed, their shards gathered
 *     EXEC  ----> dispatch locks the shards of the queue and of the watches, once; the queue runs under one struct txn
 *
 * EXEC locks the watches' shards too, since ending a watch needs its shard. So no watched key can change between the check
 * of `touched` and the queue. */
#ifndef FLASHKV_COMMAND_MULTI_H
#define FLASHKV_COMMAND_MULTI_H

#include <flashkv/command.h>
#include <flashkv/hints.h>
#include <flashkv/watch.h>

struct watch;

/* A command that waits for EXEC: one allocation, with its arguments, keys and bytes. */
struct queued {
    struct queued *next;
    const struct command *command;
    size_t argc, key_count;
    struct key *keys;
    struct arg argv[];
};

struct multi {
    bool open;                    /* after MULTI */
    bool aborted;                 /* a command was refused, so EXEC will be */
    size_t writes;                /* how many of the queued commands write */
    bool takes_memory;            /* one of them has CMD_DENYOOM */
    _Atomic bool touched;         /* a watched key changed; set by other threads, under its shard */
    uint64_t shards;              /* of the queued commands */
    uint64_t watch_shards;        /* of the watched keys */
    struct queued *first, **last; /* the queue */
    size_t count;
    struct watch *watches;
    uint64_t bytes; /* of the queue and the watches; at most max-request-bytes */
};

/* A self-contained copy of the call's command, to be run later; NULL: no memory. */
struct queued *queued_keep(const struct call *c);
void queued_free(struct queued *q);
void queued_run(struct server *srv, struct session *s, const struct queued *q, struct reply *r);

/* Called for every command in a transaction before it is run. True, replied: it was queued or refused. */
bool multi_queue(struct call *c);
/* Aborts the transaction: a command was refused before it could be queued. */
COLD void multi_refused(struct session *s);
/* The shards to lock for a row with CMD_TRANSACTION, and whether exclusively. */
uint64_t multi_shards(const struct call *c, enum txn_mode *mode);
/* After such a command, under no lock: frees what is no longer needed. */
void multi_tidy(struct session *s);
/* Ends watches and transaction, under the locks of CMD_TRANSACTION. */
void multi_end(struct call *c);

#endif
