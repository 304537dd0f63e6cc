/* command.h - commands, which every front end runs: the command table, and the dispatcher that locks and runs a row.
 *
 *     argv -> command_lookup -> arity -> hash the keys -> lock their shards, ascending -> handler -> unlock
 *
 * Dispatch locks, handlers never do: the row's key positions determine the shards, its flags the mode, shared or
 * exclusive. A handler emits exactly one value through call->reply. Layer: command. */
#ifndef FLASHKV_COMMAND_H
#define FLASHKV_COMMAND_H

#include <flashkv/arg.h>
#include <flashkv/reply.h>
#include <flashkv/server.h>
#include <flashkv/session.h>
#include <flashkv/store.h>

enum command_flag {
    CMD_READ = 1 << 0,    /* reads its keys: shared locks */
    CMD_WRITE = 1 << 1,   /* changes its keys: exclusive locks */
    CMD_FAST = 1 << 2,    /* O(1) or O(log n) */
    CMD_DENYOOM = 1 << 3, /* may take more memory */
    CMD_ADMIN = 1 << 4,
    CMD_KEYSPACE = 1 << 5,      /* walks the whole keyspace: dispatch locks no shard */
    CMD_PRIVATE = 1 << 6,       /* for our own front ends; unknown to RESP clients */
    CMD_CONTAINER = 1 << 7,     /* has subcommands, which are rows of their own: "config|get" */
    CMD_NUMKEYS = 1 << 8,       /* an argument counts the keys that follow it: see first_key */
    CMD_EXCLUSIVE = 1 << 9,     /* changes no key, but needs exclusive locks */
    CMD_NO_MULTI = 1 << 10,     /* refused in a transaction */
    CMD_AT_ONCE = 1 << 11,      /* in a transaction: run immediately, not queued */
    CMD_TRANSACTION = 1 << 12,  /* locks the keys that its session watches and (EXEC) those of the queue */
    CMD_PUBSUB = 1 << 13,       /* pub/sub; Redis's flag */
    CMD_SUBSCRIBED = 1 << 14,   /* allowed to a RESP2 client that is subscribed */
    CMD_SORT = 1 << 15,         /* its options name further keys, also by patterns: sort.h */
    CMD_SKIP_SLOWLOG = 1 << 16, /* not itself in the slow log (EXEC: the commands it runs are) */
    CMD_BLOCKING = 1 << 17,     /* may block until a key is ready; how to write one: src/command/blocking.h */
    CMD_NO_AUTH = 1 << 18,      /* allowed before authentication */
    CMD_CONNECTION = 1 << 19,   /* concerns the connection itself, which an HTTP request does not have */
    CMD_PROTECTED = 1 << 20,    /* allowed or refused by enable-debug-command */
};

/* What a write may allocate beyond the bytes of its arguments: EXEC reserves memory for its queue by it (src/command/reserve.c). A
 * number in the flags, from bit CMD_DEMAND_SHIFT on. */
enum { CMD_DEMAND_SHIFT = 24 };
enum command_demand {
    DEMAND_NONE,     /* nothing more */
    DEMAND_APPENDS,  /* extends a string in place */
    DEMAND_OFFSET,   /* the same, from the offset in argument 2 on */
    DEMAND_FLOATS,   /* stores a formatted number of any length */
    DEMAND_EXPIRIES, /* sets expiries of fields */
    DEMAND_ELEMENT,  /* moves an element of a list */
    DEMAND_MEMBERS,  /* collects as many members as argument 2 says, at most all */
    DEMAND_RENAMES,  /* later edits of the new key are edits of the old key's value */
    DEMAND_DERIVES,  /* stores a value made from those of its keys */
};

struct call;

struct command {
    const char *name; /* lower case; a subcommand is "config|get" */
    void (*handler)(struct call *c);
    int16_t arity;  /* number of arguments, name included; negative: minus the minimum */
    uint32_t flags; /* enum command_flag, enum command_demand */
    int16_t first_key, last_key,
        key_step;        /* as COMMAND INFO: 1, 1, 1; last -1 is the last argument; 0: none. With CMD_NUMKEYS
                          * first_key is the argument that counts the keys, and last_key a key before it, or 0 */
    const char *group;   /* "string", "list", "generic", "server", "connection" */
    const char *since;   /* Redis version */
    const char *syntax;  /* the arguments, in the notation of src/command/syntax.h */
    const char *summary; /* one sentence */
};

/* One command being run. */
struct call {
    struct server *server;
    struct session *session;
    const struct command *command;
    size_t argc;
    const struct arg *argv; /* argv[0] is the name */
    /* The hashed keys, in the order of argv; none if the CMD_NUMKEYS count exceeds the arguments. */
    const struct key *keys;
    size_t key_count;
    bool effects_given; /* the handler called call_effect* */
    struct txn *txn;    /* holds the shards of `keys`; EXEC shares one among its commands */
    struct reply *reply;
    bool in_exec; /* run by EXEC: it must not block, and its reply is an element of EXEC's */
};

/* A handler calls this once for each change of a key, after the change and before it returns. It drives WATCH, blocked
 * clients, keyspace notifications, the HTTP watch and the log. `name` is Redis's name of the event, static. */
static inline void call_changed(struct call *c, const struct key *k, enum event_class class,
                                const char *name) {
    store_changed(c->txn, k, class, name);
}

/* The log keeps effects, not commands: an effect is replayed on one key, in the state it had then, at another time and
 * without the other keys. A command that names one key and is deterministic is logged as it came. All others give their
 * effects, in order, after each call_changed, and only those are logged: SPOP its members (SREM), INCRBYFLOAT the result
 * (SET ... KEEPTTL), EXPIRE the absolute time (PEXPIREAT), MSET a SET for each key, DEL a DEL for each.
 * `k` is the key of the effect; argv is a whole command, argv[0] its name. Copied. Does nothing without a log. */
void call_effect(struct call *c, const struct key *k, size_t argc, const struct slice *argv);
/* The effect "this key has its present value and expiry, or is deleted": for values made from other keys (RENAME,
 * SINTERSTORE, COPY). */
void call_effect_value(struct call *c, const struct key *k);

/* Runs the handler and gathers the effects of its changes: those that it gave, else the default for its row. For callers
 * that run several calls in one transaction (EXEC); effects_commit then writes all of them as one frame. */
void call_run(struct call *c);

/* All rows, subcommands included, in the order of the table. */
extern const struct command command_table[];
extern const size_t command_count;

/* Looks a row up by name, in any case; private rows only by command_private, in lower case. NULL: unknown. */
const struct command *command_lookup(struct slice name);
const struct command *command_private(struct slice name);

/* Runs one command (argc >= 1) and emits exactly one reply, an error included: unknown name, wrong arity, key
 * over the limit. Thread-safe: any number of threads, each with its own session and reply. Blocks only for
 * the shards' locks. */
void command_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                     struct reply *r);
/* The same with the row already found (arity is still checked). */
void command_run(struct server *srv, struct session *s, const struct command *cmd, size_t argc,
                 const struct arg *argv, struct reply *r);

/* Releases what commands keep for a session: its transaction and watches. For sessions without session_end; called by the
 * session's thread, which holds no lock. */
void command_forget(struct server *srv, struct session *s);

/* Replays a logged command, with the clock at 0 so that nothing expires (persist_run of persist.h; `server` is the context).
 * False: it failed. */
bool command_restore(void *server, size_t argc, const struct arg *argv);

#endif
