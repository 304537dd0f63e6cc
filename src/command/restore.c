/* restore.c - running the commands of the log: a session and a reply sink that nobody reads. */
#include <flashkv/log.h>

#include "args.h"

static void drop_text(struct reply *r, struct slice text) {
    (void)r, (void)text;
}

static void log_failure(struct reply *r, struct slice text) {
    (void)r;
    log_error("loading: a command of the log fails: %.*s", (int)text.len, text.ptr);
}

static void drop_integer(struct reply *r, int64_t n) {
    (void)r, (void)n;
}

static void drop_blob(struct reply *r, struct blob *b) {
    (void)r, (void)b;
}

static void drop_null(struct reply *r) {
    (void)r;
}

static void drop_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)r, (void)kind, (void)n;
}

static void drop_real(struct reply *r, double d) {
    (void)r, (void)d;
}

static void drop_boolean(struct reply *r, bool b) {
    (void)r, (void)b;
}

static const struct reply_ops unread = {
    .status = drop_text,
    .error = log_failure,
    .integer = drop_integer,
    .bulk = drop_text,
    .blob = drop_blob,
    .null = drop_null,
    .null_array = drop_null,
    .aggregate = drop_aggregate,
    .real = drop_real,
    .boolean = drop_boolean,
    .verbatim = drop_text,
};

bool command_restore(void *server, size_t argc, const struct arg *argv) {
    struct session s = {.front = SESSION_RESTORE, .now_ms = 0};
    const struct command *cmd = command_lookup(arg_slice(&argv[0]));
    struct reply r = {.ops = &unread};
    char name[32];

    if (cmd == NULL && argv[0].len < sizeof(name)) {
        memcpy(name, argv[0].ptr, argv[0].len);
        name[argv[0].len] = '\0';
        cmd = command_private(name);
    }
    if (cmd == NULL) {
        log_error("loading: the log has an unknown command: %.*s", arg_shown(&argv[0]), argv[0].ptr);
        return false;
    }
    command_run(server, &s, cmd, argc, argv, &r);
    return !r.failed;
}
