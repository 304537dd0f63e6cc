/* info_stats.c - INFO's sections about commands and errors. */
#include <stdlib.h>

#include "args.h"
#include "info.h"

void info_commandstats(const struct call *c, struct buf *out) {
    struct stats_block *sum = stats_sum(&c->server->stats);

    for (size_t i = 0; i < command_count && sum != NULL; i++) {
        const struct command_stats *row = &sum->commands[i];
        unsigned long long calls = stats_calls(row), us = row->ns / 1000;

        if (calls + row->rejected > 0)
            buf_printf(out,
                       "cmdstat_%s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%"
                       "llu\r\n",
                       command_table[i].name, calls, us, calls > 0 ? (double)us / (double)calls : 0.0,
                       (unsigned long long)row->rejected, (unsigned long long)row->failed);
    }
    stats_block_free(sum);
}

void info_errorstats(const struct call *c, struct buf *out) {
    struct stats_block *sum = stats_sum(&c->server->stats);

    for (uint32_t i = 0; sum != NULL && i < sum->codes; i++)
        if (sum->errors[i].count > 0)
            buf_printf(out, "errorstat_%s:count=%llu\r\n", sum->errors[i].code,
                       (unsigned long long)sum->errors[i].count);
    stats_block_free(sum);
}

/* ",p99.9=1.007" for each of latency-tracking-info-percentiles. */
static void format_percentiles(struct buf *out, const struct histogram *h, const char *percentiles) {
    const char *separator = ":";

    while (*percentiles != '\0') {
        char *end;
        double percent = strtod(percentiles, &end);

        if (end == percentiles)
            break;
        buf_printf(out, "%sp%.*s=%.3f", separator, (int)(end - percentiles), percentiles,
                   (double)histogram_percentile(h, percent) / 1000);
        separator = ",";
        percentiles = end + strspn(end, " ");
    }
    buf_printf(out, "\r\n");
}

void info_latencystats(const struct call *c, struct buf *out) {
    const struct setting_row *setting = setting_find(SLICE_LIT("latency-tracking-info-percentiles"));
    struct stats_block *sum = stats_sum(&c->server->stats);
    struct buf percentiles = buf_make(4096);

    if (sum != NULL && setting_format(&c->server->settings, setting, &percentiles) &&
        buf_append(&percentiles, "", 1))
        for (size_t i = 0; i < command_count; i++)
            if (sum->commands[i].histogram != NULL && histogram_total(sum->commands[i].histogram) > 0) {
                buf_printf(out, "latency_percentiles_usec_%s", command_table[i].name);
                format_percentiles(out, sum->commands[i].histogram, percentiles.data);
            }
    buf_free(&percentiles);
    stats_block_free(sum);
}
