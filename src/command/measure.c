/* measure.c - the rare parts of measuring: commands that failed, were slow, or were not run at all. */
#include "measure.h"

#include <flashkv/mem.h>
#include <stdio.h>

#include "args.h"
#include "redact.h"

void measure_untimed(const struct call *c, struct command_stats *row, uint64_t ns) {
    struct histogram *h = NULL;

    if (atomic_load_explicit(&c->server->stats.histograms, memory_order_relaxed))
        h = stats_histogram(row);
    if (h != NULL)
        histogram_add(h, ns);
    else
        stats_add(&row->untimed, 1);
}

void measure_failed(const struct call *c, struct command_stats *row) {
    stats_add(&row->failed, 1);
    stats_count_error(c->session->stats, c->reply->code);
}

void measure_rejected(const struct call *c) {
    struct stats_block *b = c->session->stats;

    if (b == NULL)
        return;
    if (c->command != NULL)
        stats_add(&b->commands[c->command - command_table].rejected, 1);
    stats_count_error(b, c->reply->code);
}

/* ---- what was slow ------------------------------------------------------------------------------------------- */

/* Encodes one argument for the slow log, preceded by its length. */
static char *put_arg(char *at, struct slice text) {
    uint16_t len = (uint16_t)text.len;

    memcpy(at, &len, sizeof(len));
    if (text.len > 0) /* an empty one may have no pointer */
        memcpy(at + sizeof(len), text.ptr, text.len);
    return at + sizeof(len) + text.len;
}

static char *put_shortened(char *at, struct slice text) {
    char shortened[SLOWLOG_ARG_MAX + 40];
    int n;

    if (text.len <= SLOWLOG_ARG_MAX)
        return put_arg(at, text);
    memcpy(shortened, text.ptr, SLOWLOG_ARG_MAX);
    n = snprintf(shortened + SLOWLOG_ARG_MAX, sizeof(shortened) - SLOWLOG_ARG_MAX, "... (%zu more bytes)",
                 text.len - SLOWLOG_ARG_MAX);
    return put_arg(at, slice_of(shortened, SLOWLOG_ARG_MAX + (size_t)n));
}

/* The arguments, the last of them "... (2 more arguments)" if there are too many. Returns the end. */
static char *put_args(char *at, const struct call *c, unsigned argc) {
    char more[48];
    int n = snprintf(more, sizeof(more), "... (%zu more arguments)", c->argc - argc + 1);

    for (unsigned i = 0; i < argc; i++) {
        if (i + 1 == argc && c->argc > argc)
            at = put_arg(at, slice_of(more, (size_t)n));
        else if (arg_is_secret(c, i))
            at = put_arg(at, SLICE_LIT("(redacted)"));
        else
            at = put_shortened(at, call_arg(c, i));
    }
    return at;
}

static void log_slow(const struct call *c, uint64_t ns) {
    char text[SLOWLOG_ARGS_MAX * (SLOWLOG_ARG_MAX + 48)];
    unsigned argc = c->argc < SLOWLOG_ARGS_MAX ? (unsigned)c->argc : SLOWLOG_ARGS_MAX;
    size_t len = (size_t)(put_args(text, c, argc) - text);
    struct slow_command *e = mem_alloc(sizeof(*e) + len);
    struct slice name = SLICE_LIT("");

    if (e == NULL)
        return;
    e->us = ns / 1000;
    e->argc = argc;
    e->len = (uint32_t)len;
    memcpy(e->args, text, len);
    session_find_peer(c->session);
    snprintf(e->peer, sizeof(e->peer), "%s", c->session->peer);
    if (c->session->request_id.len > 0)
        name = c->session->request_id;
    else if (c->session->name != NULL)
        name = slice_str(c->session->name);
    snprintf(e->name, sizeof(e->name), "%.*s", (int)name.len, name.ptr);
    slowlog_add(&c->server->slow, e);
}

void measure_slow(const struct call *c, uint64_t ns) {
    struct slow *slow = &c->server->slow;
    int64_t us = atomic_load_explicit(&slow->slower_than_us, memory_order_relaxed);

    latency_add(slow, c->command->flags & CMD_FAST ? LATENCY_FAST_COMMAND : LATENCY_COMMAND, ns);
    if (us >= 0 && ns / 1000 >= (uint64_t)us && !(c->command->flags & CMD_SKIP_SLOWLOG))
        log_slow(c, ns);
}
