/* cmd_latency.c - LATENCY: slow events and histograms of commands. Source: https://redis.io/docs/management/
 * optimization/latency-monitor, https://redis.io/commands/latency-histogram */
#include <flashkv/clock.h>

#include "args.h"
#include "handlers.h"
#include "table.h"

/* ---- samples ------------------------------------------------------------------------------------------------- */

/* An event's samples, the oldest first, in a copy: the mutex is held for no longer than that. */
struct history {
    struct latency_sample samples[LATENCY_SAMPLES];
    size_t count;
    uint32_t max_ms;
};

static struct history history_of(struct slow *s, enum latency_event event) {
    struct history h = {.count = 0};
    const struct latency_series *l = &s->events[event];

    slow_lock(s);
    h.max_ms = l->max_ms;
    for (unsigned i = 0; i < LATENCY_SAMPLES; i++) {
        const struct latency_sample *sample = &l->samples[(l->next + i) % LATENCY_SAMPLES];

        if (sample->at != 0)
            h.samples[h.count++] = *sample;
    }
    slow_unlock(s);
    return h;
}

/* Looks an event up by name; LATENCY_EVENTS: unknown. */
static enum latency_event find_event(struct slice name) {
    unsigned e = 0;

    while (e < LATENCY_EVENTS && !slice_caseeq(name, slice_str(latency_names[e])))
        e++;
    return (enum latency_event)e;
}

void cmd_latency_history(struct call *c) {
    enum latency_event event = find_event(call_arg(c, 2));
    struct history h = {.count = 0};

    if (event != LATENCY_EVENTS)
        h = history_of(&c->server->slow, event);
    reply_array(c->reply, h.count);
    for (size_t i = 0; i < h.count; i++) {
        reply_array(c->reply, 2);
        reply_integer(c->reply, h.samples[i].at);
        reply_integer(c->reply, h.samples[i].ms);
    }
}

void cmd_latency_latest(struct call *c) {
    struct history all[LATENCY_EVENTS];
    size_t n = 0;

    for (unsigned e = 0; e < LATENCY_EVENTS; e++) {
        all[e] = history_of(&c->server->slow, (enum latency_event)e);
        n += all[e].count > 0;
    }
    reply_array(c->reply, n);
    for (unsigned e = 0; e < LATENCY_EVENTS; e++) {
        if (all[e].count == 0)
            continue;
        reply_array(c->reply, 4);
        reply_text(c->reply, latency_names[e]);
        reply_integer(c->reply, all[e].samples[all[e].count - 1].at);
        reply_integer(c->reply, all[e].samples[all[e].count - 1].ms);
        reply_integer(c->reply, all[e].max_ms);
    }
}

void cmd_latency_reset(struct call *c) {
    int64_t n = 0;

    for (unsigned e = 0; e < LATENCY_EVENTS && c->argc == 2; e++)
        n += latency_reset(&c->server->slow, (enum latency_event)e);
    for (size_t i = 2; i < c->argc; i++)
        if (find_event(call_arg(c, i)) != LATENCY_EVENTS)
            n += latency_reset(&c->server->slow, find_event(call_arg(c, i)));
    reply_integer(c->reply, n);
}

/* ---- GRAPH and DOCTOR ---------------------------------------------------------------------------------------- */

static void range_of(const struct history *h, uint32_t *low, uint32_t *high) {
    *low = *high = h->samples[0].ms;
    for (size_t i = 1; i < h->count; i++) {
        *low = h->samples[i].ms < *low ? h->samples[i].ms : *low;
        *high = h->samples[i].ms > *high ? h->samples[i].ms : *high;
    }
}

/* A column for each sample, the oldest left, '#' up to its height. */
static void draw(struct buf *out, const struct history *h, uint32_t low, uint32_t high) {
    enum { ROWS = 6 };

    for (unsigned row = ROWS; row > 0; row--) {
        for (size_t i = 0; i < h->count; i++) {
            uint64_t height =
                1 + (uint64_t)(h->samples[i].ms - low) * (ROWS - 1) / (high - low + (high == low));

            buf_printf(out, "%c", height >= row ? '#' : ' ');
        }
        buf_printf(out, "\n");
    }
    buf_printf(out, "\nfrom %llds to %llds ago\n", (long long)(clock_wall_ms() / 1000 - h->samples[0].at),
               (long long)(clock_wall_ms() / 1000 - h->samples[h->count - 1].at));
}

