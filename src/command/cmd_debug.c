/* cmd_debug.c - DEBUG: subcommands that Redis's own test suite uses. */
#include <flashkv/glob.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <math.h>
#include <time.h>

#include "args.h"
#include "handlers.h"

/* Is the client connected from this machine, by its address? */
static bool is_local(struct session *s) {
    if (s->front != SESSION_RESP)
        return false;
    session_find_peer(s);
    return strncmp(s->peer, "127.", 4) == 0 || strncmp(s->peer, "[::1]:", 6) == 0;
}

/* By enable-debug-command. True: replied. */
bool debug_refused(struct call *c) {
    uint64_t who = c->server->options->debug_command;

    if (who == DEBUG_YES || (who == DEBUG_LOCAL && is_local(c->session)))
        return false;
    reply_error(
        c->reply,
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run "
        "it "
        "from a local connection, otherwise you need to set this option in the configuration file, and then "
        "restart the server.");
    return true;
}

/* Writes to the server's log, as test suites do between their tests. */
void cmd_debug_log(struct call *c) {
    log_info("debug: %.*s", (int)(c->argv[2].len < 512 ? c->argv[2].len : 512), c->argv[2].ptr);
    reply_ok(c->reply);
}

/* Subcommands for test suites that concern nothing in FlashKV: they reply OK. */
void cmd_debug_nothing(struct call *c) {
    reply_ok(c->reply);
}

/* Sleeps on the connection's own thread: its other connections wait too, as in Redis. No lock is held. */
void cmd_debug_sleep(struct call *c) {
    struct timespec ts;
    double seconds;

    if (!num_parse_double(call_arg(c, 2), &seconds) || seconds < 0 || seconds > 3600) {
        reply_error(c->reply, "ERR value is not a valid float");
        return;
    }
    ts.tv_sec = (time_t)seconds;
    ts.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    nanosleep(&ts, NULL);
    reply_ok(c->reply);
}

void cmd_debug_error(struct call *c) {
    reply_error(c->reply, "%.*s", (int)(c->argv[2].len < 400 ? c->argv[2].len : 400), c->argv[2].ptr);
}

/* Are expired keys removed before they are accessed? */
void cmd_debug_set_active_expire(struct call *c) {
    int64_t on;

    if (!arg_i64(c, 2, &on))
        return;
    if (c->server->sweeper != NULL)
        sweeper_set_active(c->server->sweeper, on != 0);
    reply_ok(c->reply);
}

/* Matches a text of that many letters "a" against a pattern: no pattern may take exponential time. */
void cmd_debug_stringmatch_len(struct call *c) {
    enum { LONGEST = 16 * 1024 * 1024 };
    int64_t len;
    char *text;

    if (!arg_i64(c, 2, &len))
        return;
    if (len < 0 || len > LONGEST) {
        reply_error(c->reply, "ERR value is out of range");
        return;
    }
    if ((text = mem_alloc((size_t)len)) == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    memset(text, 'a', (size_t)len);
    reply_integer(c->reply, glob_match(call_arg(c, 3), slice_of(text, (size_t)len)));
    mem_free(text);
}
