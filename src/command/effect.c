/* effect.c - the effects of calls for the log (command.h): those that the handler gives, or else the default ones. */
#include <flashkv/mem.h>

#include "args.h"

enum { ARGS_ON_STACK = 16 };

/* Effects are allocated outside the reserve: without memory for them the log is lost, not the data. */
static void add_effect(struct call *c, const struct key *k, size_t argc, const struct slice *argv) {
    struct arg room[ARGS_ON_STACK] = {{NULL, 0, NULL}}, *args = room;

    if (argc > ARGS_ON_STACK && (args = mem_alloc(argc * sizeof(*args))) == NULL) {
        effects_value(c->txn, k); /* an equivalent effect without arguments */
        return;
    }
    for (size_t i = 0; i < argc; i++)
        args[i] = (struct arg){argv[i].ptr, argv[i].len, NULL};
    effects_command(c->txn, k, argc, args);
    if (args != room)
        mem_free(args);
}

void call_effect(struct call *c, const struct key *k, size_t argc, const struct slice *argv) {
    bool paused;

    c->effects_given = true;
    if (c->txn->journal == NULL)
        return;
    paused = mem_reserve_pause(true);
    add_effect(c, k, argc, argv);
    mem_reserve_pause(paused);
}

void call_effect_value(struct call *c, const struct key *k) {
    bool paused;

    c->effects_given = true;
    if (c->txn->journal == NULL)
        return;
    paused = mem_reserve_pause(true);
    effects_value(c->txn, k);
    mem_reserve_pause(paused);
}

/* May the command be logged as it came? Not if it has several keys, which may be in several shards, or if it failed
 * half-way. */
static bool repeatable(const struct call *c) {
    return c->key_count == 1 && !c->reply->failed;
}

/* For a handler that gave no effects. */
static NOINLINE void give_default_effects(struct call *c) {
    if (repeatable(c))
        effects_command(c->txn, &c->keys[0], c->argc, c->argv);
    else
        for (size_t i = 0; i < c->key_count; i++)
            effects_value(c->txn, &c->keys[i]);
}

/* Runs one call of EXEC, resuming the reserve for a write. */
static void handle_in_reserve(struct call *c) {
    mem_reserve_pause((c->command->flags & CMD_WRITE) == 0);
    c->command->handler(c);
    mem_reserve_pause(true);
}

void call_run(struct call *c) {
    uint64_t before = c->txn->changes;

    handle_in_reserve(c);
    if (c->txn->journal != NULL && !c->effects_given && c->txn->changes != before)
        give_default_effects(c);
}

bool call_refused(struct call *c) {
    if (c->txn->journal == NULL || journal_accepts(c->txn->journal))
        return false;
    reply_error(c->reply, "MISCONF Errors writing to the log: %s", journal_trouble(c->txn->journal));
    return true;
}

void call_reach(struct session *s, const struct txn *t, bool changed) {
    uint64_t reach = journal_reach(t, changed);

    if (reach > s->reach)
        s->reach = reach;
}

/* Logs the changes of a command that is the whole of its transaction. */
static inline void commit_effects(struct call *c) {
    struct txn *t = c->txn;
    bool silent = t->changes != 0 && !c->effects_given;

    if (silent && t->effects == NULL && repeatable(c)) {
        effects_commit_command(t, &c->keys[0], c->argc, c->argv);
        return;
    }
    if (silent)
        give_default_effects(c);
    effects_commit(t);
}

void call_run_logged(struct call *c) {
    bool writes = (c->command->flags & CMD_WRITE) != 0, refused = writes && call_refused(c);

    if (!refused) {
        c->command->handler(c);
        commit_effects(c);
    }
    call_reach(c->session, c->txn, (writes && !refused) || c->txn->changes > 0);
}
