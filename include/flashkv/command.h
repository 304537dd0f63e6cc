/* command.h - what every front end speaks: a command table, and the dispatcher that locks and runs a row.
 *
 *     argv -> command_lookup -> arity -> hash the keys -> lock their shards, ascending -> handler -> unlock
 *
 * Dispatch locks, handlers never do: the row's key positions say which shards, its flags whether shared or
 * exclusive. A handler answers through call->reply, exactly one value. Layer: command. */
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
    CMD_KEYSPACE = 1 << 5,      /* over the whole keyspace: no shard is locked for it */
    CMD_PRIVATE = 1 << 6,       /* for a front end of ours; unknown to RESP clients */
    CMD_CONTAINER = 1 << 7,     /* has subcommands, rows of their own: "config|get" */
    CMD_NUMKEYS = 1 << 8,       /* an argument counts the keys behind it: see first_key */
    CMD_EXCLUSIVE = 1 << 9,     /* changes no key, but needs exclusive locks */
    CMD_NO_MULTI = 1 << 10,     /* refused in a transaction */
    CMD_AT_ONCE = 1 << 11,      /* in a transaction: run, not queued */
    CMD_TRANSACTION = 1 << 12,  /* locks what its session watches and, EXEC, has queued */
    CMD_PUBSUB = 1 << 13,       /* about messages */
    CMD_SUBSCRIBED = 1 << 14,   /* may be run by a RESP2 client that is subscribed */
    CMD_SORT = 1 << 15,         /* its options name more keys, by patterns too: sort.h */
    CMD_SKIP_SLOWLOG = 1 << 16, /* EXEC: the commands it runs are logged, not it */
    CMD_BLOCKING = 1 << 17,     /* may wait for its keys: src/command/blocking.h tells how to write one */
    CMD_NO_AUTH = 1 << 18,      /* needs no password */
    CMD_CONNECTION = 1 << 19,   /* about the connection itself, which a request over HTTP does not have */
    CMD_PROTECTED = 1 << 20,    /* a container that enable-debug-command opens and closes */
};

struct call;

struct command {
    const char *name; /* lower case; a subcommand is "config|get" */
    void (*handler)(struct call *c);
    int16_t arity;  /* exact count with the name, or minus the least */
    uint32_t flags; /* enum command_flag */
    int16_t first_key, last_key,
        key_step;        /* as COMMAND INFO: 1, 1, 1; last -1 is the last argument; 0: none. With CMD_NUMKEYS
                          * first_key is the argument that counts the keys, and last_key a key before it, or 0 */
    const char *group;   /* "string", "list", "generic", "server", "connection" */
    const char *since;   /* Redis version */
    const char *syntax;  /* the arguments: src/command/syntax.h says in what form */
    const char *summary; /* one sentence */
};

/* One command being run. */
struct call {
    struct server *server;
    struct session *session;
    const struct command *command;
    size_t argc;
    const struct arg *argv; /* argv[0] is the name */
    /* The hashed keys, in the order of argv; none if CMD_NUMKEYS counts more than there are. */
    const struct key *keys;
    size_t key_count;
    bool said;       /* the handler told effects */
    struct txn *txn; /* holds the shards of `keys`; EXEC shares one among its commands */
    struct reply *reply;
    bool in_exec; /* one of EXEC's: it must not wait, and its reply is one of several */
};

/* What a handler says of each key it changed: once for each change, after it, before it returns. From it come WATCH,
 * the waking of blocked clients, keyspace notifications, the HTTP watch, and that the command is logged. `name` is
 * Redis's name of the event, static. */
static inline void call_changed(struct call *c, const struct key *k, enum event_class class,
                                const char *name) {
    store_changed(c->txn, k, class, name);
}

/* The log keeps effects, not intentions: what it writes is run again on the key as it was, later, without the other
 * keys. A command that names one key, and makes of it and its arguments the same at any time, is logged as it came. All
 * others say their effects, in order, after each call_changed, and then only those are logged: SPOP its members
 * (SREM), INCRBYFLOAT the result (SET ... KEEPTTL), EXPIRE the absolute time (PEXPIREAT), MSET a SET for each key,
 * DEL a DEL for each.
 * `k` is the key of the effect; argv is a whole command, argv[0] its name. Copied; does nothing when nothing is logged. */
void call_effect(struct call *c, const struct key *k, size_t argc, const struct slice *argv);
/* The effect "this key is what it is now, value, expiry and all; or gone": for what was made from other keys (RENAME,
 * SINTERSTORE, COPY). */
void call_effect_value(struct call *c, const struct key *k);

/* Runs the handler and gathers the effects of what it changed, those it told or else what is right for its row. For
 * who runs a call by himself (EXEC): effects_commit is what makes a frame of them, for all calls of the transaction. */
void call_run(struct call *c);

/* All rows, subcommands included, in the order of the table. */
extern const struct command command_table[];
extern const size_t command_count;

/* The row by name, any case; private rows are found only by command_private, in lower case. NULL: unknown. */
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

/* Ends what commands keep of a session: its transaction and watches. For sessions without session_end; by the session's
 * thread, which holds no lock. */
void command_forget(struct server *srv, struct session *s);

/* Runs a command that was logged, at the beginning of time, when nothing has expired (persist_run of persist.h; `server`
 * is the context). False: it failed. */
bool command_restore(void *server, size_t argc, const struct arg *argv);

#endif
