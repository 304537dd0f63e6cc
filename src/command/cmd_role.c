/* cmd_role.c - commands about the role of the server, its one database, and SHUTDOWN. */
#include <config.h>
#include <flashkv/log.h>
#include <flashkv/num.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "handlers.h"
#include "info.h"

void cmd_role(struct call *c) {
    reply_array(c->reply, 3);
    reply_text(c->reply, "master");
    reply_integer(c->reply, 0);
    reply_array(c->reply, 0);
}

/* Only REPLICAOF NO ONE succeeds: there is no replication. */
void cmd_replicaof(struct call *c) {
    if (arg_is(c, 1, "no") && arg_is(c, 2, "one"))
        reply_ok(c->reply);
    else
        reply_error(c->reply, "ERR FlashKV has no replication");
}

/* ---- one database -------------------------------------------------------------------------------------------- */

void cmd_move(struct call *c) {
    int64_t db;

    if (!arg_i64(c, 2, &db))
        return;
    reply_error(c->reply,
                db == 0 ? "ERR source and destination objects are the same" : "ERR DB index is out of range");
}

void cmd_swapdb(struct call *c) {
    int64_t first, second;

    if (!num_parse_i64(call_arg(c, 1), &first))
        reply_error(c->reply, "ERR invalid first DB index");
    else if (!num_parse_i64(call_arg(c, 2), &second))
        reply_error(c->reply, "ERR invalid second DB index");
    else if (first != 0 || second != 0)
        reply_error(c->reply, "ERR DB index is out of range");
    else
        reply_ok(c->reply);
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

/* Ends the process as SIGTERM does: commands that have arrived are run, and the log is synced. There is no reply, only
 * the end of the connection, which clients wait for. Whether data are saved depends on --data-dir alone; NOW and FORCE
 * make no difference without replicas. */
void cmd_shutdown(struct call *c) {
    bool save = false, nosave = false, abort = false;

    for (size_t i = 1; i < c->argc; i++) {
        save = save || arg_is(c, i, "save");
        nosave = nosave || arg_is(c, i, "nosave");
        abort = abort || arg_is(c, i, "abort");
        if (!arg_is(c, i, "save") && !arg_is(c, i, "nosave") && !arg_is(c, i, "now") &&
            !arg_is(c, i, "force") && !arg_is(c, i, "abort")) {
            reply_syntax_error(c);
            return;
        }
    }
    if ((save && nosave) || (abort && c->argc > 2)) {
        reply_syntax_error(c);
    } else if (abort) {
        reply_error(c->reply, "ERR No shutdown in progress.");
    } else if (c->session->ops == NULL) {
        reply_error(c->reply, "ERR only a connection can be ended like that");
    } else {
        c->session->blocked = true; /* for good */
        log_info("SHUTDOWN by %s", c->session->peer);
        kill(getpid(), SIGTERM);
    }
}

void cmd_lolwut(struct call *c) {
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "    __\n   / /\n  / /_\n /_  /\n  / /\n / /\n/_/\n\nFlashKV ver. %s, Redis ver. %s\n",
                     PACKAGE_VERSION, REDIS_VERSION);

    reply_verbatim(c->reply, slice_of(text, (size_t)n));
}
