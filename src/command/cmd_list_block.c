/* cmd_list_block.c - list commands that wait: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP.
 * Source: https://redis.io/commands/blpop */
#include "args.h"
#include "blocking.h"
#include "collections.h"
#include "handlers.h"

/* ---- BLPOP, BRPOP -------------------------------------------------------------------------------------------- */

static bool take_end(struct call *c, const void *args) {
    return pop_first_element(c, *(const enum list_end *)args);
}

static void block_pop(struct call *c, enum list_end end) {
    int64_t timeout_ms;

    if (arg_timeout(c, c->argc - 1, &timeout_ms))
        take_or_block(c,
                      &(struct blocking){.type = TYPE_LIST,
                                         .waits = c->key_count,
                                         .take = take_end,
                                         .args = &end,
                                         .args_size = sizeof(end),
                                         .nothing = missing_null_array},
                      timeout_ms);
}

void cmd_blpop(struct call *c) {
    block_pop(c, LIST_HEAD);
}

void cmd_brpop(struct call *c) {
    block_pop(c, LIST_TAIL);
}

/* ---- BLMOVE, BRPOPLPUSH -------------------------------------------------------------------------------------- */

static bool take_move(struct call *c, const void *args) {
    return move_element(c, args);
}

static void block_move(struct call *c, const struct list_move *m) {
    int64_t timeout_ms;

    if (arg_timeout(c, c->argc - 1, &timeout_ms))
        take_or_block(c,
                      &(struct blocking){.type = TYPE_LIST,
                                         .waits = 1,
                                         .take = take_move,
                                         .args = m,
                                         .args_size = sizeof(*m),
                                         .nothing = missing_null},
                      timeout_ms);
}

void cmd_blmove(struct call *c) {
    struct list_move m;

    if (arg_move(c, 3, &m))
        block_move(c, &m);
}

void cmd_brpoplpush(struct call *c) {
    block_move(c, &(struct list_move){.from = LIST_TAIL, .to = LIST_HEAD});
}

/* ---- BLMPOP -------------------------------------------------------------------------------------------------- */

static bool take_several(struct call *c, const void *args) {
    return pop_first(c, args);
}

void cmd_blmpop(struct call *c) {
    int64_t timeout_ms;
    struct list_pop p;

    if (arg_list_pop(c, 2, &p) && arg_timeout(c, 1, &timeout_ms))
        take_or_block(c,
                      &(struct blocking){.type = TYPE_LIST,
                                         .waits = c->key_count,
                                         .take = take_several,
                                         .args = &p,
                                         .args_size = sizeof(p),
                                         .nothing = missing_null_array},
                      timeout_ms);
}