void cmd_latency_graph(struct call *c) {
    enum latency_event event = find_event(call_arg(c, 2));
    struct history h = {.count = 0};
    struct buf out = buf_make(64 * 1024);
    uint32_t low, high;

    if (event != LATENCY_EVENTS)
        h = history_of(&c->server->slow, event);
    if (h.count == 0) {
        reply_error(c->reply, "ERR No samples available for event '%.*s'", arg_shown(&c->argv[2]),
                    c->argv[2].ptr);
        return;
    }
    range_of(&h, &low, &high);
    buf_printf(&out, "%s - high %u ms, low %u ms (all time high %u ms)\n", latency_names[event], high, low,
               h.max_ms);
    draw(&out, &h, low, high);
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}

static const char *const advice[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "SLOWLOG GET shows which commands; those over many elements are best done in parts",
    [LATENCY_FAST_COMMAND] =
        "these take microseconds by themselves: look for a busy machine, swapping or large values",
    [LATENCY_EXPIRE_CYCLE] = "many keys expire at once: spread their expiries",
    [LATENCY_EVICTION_CYCLE] =
        "much is evicted at once, of large values or a lowered limit: maxmemory-eviction-tenacity bounds it",
};

static void diagnose(struct buf *out, enum latency_event event, const struct history *h) {
    uint64_t sum = 0;

    for (size_t i = 0; i < h->count; i++)
        sum += h->samples[i].ms;
    buf_printf(
        out, "%s: %zu latency spikes (average %llums, period %.2f sec). Worst all time event %ums.\n- %s.\n",
        latency_names[event], h->count, (unsigned long long)(sum / h->count),
        (double)(h->samples[h->count - 1].at - h->samples[0].at) / (double)h->count, h->max_ms,
        advice[event]);
}

void cmd_latency_doctor(struct call *c) {
    struct buf out = buf_make(64 * 1024);

    for (unsigned e = 0; e < LATENCY_EVENTS; e++) {
        struct history h = history_of(&c->server->slow, (enum latency_event)e);

        if (h.count > 0)
            diagnose(&out, (enum latency_event)e, &h);
    }
    if (atomic_load(&c->server->slow.monitor_ms) == 0)
        buf_printf(&out, "Latency monitoring is off. \"CONFIG SET latency-monitor-threshold <milliseconds>\" "
                         "turns it on.\n");
    else if (out.len == 0)
        buf_printf(&out, "No latency spike was observed.\n");
    reply_verbatim(c->reply, buf_slice(&out));
    buf_free(&out);
}

/* ---- LATENCY HISTOGRAM --------------------------------------------------------------------------------------- */

/* The bounds of its buckets: 1024 ns, twice that, and so on, replied in microseconds. */
enum { BORDER_NS = 1024, BORDERS = HISTOGRAM_TOP_BITS - 10 + 1 };

static void reply_histogram(struct call *c, const struct histogram *h) {
    uint64_t up_to[BORDERS], before = 0;
    size_t n = 0;

    for (unsigned i = 0; i < BORDERS; i++) {
        up_to[i] = histogram_up_to(h, ((uint64_t)BORDER_NS << i) - 1);
        n += up_to[i] > (i > 0 ? up_to[i - 1] : 0);
    }
    reply_map(c->reply, n);
    for (unsigned i = 0; i < BORDERS; i++) {
        if (up_to[i] > before) {
            reply_integer(c->reply, (int64_t)(((uint64_t)BORDER_NS << i) / 1000));
            reply_integer(c->reply, (int64_t)up_to[i]);
        }
        before = up_to[i];
    }
}

/* Is the row named in the arguments, by its own name or its container's? */
static bool row_asked(const struct call *c, const struct command *cmd) {
    size_t container = strcspn(cmd->name, "|");

    if (c->argc == 2)
        return true;
    for (size_t i = 2; i < c->argc; i++)
        if (arg_is(c, i, cmd->name) || slice_caseeq(call_arg(c, i), slice_of(cmd->name, container)))
            return true;
    return false;
}

/* The number of the row's calls in its histogram; 0: it is left out. */
static uint64_t row_calls(const struct call *c, const struct stats_block *sum, size_t row) {
    const struct histogram *h = sum->commands[row].histogram;

    return h != NULL && row_asked(c, &command_table[row]) ? histogram_total(h) : 0;
}

void cmd_latency_histogram(struct call *c) {
    struct stats_block *sum = stats_sum(&c->server->stats);
    size_t n = 0;

    if (sum == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < command_count; i++)
        n += row_calls(c, sum, i) > 0;
    reply_map(c->reply, n);
    for (size_t i = 0; i < command_count; i++) {
        uint64_t calls = row_calls(c, sum, i);

        if (calls == 0)
            continue;
        reply_text(c->reply, command_table[i].name);
        reply_map(c->reply, 2);
        reply_text(c->reply, "calls");
        reply_integer(c->reply, (int64_t)calls);
        reply_text(c->reply, "histogram_usec");
        reply_histogram(c, sum->commands[i].histogram);
    }
    stats_block_free(sum);
}
