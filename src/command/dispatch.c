/* dispatch.c - the one path from an argv to a handler: arity, keys, locks, handler, unlock. */
#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>

#include "args.h"
#include "blocking.h"
#include "dispatch.h"
#include "handlers.h"
#include "listening.h"
#include "measure.h"
#include "multi.h"
#include "mute.h"
#include "oom.h"
#include "pause.h"
#include "rights.h"
#include "sort.h"

enum { KEYS_ON_STACK = 8 };

/* Counts a command that was refused, and aborts the transaction that it was to be queued in. */
static COLD void refused(struct call *c) {
    measure_rejected(c);
    multi_refused(c->session);
}

/* The error shows at most as many bytes of all arguments together as of a single one. */
static COLD void refuse_unknown(struct call *c) {
    char args[ARG_SHOWN_MAX + sizeof("'' ")] = "";
    size_t n = 0;

    for (size_t i = 1; i < c->argc && n < ARG_SHOWN_MAX; i++) {
        int left = (int)(ARG_SHOWN_MAX - n), len = arg_shown(&c->argv[i]);

        n += (size_t)snprintf(args + n, sizeof(args) - n, "'%.*s' ", len < left ? len : left, c->argv[i].ptr);
    }
    reply_error(c->reply, "ERR unknown command '%.*s', with args beginning with: %s", arg_shown(&c->argv[0]),
                c->argv[0].ptr, args);
    refused(c);
}

/* The row of a subcommand, once the container's is found. NULL: replied. */
static NOINLINE const struct command *find_subcommand(struct call *c, const struct command *container) {
    char name[64];
    const struct command *sub = NULL;
    size_t prefix = strlen(container->name) + 1;

    if (c->argc == 1)
        return container; /* COMMAND is a command itself; for the other containers the arity check fails */
    if ((container->flags & CMD_PROTECTED) && debug_refused(c)) {
        refused(c);
        return NULL;
    }
    if (c->argv[1].len <= sizeof(name) - prefix) {
        memcpy(name, container->name, prefix - 1);
        name[prefix - 1] = '|';
        memcpy(name + prefix, c->argv[1].ptr, c->argv[1].len);
        sub = command_lookup(slice_of(name, prefix + c->argv[1].len));
    }
    if (sub == NULL) {
        reply_error(c->reply, "ERR unknown subcommand '%.*s'. Try %s HELP.", arg_shown(&c->argv[1]),
                    c->argv[1].ptr, command_upper(container).text);
        c->command = NULL;
        refused(c);
    }
    return sub;
}

bool command_counted_keys(const struct command *cmd, size_t argc, const struct arg *argv,
                          struct key_args *out) {
    size_t at = (size_t)cmd->first_key;
    int64_t n;

    if (!num_parse_i64(arg_slice(&argv[at]), &n) || n < 1 || (uint64_t)n > argc - at - 1)
        return false;
    *out = (struct key_args){(size_t)cmd->last_key, at + 1, 1, (size_t)n + (cmd->last_key > 0)};
    return true;
}

static inline bool hash_keys(struct call *c, const struct key_args *at, struct key *keys, uint64_t *shards) {
    uint64_t longest = c->server->options->max_key_bytes;

    for (size_t k = 0; k < at->count; k++) {
        size_t i = key_args_at(at, k);

        if (c->argv[i].len > longest) {
            reply_error(c->reply, "ERR key is too long (%zu bytes, at most %llu: max-key-bytes)",
                        c->argv[i].len, (unsigned long long)longest);
            return false;
        }
        keys[k] = store_key(c->server->store, call_arg(c, i));
        *shards |= key_shard_bit(&keys[k]);
    }
    c->keys = keys;
    c->key_count = at->count;
    if (c->command->flags & CMD_SORT)
        *shards |= sort_shards(c);
    return true;
}

bool dispatch_hash_keys(struct call *c, const struct key_args *at, struct key *keys, uint64_t *shards) {
    return hash_keys(c, at, keys, shards);
}

static inline void run_locked(struct call *c, uint64_t shards, enum txn_mode mode) {
    struct txn t;

    c->txn = &t;
    txn_begin(&t, c->server->store, c->session->now_ms, shards, mode);
    t.no_touch = c->session->no_touch;
    t.journal = atomic_load_explicit(&c->server->journal, memory_order_acquire);
    if (t.journal == NULL)
        c->command->handler(c);
    else
        call_run_logged(c);
    if (t.ready.first != NULL)
        blocking_serve(c->server, &t);
    txn_end(&t);
}

static enum txn_mode mode_of(const struct command *cmd) {
    return cmd->flags & (CMD_WRITE | CMD_EXCLUSIVE) ? TXN_WRITE : TXN_READ;
}

static NOINLINE void run_without_keys(struct call *c) {
    bool of_session = (c->command->flags & CMD_TRANSACTION) != 0;
    enum txn_mode mode = mode_of(c->command);
    uint64_t shards = of_session ? multi_shards(c, &mode) : 0;

    run_locked(c, shards, mode);
    if (of_session)
        multi_tidy(c->session);
}

