/* cmd_persist.c - SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE. Source: https://redis.io/commands/save and related pages */
#include <flashkv/persist.h>

#include "args.h"
#include "handlers.h"

/* False: replied. */
static bool has_directory(struct call *c) {
    if (c->server->persist != NULL)
        return true;
    reply_error(c->reply, "ERR nothing is kept: the server was started without --data-dir");
    return false;
}

/* Blocks the connection's loop thread, and so its other connections; in Redis all connections. No lock is held. */
void cmd_save(struct call *c) {
    if (!has_directory(c))
        return;
    if (persist_snapshot_now(c->server->persist))
        reply_ok(c->reply);
    else
        reply_error(c->reply, "ERR the snapshot failed; the server's log says why");
}

void cmd_bgsave(struct call *c) {
    if (c->argc > 2 || (c->argc == 2 && !arg_is(c, 1, "schedule"))) {
        reply_syntax_error(c);
        return;
    }
    if (!has_directory(c))
        return;
    if (persist_snapshot(c->server->persist))
        reply_status(c->reply, SLICE_LIT("Background saving started"));
    else if (c->argc == 2)
        reply_status(c->reply, SLICE_LIT("Background saving scheduled"));
    else
        reply_error(c->reply, "ERR Background save already in progress");
}

/* Rewriting the log means a snapshot here. */
void cmd_bgrewriteaof(struct call *c) {
    if (!has_directory(c))
        return;
    if (persist_snapshot(c->server->persist))
        reply_status(c->reply, SLICE_LIT("Background append only file rewriting started"));
    else
        reply_error(c->reply, "ERR Background append only file rewriting already in progress");
}

void cmd_lastsave(struct call *c) {
    int64_t ms = c->server->persist != NULL ? persist_stats(c->server->persist).snapshot_wall_ms
                                            : c->server->started_wall_ms;

    reply_integer(c->reply, ms / 1000);
}
