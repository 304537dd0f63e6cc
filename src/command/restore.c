/* restore.c - replaying the commands of the log, with a session of its own and a sink that discards replies. */
#include <flashkv/log.h>

#include "args.h"
#include "mute.h"

static void log_failure(struct reply *r, struct slice text) {
    (void)r;
    log_error("loading: a command of the log fails: %.*s", (int)text.len, text.ptr);
}

/* The commands that a log can contain: others would block, or do not concern a key. */
static bool is_logged(const struct command *cmd) {
    const unsigned never =
        CMD_BLOCKING | CMD_TRANSACTION | CMD_ADMIN | CMD_PUBSUB | CMD_CONTAINER | CMD_AT_ONCE;

    return (cmd->flags & CMD_WRITE) != 0 && (cmd->flags & never) == 0;
}

bool command_restore(void *server, size_t argc, const struct arg *argv) {
    struct session s = {.front = SESSION_RESTORE, .now_ms = 0};
    const struct command *cmd = command_lookup(arg_slice(&argv[0]));
    struct reply_ops ops = mute_ops;
    struct reply r = {.ops = &ops};

    ops.error = log_failure;
    if (cmd == NULL)
        cmd = command_private(arg_slice(&argv[0]));
    if (cmd == NULL || !is_logged(cmd)) {
        log_error("loading: the log has a command that is none, or is never logged: %.*s",
                  arg_shown(&argv[0]), argv[0].ptr);
        return false;
    }
    command_run(server, &s, cmd, argc, argv, &r);
    return !r.failed;
}