/* The fast path: most commands have exactly one key. */
static inline void run_with_key(struct call *c) {
    struct key key;
    uint64_t shards = 0;

    if (hash_keys(c, &(struct key_args){0, (size_t)c->command->first_key, 1, 1}, &key, &shards))
        run_locked(c, shards, mode_of(c->command));
}

static NOINLINE void run_with_keys(struct call *c) {
    struct key room[KEYS_ON_STACK], *keys = room;
    struct key_args at;
    uint64_t shards = 0;

    if (!command_key_args(c->command, c->argc, c->argv, &at))
        at.count = 0; /* the handler replies the error */
    if (at.count > KEYS_ON_STACK && (keys = mem_alloc(at.count * sizeof(*keys))) == NULL) {
        reply_error(c->reply, "ERR out of memory");
        return;
    }
    if (hash_keys(c, &at, keys, &shards))
        run_locked(c, shards, mode_of(c->command));
    if (keys != room)
        mem_free(keys);
}

static bool arity_fits(const struct command *cmd, size_t argc) {
    return cmd->arity >= 0 ? argc == (size_t)cmd->arity : argc >= (size_t)-cmd->arity;
}

/* Wrong arity. EXEC has its own error for that, and ends the transaction. */
static COLD void refuse_arity(struct call *c) {
    bool exec = c->command->handler == cmd_exec;

    if (exec)
        command_forget(c->server, c->session);
    reply_error(c->reply, "%s wrong number of arguments for '%s' command",
                exec ? "EXECABORT Transaction discarded because of:" : "ERR", c->command->name);
    refused(c);
}

/* Replies the error for maxmemory. */
static COLD void refuse_oom(struct call *c) {
    bool exec = c->command->handler == cmd_exec;

    if (exec)
        command_forget(c->server, c->session);
    reply_error(c->reply, "%sOOM command not allowed when used memory > 'maxmemory'.",
                exec ? "EXECABORT Transaction discarded because of: " : "");
    refused(c);
}

/* Finds the row of a subcommand, and makes all checks that need no lock. False: replied. */
static inline bool may_run(struct call *c) {
    const struct command *cmd = c->command;

    if ((cmd->flags & CMD_CONTAINER) && (c->command = cmd = find_subcommand(c, cmd)) == NULL)
        return false;
    if (!arity_fits(cmd, c->argc) || cmd->handler == NULL) {
        refuse_arity(c);
        return false;
    }
    if (c->session->unauthenticated && !(cmd->flags & CMD_NO_AUTH)) {
        reply_error(c->reply, "NOAUTH Authentication required.");
        refused(c);
        return false;
    }
    if (c->session->rights != NULL && !rights_allow(c)) {
        refused(c);
        return false;
    }
    if (oom_applies(c)) {
        refuse_oom(c);
        return false;
    }
    if (c->session->listens && !listening_may_run(c)) {
        measure_rejected(c);
        return false;
    }
    return true;
}

/* In a transaction: was it queued or refused? */
static NOINLINE bool is_queued(struct call *c) {
    if (!multi_queue(c))
        return false;
    if (c->reply->failed)
        measure_rejected(c);
    return true;
}

/* Does the command need data that are still being loaded? */
static bool is_loading(const struct call *c) {
    return atomic_load_explicit(&c->server->loading, memory_order_acquire) &&
           (c->command->first_key > 0 || c->command->flags & (CMD_READ | CMD_WRITE | CMD_KEYSPACE)) &&
           c->session->front != SESSION_RESTORE;
}

static HOT void run(struct call *c) {
    struct server *srv = c->server;
    struct session *s = c->session;
    int64_t began = s->ticks;

    c->reply->failed = false;
    if (!may_run(c))
        return;
    atomic_store_explicit(&s->last_command, c->command, memory_order_relaxed);
    atomic_store_explicit(&s->active_ms, s->now_ms, memory_order_relaxed);
    if (is_loading(c)) {
        reply_error(c->reply, "LOADING Redis is loading the dataset in memory");
        return;
    }
    if (atomic_load_explicit(&srv->paused, memory_order_relaxed) != PAUSE_NONE && pause_postpones(c))
        return;
    if (s->multi != NULL && is_queued(c))
        return;
    if (command_has_one_key(c->command))
        run_with_key(c);
    else if (c->command->first_key > 0)
        run_with_keys(c);
    else
        run_without_keys(c);
    measure_end(c, began);
    if (monitored(srv))
        monitors_feed(c);
}

void command_run(struct server *srv, struct session *s, const struct command *cmd, size_t argc,
                 const struct arg *argv, struct reply *r) {
    run(&(struct call){.server = srv, .session = s, .command = cmd, .argc = argc, .argv = argv, .reply = r});
}

HOT void dispatch_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                          struct reply *r) {
    struct call c = {.server = srv, .session = s, .argc = argc, .argv = argv, .reply = r};

    c.command = command_callable(arg_slice(&argv[0]));
    if (c.command != NULL)
        run(&c);
    else
        refuse_unknown(&c);
}

HOT void command_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                         struct reply *r) {
    if (s->mute == MUTE_NOTHING)
        dispatch_execute(srv, s, argc, argv, r);
    else
        mute_execute(srv, s, argc, argv, r);
}
