/* measure.h - measuring the duration of commands. Private to the command layer.
 *
 * The clock is read once for each command: the end of one is the beginning of the next. session.ticks is the last reading; the
 * front end sets it at the beginning of a batch and whenever it has done something slow between two commands.
 * The duration thus includes parsing the command, some tens of nanoseconds. A session without a block
 * of statistics (HTTP counts requests) is not measured. */
#ifndef FLASHKV_COMMAND_MEASURE_H
#define FLASHKV_COMMAND_MEASURE_H

#include <flashkv/clock.h>
#include <flashkv/command.h>
#include <flashkv/hints.h>

/* The rare parts. */
NOINLINE void measure_untimed(const struct call *c, struct command_stats *row, uint64_t ns);
COLD void measure_failed(const struct call *c, struct command_stats *row);
COLD void measure_slow(const struct call *c, uint64_t ns);

/* Records that the command has run since `began`, the value of session.ticks before it. */
static inline void measure_end(const struct call *c, int64_t began) {
    struct session *s = c->session;
    const struct server *srv = c->server;
    struct command_stats *row;
    struct histogram *h;
    uint64_t ns;

    if (s->stats == NULL)
        return;
    s->ticks = clock_ticks();
    ns = clock_ticks_ns(s->ticks - began);
    row = &s->stats->commands[c->command - command_table];
    stats_add(&row->ns, ns);
    h = atomic_load_explicit(&row->histogram, memory_order_relaxed);
    if (h != NULL && atomic_load_explicit(&srv->stats.histograms, memory_order_relaxed))
        histogram_add(h, ns);
    else
        measure_untimed(c, row, ns);
    if (c->reply->failed)
        measure_failed(c, row);
    if (ns >= atomic_load_explicit(&srv->slow.slow_ns, memory_order_relaxed))
        measure_slow(c, ns);
}

/* Records that it was refused with an error; c->command is NULL if there is no such command. */
COLD void measure_rejected(const struct call *c);

#endif
