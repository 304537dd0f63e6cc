/* cmd_zset_block.c - sorted set commands that wait: BZPOPMIN, BZPOPMAX, BZMPOP.
 * Source: https://redis.io/commands/bzpopmin, https://redis.io/commands/bzmpop */
#include "args.h"
#include "blocking.h"
#include "collections.h"
#include "handlers.h"

static bool take(struct call *c, const void *args) {
    return zset_pop_first(c, args);
}

static void block_pop(struct call *c, const struct zset_pop *p, int64_t timeout_ms) {
    take_or_block(c,
                  &(struct blocking){.type = TYPE_ZSET,
                                     .waits = c->key_count,
                                     .take = take,
                                     .args = p,
                                     .args_size = sizeof(*p),
                                     .nothing = missing_null_array},
                  timeout_ms);
}

static void block_pop_one(struct call *c, bool max) {
    int64_t timeout_ms;

    if (arg_timeout(c, c->argc - 1, &timeout_ms))
        block_pop(c, &(struct zset_pop){.max = max, .flat = true, .count = 1}, timeout_ms);
}

void cmd_bzpopmin(struct call *c) {
    block_pop_one(c, false);
}

void cmd_bzpopmax(struct call *c) {
    block_pop_one(c, true);
}

void cmd_bzmpop(struct call *c) {
    struct zset_pop p = {.flat = false};
    int64_t timeout_ms;

    if (arg_zset_pop(c, 2, &p) && arg_timeout(c, 1, &timeout_ms))
        block_pop(c, &p, timeout_ms);
}
